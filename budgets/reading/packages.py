"""Which package is in force for an alliance, year and fund type, and how it is divided among the members.

Before the year's package is approved the former year's stands in provisionally (A16); whoever settles must refuse a
provisional one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max

from budgets.models import AllocationState, AllocationVersion, MemberAllocation, PackageState, PackageVersion
from claims.reading import PackageScope
from core.models import Alliance, FundType


@dataclass(frozen=True)
class PackageInForce:
    """The adjusted package of a year (yuan). ``provisional``: last year's, until this year's is approved.

    ``scheme_frozen`` is what :func:`core.policies.thaw` takes. ``year`` is the year the version was approved for.
    """

    version: int
    package: int
    number: int
    alliance: int
    year: int
    fund_type: str
    total: Decimal
    in_alliance: Decimal
    out_of_county: Decimal
    scope: PackageScope
    approved_on: date
    provisional: bool
    initial_total: Decimal
    scheme_frozen: dict[str, Any]


Key = tuple[int, str]


def package_in_force(alliance: Alliance, year: int, fund_type: str, on: date | None = None) -> PackageInForce | None:
    """The latest approved version (up to ``on``), else last year's marked ``provisional``, else None."""
    return packages_in_force([alliance], year, on=on, fund_types=[fund_type]).get((alliance.pk, str(fund_type)))


def packages_in_force(
    alliances: Collection[Alliance],
    year: int,
    *,
    on: date | None = None,
    fund_types: Iterable[str] = FundType.values,
) -> dict[Key, PackageInForce]:
    """The same for many alliances in one query, by (alliance id, fund type)."""
    versions = approved_versions(alliances, (year - 1, year), fund_types, on)
    found: dict[Key, PackageInForce] = {}
    for wanted, provisional in ((year - 1, True), (year, False)):
        first: dict[Key, Decimal] = {}
        for version in versions:
            package = version.package
            if package.year != wanted:
                continue
            key = (package.alliance_id, package.fund_type)
            initial = first.setdefault(key, version.total)
            found[key] = as_in_force(version, provisional, initial)
    return found


def approved_versions(
    alliances: Collection[Alliance], years: Collection[int], fund_types: Iterable[str], on: date | None
) -> list[PackageVersion]:
    """Approved versions of these packages, oldest first."""
    versions = PackageVersion.objects.filter(
        state=PackageState.APPROVED,
        package__alliance__in=[alliance.pk for alliance in alliances],
        package__year__in=list(years),
        package__fund_type__in=[str(fund_type) for fund_type in fund_types],
    )
    if on is not None:
        versions = versions.filter(decided_on__lte=on)
    return list(versions.select_related("package").order_by("package__year", "number"))


def as_in_force(version: PackageVersion, provisional: bool, initial: Decimal) -> PackageInForce:
    assert version.decided_on is not None  # an approved version has its day
    return PackageInForce(
        version=version.pk,
        package=version.package_id,
        number=version.number,
        alliance=version.package.alliance_id,
        year=version.package.year,
        fund_type=version.package.fund_type,
        total=version.total,
        in_alliance=version.in_alliance,
        out_of_county=version.out_of_county,
        scope=PackageScope(
            general_outpatient=version.general_outpatient,
            chronic_outpatient=version.chronic_outpatient,
            inpatient=version.inpatient,
            out_of_county=version.out_of_county_care,
            employee_maternity=version.employee_maternity,
        ),
        approved_on=version.decided_on,
        provisional=provisional,
        initial_total=initial,
        scheme_frozen=version.scheme_frozen,
    )


def member_allocations(alliance: Alliance, year: int, fund_type: str) -> list[MemberAllocation]:
    """The lines of the approved allocation in force, highest quota first; empty without one."""
    latest = (
        AllocationVersion.objects.filter(
            package__alliance=alliance,
            package__year=year,
            package__fund_type=fund_type,
            state=AllocationState.APPROVED,
        )
        .order_by("-number")
        .first()
    )
    return list(latest.lines.select_related("institution")) if latest is not None else []


def member_quotas(alliances: Collection[Alliance], year: int) -> dict[tuple[int, int, str], Decimal]:
    """What the approved allocations in force give each member, by (alliance id, institution id, fund type); two queries."""
    versions = AllocationVersion.objects.filter(
        package__alliance__in=[alliance.pk for alliance in alliances], package__year=year, state=AllocationState.APPROVED
    )
    latest = {
        (alliance, fund): pk
        for pk, alliance, fund in versions.order_by("number").values_list("pk", "package__alliance_id", "package__fund_type")
    }
    of = {pk: key for key, pk in latest.items()}
    lines = MemberAllocation.objects.filter(version__in=list(of)).order_by()
    return {
        (of[version][0], institution, of[version][1]): amount
        for version, institution, amount in lines.values_list("version_id", "institution_id", "amount")
    }


def approved_at(counties: Collection[int] | None = None) -> dict[tuple[int, int], datetime]:
    """When a package or an allocation of a county (None: of every county) and year was last approved; two queries."""
    found: dict[tuple[int, int], datetime] = {}
    packages = PackageVersion.objects.filter(state=PackageState.APPROVED, decided_at__isnull=False)
    allocations = AllocationVersion.objects.filter(state=AllocationState.APPROVED, decided_at__isnull=False)
    for versions in (packages, allocations):
        rows: Any = versions if counties is None else versions.filter(package__alliance__county__in=counties)
        names = ("package__alliance__county_id", "package__year")
        for county, year, at in rows.order_by().values_list(*names).annotate(at=Max("decided_at")):
            found[(county, year)] = max(at, found.get((county, year), at))
    return found
