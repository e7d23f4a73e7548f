"""The figures of a warning as its page shows them: chart, table of the months, what must be reached, the course of acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from core.templatetags.fund import BLANK, count, day, percent, signed, wan, yuan
from core.working_days import working_days_left
from monitoring.models import Warning, WarningAnswer, WarningChange
from monitoring.reading.figures import Figure
from monitoring.reading.warning_months import Course
from monitoring.reading.warnings import told
from monitoring.states import Act, WarningState
from rules.periods import Month

BAD_ACTS = (Act.RAISE, Act.WORSEN, Act.RETURN, Act.WITHDRAW, Act.ESCALATE, Act.REOPEN)
IN_PERCENT = ("ratio", "points")
MOST_TICKS = 6
FUTURE: tuple[tuple[str, str], ...] = (
    (WarningState.RAISED, "送达"),
    (WarningState.SENT, "答复"),
    (WarningState.ANSWERED, "审定答复"),
    (WarningState.ACCEPTED, "整改跟踪"),
    (WarningState.CLOSED, "解除"),
)
ORDER = {
    WarningState.RAISED: 0, WarningState.SENT: 1, WarningState.RETURNED: 1, WarningState.ANSWERED: 2,
    WarningState.ACCEPTED: 3, WarningState.CLOSED: 4,
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    text: str
    bad: bool = False


@dataclass(frozen=True)
class Line:
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Event:
    """One entry of the timeline; ``change`` carries files and, for an inquiry, the letter."""

    label: str
    state: str
    when: str
    text: str
    change: WarningChange | None = None
    answer: WarningAnswer | None = None
    due: date | None = None
    folded: tuple[Event, ...] = ()

    @property
    def is_letter(self) -> bool:
        return self.change is not None and self.change.act == Act.INQUIRE


def chart(course: Course) -> dict[str, Any]:
    """The months and the year so far against the threshold, in percent or the indicator's own unit."""
    unit = course.indicator.unit
    months = [_plain(unit, row.figure.value) for row in course.months]
    year = course.last.month.year
    series: list[dict[str, Any]] = [{"name": "当月", "look": "solid", "data": months}]
    values = [row.figure.value for row in course.months]
    if course.has_to_date:
        so_far = [row.to_date.value if row.to_date and row.month.year == year else None for row in course.months]
        series.append({"name": "本年累计", "look": "dashed", "data": [_plain(unit, one) for one in so_far]})
        values += so_far
    bounds = [row.bound for row in course.months]  # a rule held against last year or the pace moves with the months
    data: dict[str, Any] = {"categories": [_short(row.month) for row in course.months], "series": series}
    if len(set(bounds)) > 1:
        series.append({"name": "阈值（随比较值变动）", "look": "red", "data": [_plain(unit, one) for one in bounds]})
        values += bounds
    elif course.whole_bound is not None:
        side = "上限" if course.above else "下限"
        name = f"{side} {told(course.indicator.key, course.whole_bound)}"
        data["limits"] = [{"name": name, "value": _plain(unit, course.whole_bound), "red": True, "at": _free_end(course)}]
        values.append(course.whole_bound)
    data.update(_range(unit, [one for one in values if one is not None]))
    return data


def _free_end(course: Course) -> str:
    """At which end of the threshold's line its name stands: where both lines lie further from it."""
    bound, apart = course.whole_bound, []
    for row in course.months:
        drawn = [row.figure.value, row.to_date.value if row.to_date and row.month.year == course.last.month.year else None]
        known = [abs(value - bound) for value in drawn if value is not None and bound is not None]
        if known:
            apart.append(min(known))
    return "start" if apart and min(apart[:2]) > min(apart[-2:]) else "end"


def chart_unit(course: Course) -> str:
    return {"ratio": "%", "points": "%", "yuan": "元", "days": "日", "months": "个月"}.get(course.indicator.unit, "")


