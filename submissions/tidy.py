"""Workbooks of the pages: the own list and the matrix as filtered, a reconciliation, the member summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.templatetags.fund import day, percent
from core.workbook import Sheet
from submissions.declaration import UNITS
from submissions.models import Reconciliation, Submission
from submissions.owed import MatrixRow, Owed, overdue_of, periods_of

if TYPE_CHECKING:
    from submissions.views.reconciliation import LineShown


def list_sheets(rows: Sequence[Owed], said: Sequence[str]) -> list[Sheet]:
    """The own assignments as listed."""
    header = ["医共体", "期间", "期限", "状态", "逾期", "最近版本", "上传人", "上传时间", "下一步"]
    return [Sheet("季度报表", header, [_owed_row(row) for row in rows], notes=tuple(said))]


def _owed_row(row: Owed) -> list[Any]:
    last = row.last
    return [
        row.assignment.alliance.name,
        row.assignment.of.text,
        row.assignment.last_day,
        row.text,
        "是" if row.is_overdue else "",
        f"第 {last.number} 版（{last.get_state_display()}）" if last else "",
        str(last.uploaded_by) if last else "",
        day(last.uploaded_at, "time") if last else "",
        row.next_step,
    ]


def matrix_sheets(year: int, rows: Sequence[MatrixRow], said: Sequence[str]) -> list[Sheet]:
    """The matrix as filtered, and a second sheet with what is overdue in it."""
    periods = periods_of(year)
    header = ["县（区）", "医共体", "编号", *(f"{period.text}（{period.kind_text}）" for period in periods), "未报", "逾期"]
    body = [
        [
            row.alliance.county.name,
            row.alliance.name,
            row.alliance.code,
            *(_cell(cell) for cell in row.cells),
            row.open,
            row.overdue,
        ]
        for row in rows
    ]
    late = [
        [
            cell.assignment.alliance.county.name,
            cell.assignment.alliance.name,
            cell.assignment.of.text,
            cell.assignment.last_day,
            cell.text,
        ]
        for cell in overdue_of(rows)
    ]
    return [
        Sheet(f"{year}年报送情况", header, body, notes=tuple(said)),
        Sheet("逾期清单", ["县（区）", "医共体", "期间", "期限", "状态"], late),
    ]


def _cell(cell: Owed | None) -> str:
    if cell is None:
        return ""
    return f"{cell.text}（逾期）" if cell.is_overdue else cell.text


def reconciliation_sheets(
    version: Submission, record: Reconciliation, lines: Sequence[LineShown]
) -> list[Sheet]:
    """Every line of a reconciliation in the unit the system keeps: yuan, persons, visits, days."""
    header = ["险种", "行次", "项目", "单位", "报表", "系统", "差异", "差异率", "须说明", "说明", "说明人"]
    body = [
        [
            one.line.get_fund_type_display(),
            one.row.code,
            one.row.label,
            "元" if one.is_money else UNITS[one.row.unit],
            one.filed,
            one.facts,
            one.difference,
            percent(one.share) if one.share is not None else "",
            "是" if one.line.must_explain else "",
            one.line.explanation,
            str(one.line.explained_by or ""),
        ]
        for one in lines
    ]
    signed = [
        f"{label}：{who or '待签认'} {day(when, 'time') if when else ''}".strip()
        for label, who, when in (
            ("医共体签认", record.hospital_signed_by, record.hospital_signed_at),
            ("医保局签认", record.bureau_signed_by, record.bureau_signed_at),
        )
    ]
    notes = [f"{version.assignment} 第 {version.number} 版，回执 {version.receipt}", f"系统数据截至 {record.data_to or '—'}", *signed]
    return [Sheet("对账", header, body, money_columns=frozenset({4, 5, 6}), notes=notes)]
