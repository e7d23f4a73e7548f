"""The refusal of a whole workbook: every reason found, each with its code."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import Problem, Refused
from core.workbook import faults_of_file
from submissions.figures import Found
from submissions.workbook import codes
from submissions.workbook.scan import Scan, scan

MOST_PLACES = 100
"""So many places of one code are named; behind them stands how many there are."""

_KINDS = {
    "xls": (codes.OLD_XLS, "这是旧版 xls 工作簿，不是 xlsx。"),
    "encrypted": (codes.ENCRYPTED, "工作簿设有打开密码，内容已加密，无法读取。"),
    "other_format": (codes.OTHER_FORMAT, "文件不是 xlsx 工作簿（可能是其他文件改了扩展名）。"),
    "cut_off": (codes.CUT_OFF, "文件不是完整的 xlsx 工作簿（可能是传输或保存中断）。"),
    "no_workbook": (codes.OTHER_FORMAT, "压缩包里没有工作簿，不是 xlsx 文件。"),
    "bomb": (codes.BOMB, ""),
    "macro": (codes.MACRO, ""),
    "links": (codes.LINKS, ""),
    "entities": (codes.ENTITIES, ""),
    "damaged": (codes.CUT_OFF, ""),
}


class Unreadable(Refused):
    """The workbook cannot be read at all. ``found`` holds the same reasons with code and place."""

    def __init__(self, found: Sequence[Found]) -> None:
        self.found = list(found)
        super().__init__([_problem(each) for each in self.found])


def _problem(found: Found) -> Problem:
    where = f"{found.sheet}!{found.cell}" if found.cell else found.sheet or "file"
    return Problem(where, found.value, f"{found.code} {found.text}", found.remedy)


def file_refusals(content: bytes, name: str) -> tuple[list[Found], Scan]:
    """What keeps the file from being opened by the spreadsheet library, and what a first look through it saw."""
    found = []
    for kind, problem in faults_of_file(content, name):
        code, text = _KINDS[kind]
        found.append(code.found(text or problem.text, value=name))
    if found:
        return found, Scan()
    seen = scan(content)
    if seen.too_much:
        text = f"工作簿内容过多（{seen.too_much}），远超一份报表。"
        found.append(codes.BOMB.found(text, value=name))
    if seen.merged:
        found.append(codes.MERGED.found(f"合并单元格的范围 {seen.merged} 过大。", value=seen.merged))
    return found, seen


def cut(found: Sequence[Found]) -> list[Found]:
    """At most :data:`MOST_PLACES` of each code, then one line with the true count."""
    kept: list[Found] = []
    counts: dict[str, int] = {}
    for each in found:
        counts[each.code] = counts.get(each.code, 0) + 1
        if counts[each.code] <= MOST_PLACES:
            kept.append(each)
    for code, count in counts.items():
        if count > MOST_PLACES:
            kept.append(codes.CODES[code].found(f"{codes.CODES[code].title}共 {count} 处，只列出前 {MOST_PLACES} 处。"))
    return kept
