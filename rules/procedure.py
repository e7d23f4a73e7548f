"""Time limits of a case: which there are (``procedure.toml``, domain §6.2), and the day each one ends.

The day after the event is day 1. Working days are counted by the calendar the caller gives, so holidays and make-up
working days are its business. Calendar days and months that end on a day of rest end on the next working day
(民法典 第二百零三条, 待核实). Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rules.dated import Source, read, source_of
from rules.errors import RuleError, RuleProblem
from rules.periods import months_after
from rules.trace import Step, Trace, Value

WORKING_DAYS, DAYS, MONTHS = "working_days", "days", "months"
UNITS = {WORKING_DAYS: "个工作日", DAYS: "日", MONTHS: "个月"}
LONGEST_REST = 60
"""Days of rest in a row after which a calendar is taken to be broken rather than on holiday."""
IsWorking = Callable[[date], bool]
Span = tuple[date, date]
_DATA = read(Path(__file__).parent / "procedure.toml")
CALENDAR = source_of(_DATA["calendar"])
CALENDAR_CLAUSE: str = _DATA["calendar"]["clause"]


class ProcedureError(RuleError):
    """A limit that cannot be counted."""


@dataclass(frozen=True)
class Limit:
    """One limit: ``count`` of ``unit`` after ``event`` (``before``: ahead of it), ``extension`` more with leave."""

    key: str
    label: str
    count: int
    unit: str
    event: str
    before: bool
    extension: int
    extended_by: str
    source: Source
    note: str = ""

    @property
    def text(self) -> str:
        """The limit in words: 发现线索后 15 个工作日（经批准可延长 15 个工作日）."""
        words = f"{self.event}{'前' if self.before else '后'} {self.count} {UNITS[self.unit]}"
        more = f"（经批准可延长 {self.extension} {UNITS[self.unit]}）" if self.extension else ""
        return words + more


@dataclass(frozen=True)
class Deadline:
    """``due`` is the last day on which the act is in time; for a limit ``before`` an event, the last day to act."""

    limit: Limit
    start: date
    due: date
    trace: Trace


LIMITS: tuple[Limit, ...] = tuple(
    Limit(
        key=row["key"],
        label=row["label"],
        count=row["count"],
        unit=row["unit"],
        event=row["event"],
        before=row.get("before", False),
        extension=row.get("extension", 0),
        extended_by=row.get("by", ""),
        source=source_of(row),
        note=row.get("note", ""),
    )
    for row in _DATA["limit"]
)
LIMIT_BY_KEY = {limit.key: limit for limit in LIMITS}


def due_on(start: date, count: int, unit: str, is_working: IsWorking) -> date:
    """The last day of a limit of ``count`` (≥ 1) working_days, days or months after ``start``.

    ProcedureError for another unit or count, or a calendar without working days.
    """
    return _rested(last_day(start, count, unit, is_working), is_working)


def last_day(start: date, count: int, unit: str, is_working: IsWorking) -> date:
    """As ``due_on`` before a day of rest moves the end: what pauses are added to."""
    problems = []
    if unit not in UNITS:
        problems.append(RuleProblem("期限单位", unit, f"没有期限单位“{unit}”", f"可选：{'、'.join(UNITS)}"))
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        problems.append(RuleProblem("期限", str(count), f"期限须为正整数，现为{count}", "请改正期限"))
    if problems:
        raise ProcedureError(problems)
    if unit == WORKING_DAYS:
        return _working_days_after(start, count, is_working)
    return start + timedelta(days=count) if unit == DAYS else months_after(start, count)


def with_pauses(due: date, pauses: Sequence[Span], unit: str, is_working: IsWorking) -> date:
    """The end moved by the days not counted (suspension, expert opinion, hearing, public notice).

    ``pauses``: first and last day, both included, none before the limit began; overlapping ones count once, those after
    the end count not at all. For calendar days and months give ``last_day``; the end is moved off days of rest here.
    ProcedureError lists spans whose end is before their start.
    """
    problems = [
        RuleProblem("不计入期间", f"{first}—{last}", f"不计入期间的止日{last}早于起日{first}", "请改正期间")
        for first, last in pauses
        if last < first
    ]
    if problems:
        raise ProcedureError(problems)
    merged = _merged(pauses)
    for first, last in merged:
        if first > due:
            break
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        if unit == WORKING_DAYS:
            due = _working_days_after(due, sum(map(is_working, days)), is_working)
        else:
            due += timedelta(days=len(days))
    if unit == WORKING_DAYS:
        return due
    due = _rested(due, is_working)
    for first, last in merged:
        if first <= due <= last:
            due = _rested(last + timedelta(days=1), is_working)
    return due


def after_limit(done_on: date, due: date) -> bool:
    """Whether something done on a day came too late; on the last day it is in time."""
    return done_on > due


def latest_before(event_on: date, count: int, is_working: IsWorking) -> date:
    """The last day that leaves ``count`` full working days' notice: the count-th working day before ``event_on``."""
    day = event_on
    for _number in range(count):
        day = _next_working(day, is_working, -1)
    return day


