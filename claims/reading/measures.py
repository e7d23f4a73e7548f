"""What the facts say about the rows of the quarterly table (domain §5): every measure of an alliance by its key.

The keys are those a table's rows name: ``charged``, ``in_alliance.outpatient``, ``outflow.referred``, ``bed_days`` …
Money is what the package is charged (fund-payable without public health emergencies, under the package's scope) and
agrees to the fen with :func:`claims.reading.fund_year`; money is Decimal yuan, counts are Decimal too. One function says
what each key means, for sums, for members and for the months and institutions behind a figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, F, Sum, When

from claims.models import (
    OUT_OF_COUNTY,
    CareLocation,
    FactFundType,
    FactSet,
    FactSource,
    FundMonthlyReport,
    MonthlyFact,
    OutflowKind,
    VisitType,
)
from claims.reading.package_scope import PackageScope
from claims.reading.sums import ZERO, SetHead, counties_of, set_heads
from core.models import AgreedShare, Alliance, Institution, InstitutionKind, Membership, TownshipRule
from core.models.places import PRIMARY_KINDS, valid_on
from rules.money import allocate_count
from rules.periods import Month, months_of_year

Key = tuple[int, str]
PACKAGED = (FactFundType.RESIDENT.value, FactFundType.EMPLOYEE.value)
INPATIENT = frozenset({VisitType.INPATIENT.value, VisitType.MATERNITY_INPATIENT.value})
COUNTY_LEVEL = frozenset(
    kind.value
    for kind in (InstitutionKind.GENERAL, InstitutionKind.TCM, InstitutionKind.MATERNAL, InstitutionKind.SPECIALIST)
)
OWN = CareLocation.OWN_ALLIANCE.value
SISTER = CareLocation.SISTER_ALLIANCE.value
OUTSIDE = frozenset(place.value for place in OUT_OF_COUNTY)
SERVICES = ("outpatient", "chronic", "inpatient")
LEVELS = ("lead", "county_level", "township", "village", "other")
COSTS = ("drug", "consumables", "exam", "treatment", "other")
OUTFLOWS = ("referred", "resettled", "self_chosen", "other", "sister")
KEYS = (
    "charged", "in_alliance", *(f"in_alliance.{part}" for part in (*SERVICES, *LEVELS, "primary")),
    "outflow", *(f"outflow.{part}" for part in (*OUTFLOWS, "city", "province", "outside")),
    "visits", "visits.primary", "visits.other", "visits.chronic",
    "discharges", "discharges.primary", "discharges.other", "discharges.outside", "bed_days",
    "total_cost", "total_cost.outpatient", "total_cost.inpatient", *(f"cost.{part}" for part in COSTS),
    "eligible_cost", "referrals.up", "referrals.down", "memo.non_member", "memo.excluded", "memo.personal_account",
)  # fmt: skip
"""Every key the facts always answer; ``insured`` comes from the monthly fund report and may be missing."""
MEMBER_KEYS = {
    "outpatient_fund": "in_alliance.outpatient",
    "chronic_fund": "in_alliance.chronic",
    "inpatient_fund": "in_alliance.inpatient",
    "spending": "in_alliance",
    "visits": "visits",
    "discharges": "discharges",
    "bed_days": "bed_days",
    "outpatient_cost": "total_cost.outpatient",
    "inpatient_cost": "total_cost.inpatient",
    "drug_cost": "cost.drug",
}
"""Column of the member sheet → key."""
COUNTS = frozenset(
    {"insured", "bed_days", *(key for key in KEYS if key.split(".")[0] in ("visits", "discharges", "referrals"))}
)
_SUMS = (
    "fund_payable", "excluded_fund", "settlements", "discharges", "bed_days", "total_cost", "drug_cost", "tcm_cost",
    "consumables_cost", "exam_cost", "treatment_cost", "eligible_cost", "referrals_up", "referrals_down",
    "personal_account_paid",
)  # fmt: skip


@dataclass(frozen=True)
class Measures:
    """The measures of an alliance and fund type from January ``through`` a month. ``members``: code → column → value."""

    alliance: int
    fund_type: str
    through: Month
    values: Mapping[str, Decimal]
    members: Mapping[str, Mapping[str, Decimal]]
    months_present: tuple[Month, ...]
    months_missing: tuple[Month, ...]
    data_to: date | None
    factsets: tuple[int, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every month was delivered and the data reach the last day."""
        return not self.months_missing and self.data_to is not None and self.data_to >= self.through.last_day


