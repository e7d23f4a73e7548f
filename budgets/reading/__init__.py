"""What other apps and pages may ask about packages, prepayments, other payments and allocations."""

from budgets.reading.packages import (
    PackageInForce,
    approved_at,
    member_allocations,
    member_quotas,
    package_in_force,
    packages_in_force,
)
from budgets.reading.prepayments import (
    PrepaidMonth,
    PrepaymentYear,
    monthly_ratio,
    other_payments,
    prepaid,
    prepaid_of,
    prepayment_year,
    reserve_withheld,
)
from budgets.reading.projection import Projection, project

__all__ = [
    "PackageInForce",
    "PrepaidMonth",
    "PrepaymentYear",
    "Projection",
    "approved_at",
    "member_allocations",
    "member_quotas",
    "monthly_ratio",
    "other_payments",
    "package_in_force",
    "packages_in_force",
    "prepaid",
    "prepaid_of",
    "prepayment_year",
    "project",
    "reserve_withheld",
]
