"""Everything a county's month is made of, put together for its institutions, alliances and itself. Reads only.

Facts and the lake give what was done and spent, the 基金月报 what only the fund's books know, budgets and ledger the package
and what was prepaid by the month's end, the accepted quarterly table what was refused, settlement what was ordered back.
Further sources join through :data:`monitoring.registries.figure_sources`. Blank stays blank.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from budgets import reading as budgets
from budgets.reading import PackageInForce
from claims import reading as claims
from claims.reading import HeldMonth, PlaceSums, Readmissions, Reported, Returns
from core.models import Alliance, County, FundType, Institution, Membership
from core.models.places import valid_on
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.reading.places import PlaceRef, ref_of
from monitoring.registries import JOINED, figure_sources
from rules.indicators import BASES
from rules.money import ZERO
from rules.periods import Month
from settlement import reading as settlement
from submissions import reading as submissions

Key = tuple[int, str]
Sums = dict[str, Decimal | int | None]
FUNDS = tuple(FundType.values)
CLAIMED, REFUSED = "4", "13.2"
"""Rows of the quarterly table: fund spending in the alliance, refused by audits."""
ADDED_UP = tuple(base.key for base in BASES if base.source in ("budget", "table")) + ("recovery_due", "recovered")
"""Bases a county has as the sum of its alliances."""


@dataclass(frozen=True)
class PlaceFigures:
    """The bases of one place and fund type, as they will be stored."""

    place: PlaceRef
    fund_type: str
    sums: Sums
    alliance: int | None = None


@dataclass(frozen=True)
class CountyMonth:
    """A county's month as it stood at ``taken_at``. ``stamp`` names the versions it was made of."""

    county: County
    month: Month
    held: HeldMonth
    rows: tuple[PlaceFigures, ...]
    stamp: tuple[Any, ...]
    taken_at: datetime


@dataclass
class _Sources:
    """What was read before it is put together."""

    alliances: list[Alliance]
    standing: set[int]
    institutions: dict[int, Institution]
    members: dict[int, int]
    held: HeldMonth
    facts: PlaceSums | None
    returns: Readmissions | None
    known: Mapping[Key, PackageInForce]
    latest: Mapping[Key, PackageInForce]
    quotas: Mapping[tuple[int, int, str], Decimal]
    prepaid: Mapping[Key, Decimal]
    heads: Mapping[Key, int]
    tables: Mapping[Key, Mapping[str, Decimal]]
    recoveries: Mapping[Key, tuple[Decimal, Decimal]]
    joined: dict[tuple[str, str], Sums] = field(default_factory=dict)


def gather(county: County, month: Month) -> CountyMonth | None:
    """None where neither facts nor a report were delivered. The number of queries does not grow with the places."""
    taken_at = timezone.now()
    held = claims.held_month(county.pk, month)
    if held.factset is None and not held.reports:
        return None
    alliances = list(_alliances(county, month))
    latest = budgets.packages_in_force(alliances, month.year)
    scopes = {key: package.scope for key, package in latest.items()}
    facts = None if held.factset is None else claims.place_sums(held.factset, scopes)
    members = _members(county, month.last_day)
    found = _Sources(
        alliances=alliances,
        standing={alliance.pk for alliance in alliances if _stands(alliance, month.last_day)},
        institutions=_institutions(county, month, facts, members),
        members=members,
        held=held,
        facts=facts,
        returns=None if held.factset is None else claims.readmissions(county, month, scopes),
        known=budgets.packages_in_force(alliances, month.year, on=month.last_day),
        latest=latest,
        quotas=budgets.member_quotas(alliances, month.year),
        prepaid=budgets.prepaid_of(alliances, month.year, until=month.last_day),
        heads=claims.insured_by_alliance(alliances, month),
        tables=submissions.latest_amounts(alliances, month, (CLAIMED, REFUSED)),
        recoveries=settlement.recoveries(alliances, month.last_day),
    )
    _join(found, county, month)
    rows = [row for fund in FUNDS for row in _rows_of(found, county, fund)]
    return CountyMonth(county, month, held, tuple(rows), _stamp(county, month, held), taken_at)


