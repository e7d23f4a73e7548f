"""The figures behind one warning: twelve months against the threshold, what the rest of the year must reach, and whence.

Everything is worked out of the months of the place (:mod:`monitoring.reading.figures`); five queries however many months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from core.models import Alliance, County, Institution, InstitutionKind, Membership
from core.models.places import Place, valid_on
from monitoring.models import Basis, Warning, WarningFigure
from monitoring.reading.figures import Figure, figures, month_rows
from monitoring.reading.judging import PACE_GAP
from monitoring.reading.places import PlaceRef, ref_of
from rules.indicators import BASE_BY_KEY, BY_KEY, PRIMARY_BASES, Indicator, Kind
from rules.money import round_fen, round_ratio
from rules.periods import Month, months_between
from rules.spans import QUARTER, Span

SHOWN_MONTHS = 12
SHOWN_PARTS = 8
YEAR = 12


@dataclass(frozen=True)
class MonthFigure:
    """One month: its figure, the year's figure up to it, yuan (or persons) to the threshold, whether it is in breach."""

    month: Month
    figure: Figure
    to_date: Figure | None
    bound: Decimal | None
    gap: Decimal | None
    bad: bool


@dataclass(frozen=True)
class Scenario:
    """What the year comes to when the months left run as named."""

    label: str
    rest: Decimal
    year: Decimal
    gap: Decimal
    bad: bool


@dataclass(frozen=True)
class Needed:
    """What the months left must come to so that the whole year just reaches the threshold; ``top`` in the unit of the
    numerator. ``possible`` is False when no share between 0 and 1 reaches it."""

    months: int
    value: Decimal
    top: Decimal
    bottom: Decimal
    possible: bool
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True)
class Course:
    """The twelve months up to the newest figure of a warning. ``whole`` is the figure of the span that warned."""

    indicator: Indicator
    above: bool
    span: Span
    whole: Figure
    whole_bound: Decimal | None
    whole_gap: Decimal | None
    months: tuple[MonthFigure, ...]
    top_label: str
    bottom_label: str
    is_money: bool
    bottom_is_money: bool
    needed: Needed | None

    @property
    def last(self) -> MonthFigure:
        return self.months[-1]

    @property
    def has_to_date(self) -> bool:
        """Whether the year so far differs from the month at all."""
        return self.indicator.over == "now"

    @property
    def in_a_row(self) -> int:
        """How many months up to the last one were in breach without a break."""
        count = 0
        for row in reversed(self.months):
            if not row.bad:
                break
            count += 1
        return count


@dataclass(frozen=True)
class Part:
    """What a member contributed: this span, the same a year before."""

    name: str
    url_key: str
    now: Decimal
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else self.now - self.before

    @property
    def growth(self) -> Decimal | None:
        return round_ratio(self.now / self.before - 1) if self.before else None


@dataclass(frozen=True)
class Parts:
    base: str
    span: Span
    rows: tuple[Part, ...]
    total: Part


def course_of(warning: Warning, newest: WarningFigure | None) -> Course | None:
    """None where no indicator stands behind the warning."""
    indicator = BY_KEY.get(warning.indicator)
    place = ref_of(warning.at)
    if indicator is None or place.kind not in indicator.places:
        return None
    month = Month(newest.year, newest.month) if newest else warning.period
    shown = months_between(month.plus(1 - SHOWN_MONTHS), month)
    span = span_of(warning, month)
    spans = {span, Span.to_date(month), *(Span.month(one) for one in shown)}
    spans |= {Span.to_date(one) for one in shown}
    rule = warning.threshold
    keys = {indicator.key}
    if rule is not None and rule.basis == Basis.LAST_YEAR:
        spans |= {one.year_before() for one in list(spans)}
    if rule is not None and rule.basis == Basis.PACE:
        keys.add(PACE_GAP)
    fund = warning.fund_type
    held = figures([place], sorted(spans), keys, [fund])
    every = {one: held[(place.key, fund, one)] for one in spans}
    at = {one: every[one][indicator.key] for one in spans}
    above = rule.above if rule is not None else indicator.better == "low"
    limits = _Limits(warning, newest, every)
    rows = []
    for one in shown:
        found, bound = at[Span.month(one)], limits.at(Span.month(one))
        gap = gap_of(found, bound, above)
        rows.append(MonthFigure(one, found, at[Span.to_date(one)], bound, gap, _bad(found.value, bound, above)))
    bound = limits.at(span)
    top, bottom = _labels(indicator, at[span])
    return Course(
        indicator=indicator,
        above=above,
        span=span,
        whole=at[span],
        whole_bound=bound,
        whole_gap=gap_of(at[span], bound, above),
        months=tuple(rows),
        top_label=top,
        bottom_label=bottom,
        is_money=BASE_BY_KEY[indicator.top[0]].is_money,
        bottom_is_money=_bottom_money(indicator),
        needed=_needed(indicator, at[Span.to_date(month)], at[Span.month(month)], bound, above, month),
    )


