"""Full-size claims of one county: a synthetic extract with planted faults, brought in like any other extract."""

from __future__ import annotations

from time import sleep

from claims.reading.imports import latest_import
from claims.services.synthetic import receive_synthetic
from core.jobs import run_now
from core.models.jobs import JobState
from portal.demo import story
from portal.demo.clock import acting_on
from portal.demo.facts import OUTSIDE, month_rows
from portal.demo.people import COUNTY_OFFICER, user
from portal.demo.places import county_of

ROWS = 262_000
EMPLOYEE_ROWS = 0.227
"""As many as the facts of these months would count, so that the claims go on where the facts end."""
INSURED = 393_000
WAITED_FOR = ("received", "checking", "accepting")


def receive(rows: int) -> None:
    """Make the extract of the county's last months and hand it in; its check and storing are a job of their own."""
    county = county_of(story.CLAIMS_COUNTY)
    if latest_import(county) is not None:
        return
    first, last = story.CLAIMS_MONTHS[0], story.CLAIMS_MONTHS[-1]
    outside = {code: area for _care, _location, area, code, _kind, _weight in OUTSIDE}
    with acting_on(last.next().first_day, 16):
        receive_synthetic(
            user(COUNTY_OFFICER), county, first, last, rows, outside=outside, persons=INSURED * rows // ROWS,
            employee_rows=EMPLOYEE_ROWS, like=[row for month in story.CLAIMS_MONTHS for row in month_rows(county.code, month)],
        )  # fmt: skip


def finish() -> None:
    """Run the import here unless a worker has it; wait for the worker if so."""
    found = latest_import(county_of(story.CLAIMS_COUNTY))
    assert found is not None
    while found.state in WAITED_FOR:
        assert found.job is not None
        job = run_now(found.job)
        found.refresh_from_db()
        if job.state == JobState.FAILED:
            raise RuntimeError(f"claims import {found.pk}: {job.outcome}")
        if job.state == JobState.RUNNING:
            sleep(0.5)
