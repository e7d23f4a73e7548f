"""Rows of facts for tests, in yuan as text so that the sums can be read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from claims.services import FactRow
from rules.money import to_fen


def fact(payable: str, billed: str | None = None, **grain: Any) -> FactRow:
    """An inpatient row of a resident treated in the own alliance, unless told otherwise."""
    billed_fen = to_fen(Decimal(billed if billed is not None else payable))
    values: dict[str, Any] = {
        "fund_type": "RES",
        "visit_type": "inpatient",
        "care_location": "own_alliance",
        "institution": "H99010100001",
        "institution_area": "990101",
        "alliance": "QX",
        "method": "drg",
        "settlements": 1,
        "total_cost": billed_fen * 2,
    }
    values.update(grain)
    values.setdefault("payable_settlements", values["settlements"] if billed is not None else 0)
    return FactRow(fund_payable=to_fen(Decimal(payable)), pooled_fund_paid=billed_fen, **values)
