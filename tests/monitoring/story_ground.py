"""Twenty-one months of two counties, through the services, for the browser story of the monitoring.

In 2026 Qingxi's residents' stays cost 14 % more than in 2025 and its primary members have less than 16 %; its employees'
fund takes in less than it spends. Yunling stays as it was.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import time_machine

from claims.services import FactRow, record_factset
from claims.services.reports import enter_fund_report
from core.policies import scheme_in_force
from rules.periods import Month, months_between
from tests.monitoring.figures_ground import EAST, TOWNSHIP, VILLAGE, WEST, D, package, row
from tests.monitoring.pages_ground import township
from tests.world import World

ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = Month(2025, 1), Month(2026, 9)
AWAY: dict[str, Any] = {"institution": "", "institution_area": "990102", "care_location": "city", "outflow_kind": "referred"}
FUNDS = {  # income and spending of a month by county, fund and year
    ("990101", "RES", 2025): ("9000000.00", "7300000.00"),
    ("990101", "RES", 2026): ("9200000.00", "8260000.00"),
    ("990101", "EMP", 2025): ("1700000.00", "1560000.00"),
    ("990101", "EMP", 2026): ("1650000.00", "1754000.00"),
    ("990102", "RES", 2025): ("9000000.00", "7900000.00"),
    ("990102", "RES", 2026): ("9000000.00", "7900000.00"),
    ("990102", "EMP", 2025): ("900000.00", "800000.00"),
    ("990102", "EMP", 2026): ("900000.00", "800000.00"),
}


def ready(world: World) -> None:
    """Everything but September's delivery, and Qingxi's package for its residents."""
    township(world, 1, world.east)
    township(world, 2, world.west)
    decided_on = date(2026, 1, 10)
    package(
        world, "92000000.00", decided_at=datetime(2026, 1, 10, 9, tzinfo=ZONE), decided_on=decided_on,
        scheme_frozen=scheme_in_force(world.area, decided_on).frozen(),
    )  # fmt: skip
    for month in months_between(FIRST, LAST.previous()):
        delivered(world, month)


def delivered(world: World, month: Month) -> None:
    """A month of both counties, known on the 5th of the next."""
    after = month.next()
    with time_machine.travel(datetime(after.year, after.month, 5, 9, tzinfo=ZONE), tick=False):
        for county, rows in ((world.qingxi, qingxi(month)), (world.yunling, yunling())):
            record_factset(None, county, month, rows, "table")
            for fund in ("RES", "EMP"):
                income, spending = map(D, FUNDS[county.code, fund, month.year])
                values = {
                    "insured_heads": 540_000 if fund == "RES" else 60_000, "income_personal": D("100000.00"),
                    "income_subsidy" if fund == "RES" else "income_employer": income - D("100000.00"),
                    "balance_current": income - spending, "balance_accumulated": D("120000000.00"),
                }  # fmt: skip
                enter_fund_report(None, county, fund, month, values)


def qingxi(month: Month) -> list[FactRow]:
    """Costs of a row are twice what the fund pays: 9 600 yuan a resident's stay in 2025, 10 971 in 2026."""
    later = month.year == 2026
    return [
        _stays("5760000.00" if later else "4800000.00", 1050 if later else 1000),
        _stays("700000.00", 300, institution=TOWNSHIP),
        row("300000.00", institution=VILLAGE, visit_type="outpatient", settlements=9000),
        _stays("1500000.00", 120, **AWAY),
        _stays("1134000.00" if later else "1000000.00", 162 if later else 150, fund_type="EMP"),
        row("260000.00", fund_type="EMP", institution=TOWNSHIP, visit_type="outpatient", settlements=5000),
        _stays("360000.00" if later else "300000.00", 20, fund_type="EMP", **AWAY),
    ]


def yunling() -> list[FactRow]:
    """Two alliances, each with its hospital and its township centre."""
    rows = []
    for alliance, own, centre in (("YL-E", EAST, "H99019900001"), ("YL-W", WEST, "H99019900002")):
        home = {"alliance": alliance, "institution_area": "990102"}
        rows += [
            _stays("2800000.00", 500, institution=own, **home),
            _stays("700000.00", 300, institution=centre, **home),
            _stays("330000.00", 60, institution=own, fund_type="EMP", **home),
            row("70000.00", institution=centre, fund_type="EMP", visit_type="outpatient", settlements=900, **home),
        ]
    return rows


def _stays(payable: str, number: int, **grain: Any) -> FactRow:
    return row(payable, settlements=number, discharges=number, bed_days=number * 8, groupable_cases=number,
               grouped_cases=number, weight_sum=number * 10_500, **grain)  # fmt: skip
