"""The workbook as the page shows it: every sheet with its values as text, and the findings on the cells they name.

Cells are placed by the declaration of the table, findings by the row, institution and column letter they carry, so that
preview, findings and workbook name the same cell. Derived rows are computed as the handbook says, never stored.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.templatetags.fund import count, wan, yuan
from rules.quarterly import change_percent, derived, execution_percent
from submissions.declaration import FUND_SHEETS, Column, MemberColumn, Row, Table
from submissions.figures import Cause, Figures, MemberValues, RowValues
from submissions.models import Finding, Severity
from submissions.models.versions import FUND_SHEETS as FUND_LABELS
from submissions.periods import TablePeriod

SHEETS = (*FUND_SHEETS, "members", "causes")
NUMERIC = frozenset({"current", "last", "change", "budget", "execution"})
FUND_NAMES = dict(FUND_LABELS)


@dataclass(frozen=True)
class Cell:
    """One cell; ``marks`` are the findings that name it, hard ones first."""

    text: str
    numeric: bool = False
    css: str = ""
    marks: tuple[Finding, ...] = ()

    @property
    def is_bad(self) -> bool:
        return any(mark.severity in (Severity.HARD, Severity.REFUSAL) for mark in self.marks)


@dataclass(frozen=True)
class Line:
    number: str
    cells: tuple[Cell, ...]
    css: str = ""


@dataclass(frozen=True)
class Head:
    letter: str
    label: str
    numeric: bool


@dataclass(frozen=True)
class Tab:
    """One sheet as a link, with how many findings stand on it."""

    key: str
    title: str
    found: int


@dataclass(frozen=True)
class Preview:
    key: str
    title: str
    unit: str
    heads: tuple[Head, ...]
    header_number: str
    lines: tuple[Line, ...]


def sheet_of(finding: Finding, table: Table) -> str:
    """The key of the sheet a finding belongs to; empty where it concerns the whole file."""
    if finding.institution:
        return "members"
    if finding.fund_type in FUND_SHEETS and finding.row_code in table.by_code:
        return finding.fund_type
    return next((key for key in SHEETS if finding.sheet and table.sheets.get(key) == finding.sheet), "")


def tabs(table: Table, findings: Iterable[Finding]) -> list[Tab]:
    found: dict[str, int] = defaultdict(int)
    for finding in findings:
        found[sheet_of(finding, table)] += 1
    return [Tab(key, table.sheets[key], found[key]) for key in SHEETS]


def preview(
    table: Table, period: TablePeriod, figures: Figures, findings: Sequence[Finding], key: str
) -> Preview:
    """One sheet of a version. ``key`` is RES, EMP, ALL, members or causes."""
    here = [finding for finding in findings if sheet_of(finding, table) == key]
    if key == "members":
        return _members(table, figures, here)
    if key == "causes":
        return _causes(table, figures)
    return _fund(table, period, figures, here, key)


def value_text(value: Decimal | None, unit: str) -> str:
    """A stored value in the unit of its sheet; blank stays blank."""
    if value is None:
        return ""
    if unit == "wan":
        return wan(value)
    if unit == "yuan":
        return yuan(value)
    if unit == "percent":
        return f"{value:,.2f}%".replace("-", "−")
    if value == value.to_integral_value():
        return count(value)
    return f"{value:,f}".rstrip("0").rstrip(".").replace("-", "−")


def row_value(figures: Figures, row: Row, fund_type: str, months: int) -> Decimal | None:
    """本期累计 of a row, typed or derived."""
    if row.kind == "derived":
        return derived(row.formula, figures.values(fund_type), months)
    return figures.current(fund_type, row.code)


def column_of(finding: Finding) -> str:
    """The letter of the cell a finding names; empty where it names none."""
    found = re.match(r"[A-Z]+", finding.cell)
    return found.group() if found else ""


def letter(number: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    return chr(65 + number) if number < 26 else letter(number // 26 - 1) + chr(65 + number % 26)


def _fund(table: Table, period: TablePeriod, figures: Figures, here: list[Finding], key: str) -> Preview:
    marks: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    current = table.column_letter("current")
    for finding in here:
        marks[(finding.row_code, column_of(finding) or current)].append(finding)
    rows = figures.funds.get(key, {})
    lines = []
    for at, row in enumerate(table.rows):
        values = rows.get(row.code) or RowValues()
        cells = tuple(
            _fund_cell(row, column, values, figures, key, period, _sorted(marks[(row.code, letter(number))]))
            for number, column in enumerate(table.columns)
        )
        lines.append(Line(str(table.header_row + 1 + at), cells, _line_css(row)))
    heads = tuple(
        Head(letter(number), column.label, column.kind in NUMERIC) for number, column in enumerate(table.columns)
    )
    return Preview(key, table.sheets[key], "金额单位：万元", heads, str(table.header_row), tuple(lines))


def _fund_cell(
    row: Row, column: Column, values: RowValues, figures: Figures, fund: str, period: TablePeriod, marks: tuple[Finding, ...]
) -> Cell:
    current = row_value(figures, row, fund, period.months)
    texts = {
        "code": row.code,
        "label": row.title,
        "current": value_text(current, row.unit),
        "last": value_text(values.last, row.unit),
        "change": value_text(change_percent(current, values.last), "percent") if row.is_typed else "",
        "budget": value_text(values.budget, row.unit),
        "execution": value_text(execution_percent(current, values.budget), "percent"),
        "note": values.note,
    }
    text = texts[column.kind] or _as_typed(marks)
    return Cell(text, column.kind in NUMERIC, _cell_css(row, column), marks)


def _line_css(row: Row) -> str:
    if row.kind == "derived":
        return "computed"
    return "total" if row.level == 0 else ""


def _cell_css(row: Row, column: Column) -> str:
    if column.kind == "label":
        return "words indent" if row.level else "words"
    return {"code": "tnum", "note": "words"}.get(column.kind, "num")


def _members(table: Table, figures: Figures, here: list[Finding]) -> Preview:
    marks: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in here:
        marks[(finding.institution, finding.fund_type, column_of(finding) or "B")].append(finding)
    lines = []
    for number, member in enumerate(figures.members, start=table.header_row + 1):
        cells = []
        for at, column in enumerate(table.member_columns):
            found = _sorted(marks.pop((member.institution, member.fund_type, letter(at)), []))
            text = _member_text(member, column) or _as_typed(found)
            cells.append(Cell(text, column.is_typed, "num" if column.is_typed else "", found))
        lines.append(Line(str(number), tuple(cells)))
    heads = tuple(
        Head(letter(at), column.title, column.is_typed) for at, column in enumerate(table.member_columns)
    )
    return Preview(
        "members", table.sheets["members"], "金额单位：万元", heads, str(table.header_row), tuple(lines)
    )


def _member_text(member: MemberValues, column: MemberColumn) -> str:
    if column.key == "fund_type":
        return FUND_NAMES.get(member.fund_type, member.fund_type)
    if column.key in ("institution", "name"):
        return str(getattr(member, column.key))
    return value_text(member.values.get(column.key), column.unit)


def _causes(table: Table, figures: Figures) -> Preview:
    heads = tuple(Head(letter(at), column.label, False) for at, column in enumerate(table.cause_columns))
    lines = tuple(
        Line(str(number), tuple(Cell(_cause_text(cause, column.key), css="words wrap") for column in table.cause_columns))
        for number, cause in enumerate(figures.causes, start=1)
    )
    return Preview("causes", table.sheets["causes"], "", heads, "", lines)


def _cause_text(cause: Cause, key: str) -> str:
    text = str(getattr(cause, key, ""))
    return FUND_NAMES.get(text, text) if key == "fund_type" else text


def _sorted(marks: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(marks, key=lambda mark: (mark.severity != Severity.HARD, mark.number)))


def _as_typed(marks: tuple[Finding, ...]) -> str:
    """What stands in a cell that could not be read."""
    return next((mark.value for mark in marks if mark.value), "")
