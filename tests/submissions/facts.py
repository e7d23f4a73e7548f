"""Monthly facts that say to the fen what the sound figures say, so that a reconciliation finds only what was changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from claims.services import FactRow, record_factset
from rules.money import to_fen
from rules.periods import months_of_year
from submissions.periods import TablePeriod
from tests.submissions.figures import LEAD, TIMES, TOWNSHIP, VILLAGE, yuan

# institution, visit type, 万元 fund, visits or discharges, bed-days, total cost, drugs, consumables, exams, treatment
OWN = (
    (LEAD, "outpatient", "1500.00", 40000, 0, "3000.00", "0.00", "0.00", "0.00", "1926.74"),
    (LEAD, "chronic", "1000.00", 20000, 0, "1500.00", "0.00", "0.00", "0.00", "1000.00"),
    (LEAD, "inpatient", "10000.00", 20000, 160000, "18000.00", "6000.00", "4000.00", "3926.74", "4073.26"),
    (TOWNSHIP, "outpatient", "500.00", 30000, 0, "1000.00", "0.00", "0.00", "0.00", "0.00"),
    (TOWNSHIP, "chronic", "400.00", 20000, 0, "400.00", "0.00", "0.00", "0.00", "0.00"),
    (TOWNSHIP, "inpatient", "1944.70", 4618, 23207, "3604.83", "1500.00", "0.00", "0.00", "2000.00"),
    (VILLAGE, "outpatient", "223.07", 30000, 0, "390.25", "300.00", "0.00", "0.00", "0.00"),
    (VILLAGE, "chronic", "109.75", 0, 0, "109.75", "0.00", "0.00", "0.00", "0.00"),
)
# place, kind, 万元 fund, discharges
AWAY = (
    ("city", "referred", "3327.16", 4000), ("city", "resettled", "1068.18", 1000), ("city", "self_chosen", "604.66", 0),
    ("province", "self_chosen", "1775.49", 1000), ("province", "emergency", "24.51", 0), ("outside", "emergency", "412.57", 0),
)  # fmt: skip
ELIGIBLE, NON_MEMBER = "18452.15", "310.00"


def agreeing_facts(world: Any, period: TablePeriod) -> None:
    """Every month of the period delivered; the figures stand in the last one."""
    for month in months_of_year(period.year)[: period.months]:
        rows = [row for fund in TIMES for row in _rows(fund)] if month == period.last_month else []
        record_factset(world.officer, world.qingxi, month, rows, "table")


def _rows(fund: str) -> list[FactRow]:
    times = TIMES[fund]
    rows = [_own(fund, times, *line) for line in OWN]
    rows += [_away(fund, times, *line) for line in AWAY]
    rows.append(_row(fund, times, "outpatient", "in_county", NON_MEMBER, institution="H99010100031"))
    return rows


def _own(
    fund: str, times: int, institution: str, visit: str, payable: str, count: int, bed_days: int, *costs: str
) -> FactRow:
    total, drug, consumables, exam, treatment = (_fen(cost, times) for cost in costs)
    inpatient, first = visit == "inpatient", (institution, visit) == (LEAD, "inpatient")
    return _row(
        fund, times, visit, "own_alliance", payable, institution=institution, settlements=count * times,
        discharges=count * times if inpatient else 0, bed_days=bed_days * times, total_cost=total, drug_cost=drug,
        consumables_cost=consumables, exam_cost=exam, treatment_cost=treatment,
        eligible_cost=_fen(ELIGIBLE, times) if first else 0,
        referrals_up=120 * times if first else 0, referrals_down=80 * times if first else 0,
    )  # fmt: skip


def _away(fund: str, times: int, place: str, kind: str, payable: str, discharges: int) -> FactRow:
    return _row(
        fund, times, "inpatient", place, payable, institution_area="360100", outflow_kind=kind,
        settlements=max(discharges, 1) * times, discharges=discharges * times,
    )  # fmt: skip


def _row(fund: str, times: int, visit: str, place: str, payable: str, **grain: Any) -> FactRow:
    values = {"institution_area": "990101", "alliance": "QX", "settlements": 1, **grain}
    amount = _fen(payable, times)
    values["payable_settlements"] = values["settlements"]
    return FactRow(
        fund_type=fund, visit_type=visit, care_location=place, fund_payable=amount, pooled_fund_paid=amount, **values
    )  # fmt: skip


def _fen(wan: str, times: int) -> int:
    return to_fen(yuan(Decimal(wan) * times))
