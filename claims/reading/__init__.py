"""What other apps and pages may ask about claims: fund years, series, members, heads, coverage."""

from claims.reading.case_claims import (
    VISIT_CHOICES,
    CaseClaim,
    FoundClaims,
    claims_by_id,
    holds_claims,
    search_claims,
)
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
    insured_by_alliance,
    measure_lines,
    measures,
)
from claims.reading.members import MemberLine, member_spending
from claims.reading.months import HeldMonth, MonthSources, Reported, held_month, month_sources
from claims.reading.package_scope import PackageScope
from claims.reading.place_sums import PlaceSums, nothing, place_sums
from claims.reading.readmissions import Readmissions, Returns, readmissions
from claims.reading.report_years import ReportYear, report_years
from claims.reading.series import MonthDetail, latest_year, months_by_year
from claims.reading.stamps import facts_stamp
from claims.reading.triangle import Newly, Triangle, triangle

__all__ = [
    "MEMBER_KEYS",
    "VISIT_CHOICES",
    "CaseClaim",
    "FoundClaims",
    "FundYear",
    "Heads",
    "HeldMonth",
    "MeasureLine",
    "Measures",
    "MemberLine",
    "MonthCoverage",
    "MonthDetail",
    "MonthSources",
    "PackageScope",
    "PlaceSums",
    "Readmissions",
    "Reported",
    "Returns",
    "Newly",
    "ReportYear",
    "Triangle",
    "claims_by_id",
    "coverage",
    "coverage_of",
    "current_factsets",
    "current_reports",
    "facts_stamp",
    "finding_codes",
    "fund_year",
    "fund_years",
    "held_month",
    "holds_claims",
    "insured_by_alliance",
    "insured_heads",
    "latest_year",
    "measure_lines",
    "measures",
    "member_spending",
    "month_sources",
    "months_by_year",
    "nothing",
    "place_sums",
    "report_years",
    "search_claims",
    "triangle",
    "readmissions",
]
