"""Small years of facts and packages for tests of the portal, made by the services a person would use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from claims.services import record_factset
from rules.periods import Month
from tests.claims.facts import fact

WEIGHTS = (95, 82, 106, 103, 102, 100, 102, 101, 98, 99, 104, 108)
"""The seasonality of a usual year; they add up to 1,200."""
PARTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("60", {"settlements": 40}),
    ("9", {"institution": "H99010100011", "settlements": 60}),
    ("3", {"institution": "H99010100021", "visit_type": "outpatient", "settlements": 200}),
    ("20", {"institution": "", "institution_area": "990102", "care_location": "city"}),
    ("8", {"institution": "", "institution_area": "360000", "care_location": "province"}),
    ("5", {"institution": "H99010100031", "care_location": "in_county", "method": "ffs"}),
)
"""Of 100 charged: 72 inside (12 of them primary), 28 outside; 5 more at a non-member are outside the package."""


def month_of_facts(
    world: Any, month: Month, scale: int = 100, *, data_to: date | None = None, funds: dict[str, str] | None = None
) -> None:
    """A month of Qingxi's insured at ``scale`` percent: the three members, the city, the province, and one non-member.

    ``funds`` maps fund types to their size (default: residents alone).
    """
    unit = Decimal(WEIGHTS[month.month - 1]) * scale * 10
    rows = []
    for fund, size in (funds or {"RES": "1"}).items():
        for share, grain in PARTS:
            amount = str((unit * Decimal(share) * Decimal(size)).quantize(Decimal("0.01")))
            rows.append(fact(amount, fund_type=fund, **grain))
    record_factset(None, world.qingxi, month, rows, "demo", data_to=data_to)


def years_of_facts(world: Any, years: dict[int, int], through: int = 9, funds: dict[str, str] | None = None) -> None:
    """Whole years at their scales (percent); the last of them only to month ``through``."""
    last = max(years)
    for year, scale in years.items():
        for number in range(1, (through if year == last else 12) + 1):
            month_of_facts(world, Month(year, number), scale, funds=funds)
