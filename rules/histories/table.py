"""The fact table every history comes as: what became known, when, about which month of which place.

One row holds what was newly known in the month ``known`` about care settled in the month ``settled``. Summing the rows
known until a month gives what a person could see then; summing all of them gives what it finally came to.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from rules.periods import Month

IN_ALLIANCE, OUT_OF_COUNTY = "in_alliance", "out_of_county"
PARTS = (IN_ALLIANCE, OUT_OF_COUNTY)
INPATIENT, OUTPATIENT = "inpatient", "outpatient"
SERVICES = (INPATIENT, OUTPATIENT)
FUND_TYPES = ("RES", "EMP")
COLUMNS = ("area", "place", "fund_type", "settled", "known", "part", "service", "settlements", "yuan")
OPTIONAL = ("area",)


class FactRow(NamedTuple):
    """One row. ``settlements`` counts discharges (inpatient) or visits (outpatient); reversals are negative."""

    area: str
    place: str
    fund_type: str
    settled: Month
    known: Month
    part: str
    service: str
    settlements: int
    yuan: Decimal


def as_csv(rows: Iterable[FactRow]) -> str:
    """The rows in the form the backtest reads: UTF-8 text, header line, months as 2025-09, yuan with two decimals."""
    lines = [",".join(COLUMNS)]
    lines += [",".join(map(str, row)) for row in rows]
    return "\n".join(lines) + "\n"
