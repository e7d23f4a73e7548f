"""Who filed what in a year: the matrix of alliances and periods."""

from __future__ import annotations

from typing import Any

from submissions.owed import MatrixRow, matrix_rows


def matrix(user: Any, year: int) -> list[MatrixRow]:
    """Every alliance the user sees with its four periods of the year; four queries whatever their number."""
    return matrix_rows(user, year)
