"""Is a fund in distress, since when, and why: the judgement and the four causes the policy names (seed 000 §三(四), R-062).

Distress is current income below spending of the year to date, or a year end at which it is expected to be so. The
worsening against last year is split into income, admissions, average inpatient cost and spending categories; the parts
add up to it to the fen. Yuan and counts; blank is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.errors import RuleError
from rules.money import round_fen, round_ratio
from rules.periods import Month, Quarter, months_between
from rules.projection import HISTORY_YEARS, PastYear, SeasonalShare, seasonal_share
from rules.trace import Step, Trace, Value
from rules.warnings import NONE, ORANGE, RED, YELLOW

CLAUSE = "宁医保〔2019〕128号 §三(四)：当期账面收不抵支或有出险风险"
CAUSES_CLAUSE = "宁医保〔2019〕128号 §三(四)：筹资情况、住院人次、次均住院费用、支出类别"
MONTH, QUARTER = "month", "quarter"
YEAR = 12
Flows = Mapping[Month, Decimal]


@dataclass(frozen=True)
class Distress:
    """``level`` empty: none. ``kinds`` says which of to_date, projected, month hold. ``shortfall`` is yuan of the gravest
    that holds (positive), ``balance`` income less spending of the year to date."""

    level: str
    kinds: tuple[str, ...]
    balance: Decimal
    shortfall: Decimal
    income: Decimal
    spending: Decimal
    projected_income: Decimal | None
    projected_spending: Decimal | None
    trace: Trace

    @property
    def text(self) -> str:
        names = {"to_date": "本年累计收不抵支", "projected": "预计全年收不抵支", "month": "当月收不抵支"}
        return "、".join(names[kind] for kind in self.kinds) or "当期收支正常"


def judge_fund(income: Flows, spending: Flows, month: Month, *, single_month: bool = False) -> Distress | None:
    """The state of a fund at a month's end from its monthly flows (earlier years included where known).

    None when a month of the year up to ``month`` is missing. ``single_month``: one month's shortfall alone is a signal.
    """
    months = months_between(Month(month.year, 1), month)
    if any(one not in income or one not in spending for one in months):
        return None
    earned, spent = (sum((flow[one] for one in months), Decimal(0)) for flow in (income, spending))
    steps = [_step("本年累计当期结余", "累计收入 − 累计支出", (("累计收入", earned), ("累计支出", spent)), earned - spent)]
    kinds, shortfalls = [], []
    if earned < spent:
        kinds.append("to_date")
        shortfalls.append(spent - earned)
    projected = _projected(income, spending, months, earned, spent)
    if projected is not None:
        first, second = projected
        inputs: tuple[tuple[str, Value], ...] = (("预计全年收入", first), ("预计全年支出", second))
        words = "累计数 ÷ 历年同期占比；预计收入 − 预计支出"
        steps.append(_step("预计全年当期结余", words, inputs, first - second))
        if first < second:
            kinds.append("projected")
            shortfalls.append(second - first)
    now = (("当月收入", income[month]), ("当月支出", spending[month]))
    steps.append(_step("当月结余", "当月收入 − 当月支出", now, income[month] - spending[month]))
    if income[month] < spending[month]:
        if single_month or kinds:
            kinds.append("month")
        shortfalls.append(spending[month] - income[month])
    level = RED if "to_date" in kinds else ORANGE if "projected" in kinds else YELLOW if kinds else NONE
    return Distress(
        level=level,
        kinds=tuple(kinds),
        balance=earned - spent,
        shortfall=shortfalls[0] if level else Decimal("0.00"),
        income=earned,
        spending=spent,
        projected_income=projected[0] if projected else None,
        projected_spending=projected[1] if projected else None,
        trace=Trace(steps),
    )


def is_continuing(states: Mapping[Month, bool | None], month: Month, unit: str, needed: int) -> bool:
    """连续出险: distress in ``needed`` consecutive months or quarters up to ``month``; what is not known is no distress.

    A quarter counts by its last month, the running one by ``month``.
    """
    if unit == MONTH:
        asked = [month.plus(-back) for back in range(needed)]
    else:
        quarter: Quarter = month.quarter
        asked = [month]
        while len(asked) < needed:
            quarter = quarter.previous()
            asked.append(quarter.months[2])
    return needed > 0 and all(states.get(one) is True for one in asked)


@dataclass(frozen=True)
class Sides:
    """Sums of the year to date of one year; None: not known. ``inpatient``, ``outpatient`` are fund spending in the
    county, ``away`` that outside it; ``discharges`` those behind ``inpatient``; ``average`` the average inpatient cost."""

    income: Decimal
    spending: Decimal
    inpatient: Decimal | None = None
    outpatient: Decimal | None = None
    away: Decimal | None = None
    discharges: Decimal | None = None
    average: Decimal | None = None


@dataclass(frozen=True)
class Cause:
    """``share`` is this cause's part of the worsening in yuan (positive: it worsens). ``ratio``: of the whole, where the
    fund did worsen. ``counted`` false: told for completeness, its yuan stand in other lines."""

    key: str
    label: str
    unit: str
    now: Decimal | None
    before: Decimal | None
    share: Decimal
    ratio: Decimal | None
    text: str
    counted: bool = True

    @property
    def change(self) -> Decimal | None:
        return None if self.now is None or self.before is None else self.now - self.before


@dataclass(frozen=True)
class Causes:
    """``worsening`` = increase of spending less increase of income; the counted causes add up to it."""

    worsening: Decimal
    causes: tuple[Cause, ...]
    trace: Trace


def causes_of(now: Sides, before: Sides) -> Causes:
    """The worsening of the year to date against last year, in the policy's order of causes."""
    worsening = (now.spending - before.spending) - (now.income - before.income)
    steps = [
        _step(
            "当期结余比上年同期恶化",
            "支出增加额 − 收入增加额",
            (("本期支出", now.spending), ("上年支出", before.spending), ("本期收入", now.income), ("上年收入", before.income)),
            worsening,
            CAUSES_CLAUSE,
        )
    ]
    found: list[tuple[str, str, str, Decimal | None, Decimal | None, Decimal, str, bool]] = [
        ("income", "筹资情况（当期收入）", "元", now.income, before.income, before.income - now.income,
         "上年同期收入 − 本期收入", True),
    ]  # fmt: skip
    rest = now.spending - before.spending
    volume, price, text = _inpatient(now, before, steps)
    rest -= volume + price
    found += [
        ("admissions", "住院人次", "人次", now.discharges, before.discharges, volume,
         text or "（本期人次 − 上年人次）× 上年次均基金支出", True),
        ("average_cost", "次均住院费用", "元", now.average, before.average, price,
         text or "住院基金支出增加额 − 住院人次影响", True),
    ]  # fmt: skip
    inpatient = _difference(now.inpatient, before.inpatient)
    split = not text
    if inpatient is not None and not split:
        rest -= inpatient
    words = "已计入住院人次和次均住院费用" if split else "没有两年可比的数据，计入其他"
    if inpatient is not None and not split:
        words = "本期支出 − 上年同期支出（没有可比的人次，不拆分）"
    found.append(
        ("category_inpatient", "支出类别：住院", "元", now.inpatient, before.inpatient, inpatient or Decimal("0.00"), words, not split)
    )
    for key, label, first, second in (
        ("category_outpatient", "支出类别：门诊", now.outpatient, before.outpatient),
        ("category_out_of_county", "支出类别：县外就医", now.away, before.away),
    ):
        part = _difference(first, second)
        rest -= part or Decimal(0)
        words = "本期支出 − 上年同期支出" if part is not None else "没有两年可比的数据，计入其他"
        found.append((key, label, "元", first, second, part or Decimal("0.00"), words, True))
    found.append(
        ("category_other", "支出类别：其他及口径差异", "元", _others(now), _others(before), rest,
         "基金月报支出中不在以上各项内的部分", True)
    )  # fmt: skip
    causes = tuple(
        Cause(key, label, unit, first, second, share, _ratio(share, worsening), words, counted)
        for key, label, unit, first, second, share, words, counted in found
    )
    total = sum((cause.share for cause in causes if cause.counted), Decimal(0))
    parts: tuple[tuple[str, Value], ...] = tuple((cause.label, cause.share) for cause in causes if cause.counted)
    steps.append(_step("各项影响合计", "各项影响相加，等于恶化额", parts, total, CAUSES_CLAUSE))
    return Causes(worsening, causes, Trace(steps))


