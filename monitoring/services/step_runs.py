"""Writes down what becomes of every month-end step: the listener of the core's month-end job.

Each note is a short transaction of its own, so that a killed job shows how far it came; the next attempt goes on from the
rows. Jobs leave no trail here: the steps themselves write theirs.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone

from core.models import Alliance
from core.registries import StepEvent, StepListener, StepState
from monitoring.models.periods import RunState, StepRun
from monitoring.reading.owing import owed
from monitoring.reading.periods import is_closed
from rules.periods import Month

BAD = (StepState.FAILED, StepState.SKIPPED)


def begun(alliance: Alliance, month: Month, steps: list[tuple[str, str]], job: int) -> None:
    """A row for every step that has none; those that did not end well wait again."""
    rows = [
        StepRun(alliance=alliance, year=month.year, month=month.month, step=name, label=label, job_id=job)
        for name, label in steps
    ]
    StepRun.objects.bulk_create(rows, ignore_conflicts=True)
    _rows(alliance, month).exclude(state=RunState.DONE).update(
        state=RunState.WAITING, outcome="", missing=[], started_at=None, finished_at=None, job_id=job
    )


def told(event: StepEvent) -> None:
    """Note the start or the end of a step."""
    row = _rows(event.alliance, event.month).filter(step=event.name)
    now = timezone.now()
    if event.state == StepState.RUNNING:
        row.update(
            state=RunState.RUNNING, attempts=F("attempts") + 1, started_at=now, finished_at=None, outcome="",
            missing=[], inputs="", label=event.label, job_id=event.job,
            after_close=is_closed(event.alliance.county.pooling_area_id, event.month),
        )  # fmt: skip
        return
    missing = _missing(event.alliance, event.month) if event.state in BAD else []
    row.update(
        state=RunState(event.state.value), outcome=event.text, missing=missing, inputs=event.inputs, finished_at=now,
        label=event.label, job_id=event.job,
    )  # fmt: skip


def held(alliance: Alliance, month: Month, name: str, inputs: str) -> str | None:
    """What the step said when it was done with the same inputs."""
    done = _rows(alliance, month).filter(step=name, state=RunState.DONE, inputs=inputs)
    found: str | None = done.values_list("outcome", flat=True).first()
    return found


LISTENER = StepListener(begun, told, held)


def _rows(alliance: Alliance, month: Month) -> Any:
    return StepRun.objects.filter(alliance=alliance, year=month.year, month=month.month)


def _missing(alliance: Alliance, month: Month) -> list[str]:
    return [one.text for one in owed([alliance], month).get(alliance.pk, [])]
