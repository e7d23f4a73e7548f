"""The sentences of a report, each made of known figures; what is not known is left out and told under 数据说明."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from core.templatetags.fund import percent, points, wan, yuan
from rules.analysis import DRIVERS, Decomposition
from rules.indicators import BY_KEY
from rules.spans import Span

Sums = Mapping[str, Decimal | None]
KEY_INDICATORS = (
    "inpatient_average", "outpatient_average", "length_of_stay", "admission_rate", "in_county_rate", "in_county_fund",
    "primary_share", "reimbursement", "drug_share",
)  # fmt: skip


def short(span: Span) -> str:
    """1–9 月, 9 月, 三季度, 上半年, 全年: the year is in the title."""
    text = span.text.split(" 年", 1)[1].strip()
    return text or "全年"


def said_growth(ratio: Decimal | None, word: str = "同比") -> str:
    """同比增长 6.42%, 同比下降 1.05%, 同比持平; empty when it is not known."""
    if ratio is None:
        return ""
    if ratio == 0:
        return f"，{word}持平"
    return f"，{word}{'增长' if ratio > 0 else '下降'} {percent(abs(ratio))}"


def fund_sentences(label: str, span: Span, sums: Sums, growths: Mapping[str, Decimal | None], months: Decimal | None) -> list[str]:
    """Income, spending, balance of one fund type and span."""
    found: list[str] = []
    charged, spending, income, balance = (sums.get(key) for key in ("charged", "fund_spending", "income", "balance"))
    if charged is not None:
        found.append(f"{short(span)}{label}打包范围内基金支出 {wan(charged)} 万元{said_growth(growths.get('charged'))}")
    if income is not None:
        found.append(f"{label}基金收入 {wan(income)} 万元{said_growth(growths.get('income'))}")
    if spending is not None:
        found.append(f"{label}基金支出 {wan(spending)} 万元{said_growth(growths.get('fund_spending'))}")
    if income is not None and spending is not None:
        current = income - spending
        rate = f"（当期结余率 {percent(current / income)}）" if income > 0 else ""
        found.append(f"当期{'结余' if current >= 0 else '收不抵支，缺口'} {wan(abs(current))} 万元{rate}")
    if balance is not None:
        payable = f"，可支付 {yuan(months)} 个月" if months is not None else ""
        found.append(f"{span.last.month} 月末累计结余 {wan(balance)} 万元{payable}")
    return found


def pace_sentence(label: str, package: Decimal | None, execution: Decimal | None, gap: Decimal | None) -> str:
    if package is None or execution is None:
        return ""
    told = f"{label}打包总额 {wan(package)} 万元，执行 {percent(execution)}"
    if gap is not None:
        told += f"，{'快于' if gap > 0 else '慢于'}序时进度 {percent(abs(gap)).rstrip('%')} 个百分点" if gap else "，与序时进度一致"
    return told


def indicator_sentence(
    label: str, span: Span, values: Mapping[str, tuple[Decimal | None, Decimal | None, Decimal | None]]
) -> str:
    """``values``: by indicator (now, a year before, median of the peers)."""
    told = []
    for key in KEY_INDICATORS:
        now, before, peers = values.get(key, (None, None, None))
        if now is None:
            continue
        indicator = BY_KEY[key]
        ratio = indicator.unit in ("ratio", "points")
        text = f"{indicator.label} {percent(now) if ratio else yuan(now)}{_unit(indicator.unit)}"
        if before is not None:
            change = now - before
            if ratio:
                text += f"，比上年同期 {points(change)}" if change else "，与上年同期持平"
            elif before > 0:
                text += said_growth(change / before)
        if peers is not None and peers != now:
            text += f"，{'高' if now > peers else '低'}于同类中位数 {percent(peers) if ratio else yuan(peers)}{_unit(indicator.unit)}"
        told.append(text)
    return f"{short(span)}{label}：{'；'.join(told)}。" if told else ""


def cause_sentence(label: str, span: Span, found: Decomposition) -> str:
    change = found.change
    if change is None or not found.parts:
        return ""
    word = "增加" if change > 0 else "减少" if change < 0 else "持平"
    drivers = sorted(found.drivers.items(), key=lambda item: -abs(item[1]))
    told = "、".join(f"{DRIVERS[key]}{_signed(value)} 万元" for key, value in drivers if value)
    largest = max(found.parts, key=lambda part: abs(part.change))
    amount = "" if not change else f" {wan(abs(change))} 万元"
    text = f"{short(span)}{label}打包范围内基金支出比上年同期{word}{amount}"
    text += f"，其中{told}" if told else ""
    return f"{text}；变动最大的类别是{largest.label}（{_signed(largest.change)} 万元）。" if largest.change else f"{text}。"


def warning_sentence(span: Span, counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return f"{short(span)}没有触发预警，也没有在办的预警。"
    return (
        f"{short(span)}触发预警 {counts['raised']} 条；连同以前触发的，现有在办 {counts['open']} 条，已答复 {counts['answered']} 条，"
        f"逾期 {counts['overdue']} 条，已解除 {counts['closed']} 条。"
    )


def fast_sentence(label: str, span: Span, names: Sequence[str], limit: Decimal) -> str:
    rule = f"（增速高于本地 {points_of(limit)} 个百分点以上，或执行快于序时进度 {points_of(limit)} 个百分点以上）"
    if not names:
        return f"{short(span)}{label}没有基金支出增长过快的成员单位{rule}。"
    told = "、".join(names[:5]) + (f"等 {len(names)} 家" if len(names) > 5 else "")
    return f"{short(span)}{label}基金支出增长过快的成员单位：{told}{rule}。"


def circular_sentence(label: str, span: Span, count: int, fastest: str, rate: Decimal | None) -> str:
    if not count:
        return ""
    told = f"{short(span)}{label}通报二级及以上定点医疗机构 {count} 家"
    return f"{told}，基金支出增速最高的是{fastest}（{percent(rate)}）。" if fastest and rate is not None else f"{told}。"


def points_of(ratio: Decimal) -> str:
    return f"{(ratio * 100).normalize():f}"


def _unit(unit: str) -> str:
    return {"yuan": " 元", "days": " 日", "months": " 个月", "number": ""}.get(unit, "")


def _signed(value: Decimal) -> str:
    return f"{'+' if value > 0 else ''}{wan(value)}"
