"""A synthetic extract of a county's registered institutions, handed in like a real one: for demonstrations and trials."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from claims.models import ClaimsImport
from claims.services.receiving import receive_path
from core.models import County, Membership, User
from rules.periods import Month

FAULTS = 0.004


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
) -> ClaimsImport:
    """Make ``rows`` claims with planted faults for ``persons`` insured and start their check.

    ``outside`` names hospitals beyond the county (code → division code), ``employee_rows`` is the employees' share of
    the rows. The same arguments give the same bytes.
    """
    from claims.generator import Place, Setup, generate

    alliances = dict(
        Membership.objects.on(last.last_day)
        .filter(institution__county=county)
        .values_list("institution_id", "alliance__code")
    )
    places = [
        Place(held.code, held.name, county.code, held.kind, held.grade, alliances.get(held.pk, ""))
        for held in county.institutions.order_by("code")
    ]
    places += [Place(code, f"县域外医院 {code[-4:]}", area, "general", 3) for code, area in sorted(outside.items())]
    setup = Setup(
        county.code, first, last, rows, tuple(places), faults=FAULTS, persons=persons, employee_rows=employee_rows
    )
    with tempfile.TemporaryDirectory() as folder:
        return receive_path(actor, county, first, last, generate(setup, Path(folder)).extract)
