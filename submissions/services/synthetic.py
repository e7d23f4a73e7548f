"""A workbook as the facts would fill it: for the demonstration and for load tests, through the real template.

Figures are rounded to the sheet's 万元 and sums are made from the rounded parts, as a careful accountant would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from claims.reading import insured_heads
from rules.money import ZERO, round_fen
from submissions.declaration import MONEY_UNIT, Row, Table
from submissions.models import Assignment
from submissions.services.tables import table_in_force
from submissions.sources import FUNDS, compared, prefill_of
from submissions.workbook import Prefill, template_workbook

WAN = Decimal(10_000)
TOTAL = "ALL"
Values = dict[tuple[str, str, str], Decimal]


def filled_workbook(
    assignment: Assignment,
    extra: Mapping[tuple[str, str], Decimal] | None = None,
    causes: Sequence[dict[str, str]] = (),
) -> bytes:
    """The template of an assignment with every figure the facts give.

    ``extra`` by (fund type, row code) goes before them; ``causes`` are lines of the cause analysis by column key.
    """
    table = table_in_force(assignment.alliance.county.pooling_area, assignment.of)
    filled = _filled(prefill_of(assignment, table), assignment, table, extra or {})
    return template_workbook(table, replace(filled, causes=tuple(causes)))


def _filled(
    prefill: Prefill, assignment: Assignment, table: Table, extra: Mapping[tuple[str, str], Decimal]
) -> Prefill:
    """``prefill`` with the current column and the member lines."""
    found = compared(assignment.alliance, assignment.of)
    values: Values = dict(prefill.values)
    for fund in FUNDS:
        known = {**_own_heads(assignment, fund), **found.measures[fund].values}
        for row in table.typed_rows:
            if row.kind == "input" and row.fact in known:
                values[(fund, row.code, "current")] = _shown(row.unit, known[row.fact])
    values.update({(fund, code, "current"): value for (fund, code), value in extra.items()})
    for row in table.typed_rows:
        _add_up(row, table, values)
    members: Values = dict(prefill.member_values)
    for fund in FUNDS:
        for member in prefill.members:
            _member(members, table, member.institution, fund, found.measures[fund].members.get(member.institution, {}))
    return replace(prefill, values=values, member_values=members)


def _own_heads(assignment: Assignment, fund: str) -> dict[str, Decimal]:
    """What an alliance knows of its own insured where the county's report does not tell them apart."""
    heads = insured_heads(assignment.alliance, assignment.of.year, fund)
    return {"insured": Decimal(heads.insured)} if heads else {}


def _member(values: Values, table: Table, code: str, fund: str, known: Mapping[str, Decimal]) -> None:
    for column in table.member_columns:
        if column.kind == "input" and not column.optional:
            values[(code, fund, column.key)] = _shown(column.unit, known.get(column.key, ZERO))
    for column in table.member_columns:
        if column.kind == "sum":
            values[(code, fund, column.key)] = sum((values[(code, fund, part)] for part in column.sum), ZERO)


def _add_up(row: Row, table: Table, values: Values) -> None:
    """Sum rows from their rounded parts; the total sheet from both funds."""
    for fund in FUNDS:
        if row.kind == "sum":
            values[(fund, row.code, "current")] = _sum_of(row, table, values, fund)
    both = [value for fund in FUNDS if (value := values.get((fund, row.code, "current"))) is not None]
    if row.adds and both:
        values[(TOTAL, row.code, "current")] = sum(both, ZERO)


def _sum_of(row: Row, table: Table, values: Values, fund: str) -> Decimal:
    if row.kind != "sum":
        return values.get((fund, row.code, "current"), ZERO)
    return sum((_sum_of(table.by_code[code], table, values, fund) for code in row.sum), ZERO)


def _shown(unit: str, value: Decimal) -> Decimal:
    """Yuan as the sheet's two decimals of 万元 show them; counts as they are."""
    return round_fen(value / WAN) * WAN if unit == MONEY_UNIT else value
