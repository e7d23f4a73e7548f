"""Duties and assignments, versions with their findings, accepted figures, reconciliations."""

from submissions.models.assignments import Assignment, Duty, TableVersion
from submissions.models.figures import AcceptedFigure, Reconciliation, ReconciliationLine
from submissions.models.versions import Finding, Severity, Submission, SubmissionChange, Waiver

__all__ = [
    "AcceptedFigure",
    "Assignment",
    "Duty",
    "Finding",
    "Reconciliation",
    "ReconciliationLine",
    "Severity",
    "Submission",
    "SubmissionChange",
    "TableVersion",
    "Waiver",
]
