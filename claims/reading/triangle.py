"""What was known when about every month: the versions of the facts, alliance by alliance, in two queries.

A month's facts are delivered in the following month; what was written then counts as known at the month's end, a
version written a month later as known one month late. A month whose first version came later than that was loaded
afterwards: when its claims became known is not known. For projections only; nothing is paid by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum
from django.utils import timezone

from claims.models import CareLocation, FactSet, MonthlyFact, VisitType
from claims.reading.package_scope import PackageScope
from claims.reading.series import PACKAGED, Key
from claims.reading.sums import ZERO, counties_of
from core.models import Alliance
from rules.periods import Month

_INPATIENT = {VisitType.INPATIENT.value, VisitType.MATERNITY_INPATIENT.value}
_Sums = dict[tuple[bool, bool], tuple[int, Decimal]]


class Newly(NamedTuple):
    """What became known in ``known`` of a month: charged yuan (package scope) and settlements, new or taken back.

    ``inside`` tells care in the own alliance from care outside the county or at a sister alliance.
    """

    alliance: int
    fund_type: str
    settled: Month
    known: Month
    inside: bool
    inpatient: bool
    settlements: int
    yuan: Decimal


class Triangle(NamedTuple):
    """The increments, oldest month first, and per county the months that were loaded afterwards."""

    newly: list[Newly]
    untold: dict[int, set[Month]]


class _Version(NamedTuple):
    pk: int
    county: int
    settled: Month
    known: Month


def triangle(
    alliances: Collection[Alliance],
    through: Month | None = None,
    scopes: Mapping[Key, PackageScope] | None = None,
) -> Triangle:
    """Every declared version of every month up to ``through`` of the alliances' counties."""
    versions, untold = _versions(alliances, through)
    sums = _sums(versions, alliances, scopes or {})
    newly: list[Newly] = []
    last: dict[tuple[int, str, Month], _Sums] = {}
    for version in versions:
        for alliance in alliances:
            if alliance.county_id != version.county:
                continue
            for fund_type in PACKAGED:
                key = (alliance.pk, fund_type, version.settled)
                now = sums.get((version.pk, alliance.pk, fund_type), {})
                newly += _increments(key, version.known, last.get(key), now)
                last[key] = now
    return Triangle(newly, untold)


def _versions(alliances: Collection[Alliance], through: Month | None) -> tuple[list[_Version], dict[int, set[Month]]]:
    rows = (
        FactSet.objects.filter(county__in=counties_of(alliances), declared=True)
        .order_by("county_id", "year", "month", "version")
        .values_list("pk", "county_id", "year", "month", "created_at")
    )
    versions: list[_Version] = []
    untold: dict[int, set[Month]] = {}
    begun: set[tuple[int, Month]] = set()
    for pk, county, year, month, created in rows:
        settled = Month(year, month)
        if through is not None and settled > through:
            continue
        known = max(settled, Month.of(timezone.localtime(created).date()).previous())
        if (county, settled) not in begun and known > settled:
            untold.setdefault(county, set()).add(settled)
            known = settled
        begun.add((county, settled))
        versions.append(_Version(pk, county, settled, known))
    return versions, untold


def _sums(
    versions: Collection[_Version], alliances: Collection[Alliance], scopes: Mapping[Key, PackageScope]
) -> dict[tuple[int, int, str], _Sums]:
    rows = (
        MonthlyFact.objects.filter(
            factset__in=[version.pk for version in versions],
            fund_type__in=PACKAGED,
            alliance__in=[alliance.pk for alliance in alliances],
        )
        .order_by()
        .values_list("factset_id", "alliance_id", "fund_type", "visit_type", "care_location")
        .annotate(amount=Sum("fund_payable"), excluded=Sum("excluded_fund"), count=Sum("settlements"))
    )
    found: dict[tuple[int, int, str], _Sums] = {}
    for factset, alliance, fund_type, visit, location, amount, excluded, count in rows:
        scope = scopes.get((alliance, fund_type), PackageScope.DEFAULT)
        if visit not in scope.visit_types(fund_type) or location not in scope.locations():
            continue
        cell = (location == CareLocation.OWN_ALLIANCE, visit in _INPATIENT)
        cells = found.setdefault((factset, alliance, fund_type), {})
        settlements, yuan = cells.get(cell, (0, ZERO))
        cells[cell] = (settlements + count, yuan + amount - excluded)
    return found


def _increments(key: tuple[int, str, Month], known: Month, before: _Sums | None, now: _Sums) -> list[Newly]:
    """The differences to the version before. The first version is told even at zero: the month was delivered."""
    alliance, fund_type, settled = key
    found = []
    for cell in sorted({*(before or {}), *now}, reverse=True):
        count, yuan = now.get(cell, (0, ZERO))
        old_count, old_yuan = (before or {}).get(cell, (0, ZERO))
        if before is None or count != old_count or yuan != old_yuan:
            found.append(Newly(alliance, fund_type, settled, known, *cell, count - old_count, yuan - old_yuan))
    return found