@dataclass(frozen=True)
class MeasureLine:
    """What one institution added to a key in one month; ``code`` empty: places the registers do not name."""

    month: Month
    code: str
    name: str
    care_location: str
    value: Decimal
    settlements: int
    has_claims: bool

    @property
    def location_text(self) -> str:
        return CareLocation(self.care_location).label


def measures(
    alliances: Collection[Alliance],
    through: Month,
    scopes: Mapping[Key, PackageScope] | None = None,
) -> dict[Key, Measures]:
    """By (alliance id, fund type), in seven queries whatever the number of alliances."""
    heads = set_heads(counties_of(alliances), through.year, through)
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(heads, alliances):
        found[(row["alliance_id"], row["fund_type"])].append(row)
    leads = _leads(alliances, through)
    insured = insured_by_alliance(alliances, through)
    return {
        (alliance.pk, fund_type): _measures(
            alliance,
            fund_type,
            through,
            (scopes or {}).get((alliance.pk, fund_type), PackageScope.DEFAULT),
            [head for head in heads if head.county == alliance.county_id],
            found[(alliance.pk, fund_type)],
            leads.get(alliance.pk),
            insured.get((alliance.pk, fund_type)),
        )
        for alliance in alliances
        for fund_type in PACKAGED
    }


def measure_lines(
    alliance: Alliance, fund_type: str, key: str, through: Month, scope: PackageScope = PackageScope.DEFAULT
) -> list[MeasureLine]:
    """The months and institutions behind one key, oldest month first, the largest part of a month first; four queries."""
    heads = set_heads({alliance.county_id}, through.year, through)
    lead = _leads([alliance], through).get(alliance.pk)
    sums: dict[tuple[int, str, str], Decimal] = defaultdict(lambda: ZERO)
    counts: dict[tuple[int, str, str], int] = defaultdict(int)
    for row in _rows(heads, [alliance], fund_type, places=_places(key)):
        for part, value in _parts(row, scope, fund_type, lead):
            if part == key and value:
                place = (row["factset_id"], row["code"], row["care_location"])
                sums[place] += value
                counts[place] += row["settlements"]
    sources = dict(_sources(heads))
    months = {head.pk: head.period for head in heads}
    codes = {code for _pk, code, _place in sums if code}
    names = dict(Institution.objects.filter(code__in=codes).values_list("code", "name"))
    lines = [
        MeasureLine(
            months[pk], code, names.get(code, code or "未列机构"), place, value, counts[(pk, code, place)],
            sources.get(pk) == FactSource.CLAIMS,
        )
        for (pk, code, place), value in sums.items()
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (line.month, -abs(line.value), line.code))


Source = tuple[int, int, int, int]


def current_factsets(counties: Collection[int], years: Collection[int]) -> list[Source]:
    """(county id, year, month, fact set id) of the current sets: what measures made now stand on."""
    sets = FactSet.objects.current().filter(county__in=counties, year__in=years).order_by()
    return list(sets.values_list("county_id", "year", "month", "pk"))


def current_reports(counties: Collection[int], years: Collection[int]) -> list[Source]:
    """The same of the fund reports that tell the insured."""
    reports = FundMonthlyReport.objects.current().filter(
        county__in=counties, year__in=years, insured_heads__isnull=False
    )
    return list(reports.order_by().values_list("county_id", "year", "month", "pk"))


