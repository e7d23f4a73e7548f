"""What a table is: its rows, columns, units, sums, wording, as one document per table and version.

Template, reader, checks, page, handbook and API are all made from it. Nothing here reads the database. The shipped
document lies in ``submissions/tables``; an official form that only renames and reorders is loaded as another one.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from core.errors import Problem, Refused
from rules.quarterly import FORMULAS

TABLES = Path(__file__).parent / "tables"
FUND_SHEETS = ("RES", "EMP", "ALL")
MONEY_UNIT = "wan"
WHOLE_UNITS = frozenset({"persons", "visits", "days", "cases"})
UNITS = {
    "wan": "万元", "persons": "人", "visits": "人次", "days": "床日", "cases": "例", "number": "", "percent": "%", "yuan": "元",
    "text": "", "choice": "", "date": "",
}  # fmt: skip
ROW_KINDS = frozenset({"input", "sum", "derived"})
HEADER_ROWS = range(5, 51)
"""Rows 1–4 of every sheet hold title, place, period and signatures."""
LONGEST_TITLE = 31
BARRED_IN_TITLES = frozenset("[]:*?/\\")
MEMBER_KEYS = ("institution", "name", "level", "fund_type")
CAUSE_KEYS = ("fund_type", "kind", "cause", "measure", "owner", "due")
COLUMN_KINDS = ("code", "label", "current", "last", "change", "budget", "execution", "note")


class Measured:
    """What a unit says about a value: money typed in 万元 and kept in yuan, or a whole number."""

    unit: str

    @property
    def is_money(self) -> bool:
        return self.unit == MONEY_UNIT

    @property
    def is_whole(self) -> bool:
        return self.unit in WHOLE_UNITS


@dataclass(frozen=True)
class Row(Measured):
    """One row of a fund sheet. ``unit`` ``wan`` is typed in 万元 and kept in yuan; counts are whole numbers.

    ``sum`` and ``parts`` are two ways to add up to this row; ``within`` names a row this one may not exceed, ``at_least``
    and ``at_least_sum`` rows this one may not fall below. ``prefill`` and ``fact`` name a source, ``member`` the column of
    the member sheet whose total is this row. ``adds`` is False where residents and employees do not add to the total.
    """

    code: str
    label: str
    unit: str
    kind: str
    level: int
    how: str
    sum: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    within: str = ""
    at_least: str = ""
    at_least_sum: tuple[str, ...] = ()
    formula: str = ""
    prefill: str = ""
    fact: str = ""
    member: str = ""
    optional: bool = False
    budget: bool = False
    adds: bool = True
    sign: str = "nonnegative"

    @property
    def is_typed(self) -> bool:
        return self.kind != "derived"

    @property
    def title(self) -> str:
        """The label with its unit, as the sheet prints it."""
        return f"{self.label}（{UNITS[self.unit]}）" if UNITS[self.unit] and not self.is_money else self.label


@dataclass(frozen=True)
class Column:
    kind: str
    label: str
    width: int


@dataclass(frozen=True)
class MemberColumn(Measured):
    """One column of the member sheet; ``kind`` is key, text, input or sum."""

    key: str
    label: str
    kind: str
    unit: str
    width: int
    how: str = ""
    sum: tuple[str, ...] = ()
    prefill: str = ""
    optional: bool = False
    adds: bool = True

    @property
    def is_typed(self) -> bool:
        return self.kind in ("input", "sum")

    @property
    def title(self) -> str:
        return f"{self.label}（{UNITS[self.unit]}）" if UNITS[self.unit] else self.label


@dataclass(frozen=True)
class CauseColumn:
    key: str
    label: str
    unit: str
    width: int
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One version of a table. ``sha256`` is that of its document."""

    name: str
    version: str
    title: str
    legal_basis: str
    valid_from: date
    status: str
    note: str
    header_row: int
    sheets: dict[str, str]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    member_columns: tuple[MemberColumn, ...]
    cause_columns: tuple[CauseColumn, ...]
    sha256: str

    @cached_property
    def by_code(self) -> dict[str, Row]:
        return {row.code: row for row in self.rows}

    @cached_property
    def typed_rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.is_typed)

    @cached_property
    def member_by_key(self) -> dict[str, MemberColumn]:
        return {column.key: column for column in self.member_columns}

    def column_letter(self, kind: str) -> str:
        """The sheet column (A, B …) of a kind."""
        return chr(ord("A") + [column.kind for column in self.columns].index(kind))

    def row_number(self, code: str) -> int:
        """The sheet row a code stands in, counted from 1."""
        return self.header_row + 1 + [row.code for row in self.rows].index(code)

    def cell(self, code: str, kind: str = "current") -> str:
        return f"{self.column_letter(kind)}{self.row_number(code)}"


