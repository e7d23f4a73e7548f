"""Two versions of a table cell by cell: only what differs, in the unit of the sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from submissions.checks.wording import shown
from submissions.declaration import FUND_SHEETS, Table, shipped_table
from submissions.figures import Cause, Figures, MemberValues, RowValues
from submissions.models import Submission
from submissions.services.tables import table_of

COLUMNS = ("current", "last", "budget", "note")


@dataclass(frozen=True)
class Difference:
    """One cell that differs. ``old``, ``new`` and ``change`` as the sheet shows them; empty is blank."""

    sheet: str
    cell: str
    label: str
    old: str
    new: str
    change: str
    numeric: bool
    fund_type: str
    key: str
    column: str
    institution: str = ""


def differences(older: Submission, newer: Submission) -> list[Difference]:
    """Fund sheets, then members, then causes, in the order of the newer version's table."""
    assignment = newer.assignment
    area = assignment.alliance.county.pooling_area
    table = table_of(area, assignment.table, newer.table_version) or shipped_table(assignment.table)
    return compare(table, Figures.from_json(older.figures), Figures.from_json(newer.figures))


def compare(table: Table, older: Figures, newer: Figures) -> list[Difference]:
    """The same for figures that were read."""
    return [*_funds(table, older, newer), *_members(table, older, newer), *_causes(table, older, newer)]


def _funds(table: Table, older: Figures, newer: Figures) -> Iterator[Difference]:
    kinds = {column.kind: column.label for column in table.columns}
    for fund in FUND_SHEETS:
        for row in table.typed_rows:
            one = older.funds.get(fund, {}).get(row.code, RowValues())
            other = newer.funds.get(fund, {}).get(row.code, RowValues())
            for column in COLUMNS:
                before, after = getattr(one, column), getattr(other, column)
                if before == after:
                    continue
                label = f"{row.code} {row.label}" + ("" if column == "current" else f" · {kinds[column]}")
                place = (table.sheets[fund], table.cell(row.code, column), label)
                yield _made(place, before, after, row.unit, fund, row.code, column)


def _members(table: Table, older: Figures, newer: Figures) -> Iterator[Difference]:
    before, after = _by_member(older), _by_member(newer)
    for key in [*after, *(key for key in before if key not in after)]:
        institution, fund = key
        one, other = before.get(key), after.get(key)
        name = (other or one or MemberValues(institution, institution, fund)).name
        label = f"{name} · {table.sheets.get(fund, fund)}"
        for column in table.member_columns:
            if not column.is_typed:
                continue
            was = one.values.get(column.key) if one else None
            now = other.values.get(column.key) if other else None
            if was != now:
                place = (table.sheets["members"], "", f"{label} · {column.label}")
                yield _made(place, was, now, column.unit, fund, column.key, column.key, institution)


def _causes(table: Table, older: Figures, newer: Figures) -> Iterator[Difference]:
    sheet, count = table.sheets["causes"], max(len(older.causes), len(newer.causes))
    for at in range(count):
        one, other = (figures.causes[at] if at < len(figures.causes) else None for figures in (older, newer))
        for column in table.cause_columns:
            was, now = _cause_text(table, one, column.key), _cause_text(table, other, column.key)
            if was != now:
                label = f"第 {at + 1} 条 · {column.label}"
                fund = (other or one or Cause("", "", "", "", "", "")).fund_type
                yield Difference(sheet, "", label, was, now, "", False, fund, str(at + 1), column.key)


def _cause_text(table: Table, cause: Cause | None, key: str) -> str:
    text = str(getattr(cause, key, "") or "") if cause else ""
    return table.sheets.get(text, text) if key == "fund_type" else text


def _made(
    place: tuple[str, str, str],
    before: Decimal | str | None,
    after: Decimal | str | None,
    unit: str,
    fund: str,
    key: str,
    column: str,
    institution: str = "",
) -> Difference:
    numeric = column != "note"
    old, new = (
        shown(value, unit) if isinstance(value, Decimal) else value or "" for value in (before, after)
    )
    change = ""
    if isinstance(before, Decimal) and isinstance(after, Decimal):
        change = ("+" if after > before else "") + shown(after - before, unit)
    return Difference(*place, old, new, change, numeric, fund, key, column, institution)


def _by_member(figures: Figures) -> dict[tuple[str, str], MemberValues]:
    return {(member.institution, member.fund_type): member for member in figures.members}
