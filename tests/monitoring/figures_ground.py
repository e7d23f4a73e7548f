"""Facts, reports and packages that the tests of the figures stand on; the sums can be followed by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from budgets.models import AllocationVersion, MemberAllocation, Package, PackageVersion, RevenueGrowth
from claims.models import FundMonthlyReport
from claims.services import FactRow, record_factset
from core.models import County, StoredFile
from monitoring.models import PlaceMonth
from rules.money import to_fen
from rules.periods import Month
from submissions.models import AcceptedFigure, Assignment, Submission
from submissions.services.tables import TABLE

D = Decimal
MARCH = Month(2026, 3)


def fen(text: str) -> int:
    return to_fen(D(text))


def row(payable: str, **grain: Any) -> FactRow:
    """An inpatient row of Qingxi's residents in the lead hospital, every measure filled, unless told otherwise."""
    amount = fen(payable)
    values: dict[str, Any] = {
        "fund_type": "RES", "visit_type": "inpatient", "care_location": "own_alliance", "institution": "H99010100001",
        "institution_area": "990101", "alliance": "QX", "method": "drg", "settlements": 10, "discharges": 9, "bed_days": 70,
        "total_cost": amount * 2, "drug_cost": amount // 4, "tcm_cost": amount // 10, "consumables_cost": amount // 5,
        "exam_cost": amount // 8, "treatment_cost": amount // 9, "eligible_cost": amount + amount // 2,
        "non_covered_cost": amount // 20, "pooled_fund_paid": amount + 7, "fund_payable": amount,
        "serious_illness_paid": amount // 50, "personal_account_paid": amount // 40, "cash_paid": amount // 3,
        "weight_sum": 95_000, "groupable_cases": 9, "grouped_cases": 8, "referrals_up": 2, "referrals_down": 1,
        "excluded_fund": amount // 100,
    }  # fmt: skip
    if grain.get("visit_type", "inpatient") not in ("inpatient", "maternity_in"):
        values.update(discharges=0, bed_days=0, weight_sum=0, groupable_cases=0, grouped_cases=0)
    values.update(grain)
    return FactRow(**values)


TOWNSHIP, VILLAGE, OUTSIDER = "H99010100011", "H99010100021", "H99010100031"
EAST, WEST = "H99010200001", "H99010200002"


def qingxi_rows(scale: int = 1) -> list[FactRow]:
    """One alliance: every care location, both funds, what the package leaves out."""
    def of(payable: str, **grain: Any) -> FactRow:
        return row(str(D(payable) * scale), **grain)

    return [
        of("60000.01"),
        of("9000.50", institution=TOWNSHIP, settlements=60),
        of("3000.33", institution=VILLAGE, visit_type="outpatient", settlements=200),
        of("1200.00", institution=TOWNSHIP, visit_type="chronic", settlements=30),
        of("500.00", institution=OUTSIDER, care_location="in_county", method="ffs"),
        of("111.11", institution=OUTSIDER, care_location="in_county", visit_type="outpatient"),
        of("20000.00", institution="", institution_area="990102", care_location="city", outflow_kind="referred"),
        of("8000.00", institution="", institution_area="360000", care_location="province", outflow_kind="self_chosen"),
        of("4000.00", institution="", institution_area="110000", care_location="outside"),
        of("700.00", fund_type="EMP", visit_type="maternity_in"),
        of("5000.00", fund_type="EMP"),
        of("900.00", fund_type="EMP", visit_type="pharmacy", institution=TOWNSHIP),
        of("333.00", fund_type="RES", visit_type="maternity_in"),
        of("50.00", fund_type="MEMO"),
    ]  # fmt: skip


def yunling_rows() -> list[FactRow]:
    """Two alliances that treat each other's insured, and insured nobody answers for."""
    home = {"institution_area": "990102"}
    return [
        row("30000.00", alliance="YL-E", institution=EAST, **home),
        row("7000.00", alliance="YL-E", institution=WEST, care_location="sister_alliance", **home),
        row("20000.00", alliance="YL-W", institution=WEST, **home),
        row("2500.00", alliance="YL-W", institution=EAST, care_location="sister_alliance", visit_type="outpatient", **home),
        row("1000.00", alliance="", institution=EAST, care_location="sister_alliance", **home),
        row("6000.00", alliance="YL-W", institution="", institution_area="360000", care_location="province"),
    ]