def _measures(
    alliance: Alliance,
    fund_type: str,
    through: Month,
    scope: PackageScope,
    heads: Sequence[SetHead],
    rows: Sequence[dict[str, Any]],
    lead: int | None,
    insured: int | None,
) -> Measures:
    values = dict.fromkeys(KEYS, ZERO)
    members: dict[str, dict[str, Decimal]] = {}
    columns = {key: column for column, key in MEMBER_KEYS.items()}
    for row in rows:
        for key, value in _parts(row, scope, fund_type, lead):
            values[key] += value
            if key in columns and row["care_location"] == OWN:
                member = members.setdefault(row["code"], dict.fromkeys(MEMBER_KEYS, ZERO))
                member[columns[key]] += value
    if insured is not None:
        values["insured"] = Decimal(insured)
    present = tuple(head.period for head in heads if head.declared)
    wanted = [month for month in months_of_year(through.year) if month <= through]
    dates = [head.data_to for head in heads if head.declared and head.data_to]
    return Measures(
        alliance=alliance.pk,
        fund_type=fund_type,
        through=through,
        values=values,
        members=members,
        months_present=present,
        months_missing=tuple(month for month in wanted if month not in present),
        data_to=max(dates, default=None),
        factsets=tuple(head.pk for head in heads),
    )


def _parts(
    row: Mapping[str, Any], scope: PackageScope, fund_type: str, lead: int | None
) -> Iterator[tuple[str, Decimal]]:
    """Which keys a group of facts adds to, and how much: the one place that says what a key means."""
    place, visit = row["care_location"], row["visit_type"]
    packaged = row["fund_payable"] - row["excluded_fund"]
    yield "memo.excluded", row["excluded_fund"]
    yield "memo.personal_account", row["personal_account_paid"]
    if place == CareLocation.IN_COUNTY:
        yield "memo.non_member", packaged
    if visit not in scope.visit_types(fund_type):
        return
    if place == OWN:
        yield "charged", packaged
        yield from _own(row, packaged, lead)
    elif place == SISTER or place in OUTSIDE:
        yield "discharges.outside", Decimal(row["discharges"])
        if place in scope.locations():
            yield "charged", packaged
            yield "outflow", packaged
            yield f"outflow.{_outflow(row)}", packaged
            if place != SISTER:
                yield f"outflow.{place}", packaged


def _own(row: Mapping[str, Any], packaged: Decimal, lead: int | None) -> Iterator[tuple[str, Decimal]]:
    """Care inside the alliance."""
    primary = row["institution_kind"] in PRIMARY_KINDS
    service = _service(row["visit_type"])
    level = _level(row, lead)
    yield "in_alliance", packaged
    yield f"in_alliance.{service}", packaged
    yield f"in_alliance.{level}", packaged
    if primary:
        yield "in_alliance.primary", packaged
    if service == "inpatient":
        discharges = Decimal(row["discharges"])
        yield "discharges", discharges
        yield ("discharges.primary" if primary else "discharges.other"), discharges
        yield "bed_days", Decimal(row["bed_days"])
        yield "total_cost.inpatient", row["total_cost"]
    else:
        visits = Decimal(row["settlements"])
        yield "visits", visits
        yield ("visits.primary" if primary else "visits.other"), visits
        if service == "chronic":
            yield "visits.chronic", visits
        yield "total_cost.outpatient", row["total_cost"]
    yield "total_cost", row["total_cost"]
    drug = row["drug_cost"] + row["tcm_cost"]
    named = (drug, row["consumables_cost"], row["exam_cost"], row["treatment_cost"])
    for part, cost in zip(COSTS, (*named, row["total_cost"] - sum(named, ZERO)), strict=True):
        yield f"cost.{part}", cost
    yield "eligible_cost", row["eligible_cost"]
    yield "referrals.up", Decimal(row["referrals_up"])
    yield "referrals.down", Decimal(row["referrals_down"])


def _service(visit: str) -> str:
    if visit in INPATIENT:
        return "inpatient"
    return "chronic" if visit == VisitType.CHRONIC else "outpatient"


def _level(row: Mapping[str, Any], lead: int | None) -> str:
    kind = row["institution_kind"]
    if kind in PRIMARY_KINDS:
        return "village" if kind == InstitutionKind.VILLAGE else "township"
    if lead is not None and row["own_institution"] == lead:
        return "lead"
    return "county_level" if kind in COUNTY_LEVEL else "other"


