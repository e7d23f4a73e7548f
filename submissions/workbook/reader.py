"""Reading an uploaded workbook: refused as a whole with every reason, or read cell by cell with notes and findings.

Values are found by row code, institution and column of the declaration the workbook was made from. Formulas for the eye
and our own sheets are not read; of the hospital's formulas only the stored results are.
"""

from __future__ import annotations

import io
import re
from decimal import Decimal, InvalidOperation

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell.cell import MergedCell
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet.worksheet import Worksheet

from submissions.declaration import FUND_SHEETS, CauseColumn, Table
from submissions.figures import Cause, Figures, Found, Layout, MemberValues, Read, RowValues
from submissions.workbook import codes, structure
from submissions.workbook.cells import LONGEST_TEXT, Cell, read_date, read_number, read_text
from submissions.workbook.codes import Code
from submissions.workbook.meta import read_meta
from submissions.workbook.model import Expected
from submissions.workbook.refusals import Unreadable, cut, file_refusals
from submissions.workbook.scan import Result

VALUE_COLUMNS = ("current", "last", "budget")
_LITERALS = re.compile(r'"[^"]*"|\\.')
CAUSE_TEXTS = ("fund_type", "kind", "cause", "measure")


def read_workbook(content: bytes, name: str, expected: Expected) -> Read:
    """What the workbook says. Raises :class:`Unreadable` with every reason why it cannot be read as a whole."""
    refusals, seen = file_refusals(content, name)
    if refusals:
        raise Unreadable(refusals)
    book = _opened(content, name)
    meta = read_meta(book)
    found = structure.origin_refusals(meta, expected)
    table = expected.tables(meta["table"], meta["version"]) if meta else None
    if meta is None or table is None or meta["table"] != expected.table:
        raise Unreadable(found)
    reading = _Reading(book, seen.results, table, expected)
    reading.check_shape(found)
    if found:
        raise Unreadable(cut(found))
    return reading.read()


def _opened(content: bytes, name: str) -> Workbook:
    try:
        return load_workbook(io.BytesIO(content))
    except Exception as error:  # openpyxl raises whatever a broken part makes it raise
        text = "工作簿内容损坏，无法读取。"
        raise Unreadable([codes.CUT_OFF.found(text, value=name)]) from error