@lru_cache(maxsize=16)
def parse_table(text: str) -> Table:
    """The table of a TOML document. Raises ``Refused`` with everything that is wrong with it, in words."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(
            [Problem("document", "", f"不是有效的 TOML 文档：{error}", "请以随系统附带的第 1 版为样本修改。")]
        ) from error
    try:
        table = Table(
            name=document["table"],
            version=str(document["version"]),
            title=document["title"],
            legal_basis=document["legal_basis"],
            valid_from=document["valid_from"],
            status=document["status"],
            note=document.get("note", ""),
            header_row=int(document["header_row"]),
            sheets=dict(document["sheets"]),
            columns=tuple(Column(**entry) for entry in document["column"]),
            rows=tuple(Row(**_tuples(entry)) for entry in document["row"]),
            member_columns=tuple(MemberColumn(**_tuples(entry)) for entry in document["member_column"]),
            cause_columns=tuple(CauseColumn(**_tuples(entry)) for entry in document["cause_column"]),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(
            [Problem("document", "", f"报表定义缺少或多了内容：{error}", "请以随系统附带的第 1 版为样本修改。")]
        ) from error
    problems = _mistyped(table) or _problems(table)
    if problems:
        raise Refused(problems)
    return table


def shipped_text(name: str = "situation", version: str = "1") -> str:
    return (TABLES / f"{name}-{version}.toml").read_text(encoding="utf-8")


def shipped_table(name: str = "situation", version: str = "1") -> Table:
    """The version that comes with the program."""
    return parse_table(shipped_text(name, version))


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


_TYPES: dict[str, type] = {"str": str, "int": int, "bool": bool, "tuple[str, ...]": tuple, "date": date}
_TYPE_NAMES = {
    "str": "文字",
    "int": "整数",
    "bool": "true 或 false",
    "tuple[str, ...]": "文字列表",
    "date": "日期（年-月-日，不带引号）",
}


def _mistyped(table: Table) -> list[Problem]:
    """Values of another type than their field's: nothing further can be said of such a document."""
    found = [
        Problem("sheets", str(title), f"工作表“{key}”的名称须为文字。", "请加上引号后重新载入。")
        for key, title in table.sheets.items()
        if not isinstance(title, str)
    ]
    parts: list[tuple[str, Any]] = [("document", table)]
    parts += [(f"row {row.code}", row) for row in table.rows]
    parts += [(f"column {column.kind}", column) for column in table.columns]
    parts += [(f"member_column {column.key}", column) for column in table.member_columns]
    parts += [(f"cause_column {column.key}", column) for column in table.cause_columns]
    for where, part in parts:
        for field in fields(part):
            value, kind = getattr(part, field.name), str(field.type)
            if kind in _TYPES and not _is_of(value, _TYPES[kind]):
                text = f"{where} 的 {field.name} 应为{_TYPE_NAMES[kind]}，现为“{value}”。"
                found.append(Problem(where, str(value), text, "请改正后重新载入。"))
    return found


def _is_of(value: object, wanted: type) -> bool:
    """Of exactly this type: a time is no day, true is no number; lists hold words only."""
    return type(value) is wanted and (not isinstance(value, tuple) or all(type(word) is str for word in value))


