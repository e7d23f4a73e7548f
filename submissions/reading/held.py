"""What is held of one table whatever its state: for whoever carries work on from where it stands."""

from __future__ import annotations

from datetime import date

from core.models import Alliance, PoolingArea
from submissions.models import Assignment, Duty, Reconciliation, Submission
from submissions.periods import TablePeriod

__all__ = ["Assignment", "Submission", "TablePeriod", "assignment", "duty", "latest", "new_duty", "reconciliation"]


def duty(area: PoolingArea) -> Duty | None:
    """The latest duty of a whole area."""
    return Duty.objects.filter(pooling_area=area, county=None).order_by("-valid_from").first()


def new_duty(area: PoolingArea, since: date) -> Duty:
    """An unsaved duty of a whole area with the terms of seed 000 §三(四)."""
    return Duty(pooling_area=area, valid_from=since)


def assignment(alliance: Alliance, period: TablePeriod) -> Assignment | None:
    return Assignment.objects.with_places().filter(alliance=alliance, period=str(period)).first()


def latest(found: Assignment) -> Submission | None:
    """The newest version."""
    return Submission.objects.with_places().filter(assignment=found).order_by("-number").first()


def reconciliation(submission: Submission) -> Reconciliation | None:
    return Reconciliation.objects.filter(submission=submission).first()