def span_of(warning: Warning, month: Month) -> Span:
    """The span the warning's rule looks at, up to a month."""
    kind = warning.threshold.span if warning.threshold else "to_date"
    if kind == "month":
        return Span.month(month)
    if kind == "quarter":
        return Span.of(QUARTER, month)
    return Span.to_date(month)


class _Limits:
    """The mildest level of the rule in the indicator's own unit for each span: as it is, or on top of what it is held
    against. Without a rule what the warning itself noted."""

    def __init__(self, warning: Warning, newest: WarningFigure | None, at: Mapping[Span, Mapping[str, Figure]]) -> None:
        self.rule, self.newest, self.figures = warning.threshold, newest, at
        self.indicator = warning.indicator

    def at(self, span: Span) -> Decimal | None:
        rule = self.rule
        if rule is None:
            return self.newest.threshold_value if self.newest is not None else None
        level = next((one for one in (rule.yellow, rule.orange, rule.red) if one is not None), None)
        if level is None or rule.basis == Basis.ABSOLUTE:
            return level
        base = self._base(span, rule.basis)
        if base is None:
            return None
        return round_ratio(base * (1 + level)) if rule.relative else base + level

    def _base(self, span: Span, basis: str) -> Decimal | None:
        if basis == Basis.LAST_YEAR:
            return self.figures[span.year_before()][self.indicator].value
        if basis == Basis.PACE:
            used, gap = self.figures[span][self.indicator].value, self.figures[span][PACE_GAP].value
            return used - gap if used is not None and gap is not None else None
        return self.newest.compared if self.newest is not None else None


def _bad(value: Decimal | None, bound: Decimal | None, above: bool) -> bool:
    if value is None or bound is None:
        return False
    return value > bound if above else value < bound


def gap_of(figure: Figure, bound: Decimal | None, above: bool) -> Decimal | None:
    """How much of the numerator lies on the wrong side of the threshold; None where it does not or cannot be said."""
    top, bottom, indicator = figure.reading.top, figure.reading.bottom, figure.indicator
    if bound is None or top is None or bottom is None or figure.value is None or indicator.unit == "number":
        return None
    allowed = _allowed(indicator, figure.value, top, bottom, bound)
    gap = top - allowed if above else allowed - top
    return round_fen(gap) if gap > 0 else None


def _allowed(indicator: Indicator, value: Decimal, top: Decimal, bottom: Decimal, bound: Decimal) -> Decimal:
    """The numerator at which the figure would stand exactly at ``bound``."""
    if indicator.kind == Kind.CHANGE:
        return (1 + bound) * bottom
    if indicator.kind == Kind.PACE:
        return (bound + round_ratio(top / bottom) - value) * bottom
    return bound * bottom / indicator.scale


def _needed(
    indicator: Indicator, so_far: Figure, last: Figure, bound: Decimal | None, above: bool, month: Month
) -> Needed | None:
    """For quotients of flows over the year so far: the rest of the year at the usual monthly size of the denominator."""
    top, bottom = so_far.reading.top, so_far.reading.bottom
    left = YEAR - month.month
    if bound is None or top is None or bottom is None or not left or indicator.over != "now":
        return None
    if indicator.kind not in (Kind.QUOTIENT, Kind.PRIMARY) or indicator.unit not in ("ratio", "yuan", "days"):
        return None
    bases = [BASE_BY_KEY[key.removeprefix("-")] for key in (*indicator.top, *indicator.bottom)]
    if any(base.stock for base in bases) or not _bad(so_far.value, bound, above):
        return None
    rest = round_fen(bottom / month.month * left)
    if rest <= 0:
        return None
    need = round_fen(bound * (bottom + rest) / indicator.scale) - top
    value = _quotient(indicator, need, rest)
    possible = need >= 0 and (indicator.unit != "ratio" or value <= 1)
    cases = [(f"其余 {left} 个月延续 {month.month} 月当月", last.value), (f"其余 {left} 个月均为阈值", bound)]
    if possible:
        cases.append(("全年刚好达到阈值", value))
    scenarios = []
    for label, share in cases:
        if share is None:
            continue
        exact = need if share == value else round_fen(share * rest / indicator.scale)
        year_top = top + exact
        gap = bound * (bottom + rest) / indicator.scale - year_top
        over = round_fen(-gap if above else gap)
        shown = max(over, Decimal(0)) if exact != need else Decimal(0)
        scenarios.append(Scenario(label, share, _quotient(indicator, year_top, bottom + rest), shown, shown > 0))
    return Needed(left, value, need, rest, possible, tuple(scenarios))


def _quotient(indicator: Indicator, top: Decimal, bottom: Decimal) -> Decimal:
    value = top * indicator.scale / bottom
    return round_fen(value) if indicator.unit == "yuan" else round_ratio(value)


