"""What a workbook says once it is read: typed values by fund sheet, member and cause, and where each stood.

Money is Decimal yuan, counts and other numbers are Decimal too; None is blank, never zero. Stored as JSON of strings in
``Submission.figures``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass
class RowValues:
    """One row of a fund sheet."""

    current: Decimal | None = None
    last: Decimal | None = None
    budget: Decimal | None = None
    note: str = ""


@dataclass
class MemberValues:
    """One line of the member sheet; ``values`` by column key."""

    institution: str
    name: str
    fund_type: str
    values: dict[str, Decimal | None] = field(default_factory=dict)


@dataclass
class Cause:
    """One line of the cause analysis; texts as typed, ``due`` in ISO form."""

    fund_type: str
    kind: str
    cause: str
    measure: str
    owner: str
    due: str


@dataclass
class Figures:
    """All of a workbook. ``funds`` maps RES, EMP and ALL to row code → values."""

    funds: dict[str, dict[str, RowValues]] = field(default_factory=dict)
    members: list[MemberValues] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def current(self, fund_type: str, code: str) -> Decimal | None:
        """本期累计 of a row; None when blank or absent."""
        row = self.funds.get(fund_type, {}).get(code)
        return row.current if row else None

    def values(self, fund_type: str) -> dict[str, Decimal | None]:
        """本期累计 of every row, for :mod:`rules.quarterly`."""
        return {code: row.current for code, row in self.funds.get(fund_type, {}).items()}

    def as_json(self) -> dict[str, Any]:
        return {
            "funds": {
                fund: {
                    code: {
                        "current": _text(row.current),
                        "last": _text(row.last),
                        "budget": _text(row.budget),
                        "note": row.note,
                    }
                    for code, row in rows.items()
                }
                for fund, rows in self.funds.items()
            },
            "members": [
                {
                    "institution": member.institution,
                    "name": member.name,
                    "fund_type": member.fund_type,
                    "values": {key: _text(value) for key, value in member.values.items()},
                }
                for member in self.members
            ],
            "causes": [vars(cause) for cause in self.causes],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Figures:
        return cls(
            {
                fund: {
                    code: RowValues(_number(row["current"]), _number(row["last"]), _number(row["budget"]), row["note"])
                    for code, row in rows.items()
                }
                for fund, rows in stored.get("funds", {}).items()
            },
            [
                MemberValues(
                    row["institution"],
                    row["name"],
                    row["fund_type"],
                    {key: _number(value) for key, value in row["values"].items()},
                )
                for row in stored.get("members", [])
            ],
            [Cause(**row) for row in stored.get("causes", [])],
        )


@dataclass(frozen=True)
class Found:
    """One finding before it is stored. ``column`` is a column kind of a fund sheet or a key of the member sheet.

    ``sheet`` and ``cell`` may be left empty where ``fund_type``, ``row_code``, ``column`` and ``institution`` say it:
    the :class:`Layout` of the workbook knows the place.
    """

    code: str
    severity: str
    text: str
    remedy: str = ""
    fund_type: str = ""
    row_code: str = ""
    column: str = "current"
    institution: str = ""
    value: str = ""
    sheet: str = ""
    cell: str = ""
    place: str = ""


@dataclass
class Layout:
    """Where things stand in the uploaded workbook, found by code and key, not by position.

    ``fund_cells``: (fund type, row code, column kind) → cell such as C9. ``member_cells``: (institution, fund type, column
    key) → cell. ``sheets``: RES, EMP, ALL, members, causes → the sheet's title in this workbook.
    """

    sheets: dict[str, str] = field(default_factory=dict)
    fund_cells: dict[tuple[str, str, str], str] = field(default_factory=dict)
    member_cells: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def place_of(self, found: Found) -> tuple[str, str]:
        """(sheet title, cell) of a finding; the cell is empty where the finding concerns no single one."""
        if found.sheet:
            return found.sheet, found.cell
        if found.institution:
            key = (found.institution, found.fund_type, found.column)
            return self.sheets.get("members", ""), self.member_cells.get(key, "")
        cell = self.fund_cells.get((found.fund_type, found.row_code, found.column), "")
        return self.sheets.get(found.fund_type, ""), cell


@dataclass(frozen=True)
class Placed:
    """A finding with its place in the workbook; ``cell`` is empty where it concerns no single cell."""

    found: Found
    sheet: str
    cell: str


@dataclass
class Read:
    """The result of reading a workbook: what it says, where, how much, and what is wrong with single cells.

    ``notes`` tell what was read differently from how it was typed; ``table_version`` is the version found inside.
    """

    figures: Figures
    layout: Layout
    found: list[Found]
    notes: list[str]
    cells_read: int
    table_version: str


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
