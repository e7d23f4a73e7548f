"""What pages, reports and other figures may ask about projections: the newest of a year, a month's list, a year's course."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.models import Alliance, FundType
from monitoring.models import PlaceKind
from monitoring.models import Projection as Projection
from monitoring.models.projections import amount_of
from monitoring.reading.places import PlaceRef
from rules.forecast import ACTUAL, COMPLETED, KINDS
from rules.money import ZERO, round_ratio
from rules.periods import Month

HEAVY = ("trace", "cash_trace", "factors", "changes")
Key = tuple[int, str]


@dataclass(frozen=True)
class MonthLine:
    """One of the twelve months of a projection (yuan); ``kind`` is that of :data:`rules.forecast.KINDS`."""

    month: Month
    kind: str
    known: Decimal
    in_alliance: Decimal
    outflow: Decimal
    pace: Decimal | None

    @property
    def expected(self) -> Decimal:
        return self.in_alliance + self.outflow

    @property
    def kind_text(self) -> str:
        return KINDS[self.kind]

    @property
    def is_over(self) -> bool:
        """Whether care of the month was delivered, late claims aside."""
        return self.kind in (ACTUAL, COMPLETED)


@dataclass(frozen=True)
class Total:
    """One fund type over several alliances (yuan). Ranges do not add up and are not given."""

    fund: str
    rows: tuple[Projection, ...]

    @property
    def expected(self) -> Decimal | None:
        return _sum(row.expected for row in self.rows)

    @property
    def package(self) -> Decimal | None:
        return _sum(row.package for row in self.rows)

    @property
    def difference(self) -> Decimal | None:
        return _sum(row.difference for row in self.rows)

    @property
    def cash(self) -> Decimal | None:
        return _sum(row.cash for row in self.rows)

    @property
    def overruns(self) -> int:
        return sum(row.is_overrun for row in self.rows)

    @property
    def without(self) -> int:
        return sum(row.expected is None for row in self.rows)


@dataclass(frozen=True)
class Past:
    """A former projection of the year beside what came: ``said`` of the following month and what that came to."""

    projection: Projection
    next_month: Month | None
    said: Decimal | None
    came: Decimal | None

    @property
    def error(self) -> Decimal | None:
        return None if self.said is None or not self.came else round_ratio(self.said / self.came - 1)


def latest(alliances: Collection[Alliance], year: int) -> dict[Key, Projection]:
    """The projection of the newest month of a year by (alliance id, fund type); one query. Scope is the caller's."""
    rows = Projection.objects.current().filter(alliance__in=[alliance.pk for alliance in alliances], year=year)
    return {(row.alliance_id, row.fund_type): row for row in rows.defer(*HEAVY).order_by("month")}


def months_held(user: Any) -> list[Month]:
    """The months that have projections the user sees, newest first."""
    rows = Projection.objects.visible_to(user).current().order_by("-year", "-month").values_list("year", "month").distinct()
    return [Month(year, month) for year, month in rows]


def month_rows(user: Any, month: Month) -> list[Projection]:
    """The current projections of a month the user sees, by county, alliance and fund type; one query."""
    rows = Projection.objects.visible_to(user).current().filter(year=month.year, month=month.month)
    return list(
        rows.with_places().defer(*HEAVY, "months").order_by("county__code", "alliance__code", "-fund_type")
    )


def totals(rows: Iterable[Projection]) -> list[Total]:
    """The sums by fund type of those shown; the two types are never added up (A3)."""
    held = list(rows)
    found = [Total(fund, tuple(row for row in held if row.fund_type == fund)) for fund in FundType.values]
    return [total for total in found if total.rows]


def month_lines(projection: Projection) -> list[MonthLine]:
    """The twelve months; empty where nothing could be projected."""
    return [
        MonthLine(
            Month.parse(row["month"]),
            row["kind"],
            Decimal(row["known"]),
            Decimal(row["in_alliance"]),
            Decimal(row["outflow"]),
            amount_of(row["pace"]),
        )
        for row in projection.months
    ]


def course(projection: Projection) -> list[Projection]:
    """The current projections of the same alliance, fund type and year up to its month, oldest first."""
    rows = Projection.objects.current().filter(
        alliance=projection.alliance_id, fund_type=projection.fund_type, year=projection.year, month__lte=projection.month
    )
    return list(rows.defer(*HEAVY, "methods").order_by("month"))


def against_what_came(projection: Projection, held: Sequence[Projection]) -> list[Past]:
    """Each projection of ``held`` with what it said of the month after it, beside what is known of that month now."""
    now = {line.month: line for line in month_lines(projection)}
    found = []
    for row in held:
        said = {line.month: line.expected for line in month_lines(row)}
        following = row.period.plus(1)
        came = now[following].expected if following in now and now[following].is_over else None
        in_year = following.year == projection.year
        found.append(Past(row, following if in_year else None, said.get(following) if came is not None else None, came))
    return found


def versions(projection: Projection) -> list[Projection]:
    """All versions of the same month, newest first."""
    rows = Projection.objects.filter(
        alliance=projection.alliance_id, fund_type=projection.fund_type, year=projection.year, month=projection.month
    )
    return list(rows.defer(*HEAVY, "months", "methods").order_by("-version"))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if known else None


def projected_sums(places: Sequence[PlaceRef], month: Month) -> dict[tuple[str, str], dict[str, Decimal | int | None]]:
    """The base ``projected`` of a month's figures: an alliance's own, a county's or city's only where all have one."""
    areas = {place.area for place in places}
    standing = Alliance.objects.on(month.last_day).filter(county__pooling_area__in=areas)
    inside: dict[tuple[str, int], list[int]] = {}
    for pk, county, area in standing.values_list("pk", "county_id", "county__pooling_area_id"):
        inside.setdefault((PlaceKind.COUNTY, county), []).append(pk)
        inside.setdefault((PlaceKind.CITY, area), []).append(pk)
        inside[(PlaceKind.ALLIANCE, pk)] = [pk]
    rows = Projection.objects.current().filter(pooling_area__in=areas, year=month.year, month=month.month)
    held = {(pk, fund): expected for pk, fund, expected in rows.values_list("alliance_id", "fund_type", "expected")}
    found: dict[tuple[str, str], dict[str, Decimal | int | None]] = {}
    for place in places:
        members = inside.get((place.kind, place.pk), [])
        for fund in FundType.values:
            known = [held.get((pk, fund)) for pk in members]
            if known and None not in known:
                found[(place.key, fund)] = {"projected": _sum(known)}
    return found
