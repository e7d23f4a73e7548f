"""The hospital's own workbook back, with every finding on its cell and a list of them all in front.

Answering an answered workbook takes our old marks away first: the list, the fills (the original ones are kept in a very
hidden sheet) and our comments. What is not ours keeps value, format, width and style; stored results of formulas stay.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from copy import copy

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils.cell import coordinate_from_string
from openpyxl.utils.exceptions import CellCoordinatesException
from openpyxl.worksheet.worksheet import Worksheet

from submissions.figures import Placed, Read
from submissions.workbook.formulas import with_results
from submissions.workbook.listing import fill_listing
from submissions.workbook.refusals import file_refusals
from submissions.workbook.structure import MARKS_SHEET, RESULT_SHEET

AUTHOR = "医保局检查"
MARK = "——检查结果——"
RED, AMBER = "FFF8C9C9", "FFFFE8A8"
MOST_COMMENTS = 1000
_FILLS = {color: PatternFill("solid", start_color=color, end_color=color) for color in (RED, AMBER)}
_BAD = frozenset({"refusal", "hard"})


def answer_workbook(content: bytes, read: Read | None, placed: Sequence[Placed]) -> bytes:
    """The same workbook with findings marked; only the list where the file cannot be opened at all.

    ``read`` is None for a workbook refused as a whole; its findings are marked all the same where they name a cell.
    """
    refusals, seen = file_refusals(content, "")
    book = None if refusals else _opened(content)
    if book is None:
        book = Workbook()
        book.active.title = RESULT_SHEET
    else:
        _clean(book)
        _mark(book, placed)
        book.create_sheet(RESULT_SHEET, 0)
    fill_listing(book[RESULT_SHEET], placed, read.notes if read else [], book.sheetnames)
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = sheet.title == RESULT_SHEET
    book.active = 0
    out = io.BytesIO()
    book.save(out)
    return with_results(out.getvalue(), seen.results)


def _opened(content: bytes) -> Workbook | None:
    try:
        return load_workbook(io.BytesIO(content), rich_text=True)
    except Exception:  # openpyxl raises whatever a broken part makes it raise
        return None


def _clean(book: Workbook) -> None:
    """Take away what an earlier answer put in."""
    if MARKS_SHEET in book.sheetnames:
        for title, place, kept in book[MARKS_SHEET].iter_rows(max_col=3):
            cell = _cell(book, str(title.value), str(place.value))
            if cell is not None and cell.fill.fgColor.rgb in _FILLS:
                cell.fill = copy(kept.fill)
    for title in (MARKS_SHEET, RESULT_SHEET):
        if title in book.sheetnames:
            del book[title]
    for sheet in book.worksheets:
        for cell in list(sheet._cells.values()):
            if not isinstance(cell, MergedCell) and cell.comment is not None and MARK in cell.comment.text:
                theirs = cell.comment.text.partition(MARK)[0].rstrip()
                cell.comment = _sized(Comment(theirs, cell.comment.author)) if theirs else None


def _mark(book: Workbook, placed: Sequence[Placed]) -> None:
    by_cell: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for each in placed:
        if each.sheet and each.cell and each.found.severity != "note":
            by_cell[each.sheet, each.cell].append(each)
    marked = [
        (cell, here) for (title, place), here in by_cell.items() if (cell := _cell(book, title, place)) is not None
    ]
    if not marked:
        return
    filled: dict[tuple[int, str], StyleArray] = {}
    kept = book.create_sheet(MARKS_SHEET)
    kept.sheet_state = "veryHidden"
    for number, (cell, here) in enumerate(marked, 1):
        kept.cell(number, 1).value = cell.parent.title
        kept.cell(number, 2).value = cell.coordinate
        kept.cell(number, 3)._style = copy(cell._style)
        color = RED if any(each.found.severity in _BAD for each in here) else AMBER
        if (cell.style_id, color) not in filled:
            style = cell.style_id
            cell.fill = _FILLS[color]
            filled[style, color] = cell._style
        else:
            cell._style = copy(filled[cell.style_id, color])
        if number <= MOST_COMMENTS:
            _comment(cell, here)


def _comment(cell: Cell, here: Sequence[Placed]) -> None:
    lines = [f"{each.found.code} {each.found.text}\n改法：{each.found.remedy}" for each in here]
    theirs = f"{cell.comment.text}\n" if cell.comment is not None else ""
    author = cell.comment.author if cell.comment is not None else AUTHOR
    cell.comment = _sized(Comment(f"{theirs}{MARK}\n" + "\n".join(lines), author))


def _sized(comment: Comment) -> Comment:
    lines = sum(1 + len(line) // 24 for line in comment.text.split("\n"))
    comment.width, comment.height = 320, min(24 + 20 * lines, 400)
    return comment


def _cell(book: Workbook, title: str, place: str) -> Cell | None:
    """The cell of that name; None where sheet or cell do not exist or lie inside a merged range."""
    sheet = book[title] if title in book.sheetnames else None
    if not isinstance(sheet, Worksheet):
        return None
    try:
        coordinate_from_string(place)
        cell = sheet[place]
    except (CellCoordinatesException, ValueError):
        return None
    return cell if isinstance(cell, Cell) else None
