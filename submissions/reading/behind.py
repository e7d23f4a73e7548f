"""The months and institutions behind what the system says of one line of a reconciliation."""

from __future__ import annotations

from budgets.reading import packages_in_force
from claims.reading import MeasureLine, PackageScope, measure_lines
from submissions.declaration import Row
from submissions.models import ReconciliationLine, Submission


def lines_behind(submission: Submission, line: ReconciliationLine, row: Row) -> list[MeasureLine]:
    """Under the scope of the package in force at the period's end, as the reconciliation itself was made."""
    alliance, period = submission.assignment.alliance, submission.assignment.of
    packages = packages_in_force([alliance], period.year, on=period.last_day)
    package = packages.get((alliance.pk, line.fund_type))
    scope = package.scope if package else PackageScope.DEFAULT
    return measure_lines(alliance, line.fund_type, row.fact, period.last_month, scope)
