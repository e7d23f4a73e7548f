"""Whether a workbook still has the shape of its table: sheets, rows, headers, members, nothing hidden, merged or astray.

Every function gives findings of F codes; together they say everything that is wrong at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from openpyxl import Workbook
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from core.workbook import cell_text
from submissions.declaration import FUND_SHEETS, Table
from submissions.figures import Found
from submissions.workbook import codes
from submissions.workbook.meta import META
from submissions.workbook.model import Expected
from submissions.workbook.template import headline

RESULT_SHEET = "检查结果"
MARKS_SHEET = "_marks"
OURS = frozenset({META, RESULT_SHEET, MARKS_SHEET})
NEAR_ROWS, NEAR_COLUMNS = 60, 12
"""Remarks this close to the table are told as unread; farther ones are refused, since they make the file swell."""
MOST_LINES = 500


def origin_refusals(meta: dict[str, str] | None, expected: Expected) -> list[Found]:
    """The workbook must be a template of this table, alliance and period, in a version that may be read."""
    if meta is None:
        return [
            codes.NO_MARK.found("工作簿里没有本系统的模板标识（隐藏工作表“_meta”缺失或不全），不能确认是哪一份报表。")
        ]
    if meta["table"] != expected.table:
        return [codes.WRONG_TABLE.found(f"这是报表“{meta['table']}”的模板，本次应报“{expected.table}”。")]
    found = []
    table = expected.tables(meta["table"], meta["version"])
    if table is None:
        found.append(codes.WRONG_VERSION.found(f"模板版本“{meta['version']}”不在可读的版本之内。"))
    elif table.sha256 != meta["sha256"]:
        found.append(codes.WRONG_VERSION.found(f"模板标识被改动：第 {meta['version']} 版的校验值与系统所存不符。"))
    if meta["alliance"] != expected.alliance_code:
        text = f"这是医共体 {meta['alliance']} 的模板，本任务属于 {expected.alliance_code}。"
        found.append(codes.WRONG_ALLIANCE.found(text))
    if meta["period"] != str(expected.period):
        text = f"这是 {meta['period']} 的模板，本次应报 {expected.period}（{expected.period.text}）。"
        found.append(codes.WRONG_PERIOD.found(text))
    elif meta["assignment"] != str(expected.assignment) and not found:
        text = f"模板属于另一个填报任务（编号 {meta['assignment']}），本任务编号 {expected.assignment}。"
        found.append(codes.WRONG_PERIOD.found(text))
    return found


def sheet_refusals(book: Workbook, table: Table) -> list[Found]:
    """All data sheets are there, visible, and hold the fund they are named after."""
    found = []
    wanted = [table.sheets[key] for key in (*FUND_SHEETS, "members", "causes")]
    others = [title for title in book.sheetnames if title not in wanted and title not in OURS]
    unknown = [title for title in others if title != table.sheets["guide"]]
    for title in wanted:
        if title not in book.sheetnames:
            seen = f"，另有“{'”“'.join(unknown[:5])}”" if unknown else ""
            found.append(codes.NO_SHEET.found(f"没有工作表“{title}”{seen}。", sheet=title))
        elif book[title].sheet_state != "visible":
            found.append(codes.HIDDEN.found(f"工作表“{title}”被隐藏。", sheet=title))
    names = {headline(table, table.sheets[fund]): table.sheets[fund] for fund in FUND_SHEETS}
    for fund in FUND_SHEETS:
        title = table.sheets[fund]
        holds = names.get(cell_text(book[title]["A1"].value), title) if title in book.sheetnames else title
        if holds != title:
            found.append(codes.WRONG_FUND.found(f"工作表“{title}”里是“{holds}”的表。", sheet=title, cell="A1"))
    return found


def shape_refusals(sheet: Worksheet, header_row: int, width: int, last: int) -> list[Found]:
    """Nothing merged or hidden in the data area (header to ``last``), nothing far outside of it."""
    found = []
    for span in sheet.merged_cells.ranges:
        if span.max_row >= header_row and span.min_row <= last and span.min_col <= width:
            text = f"工作表“{sheet.title}”的 {span.coord} 是合并单元格。"
            found.append(codes.MERGED.found(text, sheet=sheet.title, cell=span.coord.split(":")[0]))
    rows = [line for line, row in sheet.row_dimensions.items() if header_row <= line <= last and _is_hidden(row, "ht")]
    if rows:
        text = f"工作表“{sheet.title}”的第 {_list(sorted(rows))} 行被隐藏。"
        found.append(codes.HIDDEN.found(text, sheet=sheet.title, cell=f"A{min(rows)}"))
    columns = sorted(set(_hidden_columns(sheet, width)))
    if columns:
        text = f"工作表“{sheet.title}”的 {_list([get_column_letter(number) for number in columns])} 列被隐藏。"
        cell = f"{get_column_letter(columns[0])}{header_row}"
        found.append(codes.HIDDEN.found(text, sheet=sheet.title, cell=cell))
    for line, number in outside(sheet, header_row, width, last):
        if line > last + NEAR_ROWS or number > width + NEAR_COLUMNS:
            place = f"{get_column_letter(number)}{line}"
            text = f"工作表“{sheet.title}”的 {place} 远在表外，却有内容“{cell_text(sheet._cells[line, number].value)[:40]}”。"
            found.append(codes.FAR_CELL.found(text, sheet=sheet.title, cell=place))
    return found


def outside(sheet: Worksheet, header_row: int, width: int, last: int) -> Iterator[tuple[int, int]]:
    """(row, column) of every cell with content below or right of the table."""
    for (line, number), cell in sheet._cells.items():
        if line >= header_row and (line > last or number > width) and cell.value is not None and cell_text(cell.value):
            yield line, number


def _is_hidden(dimension: object, size: str) -> bool:
    return bool(getattr(dimension, "hidden", False)) or getattr(dimension, size, None) == 0


def _hidden_columns(sheet: Worksheet, width: int) -> Iterator[int]:
    for letter, dimension in sheet.column_dimensions.items():
        if dimension.hidden or (dimension.width == 0 and dimension.customWidth):
            first = dimension.min or column_index_from_string(letter)
            yield from range(first, min(dimension.max or first, width) + 1)


def _list(values: list[int] | list[str]) -> str:
    shown = "、".join(str(value) for value in values[:10])
    return f"{shown} 等 {len(values)}" if len(values) > 10 else shown


def header_refusals(sheet: Worksheet, row: int, titles: list[str]) -> list[Found]:
    """The header row says what the declaration says, column by column."""
    found = []
    for number, title in enumerate(titles, 1):
        seen = _plain(sheet.cell(row, number).value)
        if seen != _plain(title):
            place = f"{get_column_letter(number)}{row}"
            text = f"工作表“{sheet.title}”{place} 的表头应为“{title}”，现为“{seen}”。"
            found.append(codes.HEADER_CHANGED.found(text, sheet=sheet.title, cell=place, value=seen))
    return found


def row_refusals(sheet: Worksheet, table: Table) -> list[Found]:
    """Codes stand in the rows of the declaration, with their labels: inserted, deleted and changed rows by number."""
    first, code_column = table.header_row + 1, table.column_letter("code")
    wanted = [row.code for row in table.rows]
    labels = table.column_letter("label")
    last = max(
        (line for line, number in list(sheet._cells) if line <= first + len(wanted) + NEAR_ROWS and number == 1),
        default=first,
    )
    seen = [_code(sheet[f"{code_column}{line}"].value) for line in range(first, max(last, first + len(wanted) - 1) + 1)]
    while len(seen) > len(wanted) and not seen[-1]:
        seen.pop()
    found = []
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, wanted, seen, autojunk=False).get_opcodes():
        where = {"sheet": sheet.title, "cell": f"{code_column}{first + b1}"}
        if kind == "delete" or (kind == "replace" and a2 - a1 > b2 - b1):
            text = f"工作表“{sheet.title}”缺少行次 {'、'.join(wanted[a1:a2])}（应在第 {first + a1} 行起）。"
            found.append(codes.ROWS_MOVED.found(text, **where))
        elif kind == "insert" or (kind == "replace" and a2 - a1 < b2 - b1):
            text = f"工作表“{sheet.title}”第 {first + b1} 行起多出 {b2 - b1 - (a2 - a1)} 行。"
            found.append(codes.ROWS_MOVED.found(text, **where))
        elif kind == "replace":
            for at, to in zip(range(a1, a2), range(b1, b2), strict=True):
                place = f"{code_column}{first + to}"
                text = f"工作表“{sheet.title}”{place} 的行次应为“{wanted[at]}”，现为“{seen[to]}”。"
                found.append(codes.HEADER_CHANGED.found(text, sheet=sheet.title, cell=place, value=seen[to]))
    if found:
        return found
    for row in table.rows:
        place = f"{labels}{table.row_number(row.code)}"
        label = _plain(sheet[place].value)
        if label != _plain(row.title):
            text = f"工作表“{sheet.title}”{place} 的项目应为“{row.title}”，现为“{label}”。"
            found.append(codes.HEADER_CHANGED.found(text, sheet=sheet.title, cell=place, value=label))
    return found


def _plain(value: object) -> str:
    return "".join(cell_text(value).split())


def _code(value: object) -> str:
    return _plain(value)


def member_lines(sheet: Worksheet, table: Table, expected: Expected) -> tuple[dict[tuple[str, str], int], list[Found]]:
    """(institution, fund type) → row of the member sheet, and what is wrong with the list."""
    funds = {table.sheets[fund]: fund for fund in ("RES", "EMP")}
    keys = [column.key for column in table.member_columns]
    at_code, at_fund = keys.index("institution") + 1, keys.index("fund_type") + 1
    lines: dict[tuple[str, str], int] = {}
    found = []
    for line in member_rows(sheet, table):
        code, fund = _plain(sheet.cell(line, at_code).value), _plain(sheet.cell(line, at_fund).value)
        where = {"sheet": sheet.title, "cell": f"{get_column_letter(at_code)}{line}", "value": code}
        if code not in expected.members:
            shown = f"机构编号“{code}”不是本医共体的成员单位" if code else "没有机构编号，却有内容"
            found.append(codes.MEMBER_UNKNOWN.found(f"成员表第 {line} 行：{shown}。", **where))
        elif fund not in funds:
            where |= {"cell": f"{get_column_letter(at_fund)}{line}", "value": fund}
            found.append(
                codes.MEMBER_UNKNOWN.found(f"成员表第 {line} 行：险种“{fund}”须为{'或'.join(funds)}。", **where)
            )
        elif (code, funds[fund]) in lines:
            first = lines[code, funds[fund]]
            text = f"成员表第 {line} 行与第 {first} 行重复：{code} {fund}。"
            found.append(codes.MEMBER_TWICE.found(text, **where))
        else:
            lines[code, funds[fund]] = line
    for code in sorted(expected.members):
        gone = [title for title, fund in funds.items() if (code, fund) not in lines]
        if gone:
            text = f"成员表缺少 {code} 的{'、'.join(gone)}行。"
            found.append(codes.MEMBER_MISSING.found(text, sheet=sheet.title, value=code))
    return lines, found


def member_rows(sheet: Worksheet, table: Table) -> list[int]:
    """Rows below the header that hold anything in the table's columns."""
    return filled_rows(sheet, table.header_row, len(table.member_columns))


def filled_rows(sheet: Worksheet, header_row: int, width: int) -> list[int]:
    last = header_row + MOST_LINES
    return sorted(
        {
            line
            for (line, number), cell in sheet._cells.items()
            if header_row < line <= last and number <= width and cell.value is not None and cell_text(cell.value)
        }
    )
