"""What other apps and pages may ask about claims: fund years, series, members, heads, coverage."""

from claims.reading.coverage import MonthCoverage, coverage, coverage_of
from claims.reading.findings import finding_codes
from claims.reading.funds import FundYear, fund_year, fund_years
from claims.reading.heads import Heads, insured_heads
from claims.reading.measures import (
    MEMBER_KEYS,
    MeasureLine,
    Measures,
    current_factsets,
    current_reports,
    measure_lines,
    measures,
)
from claims.reading.members import MemberLine, member_spending
from claims.reading.package_scope import PackageScope
from claims.reading.series import MonthDetail, latest_year, months_by_year

__all__ = [
    "MEMBER_KEYS",
    "FundYear",
    "Heads",
    "MeasureLine",
    "Measures",
    "MemberLine",
    "MonthCoverage",
    "MonthDetail",
    "PackageScope",
    "coverage",
    "coverage_of",
    "current_factsets",
    "current_reports",
    "finding_codes",
    "fund_year",
    "fund_years",
    "insured_heads",
    "latest_year",
    "measure_lines",
    "measures",
    "member_spending",
    "months_by_year",
]
