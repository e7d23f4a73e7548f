"""Points for breaches: of persons (医保发〔2024〕23号) and of providers under their agreement (R-101, R-102, R-104).

Two schemes that never mix (domain §6.4), in ``points_schemes.toml``. Points are of a natural year and cleared at its end;
what they led to goes on. A withdrawn entry counts as if never made, so a standing is always worked out anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from rules.dated import Source, read, source_of
from rules.errors import RuleError, RuleProblem
from rules.periods import months_after
from rules.trace import CONFIRMED, Step, Trace, Value

_DATA = read(Path(__file__).parent / "points_schemes.toml")
_PERSONNEL = _DATA["personnel"]
SUSPEND_AT: int = _PERSONNEL["suspend_at"]
SUSPEND_MONTHS: tuple[int, int] = (_PERSONNEL["suspend_months_from"], _PERSONNEL["suspend_months_to"])
END_AT: int = _PERSONNEL["end_at"]
BAN_YEARS: int = _PERSONNEL["ban_years_cumulated"]
BAN_YEARS_AT_ONCE: int = _PERSONNEL["ban_years_at_once"]
CLAUSE: str = _PERSONNEL["clause"]
ACTIVE, SUSPENSION_DUE, SUSPENDED, ENDED = "active", "suspension_due", "suspended", "ended"
STATES = {ACTIVE: "正常", SUSPENSION_DUE: "待定暂停月数", SUSPENDED: "暂停医保支付资格", ENDED: "终止医保支付资格"}


class PointsError(RuleError):
    """Points that cannot be counted."""


@dataclass(frozen=True)
class Band:
    """Points a severity allows, both ends included."""

    key: str
    label: str
    lower: int
    upper: int


@dataclass(frozen=True)
class PersonnelEntry:
    """Points of a person: the day they count from, 1–12 at once, a number unique to the person.

    Entries of one day count in the order they are given. ``withdrawn``: an appeal was accepted.
    """

    on: date
    points: int
    number: str
    withdrawn: bool = False


@dataclass(frozen=True)
class ProviderEntry:
    """Points of a provider under its agreement; fields as ``PersonnelEntry``."""

    on: date
    points: int
    number: str
    withdrawn: bool = False


Entry = TypeVar("Entry", PersonnelEntry, ProviderEntry)


@dataclass(frozen=True)
class ChosenSuspension:
    """The whole months (1–6) decided for a person that reached 9 points, from their first day."""

    on: date
    months: int

    @property
    def last_day(self) -> date:
        return months_after(self.on, self.months) - timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """Where a person stands on a day. ``points``: of the natural year; ``state``: a key of STATES.

    ``until``: last day of a running suspension. ``ended_on`` and ``may_register_from``: of an ended qualification.
    ``at_once``: ended by 12 points in one entry. ``lapsed``: suspensions whose points no longer stand.
    """

    on: date
    points: int
    state: str
    until: date | None
    ended_on: date | None
    may_register_from: date | None
    at_once: bool
    lapsed: tuple[ChosenSuspension, ...]
    trace: Trace

    def settles(self, emergency: bool = False) -> bool:
        """Whether the fund settles this person's services of that day; emergencies and rescues always."""
        return emergency or self.state in (ACTIVE, SUSPENSION_DUE)


@dataclass(frozen=True)
class ProviderStep:
    """A consequence from a number of points on."""

    key: str
    label: str
    from_points: int


@dataclass(frozen=True)
class ProviderScheme:
    """Steps by rising points, and how points become deductions of the yearly assessment (assessment points)."""

    key: str
    title: str
    steps: tuple[ProviderStep, ...]
    deduction_per_point: Decimal
    deduction_cap: Decimal
    clause: str
    source: Source


@dataclass(frozen=True)
class ProviderStanding:
    """A provider's points of the natural year up to a day; ``step`` None: no consequence yet, ``next_step`` None: last."""

    points: int
    step: ProviderStep | None
    next_step: ProviderStep | None
    trace: Trace


