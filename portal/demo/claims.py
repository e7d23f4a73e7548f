"""Full-size claims of one county: a synthetic extract with planted faults, brought in like any other extract."""

from __future__ import annotations

import tempfile
from pathlib import Path

from claims.models import ClaimsImport, ImportState
from claims.services import receive_path
from core.jobs import run_now
from core.models import County
from core.models.jobs import JobState
from portal.demo import story
from portal.demo.clock import acting_on
from portal.demo.facts import OUTSIDE
from portal.demo.people import COUNTY_OFFICER, user
from portal.demo.places import CITY_HOSPITALS, COUNTIES, institutions_of

ROWS = 247_000
FAULTS = 0.004
EMPLOYEE_ROWS = 0.135
INSURED = 393_000


def receive(rows: int) -> None:
    """Make the extract of the county's last months and hand it in; its check and storing are a job of their own."""
    from claims.generator import Place, Setup, generate

    county = County.objects.select_related("pooling_area").get(code=story.CLAIMS_COUNTY)
    if ClaimsImport.objects.filter(county=county).exists():
        return
    places = [
        Place(entry.code, entry.name, entry.county, entry.kind, entry.grade, entry.alliance)
        for spec in COUNTIES
        for entry in institutions_of(spec)
        if spec.code == county.code
    ]
    areas = {code: area for _care, _location, area, code, _kind, _weight in OUTSIDE} | dict.fromkeys(
        CITY_HOSPITALS, "990100"
    )
    places += [Place(code, f"县域外医院 {code[-4:]}", area, "general", 3) for code, area in sorted(areas.items())]
    first, last = story.CLAIMS_MONTHS[0], story.CLAIMS_MONTHS[-1]
    setup = Setup(
        county.code, first, last, rows, tuple(places), faults=FAULTS, persons=INSURED * rows // ROWS,
        employee_rows=EMPLOYEE_ROWS,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        made = generate(setup, Path(folder))
        with acting_on(last.next().first_day, 16):
            receive_path(user(COUNTY_OFFICER), county, first, last, made.extract)


def finish() -> None:
    """Run the import here unless a worker has it; wait for the worker if so."""
    from time import sleep

    found = ClaimsImport.objects.filter(county__code=story.CLAIMS_COUNTY).select_related("job").latest("pk")
    while found.state not in (ImportState.ACCEPTED, ImportState.REJECTED, ImportState.AWAITING_DECISION):
        assert found.job is not None
        job = run_now(found.job)
        found.refresh_from_db()
        if job.state == JobState.FAILED:
            raise RuntimeError(f"claims import {found.pk}: {job.outcome}")
        if job.state == JobState.RUNNING:
            sleep(0.5)
