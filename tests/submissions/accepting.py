"""Accepted tables and the facts that agree with the sound figures, for tests of what is read from them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from claims.models import FundMonthlyReport
from claims.services import FactRow, record_factset
from rules.money import to_fen
from rules.periods import Month
from submissions import services
from submissions.figures import Figures
from submissions.models import Assignment, Submission
from submissions.periods import TablePeriod
from submissions.states import AssignmentState, SubmissionState
from tests.submissions.figures import BASE, LEAD, MEMBER_BASE, MEMBERS, Q3, TIMES, TOWNSHIP, sound_figures, yuan

FILED_AT = timezone.make_aware(datetime(2026, 10, 12, 9, 0))  # noqa: DTZ001
CHRONIC_VISITS = (20000, 15000, 5000)
OUTFLOW = (
    ("city", "referred", "3327.16", 6000),
    ("city", "resettled", "1068.18", 0),
    ("city", "self_chosen", "604.66", 0),
    ("province", "self_chosen", "1775.49", 0),
    ("province", "", "24.51", 0),
    ("outside", "emergency", "412.57", 0),
)


def owed(world: Any, period: TablePeriod = Q3, alliance: Any = None) -> Assignment:
    """The assignment of a period, made if there is none."""
    found, _made = Assignment.objects.get_or_create(
        alliance=alliance or world.alliance,
        table="situation",
        period=str(period),
        defaults={"due_on": period.last_day.replace(day=28)},
    )
    return Assignment.objects.with_places().get(pk=found.pk)


def filed_version(
    world: Any, figures: Figures | None = None, period: TablePeriod = Q3, alliance: Any = None, by: Any = None
) -> Submission:
    """A filed version with these figures, as if it had been uploaded and checked."""
    assignment = owed(world, period, alliance)
    number = assignment.versions.count() + 1
    made = Submission.objects.create(
        assignment=assignment,
        number=number,
        state=SubmissionState.FILED,
        receipt=f"{assignment.alliance.code}-{period}-{number}",
        table_version="1",
        figures=(figures or sound_figures(period=period)).as_json(),
        cells_read=1,
        uploaded_by=by or world.hospital,
        uploaded_at=FILED_AT,
        filed_by=by or world.hospital,
        filed_at=FILED_AT,
    )
    Assignment.objects.filter(pk=assignment.pk).update(state=AssignmentState.FILED)
    return Submission.objects.with_places().get(pk=made.pk)


def accepted_version(world: Any, figures: Figures | None = None, **where: Any) -> Submission:
    """The same accepted by an officer."""
    return services.accept(world.officer, filed_version(world, figures, **where))


def fen(wan: str | Decimal) -> int:
    return to_fen(yuan(wan))


def sound_facts(world: Any, **spending: str) -> None:
    """Nine delivered months that say what :func:`sound_figures` says: the township's in August, the rest in September.

    ``spending`` replaces the lead hospital's inpatient spending (万元) of a fund type.
    """
    for month in range(1, 8):
        record_factset(world.officer, world.qingxi, Month(2026, month), [], "table")
    rows = {fund: _rows(fund, times, spending.get(fund)) for fund, times in TIMES.items()}
    for month in (8, 9):
        mine = [row for found in rows.values() for row in found if (row.institution == TOWNSHIP) == (month == 8)]
        record_factset(world.officer, world.qingxi, Month(2026, month), mine, "table")
    for fund, times in TIMES.items():
        FundMonthlyReport.objects.get_or_create(
            county=world.qingxi, fund_type=fund, year=2026, month=9, version=1,
            defaults={"insured_heads": int(BASE["1"]) * times, "entered_by": world.officer},
        )  # fmt: skip


def _rows(fund: str, times: int, inpatient: str | None) -> list[FactRow]:
    rows = []
    for at, (code, _name) in enumerate(MEMBERS):
        values = {key: Decimal(column[at]) * times for key, column in MEMBER_BASE.items()}
        chronic = CHRONIC_VISITS[at] * times
        own = {"fund_type": fund, "care_location": "own_alliance", "institution": code, "alliance": "QX"}
        rows += [
            FactRow(
                visit_type="outpatient", fund_payable=fen(values["outpatient_fund"]), drug_cost=fen(values["drug_cost"]),
                settlements=int(values["visits"]) - chronic,
                total_cost=fen(values["outpatient_cost"] - values["chronic_fund"]), **own,
            ),
            FactRow(
                visit_type="chronic", fund_payable=fen(values["chronic_fund"]), settlements=chronic,
                total_cost=fen(values["chronic_fund"]), **own,
            ),
            FactRow(
                visit_type="inpatient", discharges=int(values["discharges"]), bed_days=int(values["bed_days"]),
                fund_payable=fen(inpatient if inpatient and code == LEAD else values["inpatient_fund"]),
                settlements=int(values["discharges"]), total_cost=fen(values["inpatient_cost"]), **own,
                **(_lead_costs(times) if code == LEAD else {}),
            ),
        ]  # fmt: skip
    away = {"fund_type": fund, "visit_type": "inpatient", "institution": "H99020100001", "alliance": "QX"}
    rows += [
        FactRow(care_location=place, outflow_kind=kind, fund_payable=fen(Decimal(wan) * times), discharges=left * times, **away)
        for place, kind, wan, left in OUTFLOW
    ]
    memo = fen(Decimal(BASE["15.1"]) * times)
    rows.append(
        FactRow(fund_type=fund, visit_type="outpatient", care_location="in_county", institution="H99010100031", alliance="QX",
                fund_payable=memo)
    )  # fmt: skip
    return rows


def _lead_costs(times: int) -> dict[str, int]:
    costs = {
        "consumables_cost": "9.2", "exam_cost": "9.3", "treatment_cost": "9.4", "eligible_cost": "9.6",
    }  # fmt: skip
    found = {name: fen(Decimal(BASE[code]) * times) for name, code in costs.items()}
    found["referrals_up"], found["referrals_down"] = int(BASE["14.1"]) * times, int(BASE["14.2"]) * times
    return found