def _labels(indicator: Indicator, whole: Figure) -> tuple[str, str]:
    top = _sum_text(indicator.top)
    if indicator.kind == Kind.CHANGE:
        return f"本期{top}", f"上年同期{top}"
    steps = whole.reading.trace.steps
    if indicator.kind == Kind.PRIMARY:
        return top, str(steps[0].inputs[-1][0]) if steps else PRIMARY_BASES["in_alliance"][1]
    return top, _sum_text(indicator.bottom)


def _sum_text(keys: Sequence[str]) -> str:
    """The bases of one side as they are added up: 调整后打包总额 − 预计全年基金支出."""
    text = ""
    for key in keys:
        sign = "−" if key.startswith("-") else "+" if text else ""
        text += f"{' ' if text else ''}{sign}{' ' if text else ''}{BASE_BY_KEY[key.removeprefix('-')].label}"
    return text


def _bottom_money(indicator: Indicator) -> bool:
    if indicator.kind in (Kind.CHANGE, Kind.PRIMARY):
        return BASE_BY_KEY[indicator.top[0]].is_money
    return BASE_BY_KEY[indicator.bottom[0]].is_money


def parts_of(user: Any, warning: Warning, newest: WarningFigure | None) -> Parts | None:
    """The largest contributors among the members of an alliance, or the alliances of a county; the rest in one line.

    Ordered by how much they moved the numerator the wrong way since last year. Village clinics stand together.
    """
    month = Month(newest.year, newest.month) if newest else warning.period
    members = _members(user, warning, month)
    if not members:
        return None
    span, indicator = span_of(warning, month), BY_KEY.get(warning.indicator)
    wanted = indicator.top[0].removeprefix("-") if indicator is not None else "charged"
    rows = _sums(members, span, wanted, warning.fund_type)
    if not rows and wanted != "charged":
        wanted = "charged"
        rows = _sums(members, span, wanted, warning.fund_type)
    if not rows or not BASE_BY_KEY[wanted].is_money:
        return None
    above = warning.threshold.above if warning.threshold else True
    ordered = sorted(_grouped(members, rows), key=lambda part: part.change or Decimal(0), reverse=above)
    shown, others = ordered[:SHOWN_PARTS], ordered[SHOWN_PARTS:]
    if others:
        shown = [*shown, _together(f"其他 {len(others)} 家", others)]
    return Parts(BASE_BY_KEY[wanted].label, span, tuple(shown), _together("合计", ordered))


def _members(user: Any, warning: Warning, month: Month) -> list[PlaceRef]:
    if warning.institution_id is not None:
        return []
    rows: list[Place] = []
    if warning.alliance_id is not None:
        held = Membership.objects.filter(valid_on(month.last_day), alliance=warning.alliance_id)
        rows = [one.institution for one in held.select_related("institution__county").order_by("institution__code")]
    elif warning.county_id is not None:
        seen = Alliance.objects.visible_to(user).filter(county=warning.county_id)
        rows = list(seen.select_related("county").order_by("code"))
    else:
        seen_counties = County.objects.visible_to(user).filter(pooling_area=warning.pooling_area_id)
        rows = list(seen_counties.order_by("code"))
    return [ref_of(row) for row in rows]


def _sums(
    members: Sequence[PlaceRef], span: Span, base: str, fund: str
) -> dict[str, tuple[Decimal, Decimal | None]]:
    before = span.year_before()
    held = month_rows(members, before.first, span.last, [base], [fund])
    found: dict[str, tuple[Decimal, Decimal | None]] = {}
    for member in members:
        months = held.get((member.key, fund), {})
        now = [months[one].sums[base] for one in span.months if one in months]
        then = [months[one].sums[base] for one in before.months if one in months]
        known = [value for value in now if value is not None]
        if not known:
            continue
        former = [value for value in then if value is not None]
        found[member.key] = (sum(known, Decimal(0)), sum(former, Decimal(0)) if len(former) == len(span.months) else None)
    return found


def _grouped(members: Sequence[PlaceRef], sums: Mapping[str, tuple[Decimal, Decimal | None]]) -> list[Part]:
    parts: list[Part] = []
    clinics: list[Part] = []
    for member in members:
        if member.key not in sums:
            continue
        part = Part(member.name, member.key, *sums[member.key])
        (clinics if member.institution_kind == InstitutionKind.VILLAGE else parts).append(part)
    if len(clinics) == 1:
        return [*parts, *clinics]
    return [*parts, _together(f"村卫生室（{len(clinics)} 家）", clinics)] if clinics else parts


def _together(name: str, parts: Sequence[Part]) -> Part:
    known = [part.before for part in parts if part.before is not None]
    before = sum(known, Decimal(0)) if len(known) == len(parts) else None
    return Part(name, "", sum((part.now for part in parts), Decimal(0)), before)


def institutions_to_watch(user: Any, warning: Warning) -> list[Institution]:
    """The institutions of the warning's county the user sees, by code."""
    if warning.county_id is None:
        return []
    seen = Institution.objects.visible_to(user).filter(Q(county=warning.county_id))
    return list(seen.exclude(kind=InstitutionKind.VILLAGE).order_by("code"))
