"""Reading a download back: the rows of a sheet, amounts as Decimal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.workbook import read_sheets


def rows_of(response: Any, sheet: str) -> list[list[Any]]:
    assert response.status_code == 200
    return read_sheets(response.content, "download.xlsx")[sheet]


def money(cell: Any) -> Decimal:
    """A cell of a workbook as yuan to the fen."""
    return Decimal(str(cell)).quantize(Decimal("0.01"))
