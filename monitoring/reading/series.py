"""One place over time: each indicator now, a year ago and over the last months; one indicator month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from monitoring.models import PlaceMonth
from monitoring.reading.figures import Figure, MonthRow, bases_of, figures, month_rows
from monitoring.reading.indicator_text import change_of, indicators_of
from monitoring.reading.peers import PeerStats, peer_stats
from monitoring.reading.places import PlaceRef
from rules.indicators import BASE_BY_KEY, Base, Indicator
from rules.periods import Month, months_between
from rules.spans import Span

TREND = 12
MONTHS = 24
VERSIONS = 8


@dataclass(frozen=True)
class Line:
    """One indicator of a place and span, beside last year and the peers; ``trend`` the last twelve months' values."""

    indicator: Indicator
    now: Figure
    before: Figure
    trend: tuple[Decimal | None, ...]
    peers: PeerStats | None

    @property
    def change(self) -> Decimal | None:
        return change_of(self.indicator, self.now.value, self.before.value)


@dataclass(frozen=True)
class Point:
    """A month of the trend; ``row`` the month's bases (None: nothing held)."""

    month: Month
    now: Figure
    before: Figure
    row: MonthRow | None

    @property
    def change(self) -> Decimal | None:
        return change_of(self.now.indicator, self.now.value, self.before.value)


@dataclass(frozen=True)
class Version:
    """What was known of the span once a version of its last month stood."""

    number: int
    current: bool
    declared: bool
    reason: str
    computed_at: Any
    data_to: date | None
    then: Figure
    now: Figure

    @property
    def differs(self) -> bool:
        return self.then.value != self.now.value


def sheet(user: Any, place: PlaceRef, fund: str, span: Span) -> list[Line]:
    """Every indicator of the place, in the catalogue's order."""
    chosen = indicators_of(place.kind)
    keys = [indicator.key for indicator in chosen]
    months = [Span.month(month) for month in months_between(span.last.plus(1 - TREND), span.last)]
    before = span.year_before()
    found = figures([place], list(dict.fromkeys([span, before, *months])), keys, [fund])
    peers = peer_stats(user, place, span, keys, fund)
    return [
        Line(
            indicator,
            found[(place.key, fund, span)][indicator.key],
            found[(place.key, fund, before)][indicator.key],
            tuple(found[(place.key, fund, month)][indicator.key].value for month in months),
            peers.get(indicator.key),
        )
        for indicator in chosen
    ]


def trend(place: PlaceRef, indicator: Indicator, fund: str, last: Month) -> list[Point]:
    """The last 24 months beside the same months a year earlier, with the bases behind them; three queries at most."""
    months = months_between(last.plus(1 - MONTHS), last)
    spans = [Span.month(month) for month in months_between(last.plus(1 - MONTHS - 12), last)]
    found = figures([place], spans, [indicator.key], [fund])
    rows = month_rows([place], months[0], last, bases_of([indicator.key]), [fund]).get((place.key, fund), {})
    return [
        Point(
            month,
            found[(place.key, fund, Span.month(month))][indicator.key],
            found[(place.key, fund, Span.month(month.plus(-12)))][indicator.key],
            rows.get(month),
        )
        for month in months
    ]


def bases_shown(indicator: Indicator) -> list[Base]:
    """The bases an indicator is worked out of, its volume last, in the order of the formula."""
    keys = [key.removeprefix("-") for key in (*indicator.top, *indicator.bottom)]
    return [BASE_BY_KEY[key] for key in dict.fromkeys([*keys, *([indicator.volume] if indicator.volume else [])])]


def versions(user: Any, place: PlaceRef, indicator: Indicator, fund: str, span: Span) -> list[Version]:
    """What was known when: the newest versions of the span's last month, the value as it stood then and as it is now."""
    held = list(
        PlaceMonth.objects.visible_to(user)
        .filter(place=place.key, fund_type=fund, year=span.last.year, month=span.last.month)
        .only("version", "current", "declared", "reason", "computed_at", "data_to")
        .order_by("-version")[:VERSIONS]
    )
    if not held:
        return []

    def figure(known_at: Any = None) -> Figure:
        return figures([place], [span], [indicator.key], [fund], known_at=known_at)[(place.key, fund, span)][indicator.key]

    now = figure()
    return [
        Version(
            row.version, row.current, row.declared, row.reason, row.computed_at, row.data_to,
            now if row.current else figure(row.computed_at), now,
        )
        for row in held
    ]  # fmt: skip


def held_months(user: Any, place: PlaceRef, fund: str, months: Sequence[Month]) -> dict[Month, PlaceMonth]:
    """The current row of each month that has one."""
    rows = (
        PlaceMonth.objects.current()
        .visible_to(user)
        .filter(place=place.key, fund_type=fund, year__gte=months[0].year, year__lte=months[-1].year)
        .only("year", "month", "version", "declared", "data_to", "reason", "computed_at", "charged", "fund_all", "total_cost")
    )
    return {row.period: row for row in rows}
