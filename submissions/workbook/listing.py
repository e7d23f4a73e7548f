"""The first sheet of an answered workbook: every finding with a link to its cell, grouped by level and code, with counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from submissions.figures import Placed
from submissions.workbook import looks
from submissions.workbook.codes import CODES
from submissions.workbook.template import link_to, put

LEVELS = {"refusal": "不能读取", "hard": "硬性错误", "soft": "需说明", "note": "提示"}
WHAT = {"refusal": "须改正后重新上传", "hard": "须改正后重新上传", "soft": "数值可保留，须写明原因", "note": "供参考"}
TINTS = {"refusal": "F8C9C9", "hard": "F8C9C9", "soft": "FFE8A8", "note": "E8EEF6"}
MOST_OF_A_CODE = 50
MOST_NOTES = 200
HEADER = (
    ("级别", 10),
    ("代码", 8),
    ("工作表", 12),
    ("单元格", 10),
    ("位置", 26),
    ("填报值", 22),
    ("问题", 60),
    ("改法", 60),
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def fill_listing(sheet: Worksheet, placed: Sequence[Placed], notes: Sequence[str], sheets: Sequence[str]) -> None:
    """Write the list; ``sheets`` are the titles of the workbook in order: a link may lead to these."""
    order = list(LEVELS)
    rows = sorted(
        placed,
        key=lambda each: (order.index(each.found.severity), each.found.code, _rank(each.sheet, sheets), _at(each.cell)),
    )
    for number, (_title, width) in enumerate(HEADER, 1):
        sheet.column_dimensions["ABCDEFGH"[number - 1]].width = width
    looks.apply(put(sheet["A1"], "检查结果"), looks.HEADLINE)
    looks.apply(put(sheet["A2"], summary(rows)), looks.LINE)
    looks.apply(
        put(sheet["A3"], "点“单元格”一列可到该处。红色为须改正，黄色为须说明；改好后直接上传本文件即可。"), looks.LINE
    )
    for number, (title, _width) in enumerate(HEADER, 1):
        looks.apply(put(sheet.cell(5, number), title), looks.HEADER)
    line = 5
    for (severity, code), group in groupby(rows, key=lambda each: (each.found.severity, each.found.code)):
        every = list(group)
        for each in every[:MOST_OF_A_CODE]:
            line += 1
            _row(sheet, line, each, sheets)
        if len(every) > MOST_OF_A_CODE:
            line += 1
            text = f"{code} 共 {len(every)} 处，以上列出 {MOST_OF_A_CODE} 处，其余 {len(every) - MOST_OF_A_CODE} 处只在单元格上标出。"
            _cells(sheet, line, severity, (LEVELS[severity], code, "", "", "", "", text, ""))
    _notes(sheet, line + 2, notes)
    looks.finish(sheet, "A6", 5, landscape=True)
    sheet.protection.sheet = False


def summary(placed: Sequence[Placed]) -> str:
    """How many of each level and code."""
    parts = []
    for severity, label in LEVELS.items():
        here = [each.found.code for each in placed if each.found.severity == severity]
        if here:
            codes = "、".join(f"{code} {here.count(code)}" for code in sorted(set(here)))
            parts.append(f"{label} {len(here)} 项（{WHAT[severity]}）：{codes}")
    return "；".join(parts) or "没有发现问题。"


def _rank(title: str, sheets: Sequence[str]) -> int:
    return sheets.index(title) if title in sheets else -1


def _at(cell: str) -> tuple[int, int]:
    try:
        column, row = coordinate_from_string(cell)
    except Exception:  # no cell, or none that exists
        return 0, 0
    return row, column_index_from_string(column)


def _row(sheet: Worksheet, line: int, each: Placed, sheets: Sequence[str]) -> None:
    found = each.found
    title = CODES[found.code].title if found.code in CODES else ""
    place = found.place or " ".join(filter(None, (found.row_code, found.institution))) or title
    texts = (LEVELS[found.severity], found.code, each.sheet, each.cell, place, found.value, found.text, found.remedy)
    _cells(sheet, line, found.severity, texts)
    if each.cell and each.sheet in sheets:
        cell = sheet.cell(line, 4)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=link_to(each.sheet, each.cell))
        looks.apply(cell, looks.LINK)


def _cells(sheet: Worksheet, line: int, severity: str, texts: tuple[str, ...]) -> None:
    for number, text in enumerate(texts, 1):
        look = looks.tinted(TINTS[severity]) if number <= 2 else looks.LISTED
        looks.apply(put(sheet.cell(line, number), _UNPRINTABLE.sub("", text)), look)


def _notes(sheet: Worksheet, line: int, notes: Sequence[str]) -> None:
    if not notes:
        return
    shown = list(notes[:MOST_NOTES])
    if len(notes) > MOST_NOTES:
        shown.append(f"共 {len(notes)} 条，列出 {MOST_NOTES} 条。")
    looks.apply(put(sheet.cell(line, 1), f"读取说明（{len(notes)} 条）：与所填写法不同的，系统这样读取"), looks.LINE)
    for number, note in enumerate(shown, line + 1):
        looks.apply(put(sheet.cell(number, 1), _UNPRINTABLE.sub("", note)), looks.LINE)