def _inpatient(now: Sides, before: Sides, steps: list[Step]) -> tuple[Decimal, Decimal, str]:
    """Inpatient spending's change as volume × price: admissions at last year's average, the rest is the average."""
    if now.inpatient is None or before.inpatient is None or now.discharges is None or not before.discharges:
        return Decimal("0.00"), Decimal("0.00"), "没有两年可比的住院数据，计入其他"
    if before.discharges < 0:
        return Decimal("0.00"), Decimal("0.00"), "上年同期人次为负（冲销大于发生），计入其他"
    volume = round_fen((now.discharges - before.discharges) * before.inpatient / before.discharges)
    price = now.inpatient - before.inpatient - volume
    inputs: tuple[tuple[str, Value], ...] = (
        ("本期人次", now.discharges), ("上年人次", before.discharges), ("上年住院基金支出", before.inpatient),
    )  # fmt: skip
    words = "（本期人次 − 上年人次）× 上年住院基金支出 ÷ 上年人次"
    steps.append(_step("住院人次影响", words, inputs, volume, CAUSES_CLAUSE))
    more: tuple[tuple[str, Value], ...] = (
        ("本期住院基金支出", now.inpatient), ("上年住院基金支出", before.inpatient), ("住院人次影响", volume),
    )  # fmt: skip
    steps.append(_step("次均住院费用影响", "住院基金支出增加额 − 住院人次影响", more, price, CAUSES_CLAUSE))
    return volume, price, ""


def _others(side: Sides) -> Decimal | None:
    known = (side.inpatient, side.outpatient, side.away)
    if any(value is None for value in known):
        return None
    return side.spending - sum((value for value in known if value is not None), Decimal(0))


def _projected(
    income: Flows, spending: Flows, months: Sequence[Month], earned: Decimal, spent: Decimal
) -> tuple[Decimal, Decimal] | None:
    """Year-end income and spending by the usual share of the year; None without a whole earlier year of both."""
    if len(months) == YEAR:
        return None
    shares = [_season(flow, months) for flow in (income, spending)]
    if shares[0] is None or shares[1] is None:
        return None
    return shares[0].carry(earned), shares[1].carry(spent)


def _season(flow: Flows, months: Sequence[Month]) -> SeasonalShare | None:
    year = months[-1].year
    past = [
        PastYear(one, {month.month: value for month, value in flow.items() if month.year == one})
        for one in range(year - HISTORY_YEARS, year)
    ]
    try:
        found = seasonal_share(range(1, len(months) + 1), [one for one in past if one.is_whole])
    except RuleError:
        return None
    return found if found.years and found.share > 0 else None


def _difference(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    return None if now is None or before is None else now - before


def _ratio(share: Decimal, worsening: Decimal) -> Decimal | None:
    return round_ratio(share / worsening) if worsening > 0 else None


def _step(
    label: str, words: str, inputs: tuple[tuple[str, Value], ...], value: Decimal, clause: str = CLAUSE
) -> Step:
    return Step(label, words, inputs, value, clause)
