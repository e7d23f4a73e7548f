"""Workbooks filled in by tests: one dict a line, by the titles of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from claims.tables import TableColumn
from core.workbook import Sheet, write_workbook


def filled(columns: Sequence[TableColumn], lines: Sequence[Mapping[str, Any]], leave_out: Sequence[str] = ()) -> bytes:
    """A workbook with these columns (by our names) and lines; ``leave_out`` drops columns."""
    kept = [column for column in columns if column.name not in leave_out]
    rows = [[line.get(column.name) for column in kept] for line in lines]
    return write_workbook([Sheet("数据", [column.title for column in kept], rows)])
