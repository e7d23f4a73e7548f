"""Laying a monthly payable table over a month's facts (A5): the method's payable is split in proportion to billing.

A line of the table covers the rows of its institution, fund type and method. Where facts carry no such row the line is
left for the reconciliation to show; it is never spread over other rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from claims.models import MonthlyPayable, PayableTable
from claims.services.fact_rows import EffectiveFact, FactRow
from core.models import County
from rules.money import allocate_count, to_fen
from rules.periods import Month

Key = tuple[str, str, str]


def table_in_force(county: County, month: Month) -> PayableTable | None:
    """The payable table of a county's month, if one was delivered."""
    return PayableTable.objects.current().filter(county=county, year=month.year, month=month.month).first()


def with_payables(table: PayableTable | None, rows: Sequence[FactRow]) -> list[EffectiveFact]:
    """The rows with the payable that counts under the table."""
    if table is None:
        return [EffectiveFact(row, row.fund_payable, row.payable_settlements) for row in rows]
    return laid_over(rows, lines_of(table))


def lines_of(table: PayableTable) -> dict[Key, int]:
    """Payable in fen by institution code, fund type and method."""
    lines = MonthlyPayable.objects.filter(table=table).values_list(
        "institution__code", "fund_type", "method", "payable"
    )
    return {(code, fund_type, method): to_fen(payable) for code, fund_type, method, payable in lines}


def laid_over(rows: Sequence[FactRow], payable: dict[Key, int]) -> list[EffectiveFact]:
    """Each line split over its rows by what they were billed (equally where nothing was billed), to the fen."""
    groups: dict[Key, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[(row.institution, row.fund_type, row.method)].append(index)
    effective = [EffectiveFact(row, row.fund_payable, row.payable_settlements) for row in rows]
    for key, amount in payable.items():
        indexes = groups.get(key, [])
        if not indexes:
            continue
        weights = [max(0, rows[index].pooled_fund_paid) for index in indexes]
        parts = allocate_count(abs(amount), weights if any(weights) else [1] * len(indexes))
        for index, part in zip(indexes, parts, strict=True):
            row = rows[index]
            effective[index] = EffectiveFact(row, part if amount >= 0 else -part, row.settlements)
    return effective
