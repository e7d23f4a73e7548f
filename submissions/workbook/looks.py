"""How the sheets of a template look: fonts, fills, number formats, locks, print setup."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from weakref import WeakKeyDictionary

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.worksheet.worksheet import Worksheet

FORMATS = {
    "wan": "#,##0.00", "yuan": "#,##0.00", "percent": "0.00", "number": "#,##0.0000", "date": "yyyy-mm-dd",
}  # fmt: skip
_LINE = Side(style="thin", color="C9D1DC")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_MARGINS = (Decimal("0.4"), Decimal("0.4"))
_FACE = "宋体"
_HEAD = PatternFill("solid", fgColor="DCE6F5")
_GREY = PatternFill("solid", fgColor="F1F4F8")
_NONE = PatternFill()


@dataclass(frozen=True, eq=False)
class Look:
    font: Font
    fill: PatternFill
    border: Border
    alignment: Alignment
    number_format: str = "General"
    locked: bool = True


_STYLES: WeakKeyDictionary[Workbook, dict[Look, StyleArray]] = WeakKeyDictionary()


def apply(cell: Cell, look: Look) -> None:
    """Give a cell its looks; a look is worked out once for each workbook, since openpyxl compares whole styles."""
    known = _STYLES.setdefault(cell.parent.parent, {})
    if look not in known:
        cell.font, cell.fill, cell.border, cell.alignment = look.font, look.fill, look.border, look.alignment
        cell.number_format = look.number_format
        cell.protection = _LOCKED if look.locked else _OPEN
        known[look] = copy(cell._style)
    cell._style = copy(known[look])


_LOCKED, _OPEN = Protection(locked=True), Protection(locked=False)


def _font(bold: bool = False, size: int = 10, color: str = "1B2430") -> Font:
    return Font(name=_FACE, size=size, bold=bold, color=color)


_PLAIN, _BOLD = _font(), _font(bold=True)
_WRAP = Alignment(vertical="center", wrap_text=True)
_RIGHT = Alignment(horizontal="right", vertical="center")
TITLE = Look(_font(True, 15), _NONE, Border(), Alignment(horizontal="centerContinuous", vertical="center"))
HEADLINE = Look(_font(True, 15), _NONE, Border(), Alignment(horizontal="left", vertical="center"))
LINE = Look(_PLAIN, _NONE, Border(), Alignment(vertical="center"))
SIGN_LABEL = Look(_PLAIN, _NONE, Border(), _RIGHT)
SIGN = Look(_PLAIN, _NONE, Border(bottom=_LINE), Alignment(vertical="center"), "@", locked=False)
HEADER = Look(_BOLD, _HEAD, _BOX, Alignment(horizontal="center", vertical="center", wrap_text=True))
NOTE = Look(_PLAIN, _NONE, _BOX, _WRAP, "@", locked=False)
DAY = Look(_PLAIN, _NONE, _BOX, _WRAP, FORMATS["date"], locked=False)
LISTED = Look(_PLAIN, _NONE, _BOX, Alignment(vertical="top", wrap_text=True))
LINK = Look(Font(name=_FACE, size=10, color="1C4F9C", underline="single"), _NONE, _BOX, Alignment(vertical="top"))
PROSE = Look(_PLAIN, _NONE, Border(), Alignment(vertical="top", wrap_text=True))


@cache
def text(strong: bool) -> Look:
    return Look(_BOLD if strong else _PLAIN, _GREY, _BOX, Alignment(vertical="center"), "@")


@cache
def label(strong: bool, level: int) -> Look:
    return Look(
        _BOLD if strong else _PLAIN,
        _GREY,
        _BOX,
        Alignment(horizontal="left", vertical="center", indent=level * 2, wrap_text=True),
    )


def _number(unit: str) -> str:
    return FORMATS.get(unit, "#,##0")


@cache
def entry(unit: str, strong: bool) -> Look:
    """A cell to be filled."""
    return Look(_BOLD if strong else _PLAIN, _NONE, _BOX, _RIGHT, _number(unit), locked=False)


@cache
def prefilled(unit: str, strong: bool) -> Look:
    return Look(_BOLD if strong else _PLAIN, _GREY, _BOX, _RIGHT, _number(unit))


@cache
def derived(unit: str, strong: bool) -> Look:
    """A cell for the eye: computed or not used."""
    return Look(_font(strong, color="5A6675"), _GREY, _BOX, _RIGHT, _number(unit))


@cache
def tinted(color: str) -> Look:
    return Look(_PLAIN, PatternFill("solid", fgColor=color), _BOX, Alignment(vertical="top", wrap_text=True))


def finish(sheet: Worksheet, frozen: str, header_row: int, *, landscape: bool) -> None:
    """Frozen panes, protection without a password, and one page wide on A4."""
    sheet.freeze_panes = frozen
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = sheet.protection.formatCells = False
    sheet.sheet_view.zoomScale = 100
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{header_row}:{header_row}"
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left, sheet.page_margins.right = _MARGINS
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"