def describe(course: Course) -> str:
    """The figures of the chart in words."""
    rows = [f"{row.month.month}月 {told(course.indicator.key, row.figure.value)}" for row in course.months]
    bad = sum(1 for row in course.months if row.bad)
    tail = f"，其中 {bad} 个月触及阈值 {told(course.indicator.key, course.whole_bound)}" if bad else ""
    first, last = course.months[0].month, course.last.month
    return f"{first} 至 {last} 各月{course.indicator.label}：{'、'.join(rows)}{tail}"


def month_heads(course: Course) -> list[str]:
    heads = [_short(row.month) for row in course.months]
    return [*heads, _whole_head(course)]


def month_table(course: Course) -> list[Line]:
    """Numerator, denominator, value and distance to the threshold of each month, and of the span that warned."""
    key, is_money = course.indicator.key, course.is_money
    figures = [*(row.figure for row in course.months), course.whole]
    bad = [*(row.bad for row in course.months), course.whole_gap is not None or _outside(course)]
    gaps = [*(row.gap for row in course.months), course.whole_gap]
    lines = [
        Line(course.top_label, tuple(Cell(_amount(one.reading.top, is_money)) for one in figures)),
        Line(course.bottom_label, tuple(Cell(_amount(one.reading.bottom, course.bottom_is_money)) for one in figures)),
        Line(
            course.indicator.label + ("（元）" if course.indicator.unit == "yuan" else ""),
            tuple(Cell(told(key, one.value).removesuffix(" 元"), wrong) for one, wrong in zip(figures, bad, strict=True)),
        ),
    ]
    if any(gap is not None for gap in gaps):
        label = f"距阈值差额{'' if is_money else '（人次等）'}"
        lines.append(Line(label, tuple(Cell(_amount(gap, is_money)) for gap in gaps)))
    return lines


def missing_months(course: Course) -> list[str]:
    """Why months of the table are blank."""
    found = [row.figure.missing for row in course.months if row.figure.missing]
    return list(dict.fromkeys(found))[:4]


def facts(course: Course | None, warning: Warning, figure: Any) -> list[dict[str, Any]]:
    """The strip: value of the span, the month's, the money, what the rest of the year must reach."""
    if course is None:
        return _plain_facts(warning, figure)
    key, bound = course.indicator.key, course.whole_bound
    side = "高" if course.above else "低"
    apart = _apart(course)
    strip: list[dict[str, Any]] = [
        {
            "label": f"{course.span.text}{'累计' if course.span.kind == 'to_date' and course.span.last.month > 1 else ''}",
            "value": told(key, course.whole.value),
            "bad": _outside(course),
            "trace": bool(course.whole.reading.trace.steps),
            "sub": f"{'上限' if course.above else '下限'} {told(key, bound)}，{side} {apart}" if apart else course.whole.missing,
        },
        {
            "label": f"{course.last.month.month} 月当月",
            "value": told(key, course.last.figure.value),
            "bad": course.last.bad,
            "sub": f"连续 {course.in_a_row} 个月触及阈值" if course.in_a_row > 1 else course.last.figure.missing,
        },
    ]
    strip.append(_money_fact(course, figure))
    if course.needed is not None:
        top = f"{wan(course.needed.top)} 万元" if course.is_money else count(course.needed.top)
        possible = course.needed.possible
        reached = f"分子 {top}，全年方为 {told(key, bound)}"
        strip.append(
            {
                "label": f"其余 {course.needed.months} 个月须达到",
                "value": told(key, course.needed.value) if possible else "年内不能达到",
                "bad": not possible,
                "sub": reached if possible else "按现有月均规模，其余月份无法弥补",
            }
        )
    else:
        strip.append({"label": "首次触发", "value": f"{warning.year} 年 {warning.month} 月", "sub": f"{day(warning.raised_at)} 形成预警"})
    return strip


def _money_fact(course: Course, figure: Any) -> dict[str, Any]:
    if course.whole_gap is not None and course.is_money:
        return {
            "label": "涉及金额（距阈值差额）",
            "value": yuan(course.whole_gap),
            "unit": "元",
            "sub": "分子与阈值下应有数之差",
        }
    affected = figure.affected if figure is not None else None
    return {"label": "涉及金额", "value": yuan(affected), "unit": "元" if affected is not None else "", "sub": course.indicator.expression}