def is_newest(gathered: CountyMonth) -> bool:
    """Whether facts and reports are still those that were gathered; asked inside the transaction that writes."""
    return claims.held_month(gathered.county.pk, gathered.month).identity == gathered.held.identity


def _stamp(county: County, month: Month, held: HeldMonth) -> tuple[Any, ...]:
    """What :func:`monitoring.services.outdated.outdated` compares rows with: another of these makes new county rows."""
    approved = budgets.approved_at({county.pk}).get((county.pk, month.year))
    tables = submissions.accepted_at({county.pk})
    accepted = max((at for (_county, period), at in tables.items() if in_reach(period, month)), default=None)
    return (*held.identity, str(approved or ""), str(accepted or ""))


def in_reach(period: str, month: Month) -> bool:
    """Whether a month's figures come from the table of this period (2026Q2): later in the same year."""
    year, _q, quarter = period.partition("Q")
    return int(year) == month.year and int(quarter) * 3 <= month.month


def _alliances(county: County, month: Month) -> Iterable[Alliance]:
    """Those that stood on any day of the month; facts name no others."""
    ends = Q(valid_to__isnull=True) | Q(valid_to__gte=month.first_day)
    found = Alliance.objects.filter(ends, county=county, valid_from__lte=month.last_day)
    return found.select_related("county__pooling_area").order_by("code")


def _stands(alliance: Alliance, day: date) -> bool:
    return alliance.valid_from <= day and (alliance.valid_to is None or alliance.valid_to >= day)


def _members(county: County, day: date) -> dict[int, int]:
    """Institution → its alliance on the day."""
    held = Membership.objects.filter(valid_on(day), institution__county=county)
    return dict(held.values_list("institution_id", "alliance_id"))


def _institutions(
    county: County, month: Month, facts: PlaceSums | None, members: Mapping[int, int]
) -> dict[int, Institution]:
    """The county's institutions in the facts, its members, and whoever had a row before within a year (now: zero)."""
    if facts is None:
        return {}
    before = PlaceMonth.objects.current().filter(
        county=county, kind=PlaceKind.INSTITUTION, year__gte=month.year - 1, year__lte=month.year
    )
    seen = before.order_by().values_list("institution_id", "year", "month").distinct()
    wanted = {pk for pk, _fund in facts.institutions} | set(members)
    wanted |= {pk for pk, year, number in seen if month.plus(-12) <= Month(year, number) <= month}
    mine = Institution.objects.filter(county=county).select_related("county").order_by("code")
    return {row.pk: row for row in mine if row.pk in wanted}


def _rows_of(found: _Sources, county: County, fund: str) -> Iterable[PlaceFigures]:
    alliances = [(alliance, _of_alliance(found, alliance, fund)) for alliance in found.alliances]
    yield PlaceFigures(ref_of(county), fund, _of_county(found, county, fund, {one.pk: sums for one, sums in alliances}))
    for alliance, sums in alliances:
        yield PlaceFigures(ref_of(alliance), fund, sums, alliance.pk)
    for pk, institution in found.institutions.items():
        yield PlaceFigures(ref_of(institution), fund, _of_institution(found, institution, fund), found.members.get(pk))


def _blank() -> Sums:
    return dict.fromkeys((base.key for base in BASES), None)


def _of_institution(found: _Sources, institution: Institution, fund: str) -> Sums:
    sums = _blank()
    key = (institution.pk, fund)
    if found.facts is not None:
        sums.update(found.facts.institutions.get(key) or claims.nothing(institution=True))
    if found.returns is not None:
        _take_returns(sums, found.returns.institutions.get(key, found.returns.none))
    sums["package"] = found.quotas.get((found.members.get(institution.pk, 0), institution.pk, fund))
    return _with_joined(found, sums, ref_of(institution), fund)


