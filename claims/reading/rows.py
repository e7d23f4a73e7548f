"""Claim rows behind a month's facts, read from the lake a page at a time; persons are keyed hashes throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from claims import lake
from claims.models import FactFundType, Method, VisitType
from core.models import County
from rules.money import from_fen
from rules.periods import Month


@dataclass(frozen=True)
class ClaimRow:
    """One settlement as the lake holds it (yuan). ``person`` is the pseudonym; ``line`` the line of its extract."""

    settlement_id: str
    person: str
    fund_type: str
    institution_code: str
    visit_type: str
    settled_on: date
    admission_date: date | None
    discharge_date: date | None
    diagnosis_code: str
    method: str
    group_code: str
    bed_days: int | None
    total_cost: Decimal
    eligible_cost: Decimal | None
    pooled_fund_paid: Decimal
    fund_payable: Decimal | None
    outflow_kind: str
    reversal_of: str
    late: bool

    @property
    def fund_text(self) -> str:
        return FactFundType(self.fund_type).label

    @property
    def visit_text(self) -> str:
        return VisitType(self.visit_type).label

    @property
    def method_text(self) -> str:
        return Method(self.method).label


_COLUMNS = tuple(ClaimRow.__dataclass_fields__)
_MONEY = ("total_cost", "eligible_cost", "pooled_fund_paid", "fund_payable")
_TEXTS = ("diagnosis_code", "method", "group_code", "outflow_kind", "reversal_of", "institution_code")


@dataclass(frozen=True)
class ClaimRows:
    """A page of rows, how many there are, and their sums over all pages (yuan)."""

    total: int
    total_cost: Decimal
    pooled_fund_paid: Decimal
    rows: list[ClaimRow]


def claim_rows(county: County, month: Month, chosen: Mapping[str, Any], offset: int, limit: int) -> ClaimRows:
    """Rows of a county's insured settled in ``month``; ``chosen`` may name institution, fund_type, visit_type.

    Ordered by day and id. Opening them is logged by the service that shows them.
    """
    files = [str(file.path) for file in lake.live_files(county, [month])]
    if not files:
        return ClaimRows(0, Decimal("0.00"), Decimal("0.00"), [])
    where, values = ["TRUE"], [files]
    for name, column in (("institution", "coalesce(institution_code, '')"), ("fund_type", "fund_type"), ("visit_type", "visit_type")):
        if chosen.get(name) is not None and (chosen[name] or name == "institution"):
            where.append(f"{column} = ${len(values) + 1}")
            values.append(chosen[name])
    source = f"read_parquet($1, union_by_name=true) WHERE {' AND '.join(where)}"
    with lake.reader() as connection:
        total, cost, pooled = connection.execute(
            f"SELECT count(*), coalesce(sum(total_cost), 0), coalesce(sum(pooled_fund_paid), 0) FROM {source}", values
        ).fetchall()[0]
        found = connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM {source} ORDER BY settled_on, settlement_id LIMIT {int(limit)} OFFSET {int(offset)}",
            values,
        ).fetchall()
    return ClaimRows(int(total), from_fen(int(cost)), from_fen(int(pooled)), [_row(values) for values in found])


def _row(values: tuple[Any, ...]) -> ClaimRow:
    row = dict(zip(_COLUMNS, values, strict=True))
    for name in _MONEY:
        row[name] = None if row[name] is None else from_fen(int(row[name]))
    for name in _TEXTS:
        row[name] = row[name] or ""
    return ClaimRow(**row)