def deadline(
    limit: Limit, start: date, is_working: IsWorking, *, pauses: Sequence[Span] = (), extended: bool = False
) -> Deadline:
    """The end of a limit that began with its event on ``start``, with its trace.

    ``extended``: leave was given; ProcedureError when the limit cannot be extended. Pauses before ``start`` are cut off.
    A limit ``before`` an event takes the day of the event as ``start`` and knows no pauses.
    """
    if extended and not limit.extension:
        raise ProcedureError.one("延长", limit.key, f"“{limit.label}”的期限不能延长", "请在期限内办理")
    count = limit.count + (limit.extension if extended else 0)
    inputs: list[tuple[str, Value]] = [(limit.event, str(start)), ("期限", f"{count} {UNITS[limit.unit]}")]
    if limit.before:
        due = latest_before(start, count, is_working)
        words = "自该日前一日起向前数工作日"
        step = Step(limit.label, words, tuple(inputs), str(due), limit.source.basis, "", limit.source.status)
        return Deadline(limit, start, due, Trace([step]))
    raw = last_day(start, count, limit.unit, is_working)
    words = "自次日起数工作日" if limit.unit == WORKING_DAYS else "自次日起算"
    steps = [Step(limit.label, words, tuple(inputs), str(raw), limit.source.basis, "", limit.source.status)]
    first = start + timedelta(days=1)
    held = [(max(one, first), last) for one, last in pauses if last >= first or last < one]
    due = with_pauses(raw, held, limit.unit, is_working)
    if held:
        spans = tuple(("不计入期间", f"{one}—{last}") for one, last in held)
        steps.append(
            Step("扣除不计入期间", "止日按不计入天数顺延", spans, str(due), limit.source.basis, "", limit.source.status)
        )
    elif due != raw:
        told = (("末日", str(raw)),)
        steps.append(
            Step(
                "末日顺延", "末日为休息日，顺延至其后第一个工作日", told, str(due), CALENDAR_CLAUSE, "", CALENDAR.status
            )
        )
    return Deadline(limit, start, due, Trace(steps))


def _merged(pauses: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for first, last in sorted(pauses):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _working_days_after(day: date, count: int, is_working: IsWorking) -> date:
    for _number in range(count):
        day = _next_working(day, is_working, 1)
    return day


def _next_working(day: date, is_working: IsWorking, step: int) -> date:
    for number in range(1, LONGEST_REST + 1):
        if is_working(day + timedelta(days=number * step)):
            return day + timedelta(days=number * step)
    text = f"{day}前后 {LONGEST_REST} 天内没有工作日"
    raise ProcedureError.one("工作日历", day, text, "请核对工作日历")


def _rested(day: date, is_working: IsWorking) -> date:
    return day if is_working(day) else _next_working(day, is_working, 1)