def _distress_facts(warning: Warning, figure: Any) -> list[dict[str, Any]]:
    """Income, spending, what is short, and what the year is expected to come to."""
    held = figure.data
    projected = wan(held.get("projected_income")), wan(held.get("projected_spending"))
    return [
        {"label": "本年累计收入", "value": wan(held.get("income")), "unit": "万元", "sub": held.get("text", "")},
        {"label": "本年累计支出", "value": wan(held.get("spending")), "unit": "万元", "sub": "连续出险" if held.get("continuing") else ""},
        {"label": "当期结余", "value": wan(figure.value), "unit": "万元", "bad": (figure.value or 0) < 0, "trace": bool(figure.trace)},
        {
            "label": "涉及金额（缺口）", "value": yuan(figure.affected), "unit": "元", "bad": bool(figure.affected),
            "sub": f"预计全年收 {projected[0]}、支 {projected[1]} 万元" if BLANK not in projected else "",
        },
    ]  # fmt: skip


def _plain_facts(warning: Warning, figure: Any) -> list[dict[str, Any]]:
    if warning.source == "distress" and figure is not None and figure.data.get("income"):
        return _distress_facts(warning, figure)
    value = told(warning.indicator, figure.value) if figure is not None and figure.value is not None else BLANK
    affected = figure.affected if figure is not None else None
    return [
        {"label": "来源", "value": warning.get_source_display(), "sub": warning.title},
        {"label": "指标值", "value": value, "sub": ""},
        {"label": "涉及金额", "value": yuan(affected), "unit": "元" if affected is not None else "", "sub": ""},
        {"label": "首次触发", "value": f"{warning.year} 年 {warning.month} 月", "sub": f"{day(warning.raised_at)} 形成预警"},
    ]


def scenarios(course: Course) -> list[dict[str, Any]]:
    if course.needed is None:
        return []
    key = course.indicator.key
    return [
        {
            "label": row.label, "rest": told(key, row.rest), "year": told(key, row.year), "bad": row.bad,
            "gap": yuan(row.gap) if course.is_money else count(row.gap),
        }
        for row in course.needed.scenarios
    ]  # fmt: skip


def events(
    warning: Warning, changes: Sequence[WarningChange], answers: Sequence[WarningAnswer], today: date, recover_months: int
) -> list[Event]:
    """What happened, oldest first, and what is still to come."""
    known = {answer.number: answer for answer in answers}
    told_events, answered = [], 0
    for change in changes:
        answer = None
        label = change.get_act_display()
        if change.act == Act.ANSWER:
            answered += 1
            answer, label = known.get(answered), f"第 {answered} 次答复"
        itself = change.data.get("by") == "system" or (change.act == Act.RAISE and warning.source != "manual")
        who = "系统" if itself or change.actor is None else str(change.actor)
        text = "；".join(filter(None, [who, _data_text(change), change.reason.rstrip("。；"), _until(change)]))
        state = "bad" if change.act in BAD_ACTS else "done"
        told_events.append(Event(label, state, day(change.at, "time"), text, change, answer))
    return [*_folded(told_events), *_coming(warning, today, recover_months)]


def _folded(told_events: Sequence[Event]) -> list[Event]:
    """Months that only brought new figures, several in a row, are one entry: the newest, the earlier ones folded in it."""
    rows: list[Event] = []
    for event in told_events:
        last = rows[-1] if rows else None
        if last is not None and _is_update(last) and _is_update(event):
            rows[-1] = replace(event, folded=(*last.folded, replace(last, folded=())))
        else:
            rows.append(event)
    return rows


def _is_update(event: Event) -> bool:
    return event.change is not None and event.change.act == Act.UPDATE


