"""What each member of an alliance was paid for in a year: for all patients of the package, not only its own insured."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from claims.models import CareLocation, MonthlyFact
from claims.reading.package_scope import PackageScope
from claims.reading.sums import set_heads
from core.models import Alliance, Institution
from rules.periods import Month


@dataclass(frozen=True)
class MemberLine:
    """One institution's part of S_in. ``amount`` is fund-payable yuan; costs are yuan, the rest counts."""

    institution: Institution
    amount: Decimal
    settlements: int
    discharges: int
    bed_days: int
    total_cost: Decimal
    drug_cost: Decimal


def member_spending(
    alliance: Alliance,
    year: int,
    fund_type: str,
    scope: PackageScope = PackageScope.DEFAULT,
    through: Month | None = None,
) -> list[MemberLine]:
    """The members that treated the alliance's own insured, highest amount first; their amounts add up to S_in."""
    heads = set_heads({alliance.county_id}, year, through)
    rows = (
        MonthlyFact.objects.filter(
            factset__in=[head.pk for head in heads],
            fund_type=fund_type,
            alliance=alliance,
            care_location=CareLocation.OWN_ALLIANCE,
            visit_type__in=scope.visit_types(fund_type),
        )
        .order_by()
        .values("institution_id")
        .annotate(
            payable=Sum("fund_payable"),
            excluded=Sum("excluded_fund"),
            settlements_sum=Sum("settlements"),
            discharges_sum=Sum("discharges"),
            bed_days_sum=Sum("bed_days"),
            total_cost_sum=Sum("total_cost"),
            drug_cost_sum=Sum("drug_cost"),
        )
    )
    found = {row["institution_id"]: row for row in rows if row["institution_id"] is not None}
    institutions = Institution.objects.in_bulk(found)
    lines = [
        MemberLine(
            institutions[pk],
            row["payable"] - row["excluded"],
            row["settlements_sum"],
            row["discharges_sum"],
            row["bed_days_sum"],
            row["total_cost_sum"],
            row["drug_cost_sum"],
        )
        for pk, row in found.items()
    ]
    return sorted(lines, key=lambda line: (-line.amount, line.institution.code))