@dataclass(frozen=True)
class Deduction:
    """The deduction from the yearly assessment in its points; ``capped``: held at the cap."""

    value: Decimal
    capped: bool
    trace: Trace


BANDS: tuple[Band, ...] = tuple(Band(**row) for row in _PERSONNEL["band"])
BAND_BY_KEY = {band.key: band for band in BANDS}
PROVIDER_SCHEMES: dict[str, ProviderScheme] = {
    row["key"]: ProviderScheme(
        key=row["key"],
        title=row["title"],
        steps=tuple(ProviderStep(step["key"], step["label"], step["from"]) for step in row["step"]),
        deduction_per_point=Decimal(row["deduction_per_point"]),
        deduction_cap=Decimal(row["deduction_cap"]),
        clause=row["clause"],
        source=source_of(row),
    )
    for row in _DATA["provider"]
}
DEFAULT_PROVIDER_SCHEME = PROVIDER_SCHEMES["agreement-default"]


def check_points(severity: str, points: int) -> tuple[RuleProblem, ...]:
    """What is wrong with points given to a person for a severity (key of BANDS); empty when they fit."""
    if severity not in BAND_BY_KEY:
        known = "、".join(band.label for band in BANDS)
        return (RuleProblem("情节", severity, f"没有情节“{severity}”", f"可选：{known}"),)
    band = BAND_BY_KEY[severity]
    if _is_count(points) and band.lower <= points <= band.upper:
        return ()
    text = f"“{band.label}”应记 {band.lower}–{band.upper} 分，现为{points}分"
    return (RuleProblem("记分", str(points), text, "请改正分值或情节"),)


def standing(
    entries: Sequence[PersonnelEntry],
    on: date,
    suspensions: Sequence[ChosenSuspension] = (),
    registered_on: date | None = None,
) -> Standing:
    """A person's standing on a day; entries after it do not count yet.

    9 points in a natural year suspend for the months of ``suspensions`` (chosen from 1–6), once a year; 12 end the
    qualification: for 1 year when cumulated, for 3 when one entry holds 12. Whoever registered again after that
    (``registered_on``) starts without the points of before; a registration elsewhere without an end changes nothing.
    PointsError lists entries of a provider, points outside
    1–12, a number used twice, months outside 1–6, a registration before its time.
    """
    problems = _entry_problems(entries, PersonnelEntry, END_AT) + _suspension_problems(suspensions)
    if problems:
        raise PointsError(problems)
    if registered_on is not None and registered_on <= on:
        return _registered_again(entries, on, suspensions, registered_on)
    counting = _counting(entries, on)
    ends = _ends(counting)
    running, due, lapsed = _suspended(counting, on, suspensions)
    year = _of_year(counting, on.year)
    points = sum(entry.points for entry in year)
    steps = [_sum_step(year, points, CLAUSE)]
    state, until, ended_on, until_ban, at_once = ACTIVE, None, None, None, False
    if ends:
        state = ENDED
        ended_on, until_ban, at_once = max(ends, key=lambda end: (end[1], end[2]))
        words = f"一次记满 {END_AT} 分" if at_once else f"自然年度内累计达到 {END_AT} 分"
        inputs: tuple[tuple[str, Value], ...] = (
            ("终止日", str(ended_on)), ("年数", BAN_YEARS_AT_ONCE if at_once else BAN_YEARS),
        )  # fmt: skip
        steps.append(Step("可再次登记备案日", f"{words}：终止日 + 年数", inputs, str(until_ban), CLAUSE, ""))
    elif running is not None:
        state, until = SUSPENDED, running.last_day
        inputs = (("暂停起日", str(running.on)), ("月数", running.months))
        steps.append(Step("暂停止日", "暂停起日 + 月数，前一日为止", inputs, str(until), CLAUSE, ""))
    elif due:
        state = SUSPENSION_DUE
    steps.append(_consequence_step(points, state))
    return Standing(on, points, state, until, ended_on, until_ban, at_once, lapsed, Trace(steps))


