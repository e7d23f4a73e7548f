"""Accepted figures of any periods and alliances as one tidy table: a cell a line, yuan and whole numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from typing import Any

from core.models import Alliance
from core.workbook import Sheet, safe_csv_cell
from submissions.models.versions import FUND_SHEETS
from submissions.periods import TablePeriod
from submissions.reading import FigureRow, accepted_figures

HEADER = ("医共体编号", "医共体", "期间", "险种", "机构编号", "机构", "行次或栏目", "项目", "单位", "数值")
FUND_LABELS = dict(FUND_SHEETS)


def tidy_rows(user: Any, alliances: Collection[Alliance], periods: Collection[TablePeriod]) -> list[FigureRow]:
    """The accepted cells of the alliances the user sees among ``alliances``."""
    seen = set(Alliance.objects.visible_to(user).values_list("pk", flat=True))
    return accepted_figures([alliance for alliance in alliances if alliance.pk in seen], periods)


def tidy_sheet(rows: Sequence[FigureRow], said: Sequence[str] = ()) -> Sheet:
    """For :func:`core.exports.export_workbook`."""
    return Sheet(
        "受理数据", HEADER, [_line(row) for row in rows], money_columns=frozenset({9}), notes=("金额单位：元", *said)
    )


def tidy_csv(rows: Sequence[FigureRow]) -> bytes:
    """The same as CSV that Excel and WPS open as UTF-8; nothing in it runs as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows([safe_csv_cell(value) for value in _line(row)] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _line(row: FigureRow) -> list[Any]:
    value = row.value if row.is_money else row.value.normalize()
    whole = not row.is_money and value == value.to_integral_value()
    return [
        row.alliance.code, row.alliance.name, str(row.period), FUND_LABELS[row.fund_type], row.institution,
        row.institution_name, row.code, row.label, row.unit, int(value) if whole else value,
    ]  # fmt: skip
