"""Months of several years and alliances at once: for overviews and projections, two queries whatever their number.

The same parts as :mod:`claims.reading.funds`, kept apart by where care was given, for the months that were delivered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, CharField, F, Sum, Value, When

from claims.models import OUT_OF_COUNTY, CareLocation, FactFundType, FactSet, MonthlyFact
from claims.reading.package_scope import PackageScope
from claims.reading.sums import ZERO, counties_of, set_heads
from core.models import Alliance
from core.models.places import PRIMARY_KINDS
from rules.periods import Month

Key = tuple[int, str]


@dataclass(frozen=True)
class MonthDetail:
    """One delivered month of an alliance and fund type. ``at`` holds charged yuan by care location (``CareLocation``)."""

    month: Month
    data_to: date | None
    at: Mapping[str, Decimal]
    primary: Decimal
    settlements: int

    @property
    def in_alliance(self) -> Decimal:
        return self.at.get(CareLocation.OWN_ALLIANCE, ZERO)

    @property
    def outflow(self) -> Decimal:
        """X of the month: outside the county or at a sister alliance."""
        return self.charged - self.in_alliance

    @property
    def out_of_county(self) -> Decimal:
        return sum((self.at.get(place, ZERO) for place in OUT_OF_COUNTY), ZERO)

    @property
    def charged(self) -> Decimal:
        return sum(self.at.values(), ZERO)

    @property
    def is_complete(self) -> bool:
        """Whether the data reach the end of the month."""
        return self.data_to is None or self.data_to >= self.month.last_day


def months_by_year(
    alliances: Collection[Alliance],
    first: int,
    last: int,
    scopes: Mapping[Key, PackageScope] | None = None,
) -> dict[Key, list[MonthDetail]]:
    """Every delivered month from ``first`` to ``last`` year, oldest first, by (alliance id, fund type)."""
    heads = [head for head in set_heads(counties_of(alliances), last, before=first) if head.declared]
    period_of = {head.pk: head for head in heads}
    primary = Case(
        When(institution_kind__in=PRIMARY_KINDS, then=Value("1")), default=Value(""), output_field=CharField()
    )
    rows = (
        MonthlyFact.objects.filter(
            factset__in=[head.pk for head in heads],
            fund_type__in=[FactFundType.RESIDENT, FactFundType.EMPLOYEE],
            alliance__in=[alliance.pk for alliance in alliances],
        )
        .order_by()
        .annotate(primary=primary)
        .values_list("factset_id", "alliance_id", "fund_type", "visit_type", "care_location", "primary")
        .annotate(amount=Sum(F("fund_payable")), excluded=Sum("excluded_fund"), count=Sum("settlements"))
    )
    sums: dict[tuple[int, str, int], dict[str, Decimal]] = {}
    primaries: dict[tuple[int, str, int], Decimal] = {}
    counts: dict[tuple[int, str, int], int] = {}
    allowed: dict[Key, tuple[frozenset[str], frozenset[str]]] = {}
    for factset, alliance, fund_type, visit, location, is_primary, amount, excluded, count in rows:
        key = (alliance, fund_type)
        if key not in allowed:
            scope = (scopes or {}).get(key, PackageScope.DEFAULT)
            allowed[key] = (scope.visit_types(fund_type), scope.locations())
        visits, locations = allowed[key]
        if visit not in visits or location not in locations:
            continue
        cell = (*key, factset)
        at = sums.setdefault(cell, {})
        at[location] = at.get(location, ZERO) + amount - excluded
        counts[cell] = counts.get(cell, 0) + count
        if is_primary and location == CareLocation.OWN_ALLIANCE:
            primaries[cell] = primaries.get(cell, ZERO) + amount - excluded
    found: dict[Key, list[MonthDetail]] = {}
    for alliance in alliances:
        for fund_type in (FactFundType.RESIDENT.value, FactFundType.EMPLOYEE.value):
            found[(alliance.pk, fund_type)] = [
                MonthDetail(
                    head.period,
                    head.data_to,
                    sums.get((alliance.pk, fund_type, head.pk), {}),
                    primaries.get((alliance.pk, fund_type, head.pk), ZERO),
                    counts.get((alliance.pk, fund_type, head.pk), 0),
                )
                for head in period_of.values()
                if head.county == alliance.county_id
            ]
    return found


def latest_year(alliances: Collection[Alliance], until: int) -> int | None:
    """The last year up to ``until`` with delivered months of the alliances' counties; None without any."""
    sets = FactSet.objects.current().filter(county__in=counties_of(alliances), year__lte=until, declared=True)
    return sets.order_by("-year").values_list("year", flat=True).first()
