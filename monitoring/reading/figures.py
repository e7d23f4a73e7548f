"""Indicators of many places, fund types and spans at once: three queries whatever their number.

Reads :class:`monitoring.models.PlaceMonth` only; the formulas are those of :mod:`rules.indicators`. Blank is not zero: a
span with a month that was not delivered has no value and says which month is missing. What no claims stand behind (基金月报,
budgets, tables) does not wait for them: it is known as soon as its own bases are.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from threading import Lock
from typing import Any

from core.models import FundType
from core.parameters import values_by_county
from monitoring.models import PlaceMonth
from monitoring.reading.places import PlaceRef
from rules.errors import RuleError
from rules.indicators import BASE_BY_KEY, BY_KEY, PRIMARY_BASES, Indicator, Kind, Reading, Window, add_up, compute
from rules.money import round_ratio
from rules.periods import Month, months_between
from rules.projection import HISTORY_YEARS, PastYear, SeasonalShare, seasonal_share
from rules.spans import Span
from rules.trace import Trace

Key = tuple[str, str, Span]
PRIMARY_BASE = "budgets.primary_share_base"
YEAR = 12
CLAIMED = ("facts", "lake")
"""Sources of bases that are whole only once the month's claims are."""


@dataclass(frozen=True)
class Figure:
    """One indicator of one place, fund type and span. ``rows`` are the ids of the place's months it was worked out of."""

    place: PlaceRef
    fund_type: str
    span: Span
    reading: Reading
    data_to: date | None
    missing_months: tuple[Month, ...]
    rows: tuple[int, ...]

    @property
    def indicator(self) -> Indicator:
        return self.reading.indicator

    @property
    def value(self) -> Decimal | None:
        return self.reading.value

    @property
    def missing(self) -> str:
        return self.reading.missing


@dataclass(frozen=True)
class MonthRow:
    """One current (or then current) month of a place: its bases, how far its data reach."""

    pk: int
    declared: bool
    data_to: date | None
    sums: Mapping[str, Any]


Rows = dict[tuple[str, str], dict[Month, MonthRow]]
KEPT_CITIES = 4
_of_all: dict[tuple[Any, ...], dict[Key, dict[str, Figure]]] = {}
_lock = Lock()


def figures(
    places: Sequence[PlaceRef],
    spans: Sequence[Span],
    keys: Collection[str],
    fund_types: Iterable[str] = FundType.values,
    *,
    known_at: datetime | None = None,
) -> dict[Key, dict[str, Figure]]:
    """By (place key, fund type, span), then by indicator; what a place's kind does not have is left out.

    ``known_at`` answers with what was known at that moment. Scope is the caller's: pass places she may see.
    """
    if not places or not spans or not keys:
        return {}
    funds = list(fund_types)
    first = min(span.first for span in spans)
    last = max(span.last for span in spans)
    rows = month_rows(places, Month(first.year, 1).plus(-YEAR), last, bases_of(keys), funds, known_at=known_at)
    pace = any(BY_KEY[key].kind == Kind.PACE for key in keys)
    past = _charged(places, first.year - HISTORY_YEARS, last.year - 1, funds) if pace else {}
    primary = _primary_bases(places, last) if any(BY_KEY[key].kind == Kind.PRIMARY for key in keys) else {}
    overs = {BY_KEY[key].over for key in keys} | {"now"}
    changes = any(BY_KEY[key].kind == Kind.CHANGE for key in keys)
    periods = {span: _periods(span, overs, changes) for span in spans}
    claimed = {key: needs_claims(key) for key in keys}
    found: dict[Key, dict[str, Figure]] = {}
    for place in places:
        wanted = [key for key in keys if place.kind in BY_KEY[key].places]
        base = primary.get((place.area, place.county), "in_alliance")
        for fund in funds:
            months = rows.get((place.key, fund), {})
            for span in spans:
                season = _season(past.get((place.key, fund), {}), span) if pace else None
                line: dict[str, Figure] = {}
                for whole in {claimed[key] for key in wanted}:
                    window = _window(months, span, periods[span], season, base, whole)
                    held = {over: _held(months, used, whole) for over, used in periods[span].items()}
                    line |= {
                        key: _figure(place, fund, span, key, window, held[BY_KEY[key].over])
                        for key in wanted
                        if claimed[key] == whole
                    }
                found[(place.key, fund, span)] = {key: line[key] for key in wanted}
    return found


def figures_of_all(places: Sequence[PlaceRef], span: Span, keys: Sequence[str]) -> dict[Key, dict[str, Figure]]:
    """:func:`figures` of every county of a city, kept in the process as long as their rows say the same: each county's
    report compares itself with the same ones."""
    shown = tuple(place.key for place in places)
    since = span.first.year - HISTORY_YEARS - 1
    rows = PlaceMonth.objects.current().filter(place__in=shown, year__gte=since, year__lte=span.last.year).order_by("pk")
    told = hashlib.sha256(repr(list(rows.values_list("pk", "inputs"))).encode()).hexdigest()
    primary = tuple(sorted((str(key), text) for key, text in _primary_bases(places, span.last).items()))
    stamp = (shown, str(span), tuple(keys), told, primary)
    with _lock:
        held = _of_all.get(stamp)
    if held is None:
        held = figures(places, [span], keys)
        with _lock:
            _of_all[stamp] = held
            while len(_of_all) > KEPT_CITIES:
                _of_all.pop(next(iter(_of_all)))
    return held


