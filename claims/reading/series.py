"""Months of several years and alliances at once: at most two queries whatever their number.

For overviews and projections only; nothing is paid by it. The same parts as :mod:`claims.reading.funds`, kept apart by
where care was given, for the months that were delivered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import NamedTuple

from django.db.models import Case, CharField, Sum, Value, When

from claims.models import OUT_OF_COUNTY, CareLocation, FactFundType, FactSet, MonthlyFact
from claims.reading.package_scope import PackageScope
from claims.reading.sums import ZERO, SetHead, counties_of, set_heads
from core.models import Alliance
from core.models.places import PRIMARY_KINDS
from rules.periods import Month

Key = tuple[int, str]
PACKAGED = (FactFundType.RESIDENT.value, FactFundType.EMPLOYEE.value)
KEPT_SETS = 1000
"""Sets whose sums a process keeps: four years of twenty counties."""


class _Sum(NamedTuple):
    """Packaged yuan and settlements of one visit type and place in a set."""

    visit: str
    location: str
    primary: bool
    amount: Decimal
    settlements: int


_SetSums = dict[Key, list[_Sum]]
_kept: dict[tuple[int, str], _SetSums] = {}
_lock = Lock()


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
    sums = _sums_of(heads)
    found: dict[Key, list[MonthDetail]] = {}
    for alliance in alliances:
        for fund_type in PACKAGED:
            key = (alliance.pk, fund_type)
            scope = (scopes or {}).get(key, PackageScope.DEFAULT)
            visits, locations = scope.visit_types(fund_type), scope.locations()
            found[key] = [
                _detail(
                    head,
                    [row for row in sums[head.pk].get(key, ()) if row.visit in visits and row.location in locations],
                )
                for head in heads
                if head.county == alliance.county_id
            ]
    return found


def _detail(head: SetHead, rows: Iterable[_Sum]) -> MonthDetail:
    at: dict[str, Decimal] = {}
    primary, settlements = ZERO, 0
    for row in rows:
        at[row.location] = at.get(row.location, ZERO) + row.amount
        settlements += row.settlements
        if row.primary and row.location == CareLocation.OWN_ALLIANCE:
            primary += row.amount
    return MonthDetail(head.period, head.data_to, at, primary, settlements)


def _sums_of(heads: Collection[SetHead]) -> dict[int, _SetSums]:
    """The sums of each set. A set never changes once written, so what was read is kept by its content's digest."""
    found = {head.pk: known for head in heads if (known := _kept.get((head.pk, head.content))) is not None}
    missing = [head for head in heads if head.pk not in found]
    if missing:
        read = _read(missing)
        found.update(read)
        with _lock:
            _kept.update({(head.pk, head.content): read[head.pk] for head in missing})
            while len(_kept) > KEPT_SETS:
                _kept.pop(next(iter(_kept)))
    return found


def _read(heads: Collection[SetHead]) -> dict[int, _SetSums]:
    """The sums of sets by alliance and fund type, in one query."""
    primary = Case(
        When(institution_kind__in=PRIMARY_KINDS, then=Value("1")), default=Value(""), output_field=CharField()
    )
    rows = (
        MonthlyFact.objects.filter(
            factset__in=[head.pk for head in heads], fund_type__in=PACKAGED, alliance__isnull=False
        )
        .order_by()
        .annotate(primary=primary)
        .values_list("factset_id", "alliance_id", "fund_type", "visit_type", "care_location", "primary")
        .annotate(amount=Sum("fund_payable"), excluded=Sum("excluded_fund"), count=Sum("settlements"))
    )
    found: dict[int, _SetSums] = {head.pk: {} for head in heads}
    for factset, alliance, fund_type, visit, location, is_primary, amount, excluded, count in rows:
        made = _Sum(visit, location, bool(is_primary), amount - excluded, count)
        found[factset].setdefault((alliance, fund_type), []).append(made)
    return found


def latest_year(alliances: Collection[Alliance], until: int) -> int | None:
    """The last year up to ``until`` with delivered months of the alliances' counties; None without any."""
    sets = FactSet.objects.current().filter(county__in=counties_of(alliances), year__lte=until, declared=True)
    return sets.order_by("-year").values_list("year", flat=True).first()
