"""Who filed what in a year: the matrix of alliances and periods."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from core.models import Alliance
from submissions.models import Assignment
from submissions.owed import MatrixRow, matrix_rows
from submissions.periods import TablePeriod
from submissions.states import AssignmentState


def matrix(user: Any, year: int) -> list[MatrixRow]:
    """Every alliance the user sees with its four periods of the year; four queries whatever their number."""
    return matrix_rows(user, year)


def unfiled(alliances: Collection[Alliance], period: TablePeriod) -> list[Assignment]:
    """The assignments of a period that no accepted table answers yet, by alliance; one query, whoever asks."""
    rows = Assignment.objects.with_places().filter(alliance__in=alliances, period=str(period))
    return list(rows.exclude(state=AssignmentState.ACCEPTED).order_by("alliance__code"))