def _sheet_problems(table: Table) -> list[Problem]:
    """What Excel does not take for the name of a sheet, or takes for the same name twice."""
    found = []

    def wrong(title: str, text: str) -> None:
        found.append(Problem("sheets", title, text, "请改正后重新载入。"))

    for key in (*FUND_SHEETS, "members", "causes", "guide"):
        if not table.sheets.get(key, "").strip():
            wrong(key, f"没有写明工作表“{key}”的名称。")
    titles = [title for title in table.sheets.values() if title.strip()]
    for title in dict.fromkeys(titles):
        if len(title) > LONGEST_TITLE:
            wrong(title, f"工作表名称“{title}”有 {len(title)} 个字符，Excel 最多 {LONGEST_TITLE} 个。")
        if barred := [sign for sign in title if sign in BARRED_IN_TITLES or not sign.isprintable()]:
            wrong(title, f"工作表名称“{title}”含有 Excel 不接受的字符：{' '.join(barred)}。")
        if title != title.strip("' "):
            wrong(title, f"工作表名称“{title}”不能以空格或单引号开头或结尾。")
    for name in _twice([title.casefold() for title in titles]):
        wrong(name, f"工作表名称“{name}”重复（不分大小写）。")
    return found


def _column_problems(table: Table) -> list[Problem]:
    """Columns the program relies on that are missing, of no known kind, or there twice."""
    found = []
    for where, wanted, given in (
        ("column", COLUMN_KINDS, [column.kind for column in table.columns]),
        ("member_column", MEMBER_KEYS, [column.key for column in table.member_columns]),
        ("cause_column", CAUSE_KEYS, [column.key for column in table.cause_columns]),
    ):
        if missing := "、".join(key for key in wanted if key not in given):
            found.append(Problem(where, missing, f"{where} 缺少列：{missing}。", "请改正后重新载入。"))
        found += [Problem(where, key, f"{where} 的列“{key}”重复。", "请改正后重新载入。") for key in _twice(given)]
    for kind in sorted({column.kind for column in table.columns} - set(COLUMN_KINDS)):
        found.append(Problem("column", kind, f"没有“{kind}”这种列。", "请改正后重新载入。"))
    return found


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _problems(table: Table) -> list[Problem]:
    """Everything a document can get wrong beyond its shape."""
    found = [*_column_problems(table), *_sheet_problems(table)]

    def wrong(where: str, value: str, text: str) -> None:
        found.append(Problem(where, value, text, "请改正后重新载入。"))

    if table.header_row not in HEADER_ROWS:
        text = f"表头行（header_row）须在第 {HEADER_ROWS[0]} 至 {HEADER_ROWS[-1]} 行：前 4 行是表名、单位、期间和签名。"
        wrong("header_row", str(table.header_row), text)
    codes = [row.code for row in table.rows]
    for code in _twice(codes):
        wrong("row", code, f"行次 {code} 重复。")
    for row in table.rows:
        where = f"row {row.code}"
        if row.unit not in UNITS:
            wrong(where, row.unit, f"没有“{row.unit}”这种单位。")
        if row.kind not in ROW_KINDS:
            wrong(where, row.kind, f"没有“{row.kind}”这种行。")
        if row.kind == "derived" and row.formula not in FORMULAS:
            wrong(where, row.formula, f"没有“{row.formula}”这个公式。")
        if row.kind == "sum" and not row.sum:
            wrong(where, "", "合计行没有写明由哪些行相加。")
        named = [*row.sum, *row.parts, *row.at_least_sum, *filter(None, (row.within, row.at_least))]
        for code in sorted(set(named) - set(codes)):
            wrong(where, code, f"引用了不存在的行次 {code}。")
        if row.member and row.member not in table.member_by_key:
            wrong(where, row.member, f"引用了成员表里没有的列“{row.member}”。")
    for column in table.member_columns:
        for key in sorted(set(column.sum) - set(table.member_by_key)):
            wrong(f"member_column {column.key}", key, f"引用了不存在的列“{key}”。")
    return found