def month_rows(
    places: Sequence[PlaceRef],
    first: Month,
    last: Month,
    bases: Collection[str],
    fund_types: Collection[str] = tuple(FundType.values),
    *,
    known_at: datetime | None = None,
) -> Rows:
    """The chosen bases of every month from ``first`` to ``last`` by (place key, fund type); one query."""
    found: Rows = defaultdict(dict)
    held = PlaceMonth.objects.filter(
        place__in=[place.key for place in places], fund_type__in=fund_types, year__gte=first.year, year__lte=last.year
    )
    held = held.filter(current=True) if known_at is None else held.filter(computed_at__lte=known_at)
    names = sorted(bases)
    columns = ("place", "fund_type", "year", "month", "pk", "declared", "data_to", *names)
    for place, fund, year, month, pk, declared, data_to, *values in (
        held.order_by("version").values_list(*columns).iterator(chunk_size=5000)
    ):
        period = Month(year, month)
        if first <= period <= last:
            found[(place, fund)][period] = MonthRow(pk, declared, data_to, dict(zip(names, values, strict=True)))
    return found


def bases_of(keys: Iterable[str]) -> set[str]:
    """The bases that a set of indicators needs."""
    found: set[str] = set()
    for key in keys:
        indicator = BY_KEY[key]
        found.update(base.removeprefix("-") for base in (*indicator.top, *indicator.bottom))
        found.update(base for base in (indicator.volume, indicator.affected) if base)
        if indicator.kind == Kind.PRIMARY:
            found.update(base for base, _label in PRIMARY_BASES.values())
    return found


def needs_claims(key: str) -> bool:
    """Whether an indicator, its volume or its yuan come out of claims: then only months delivered whole count."""
    return any(BASE_BY_KEY[base].source in CLAIMED for base in bases_of([key]))


@dataclass(frozen=True)
class _Held:
    """What a place holds of some months: those missing, the ids of the others, how far their data reach."""

    missing: tuple[Month, ...]
    rows: tuple[int, ...]
    data_to: date | None


def _periods(span: Span, overs: Collection[str], changes: bool) -> dict[str, tuple[Month, ...]]:
    """The months behind each window that the indicators ask for."""
    found = {"now": span.months}
    if "to_date" in overs:
        found["to_date"] = Span.to_date(span.last).months
    if "year" in overs:
        found["year"] = months_between(span.last.plus(1 - YEAR), span.last)
    if changes:
        found["before"] = span.year_before().months
    return found


def _held(months: Mapping[Month, MonthRow], used: Sequence[Month], whole: bool) -> _Held:
    """``whole``: months whose claims are not all there are missing."""
    found = [(month, months.get(month)) for month in used]
    held = [row for _month, row in found if row is not None]
    return _Held(
        tuple(month for month, row in found if row is None or (whole and not row.declared)),
        tuple(row.pk for row in held),
        max((row.data_to for row in held if row.data_to is not None), default=None),
    )


def _figure(place: PlaceRef, fund: str, span: Span, key: str, window: Window, held: _Held) -> Figure:
    if held.missing:
        reading = Reading(key, None, _missing_text(held.missing), None, None, None, None, Trace())
    else:
        reading = compute(key, window)
    return Figure(place, fund, span, reading, held.data_to, held.missing, held.rows)


def _missing_text(missing: Sequence[Month]) -> str:
    named = "、".join(str(month) for month in missing[:6])
    return f"{named}{f'等 {len(missing)} 个月' if len(missing) > 6 else ''} 数据尚未接入，不计算。"


def _window(
    months: Mapping[Month, MonthRow],
    span: Span,
    periods: Mapping[str, Sequence[Month]],
    season: SeasonalShare | None,
    primary: str,
    whole: bool,
) -> Window:
    def period(name: str) -> dict[str, Decimal | None]:
        rows = [months.get(month) for month in periods.get(name, ())]
        known = [row.sums for row in rows if row is not None and (row.declared or not whole)]
        return add_up(known) if known and len(known) == len(rows) else {}

    return Window(
        now=period("now"),
        before=period("before"),
        to_date=period("to_date"),
        year=period("year"),
        pace=season.share if season else round_ratio(Decimal(span.last.month) / YEAR),
        pace_text=_pace_text(season, span),
        primary_base=primary,
    )


def _pace_text(season: SeasonalShare | None, span: Span) -> str:
    if season is None or not season.years:
        return f"序时进度（{span.last.month} ÷ 12，没有完整往年数据）"
    return f"历年 1–{span.last.month} 月占比（{'、'.join(str(row.year) for row in season.years)} 年平均）"


def _season(past: Mapping[int, Mapping[int, Decimal]], span: Span) -> SeasonalShare | None:
    years = [PastYear(year, months) for year, months in past.items() if span.year - HISTORY_YEARS <= year < span.year]
    if span.last.month == YEAR:
        return None
    try:
        return seasonal_share(range(1, span.last.month + 1), years)
    except RuleError:
        return None


def _charged(
    places: Sequence[PlaceRef], first: int, last: int, funds: Collection[str]
) -> dict[tuple[str, str], dict[int, dict[int, Decimal]]]:
    found: dict[tuple[str, str], dict[int, dict[int, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    held = PlaceMonth.objects.current().filter(
        place__in=[place.key for place in places], fund_type__in=funds, year__gte=first, year__lte=last, declared=True
    )
    for place, fund, year, month, charged in held.order_by().values_list("place", "fund_type", "year", "month", "charged"):
        if charged is not None:
            found[(place, fund)][year][month] = charged
    return found


def _primary_bases(places: Sequence[PlaceRef], last: Month) -> dict[tuple[int, int | None], str]:
    held = values_by_county(PRIMARY_BASE, {(place.area, place.county) for place in places}, last.last_day)
    return {key: value.text for key, value in held.items()}
