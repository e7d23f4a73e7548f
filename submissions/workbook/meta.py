"""The very hidden sheet that says what a workbook was made for: the only text the reader trusts about its origin."""

from __future__ import annotations

from openpyxl import Workbook

from submissions.declaration import Table
from submissions.workbook.model import Prefill

META = "_meta"
KEYS = ("table", "version", "sha256", "alliance", "period", "assignment")


def meta_rows(table: Table, prefill: Prefill) -> list[tuple[str, str]]:
    values = (
        table.name, table.version, table.sha256, prefill.alliance_code, str(prefill.period), str(prefill.assignment),
    )  # fmt: skip
    return list(zip(KEYS, values, strict=True))


def read_meta(book: Workbook) -> dict[str, str] | None:
    """What the hidden sheet says; None where it is missing or does not hold every field."""
    if META not in book.sheetnames:
        return None
    found = {
        str(key): str(value).strip()
        for key, value in book[META].iter_rows(max_row=20, max_col=2, values_only=True)
        if key is not None and value is not None
    }
    return found if all(found.get(key) for key in KEYS) else None