def provider_standing(
    entries: Sequence[ProviderEntry], on: date, scheme: ProviderScheme = DEFAULT_PROVIDER_SCHEME
) -> ProviderStanding:
    """A provider's points of the natural year up to a day and the step they reached (R-101).

    PointsError lists entries of a person, points below 1, a number used twice.
    """
    problems = _entry_problems(entries, ProviderEntry, None)
    if problems:
        raise PointsError(problems)
    year = _of_year(_counting(entries, on), on.year)
    points = sum(entry.points for entry in year)
    reached = [step for step in scheme.steps if points >= step.from_points]
    ahead = [step for step in scheme.steps if points < step.from_points]
    status = scheme.source.status
    lines: tuple[tuple[str, Value], ...] = (
        ("本年记分", points),
        *((f"{step.label}起点", step.from_points) for step in scheme.steps),
    )
    steps = [
        _sum_step(year, points, scheme.clause, status),
        Step("处理", "取分值达到的最高一级", lines, reached[-1].label if reached else "无", scheme.clause, "", status),
    ]
    return ProviderStanding(points, reached[-1] if reached else None, ahead[0] if ahead else None, Trace(steps))


def assessment_deduction(points: int, scheme: ProviderScheme = DEFAULT_PROVIDER_SCHEME) -> Deduction:
    """A provider's points of a year as a deduction from its yearly assessment, up to the cap (R-102).

    PointsError for points that are no count of 0 or more.
    """
    if isinstance(points, bool) or not isinstance(points, int) or points < 0:
        raise PointsError.one("记分", points, f"记分须为非负整数，现为{points}", "请核对记分")
    full = points * scheme.deduction_per_point
    value = min(full, scheme.deduction_cap)
    inputs = (("本年记分", points), ("每分扣分", scheme.deduction_per_point), ("扣分上限", scheme.deduction_cap))
    words = "本年记分 × 每分扣分，不超过扣分上限"
    step = Step("年度考核扣分", words, inputs, value, scheme.clause, "分", scheme.source.status)
    return Deduction(value, full > scheme.deduction_cap, Trace([step]))


def _registered_again(
    entries: Sequence[PersonnelEntry], on: date, suspensions: Sequence[ChosenSuspension], registered_on: date
) -> Standing:
    before = standing(entries, registered_on - timedelta(days=1), suspensions)
    if before.may_register_from is None:
        return standing(entries, on, suspensions)
    if registered_on < before.may_register_from:
        text = f"再次登记日{registered_on}早于可登记日{before.may_register_from}"
        raise PointsError.one("再次登记日", registered_on, text, "请核对登记日期")
    since = [entry for entry in entries if entry.on >= registered_on]
    return standing(since, on, [chosen for chosen in suspensions if chosen.on >= registered_on])


def _counting(entries: Sequence[Entry], on: date) -> list[Entry]:
    """The entries that count on a day, in order."""
    standing_ones = (entry for entry in entries if not entry.withdrawn and entry.on <= on)
    return sorted(standing_ones, key=lambda entry: entry.on)


def _of_year(entries: Sequence[Entry], year: int) -> list[Entry]:
    return [entry for entry in entries if entry.on.year == year]


def _ends(counting: Sequence[PersonnelEntry]) -> list[tuple[date, date, bool]]:
    """(day, first day of a new registration, at once) for each time the qualification ended."""
    ends = []
    for year in _years(counting):
        total, ended = 0, False
        for entry in year:
            total += entry.points
            if entry.points >= END_AT:
                ends.append((entry.on, months_after(entry.on, 12 * BAN_YEARS_AT_ONCE), True))
            elif total >= END_AT and not ended:
                ends.append((entry.on, months_after(entry.on, 12 * BAN_YEARS), False))
            ended = total >= END_AT
    return ends


