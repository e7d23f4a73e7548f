"""A synthetic extract of a county's registered institutions, handed in like a real one: for demonstrations and trials."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from claims.models import ClaimsImport, VisitType
from claims.models.facts import OUT_OF_COUNTY
from claims.services.fact_rows import FactRow
from claims.services.receiving import receive_path
from core.models import County, FundType, InstitutionKind, Membership, User
from rules.periods import Month

if TYPE_CHECKING:
    from claims.generator import Mix

FAULTS = 0.004
LONG_STAY = 30
"""Days in bed from which a stay is one of its own kind."""
MATERNITY, HOSPITAL_STAY = "maternity", "county_stay"
TOWNSHIP = (InstitutionKind.TOWNSHIP, InstitutionKind.COMMUNITY)


def receive_synthetic(
    actor: User,
    county: County,
    first: Month,
    last: Month,
    rows: int,
    *,
    outside: Mapping[str, str],
    persons: int,
    employee_rows: float,
    like: Iterable[FactRow] = (),
) -> ClaimsImport:
    """Make ``rows`` claims with planted faults for ``persons`` insured and start their check.

    ``outside`` names hospitals beyond the county (code → division code), ``employee_rows`` is the employees' share of
    the rows. ``like``: facts whose kinds of visit, costs and institutions the claims take after. The same arguments give
    the same bytes.
    """
    from claims.generator import Place, Setup, generate

    alliances = dict(
        Membership.objects.on(last.last_day)
        .filter(institution__county=county)
        .values_list("institution_id", "alliance__code")
    )
    held = list(county.institutions.order_by("code"))
    places = [Place(one.code, one.name, county.code, one.kind, one.grade, alliances.get(one.pk, "")) for one in held]
    places += [Place(code, f"县域外医院 {code[-4:]}", area, "general", 3) for code, area in sorted(outside.items())]
    known = {*outside, *(one.code for one in held)}
    mix = mix_of((row for row in like if row.institution in known), {one.code: one.kind for one in held})
    setup = Setup(
        county.code, first, last, rows, tuple(places), faults=FAULTS, persons=persons, employee_rows=employee_rows, mix=mix
    )
    with tempfile.TemporaryDirectory() as folder:
        return receive_path(actor, county, first, last, generate(setup, Path(folder)).extract)


def mix_of(rows: Iterable[FactRow], kinds: Mapping[str, str]) -> tuple[Mix, ...]:
    """What facts say of each kind of visit: its settlements by fund type, a resident's cost, where it takes place.

    ``kinds``: institution code → kind, of the county's own.
    """
    from claims.generator import Mix

    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    costs: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    weights: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    places: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        name = _category(row, kinds.get(row.institution, ""))
        counts[name][row.fund_type] += row.settlements
        places[name][row.institution] += row.settlements
        weights[name][0] += row.weight_sum
        weights[name][1] += row.grouped_cases
        if row.fund_type == FundType.RESIDENT:
            costs[name][0] += row.total_cost
            costs[name][1] += row.pooled_fund_paid
    found = []
    for name, seen in sorted(counts.items()):
        residents, employees = seen[FundType.RESIDENT], seen[FundType.EMPLOYEE]
        total, paid = costs[name]
        mean, ratio = (total / 100 / residents, paid / total) if residents and total else (None, None)
        if name == MATERNITY:  # the generator makes a stay in hospital of a man's
            residents, employees = 2 * residents, 2 * employees
        elif name == HOSPITAL_STAY:
            residents -= counts[MATERNITY][FundType.RESIDENT]
            employees -= counts[MATERNITY][FundType.EMPLOYEE]
        heavy, grouped = weights[name]
        weight = heavy / grouped / 10_000 if grouped else None
        where = tuple(sorted(places[name].items()))
        found.append(Mix(name, max(residents, 0), max(employees, 0), mean, ratio, weight, where))
    return tuple(found)


def _category(row: FactRow, kind: str) -> str:
    """The generator's kind of visit of a row of facts, by visit type and the kind of the institution."""
    out, township = row.care_location in OUT_OF_COUNTY, kind in TOWNSHIP
    if row.visit_type in (VisitType.INPATIENT, VisitType.MATERNITY_INPATIENT):
        if out:
            return "out_stay"
        if row.visit_type == VisitType.MATERNITY_INPATIENT:
            return MATERNITY
        if row.bed_days > LONG_STAY * row.discharges:
            return "long_stay"
        return "township_stay" if township else HOSPITAL_STAY
    if row.visit_type == VisitType.PHARMACY:
        return "pharmacy"
    if out:
        return "out_clinic"
    if row.visit_type == VisitType.CHRONIC:
        return "chronic"
    if kind == InstitutionKind.VILLAGE:
        return "village"
    return "township_clinic" if township else "county_clinic"
