"""What a table is: its rows, columns, units, sums, wording, as one document per table and version.

Template, reader, checks, page, handbook and API are all made from it. Nothing here reads the database. The shipped
document lies in ``submissions/tables``; an official form that only renames and reorders is loaded as another one.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
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
    problems = _problems(table)
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


def _problems(table: Table) -> list[Problem]:
    """Everything a document can get wrong beyond its shape."""
    found = []

    def wrong(where: str, value: str, text: str) -> None:
        found.append(Problem(where, value, text, "请改正后重新载入。"))

    codes = [row.code for row in table.rows]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        wrong("row", code, f"行次 {code} 重复。")
    missing = [kind for kind in COLUMN_KINDS if kind not in [column.kind for column in table.columns]]
    if missing:
        wrong("column", "、".join(missing), f"缺少列：{'、'.join(missing)}。")
    for kind in {column.kind for column in table.columns} - set(COLUMN_KINDS):
        wrong("column", kind, f"没有“{kind}”这种列。")
    for sheet in (*FUND_SHEETS, "members", "causes", "guide"):
        if not table.sheets.get(sheet):
            wrong("sheets", sheet, f"没有写明工作表“{sheet}”的名称。")
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