def _suspended(
    counting: Sequence[PersonnelEntry], on: date, suspensions: Sequence[ChosenSuspension]
) -> tuple[ChosenSuspension | None, bool, tuple[ChosenSuspension, ...]]:
    """(the suspension running on a day, whether one is still to be chosen, those without points behind them).

    A suspension belongs to the latest day on which the year's points reached 9, unless another took it.
    """
    open_days = [day for day in map(_reached, _years(counting)) if day is not None]
    running: ChosenSuspension | None = None
    lapsed = []
    due = False
    for chosen in sorted(suspensions, key=lambda one: one.on):
        fitting = [day for day in open_days if day <= chosen.on]
        if not fitting:
            lapsed.append(chosen)
            continue
        open_days.remove(fitting[-1])
        if chosen.on > on:
            due = True
        elif on <= chosen.last_day and (running is None or chosen.last_day > running.last_day):
            running = chosen
    return running, due or bool(open_days), tuple(lapsed)


def _years(counting: Sequence[PersonnelEntry]) -> list[list[PersonnelEntry]]:
    return [_of_year(counting, year) for year in sorted({entry.on.year for entry in counting})]


def _reached(year: Sequence[PersonnelEntry]) -> date | None:
    """The day a year's points reached 9 without reaching 12 in the same stroke."""
    total = 0
    for entry in year:
        total += entry.points
        if total >= SUSPEND_AT:
            return entry.on if total < END_AT else None
    return None


def _entry_problems(
    entries: Sequence[PersonnelEntry] | Sequence[ProviderEntry], kind: type, most: int | None
) -> list[RuleProblem]:
    problems: list[RuleProblem] = []
    seen: set[str] = set()
    for entry in entries:
        number = entry.number
        if not isinstance(entry, kind):
            text = f"记分“{number}”属另一记分制度，人员记分与机构记分不能合并计算"
            problems.append(RuleProblem("记分", number, text, "请分别计算"))
            continue
        if not _is_count(entry.points) or (most is not None and entry.points > most):
            span = f"1–{most} 的整数" if most else "正整数"
            text = f"记分“{number}”的分值须为{span}，现为{entry.points}"
            problems.append(RuleProblem("分值", str(entry.points), text, "请改正分值"))
        if number in seen:
            problems.append(RuleProblem("记分编号", number, f"记分编号“{number}”重复", "请核对记分记录"))
        seen.add(number)
    return problems


def _suspension_problems(suspensions: Iterable[ChosenSuspension]) -> list[RuleProblem]:
    lower, upper = SUSPEND_MONTHS
    return [
        RuleProblem(
            "暂停月数",
            str(one.months),
            f"{one.on}起的暂停须在 {lower} 至 {upper} 个月之间，现为 {one.months}",
            "请改正暂停月数",
        )
        for one in suspensions
        if not _is_count(one.months) or not lower <= one.months <= upper
    ]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _sum_step(
    year: Sequence[PersonnelEntry] | Sequence[ProviderEntry], points: int, clause: str, status: str = CONFIRMED
) -> Step:
    inputs = tuple((f"{entry.on} {entry.number}", entry.points) for entry in year)
    return Step("本年记分", "自然年度内各次记分之和，撤销的不计", inputs, points, clause, "分", status)


def _consequence_step(points: int, state: str) -> Step:
    inputs = (("本年记分", points), ("暂停线", SUSPEND_AT), ("终止线", END_AT))
    words = (
        f"满 {SUSPEND_AT} 分暂停 {SUSPEND_MONTHS[0]}–{SUSPEND_MONTHS[1]} 个月；满 {END_AT} 分终止；已开始的处理跨年继续"
    )
    return Step("医保支付资格", words, inputs, STATES[state], CLAUSE, "")