def _of_alliance(found: _Sources, alliance: Alliance, fund: str) -> Sums:
    sums, key = _blank(), (alliance.pk, fund)
    if found.facts is not None:
        sums.update(found.facts.alliances.get(key) or claims.nothing())
    if found.returns is not None:
        _take_returns(sums, found.returns.alliances.get(key, found.returns.none))
    sums["insured"] = found.heads.get(key)
    sums["package"] = _package(found, key)
    sums["prepaid"] = found.prepaid.get(key, ZERO)
    table = found.tables.get(key, {})
    sums["checked"], sums["refused"] = table.get(CLAIMED), table.get(REFUSED)
    sums["recovery_due"], sums["recovered"] = found.recoveries.get(key, (ZERO, ZERO))
    return _with_joined(found, sums, ref_of(alliance), fund)


def _package(found: _Sources, key: Key) -> Decimal | None:
    """The package known on the month's last day; where none was yet, the year's first, entered afterwards."""
    known, latest = found.known.get(key), found.latest.get(key)
    if known is not None:
        return known.total
    return latest.initial_total if latest is not None and not latest.provisional else None


def _of_county(found: _Sources, county: County, fund: str, alliances: Mapping[int, Sums]) -> Sums:
    sums = _blank()
    if found.facts is not None:
        sums.update(found.facts.county[fund])
    if found.returns is not None:
        _take_returns(sums, found.returns.county[fund])
    billed = found.facts.billed[fund] if found.facts is not None and found.held.declared else None
    _take_report(sums, found.held.reports.get(fund), billed)
    standing = [mine for pk, mine in alliances.items() if pk in found.standing]
    for name in (*ADDED_UP, "projected"):
        sums[name] = total([mine[name] for mine in standing])
    return _with_joined(found, sums, ref_of(county), fund)


def total(values: Collection[Decimal | int | None]) -> Decimal | int | None:
    """The sum of values that are all known; None without any or where one is not."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(values) else None


def _take_returns(sums: Sums, returns: Returns) -> None:
    sums["stays"], sums["readmitted"] = returns.stays, returns.readmitted


def _take_report(sums: Sums, report: Reported | None, billed: Decimal | None) -> None:
    """The county's report; current spending is income less the current balance, else what was billed (None: the month's
    claims are not all there) and transferred."""
    if report is None:
        return
    values = report.values
    income = _known_sum(values, "income_")
    balance = values["balance_current"]
    sums["insured"] = values["insured_heads"]
    sums["income"] = income
    sums["income_collected"] = _known_sum(values, "income_personal", "income_employer")
    if income is not None and balance is not None:
        sums["fund_spending"] = income - balance
    elif billed is not None:
        sums["fund_spending"] = billed + (_known_sum(values, "spending_") or ZERO)
    sums["balance"] = values["balance_accumulated"]
    sums["contracts"] = values["family_doctor_contracts"]
    sums["two_registered"] = total([values["hypertension_registered"], values["diabetes_registered"]])
    sums["two_managed"] = total([values["hypertension_managed"], values["diabetes_managed"]])
    sums["procurement_committed"] = values["procurement_committed"]
    sums["procurement_bought"] = values["procurement_bought"]


def _known_sum(values: Mapping[str, Decimal | int | None], *prefixes: str) -> Decimal | None:
    """What the report names of these fields; None where it names none. A fund has no use for some of them."""
    known = [Decimal(value) for name, value in values.items() if name.startswith(prefixes) and value is not None]
    return sum(known, ZERO) if known else None


def _join(found: _Sources, county: County, month: Month) -> None:
    """Ask the registered sources once for every place of the month."""
    places = [ref_of(county), *map(ref_of, found.alliances), *map(ref_of, found.institutions.values())]
    for name, source in figure_sources:
        for key, answer in source(places, month).items():
            unknown = set(answer) - JOINED
            if unknown:
                raise ValueError(f"figure source {name} answers for bases it must not: {', '.join(sorted(unknown))}")
            found.joined.setdefault(key, {}).update(answer)


def _with_joined(found: _Sources, sums: Sums, place: PlaceRef, fund: str) -> Sums:
    joined = found.joined.get((place.key, fund), {})
    sums.update({name: value for name, value in joined.items() if value is not None})
    return sums


__all__ = ["CountyMonth", "PlaceFigures", "gather", "in_reach", "is_newest", "total"]