def _outflow(row: Mapping[str, Any]) -> str:
    if row["care_location"] == SISTER:
        return "sister"
    named = (OutflowKind.REFERRED, OutflowKind.RESETTLED, OutflowKind.SELF_CHOSEN)
    return row["outflow_kind"] if row["outflow_kind"] in named else "other"


def _places(key: str) -> frozenset[str]:
    """The care locations a key can come from, so that nothing else is read for it."""
    if key == "memo.non_member":
        return frozenset({CareLocation.IN_COUNTY.value})
    if key.startswith("outflow") or key == "discharges.outside":
        return OUTSIDE | {SISTER}
    return frozenset(CareLocation.values) if key == "charged" or key.startswith("memo") else frozenset({OWN})


def _rows(
    heads: Sequence[SetHead],
    alliances: Collection[Alliance],
    fund_type: str = "",
    places: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """The sets' facts summed in one query: members one by one and places outside together.

    With ``places`` only care given there is read, institution by institution and month by month.
    """
    facts = MonthlyFact.objects.filter(
        factset__in=[head.pk for head in heads],
        alliance__in=[alliance.pk for alliance in alliances],
        fund_type__in=[fund_type] if fund_type else PACKAGED,
    )
    by_place = bool(places)
    if by_place:
        facts = facts.filter(care_location__in=list(places))
    own = Case(When(care_location=OWN, then=F("institution_id")))
    code: Any = F("institution_code")
    if not by_place:
        code = Case(When(care_location=OWN, then=F("institution_code")), output_field=CharField())
    month = ["factset_id"] if by_place else []
    grouped = (
        facts.order_by()
        .annotate(own_institution=own, code=code)
        .values(
            "alliance_id", "fund_type", "own_institution", "code", "institution_kind", "visit_type", "care_location",
            "outflow_kind", *month,
        )
        .annotate(**{f"{name}_sum": Sum(name) for name in _SUMS})
    )  # fmt: skip
    for row in grouped.iterator(chunk_size=2000):
        yield {**row, "code": row["code"] or "", **{name: row[f"{name}_sum"] for name in _SUMS}}


def _sources(heads: Sequence[SetHead]) -> Iterator[tuple[int, str]]:
    yield from FactSet.objects.filter(pk__in=[head.pk for head in heads]).values_list("pk", "source")


def _leads(alliances: Collection[Alliance], through: Month) -> dict[int, int]:
    """Lead hospital (id) by alliance on the last day."""
    held = Membership.objects.filter(
        valid_on(through.last_day), alliance__in=[alliance.pk for alliance in alliances], is_lead=True
    )
    return dict(held.values_list("alliance_id", "institution_id"))


def insured_by_alliance(alliances: Collection[Alliance], through: Month) -> dict[Key, int]:
    """Heads reported for the very month; split by the agreed shares where a county has several alliances (A15).

    Where townships say who belongs to whom the county's report cannot be split: unknown rather than estimated.
    """
    counties = counties_of(alliances)
    reports = FundMonthlyReport.objects.current().filter(
        county__in=counties, year=through.year, month=through.month, insured_heads__isnull=False
    )
    heads = {
        (county, fund_type): count
        for county, fund_type, count in reports.values_list("county_id", "fund_type", "insured_heads")
        if count is not None
    }
    sisters: dict[int, list[int]] = defaultdict(list)
    standing = Alliance.objects.on(through.last_day).filter(county__in=counties).order_by("pk")
    for county, pk in standing.values_list("county_id", "pk"):
        sisters[county].append(pk)
    shares = dict(
        AgreedShare.objects.filter(alliance__county__in=counties, year=through.year).values_list("alliance_id", "share")
    )
    by_township = set(
        TownshipRule.objects.filter(valid_on(through.last_day), alliance__county__in=counties).values_list(
            "alliance__county_id", flat=True
        )
    )
    found: dict[Key, int] = {}
    for (county, fund_type), count in heads.items():
        mine = sisters[county]
        if len(mine) == 1:
            found[(mine[0], fund_type)] = count
        elif mine and county not in by_township and all(pk in shares for pk in mine):
            parts = allocate_count(count, [shares[pk] for pk in mine])
            found.update({(pk, fund_type): part for pk, part in zip(mine, parts, strict=True)})
    return found