class _Reading:
    """One workbook being read against its table."""

    def __init__(self, book: Workbook, results: dict[str, dict[str, Result]], table: Table, expected: Expected) -> None:
        self.book, self.results, self.table, self.expected = book, results, table, expected
        self.found: list[Found] = []
        self.notes: list[str] = []
        self.cells_read = 0
        self.texts = 0
        self.lines: dict[tuple[str, str], int] = {}
        self.layout = Layout(sheets={key: table.sheets[key] for key in (*FUND_SHEETS, "members", "causes")})

    # The shape, and cells that make the whole workbook unreadable.

    def check_shape(self, found: list[Found]) -> None:
        table = self.table
        found += structure.sheet_refusals(self.book, table)
        first, width = table.header_row + 1, len(table.columns)
        for fund in FUND_SHEETS:
            if (sheet := self._sheet(fund)) is not None:
                found += structure.header_refusals(sheet, table.header_row, [column.label for column in table.columns])
                found += structure.row_refusals(sheet, table)
                last = table.header_row + len(table.rows)
                found += structure.shape_refusals(sheet, table.header_row, width, last)
                lines = [table.row_number(row.code) for row in table.rows if row.is_typed]
                letters = [table.column_letter(kind) for kind in (*VALUE_COLUMNS, "note")]
                self._no_values(sheet, [f"{letter}{line}" for line in lines for letter in letters], found)
        if (sheet := self._sheet("members")) is not None:
            titles = [column.title for column in table.member_columns]
            found += structure.header_refusals(sheet, table.header_row, titles)
            rows = structure.member_rows(sheet, table)
            found += structure.shape_refusals(sheet, table.header_row, len(titles), max(rows, default=first))
            self.lines, wrong = structure.member_lines(sheet, table, self.expected)
            found += wrong
            self._no_values(
                sheet, [f"{get_column_letter(at + 1)}{line}" for line in rows for at in range(len(titles))], found
            )
        if (sheet := self._sheet("causes")) is not None:
            titles = [column.label for column in table.cause_columns]
            found += structure.header_refusals(sheet, table.header_row, titles)
            rows = structure.filled_rows(sheet, table.header_row, len(titles))
            found += structure.shape_refusals(sheet, table.header_row, len(titles), max(rows, default=first))
            self._no_values(
                sheet, [f"{get_column_letter(at + 1)}{line}" for line in rows for at in range(len(titles))], found
            )

    def _sheet(self, key: str) -> Worksheet | None:
        title = self.table.sheets[key]
        return self.book[title] if title in self.book.sheetnames else None

    def _no_values(self, sheet: Worksheet, cells: list[str], found: list[Found]) -> None:
        """Formulas without a result and error values, cell by cell."""
        results = self.results.get(sheet.title, {})
        for place in cells:
            cell = sheet[place]
            result = results.get(place)
            if cell.data_type == "f" and result is None:
                text = f"工作表“{sheet.title}”{place} 的公式没有计算结果。"
                shown = getattr(cell.value, "text", cell.value)
                found.append(codes.NO_RESULT.found(text, sheet=sheet.title, cell=place, value=str(shown)[:200]))
            elif (value := _error(cell, result)) is not None:
                text = f"工作表“{sheet.title}”{place} 是错误值 {value}。"
                found.append(codes.ERROR_VALUE.found(text, sheet=sheet.title, cell=place, value=value))

    # The values.

    def read(self) -> Read:
        figures = Figures()
        for fund in FUND_SHEETS:
            figures.funds[fund] = self._fund(fund)
        figures.members = self._members()
        figures.causes = self._causes()
        self._unread_sheets()
        return Read(figures, self.layout, self.found, self.notes, self.cells_read, self.table.version)

    def _fund(self, fund: str) -> dict[str, RowValues]:
        table, title = self.table, self.table.sheets[fund]
        sheet = self.book[title]
        rows = {}
        for row in table.rows:
            for kind in (*VALUE_COLUMNS, "note"):
                self.layout.fund_cells[fund, row.code, kind] = table.cell(row.code, kind)
            if not row.is_typed:
                continue
            values = RowValues()
            for kind in VALUE_COLUMNS:
                place = table.cell(row.code, kind)
                if kind == "budget" and not row.budget:
                    self._unread(sheet, place)
                    continue
                where = {"fund_type": fund, "row_code": row.code, "column": kind, "place": f"{row.code} {row.label}"}
                required = kind == "current" and not row.optional
                setattr(values, kind, self._number(sheet, place, row.unit, required, row.sign != "any", where))
            place = table.cell(row.code, "note")
            where = {"fund_type": fund, "row_code": row.code, "column": "note", "place": f"{row.code} {row.label}"}
            values.note = self._text(sheet, place, where)
            rows[row.code] = values
        self._remarks(sheet, len(table.columns), table.header_row + len(table.rows))
        self._count_texts(title)
        return rows

    def _members(self) -> list[MemberValues]:
        table = self.table
        sheet = self.book[table.sheets["members"]]
        letters = {column.key: get_column_letter(at) for at, column in enumerate(table.member_columns, 1)}
        members = []
        for (institution, fund), line in self.lines.items():
            name = read_text(self._cell(sheet, f"{letters['name']}{line}")) if "name" in letters else ""
            member = MemberValues(institution, name, fund)
            for column in table.member_columns:
                place = f"{letters[column.key]}{line}"
                self.layout.member_cells[institution, fund, column.key] = place
                if column.is_typed:
                    where = {
                        "fund_type": fund, "column": column.key, "institution": institution, "place": f"{name} {column.label}",
                    }  # fmt: skip
                    required = not column.optional
                    member.values[column.key] = self._number(sheet, place, column.unit, required, True, where)
            members.append(member)
        self._remarks(sheet, len(table.member_columns), max(self.lines.values(), default=table.header_row))
        self._count_texts(sheet.title)
        return members

    def _causes(self) -> list[Cause]:
        table = self.table
        sheet = self.book[table.sheets["causes"]]
        causes = []
        lines = structure.filled_rows(sheet, table.header_row, len(table.cause_columns))
        for line in lines:
            words = {}
            for at, column in enumerate(table.cause_columns, 1):
                words[column.key] = self._cause_word(sheet, f"{get_column_letter(at)}{line}", column)
            missing = [column for column in table.cause_columns if column.key in CAUSE_TEXTS and not words[column.key]]
            if missing:
                text = f"第 {line} 行没有填：{'、'.join(column.label for column in missing)}。"
                self._wrong(codes.HALF_LINE, text, sheet, f"A{line}", "", {"place": f"第 {line} 行"})
            funds = {table.sheets[fund]: fund for fund in FUND_SHEETS}
            words["fund_type"] = funds.get(words["fund_type"], words["fund_type"])
            causes.append(Cause(**{key: words.get(key, "") for key in (*CAUSE_TEXTS, "owner", "due")}))
        self._remarks(sheet, len(table.cause_columns), max(lines, default=table.header_row))
        return causes

    def _cause_word(self, sheet: Worksheet, place: str, column: CauseColumn) -> str:
        where = {"column": column.key, "place": column.label}
        if column.unit == "date":
            cell = self._cell(sheet, place)
            day = read_date(cell)
            if day is None:
                self._wrong(codes.NO_DATE, f"“{cell.typed}”不是能确定的日期。", sheet, place, cell.typed, where)
            elif day and day != cell.typed:
                self.notes.append(f"{sheet.title} {place}：“{cell.typed}” 读作 {day}")
            return day or ""
        word = self._text(sheet, place, where)
        if word and column.choices and word not in column.choices:
            text = f"“{word[:40]}”不在可选范围内（{'、'.join(column.choices)}）。"
            self._wrong(codes.CHOICE, text, sheet, place, word, where)
        return word

    def _number(
        self, sheet: Worksheet, place: str, unit: str, required: bool, nonnegative: bool, where: dict[str, str]
    ) -> Decimal | None:
        cell = self._cell(sheet, place)
        reading = read_number(cell, unit, required=required, nonnegative=nonnegative)
        if reading.code is not None:
            self._wrong(reading.code, reading.text, sheet, place, cell.typed, where)
        elif reading.note:
            self.notes.append(f"{sheet.title} {place}：{reading.note}")
        elif isinstance(cell.value, str) and reading.value is not None:
            self.texts += 1
        return reading.value

    def _text(self, sheet: Worksheet, place: str, where: dict[str, str]) -> str:
        words = read_text(self._cell(sheet, place))
        if len(words) > LONGEST_TEXT:
            text = f"文字共 {len(words)} 字，超过 {LONGEST_TEXT} 字。"
            self._wrong(codes.LONG_TEXT, text, sheet, place, words[:60] + "…", where)
        return words[:LONGEST_TEXT]

    def _cell(self, sheet: Worksheet, place: str) -> Cell:
        """What stands in a cell, of a formula its stored result; counts it when there is anything."""
        cell = sheet[place]
        value = cell.value
        if cell.data_type == "f":
            value = self._result(cell, self.results[sheet.title][place])
        if value is not None:
            self.cells_read += 1
        return Cell(value, percent="%" in _LITERALS.sub("", cell.number_format or ""))

    @staticmethod
    def _result(cell: SheetCell, result: Result) -> object:
        try:
            value = result.value
        except InvalidOperation:
            return result.text
        if isinstance(value, Decimal) and not value.is_finite():
            return result.text
        if result.kind == "n" and is_date_format(cell.number_format):
            try:
                return from_excel(int(value))
            except (ValueError, OverflowError):  # no day on any calendar
                return result.text
        return value

    def _wrong(self, code: Code, text: str, sheet: Worksheet, place: str, value: str, where: dict[str, str]) -> None:
        self.found.append(code.found(text, sheet=sheet.title, cell=place, value=value[:200], **where))

    # What is there but not read.

    def _unread(self, sheet: Worksheet, place: str) -> None:
        cell = sheet[place]
        if cell.value is not None and cell.data_type != "f" and not isinstance(cell, MergedCell):
            self.notes.append(f"{sheet.title} {place}：此格不用填，“{str(cell.value)[:40]}”未读取")

    def _remarks(self, sheet: Worksheet, width: int, last: int) -> None:
        places = [
            f"{get_column_letter(number)}{line}"
            for line, number in sorted(structure.outside(sheet, self.table.header_row, width, last))
        ]
        if places:
            more = f" 等 {len(places)} 格" if len(places) > 5 else ""
            self.notes.append(f"{sheet.title} {'、'.join(places[:5])}{more}在表外，未读取")

    def _count_texts(self, title: str) -> None:
        if self.texts:
            self.notes.append(f"{title}：{self.texts} 格是文本格式的数字，已按数字读取")
        self.texts = 0

    def _unread_sheets(self) -> None:
        known = {*self.table.sheets.values(), *structure.OURS}
        for title in self.book.sheetnames:
            if title not in known:
                self.notes.append(f"工作表“{title}”不是报表内容，未读取")


def _error(cell: SheetCell, result: Result | None) -> str | None:
    if cell.data_type == "e":
        return str(cell.value)
    return result.text if cell.data_type == "f" and result is not None and result.kind == "e" else None