def _coming(warning: Warning, today: date, recover_months: int) -> list[Event]:
    """The steps that are left: the one whose turn it is, then those after it."""
    at = ORDER[WarningState(warning.state)]
    if warning.state == WarningState.CLOSED:
        return []
    rows = []
    for number, (_state, label) in enumerate(FUTURE):
        if number < at:
            continue
        if number == at and warning.state == WarningState.ACCEPTED:
            text = "指标已恢复，待复核人解除" if warning.recovered else "每月随数据更新，看整改成效"
            rows.append(Event(label, "current", "进行中", text))
        elif number == at:
            when = f"{day(warning.due_on, 'short')} 前" if warning.due_on else ""
            rows.append(Event(label, "current", when, _left(warning.due_on, today)))
        else:
            text = f"连续 {recover_months} 个月恢复，由复核人解除" if label == "解除" else ""
            rows.append(Event(label, "todo", "", text))
    return rows


def _left(due: date | None, today: date) -> str:
    if due is None:
        return ""
    left = working_days_left(today, due)
    if due == today:
        return "今天到期"
    return f"剩 {left} 个工作日" if left > 0 else (f"已逾期 {-left} 个工作日" if due < today else "其间无工作日")


def _until(change: WarningChange) -> str:
    return f"期限 {day(change.until, 'short')}" if change.until else ""


def _data_text(change: WarningChange) -> str:
    held = change.data if isinstance(change.data, dict) else {}
    parts = []
    if held.get("held_on"):
        parts.append(f"{day(held['held_on'], 'short')}约谈")
    if held.get("participants"):
        parts.append(f"参加：{held['participants']}")
    return "，".join(parts)


def _outside(course: Course) -> bool:
    value, bound = course.whole.value, course.whole_bound
    if value is None or bound is None:
        return False
    return value > bound if course.above else value < bound


def _apart(course: Course) -> str:
    """How far the value lies beyond the threshold: percentage points for ratios."""
    value, bound = course.whole.value, course.whole_bound
    if value is None or bound is None or not _outside(course):
        return ""
    apart = abs(value - bound)
    if course.indicator.unit in IN_PERCENT:
        return f"{apart * 100:.2f} 个百分点"
    return told(course.indicator.key, apart)


def _whole_head(course: Course) -> str:
    last = course.span.last.month
    if course.span.kind == "to_date":
        return f"1–{last} 月" if last > 1 else "1 月"
    return course.span.text.split(" 年 ")[-1]


def _amount(value: Decimal | None, is_money: bool) -> str:
    return wan(value) if is_money else count(value)


def _short(month: Month) -> str:
    return f"{month.year % 100:02d}-{month.month:02d}"


def _plain(unit: str, value: Decimal | None) -> str | None:
    if value is None:
        return None
    return f"{value * 100:.2f}" if unit in IN_PERCENT else f"{value:.2f}"


def _range(unit: str, values: Sequence[Decimal]) -> dict[str, str]:
    """Ends of the axis on round numbers, so that the threshold is always inside."""
    if not values:
        return {}
    factor = 100 if unit in IN_PERCENT else 1
    low, high = min(values) * factor, max(values) * factor
    wide = (high - low) or abs(high) or Decimal(1)
    step = _step(wide / MOST_TICKS)
    bottom = (low / step).to_integral_value(ROUND_FLOOR) * step
    top = ((high / step).to_integral_value(ROUND_FLOOR) + 1) * step
    if bottom == low:
        bottom -= step
    if low >= 0 > bottom:
        bottom = Decimal(0)
    return {"min": f"{bottom:f}", "max": f"{top:f}"}


def _step(least: Decimal) -> Decimal:
    power = Decimal(10) ** (least.adjusted())
    return next((power * number for number in (1, 2, 5) if power * number >= least), power * 10)


def shown_figure(figure: Figure) -> str:
    return told(figure.indicator.key, figure.value)


def change_text(part: Any) -> dict[str, str]:
    """A contributor's line in 万元."""
    return {
        "now": wan(part.now), "before": wan(part.before), "change": signed(wan(part.change)),
        "growth": signed(percent(part.growth)),
    }  # fmt: skip