def facts(world: Any, month: Month = MARCH, scale: int = 1, **given: Any) -> Any:
    return record_factset(None, world.qingxi, month, qingxi_rows(scale), "table", **given)


def sister_facts(world: Any, month: Month = MARCH) -> Any:
    return record_factset(None, world.yunling, month, yunling_rows(), "table")


def report(county: County, month: Month = MARCH, fund: str = "RES", version: int = 1, **values: Any) -> FundMonthlyReport:
    """A current report; a second version replaces the first."""
    at = {"county": county, "fund_type": fund, "year": month.year, "month": month.month}
    FundMonthlyReport.objects.filter(**at).update(current=False)
    given = {"insured_heads": 540_001, "income_personal": D("1000.00"), "income_subsidy": D("90000.00"),
             "balance_accumulated": D("500000.00"), **values}  # fmt: skip
    return FundMonthlyReport.objects.create(**at, version=version, **given)


def package(
    world: Any, total: str = "1200000.00", decided_on: date = date(2026, 1, 10), alliance: Any = None, year: int = 2026,
    fund: str = "RES", decided_at: datetime | None = None, **flags: Any,
) -> PackageVersion:
    """A package version in force; ``flags`` narrow its scope. A second one adjusts the first."""
    at = {"pooling_area": world.area, "fund_type": fund, "year": year}
    growth = RevenueGrowth.objects.filter(**at).first() or RevenueGrowth.objects.create(
        **at, growth=D("0.06"), like_for_like="无变化", document_title="预算", entered_by=world.officer,
        evidence=StoredFile.objects.create(name=f"预算{fund}{year}.pdf", sha256="0" * 64, size=1, uploaded_by=world.officer),
    )
    held, _new = Package.objects.get_or_create(alliance=alliance or world.alliance, year=year, fund_type=fund)
    yuan, nought = D(total), D("0")
    return PackageVersion.objects.create(
        package=held, number=held.versions.count() + 1, state="approved", policy_version=world.scheme, growth=growth,
        base_in_alliance=yuan, base_out_of_county=nought, last_year_base=yuan, mean_growth=nought, volume_allowance=nought,
        growth_cap=nought, applied_growth=nought, ceiling=yuan, suggested=yuan, total=yuan, in_alliance=yuan, out_of_county=nought,
        prepared_by=world.officer, prepared_at=timezone.now(), submitted_by=world.officer, decided_by=world.reviewer,
        decided_at=decided_at or timezone.now(), decided_on=decided_on, **flags,
    )


def quota(world: Any, version: PackageVersion, institution: Any, amount: str) -> None:
    """An approved allocation that names one member."""
    made = AllocationVersion.objects.create(
        package=version.package, package_version=version, number=version.package.allocations.count() + 1, state="approved",
        total=D(amount), prepared_by=world.officer, prepared_at=timezone.now(), decided_at=timezone.now(),
    )
    MemberAllocation.objects.create(version=made, institution=institution, amount=D(amount), is_quota=True)


def table(world: Any, period: str, cells: dict[str, str], fund: str = "RES") -> Submission:
    """An accepted quarterly table of Qingxi with these cells (yuan)."""
    assignment = Assignment.objects.create(
        alliance=world.alliance, period=period, table=TABLE, due_on=date(2026, 12, 31),
    )
    made = Submission.objects.create(
        assignment=assignment, number=1, state="accepted", kind="workbook", receipt=f"R-{period}", uploaded_at=timezone.now(),
        uploaded_by=world.hospital, decided_by=world.officer, decided_at=timezone.now(),
    )
    for key, amount in cells.items():
        AcceptedFigure.objects.create(submission=made, fund_type=fund, key=key, amount=D(amount))
    return made


def stored(place: Any, fund: str = "RES", month: Month = MARCH) -> PlaceMonth:
    """The current row of a place."""
    from monitoring.reading.places import ref_of

    return PlaceMonth.objects.current().get(place=ref_of(place).key, fund_type=fund, year=month.year, month=month.month)
