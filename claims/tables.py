"""Small workbooks people fill in: one list of columns makes the template, the reading and the words of every error.

A file is read whole and everything wrong with it is told at once, each with its cell, what stands there and what to do.
Nothing of a file with a fault is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.errors import Problem, Refused
from core.workbook import Sheet, cell_text, read_sheets, write_workbook
from rules.money import to_fen
from rules.periods import Month

MOST_PROBLEMS = 300
LARGEST = Decimal(10) ** 13


class Kind(StrEnum):
    MONTH = "month"
    TEXT = "text"
    CHOICE = "choice"
    WHOLE = "whole"
    YUAN = "yuan"
    WEIGHT = "weight"  # a number with at most four decimals


@dataclass(frozen=True)
class TableColumn:
    """``choices`` maps what may be written to what it means; blank cells of optional columns read as None."""

    name: str
    title: str
    kind: Kind
    required: bool = True
    choices: Mapping[str, str] = field(default_factory=dict)
    signed: bool = False
    note: str = ""


@dataclass(frozen=True)
class TableRow:
    """One filled line: ``values`` by our names, ``cell`` the address of one of them for further checks."""

    line: int
    values: dict[str, Any]
    sheet: str
    letters: dict[str, str]

    def cell(self, name: str) -> str:
        return f"{self.sheet}!{self.letters[name]}{self.line}"

    def problem(self, name: str, text: str, remedy: str) -> Problem:
        value = self.values.get(name)
        return Problem(self.cell(name), "" if value is None else str(value), text, remedy)


def choices_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """Labels and values of Django choices, each accepted as written in a cell."""
    found: dict[str, str] = {}
    for value, label in pairs:
        found[str(label)] = str(value)
        if value:
            found[str(value)] = str(value)
    return found


def template(title: str, columns: Sequence[TableColumn], notes: Sequence[str], rows: Sequence[Sequence[Any]] = ()) -> bytes:
    """An empty workbook to fill in, with a second sheet that explains every column."""
    explained = []
    for column in columns:
        allowed = "、".join(dict.fromkeys(label for label, value in column.choices.items() if label != value or not value))
        explained.append([column.title, "必填" if column.required else "可空", _KIND_TEXT[column.kind], allowed or column.note])
    money = frozenset(index for index, column in enumerate(columns) if column.kind is Kind.YUAN)
    return write_workbook(
        [
            Sheet(title, [column.title for column in columns], rows, money),
            Sheet("填写说明", ["列名", "必填", "填法", "可填内容与说明"], explained, notes=tuple(notes)),
        ]
    )


def read_table(content: bytes, name: str, columns: Sequence[TableColumn]) -> tuple[list[TableRow], list[Problem]]:
    """The sound lines of the sheet that has the header, and every faulty cell of the others.

    The caller adds what it finds wrong between lines and refuses both together. Raises ``Refused`` for a file that is
    no such table at all.
    """
    sheets = read_sheets(content, name)
    titles = {column.title for column in columns}
    best: tuple[int, str, int, list[str]] | None = None
    for sheet, rows in sheets.items():
        for number, cells in enumerate(rows[:20], start=1):
            header = [cell_text(cell) for cell in cells]
            hits = len(titles & set(header))
            if hits and (best is None or hits > best[0]):
                best = (hits, sheet, number, header)
    if best is None:
        raise Refused([Problem(name, "", "工作簿里没有找到表头。", "请下载模板填写；不要改动列名。")])
    _hits, sheet, number, header = best
    missing = [column.title for column in columns if column.required and column.title not in header]
    if missing:
        found = "、".join(title for title in header if title)
        raise Refused([Problem(f"{sheet}!{number}", found, f"缺少列：{'、'.join(missing)}。", "请按模板补齐列名。")])
    repeated = sorted({title for title in header if title in titles and header.count(title) > 1})
    if repeated:
        raise Refused([Problem(f"{sheet}!{number}", "、".join(repeated), "列名重复。", "请删去多余的列。")])
    places = {column.name: header.index(column.title) for column in columns if column.title in header}
    letters = {column: _letter(at) for column, at in places.items()}
    problems: list[Problem] = []
    found_rows = []
    for line, cells in enumerate(sheets[sheet][number:], start=number + 1):
        texts = {column: cell_text(cells[at]) if at < len(cells) else "" for column, at in places.items()}
        if any(texts.values()):
            faults = len(problems)
            row = _read_line(columns, texts, line, sheet, letters, problems)
            if len(problems) == faults:
                found_rows.append(row)
    if not found_rows and not problems:
        problems.append(Problem(sheet, "", "表中没有数据行。", "请填写后再上传。"))
    return found_rows, problems


def refuse_if(problems: Sequence[Problem]) -> None:
    """Raise ``Refused`` with the problems, the ones beyond the first hundreds only counted."""
    if len(problems) > MOST_PROBLEMS:
        rest = Problem("", "", f"其余 {len(problems) - MOST_PROBLEMS} 处未逐一列出。", "请先改正以上各处再上传。")
        raise Refused([*problems[:MOST_PROBLEMS], rest])
    if problems:
        raise Refused(problems)


def _read_line(
    columns: Sequence[TableColumn],
    texts: dict[str, str],
    line: int,
    sheet: str,
    letters: dict[str, str],
    problems: list[Problem],
) -> TableRow:
    values: dict[str, Any] = {}
    for column in columns:
        text = texts.get(column.name, "")
        values[column.name] = None
        where = f"{sheet}!{letters[column.name]}{line}" if column.name in letters else f"{sheet}!{line}"
        if not text:
            if column.required:
                problems.append(Problem(where, "", f"“{column.title}”没有填写。", "此列必填；确实没有的填 0。"))
            continue
        try:
            values[column.name] = read_cell(column, text)
        except ValueError as error:
            problems.append(Problem(where, text, f"“{column.title}”{error}", _REMEDY[column.kind]))
    return TableRow(line, values, sheet, letters)


def read_cell(column: TableColumn, text: str) -> Any:
    """The value of one filled cell; ValueError says in Chinese what is wrong with it."""
    match column.kind:
        case Kind.TEXT:
            return text
        case Kind.MONTH:
            return _month(text)
        case Kind.CHOICE:
            if text not in column.choices:
                raise ValueError("不在可选范围内。")
            return column.choices[text]
    number = _number(text)
    if number < 0 and not column.signed:
        raise ValueError("不能为负数。")
    if column.kind is Kind.WHOLE:
        if number != int(number):
            raise ValueError("须为整数。")
        return int(number)
    if column.kind is Kind.WEIGHT:
        if number != round(number, 4):
            raise ValueError("最多四位小数。")
        return number
    try:
        to_fen(number)
    except ValueError:
        raise ValueError("最多两位小数。") from None
    return number


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", "").replace("，", ""))
    except ArithmeticError:
        raise ValueError("不是数字。") from None
    if not number.is_finite() or abs(number) >= LARGEST:
        raise ValueError("超出可接受的范围。")
    return number


def _month(text: str) -> Month:
    cleaned = text.strip().replace("年", "-").replace("月", "").replace("/", "-").replace(".", "-")
    parts = cleaned.split("-")
    if len(cleaned) == 6 and cleaned.isdigit():
        parts = [cleaned[:4], cleaned[4:]]
    try:
        return Month(int(parts[0]), int(parts[1]))
    except (ValueError, IndexError):
        raise ValueError("不是月份。") from None


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_KIND_TEXT = {
    Kind.MONTH: "月份，如 2026-09",
    Kind.TEXT: "文字",
    Kind.CHOICE: "从可填内容中选一项",
    Kind.WHOLE: "整数",
    Kind.YUAN: "金额，单位元，最多两位小数",
    Kind.WEIGHT: "数字，最多四位小数",
}
_REMEDY = {
    Kind.MONTH: "请按“2026-09”填写。",
    Kind.TEXT: "请改正。",
    Kind.CHOICE: "可填内容见“填写说明”工作表。",
    Kind.WHOLE: "请填写整数，不带单位。",
    Kind.YUAN: "请以元为单位填写，最多两位小数。",
    Kind.WEIGHT: "请填写数字，最多四位小数。",
}
