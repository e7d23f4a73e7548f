"""Every fact indicator a second time, in plain SQL and written apart from what computes the figures.

An indicator is a quotient of two lists of (what is summed, of which care). The care a place is known by is a condition;
both databases sum whole fen, the division happens once at the end.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection

INPATIENT = "visit_type IN ('inpatient', 'maternity_in')"
OUTPATIENT = "visit_type IN ('outpatient', 'chronic', 'pharmacy', 'maternity_out')"
PRIMARY = "institution_kind IN ('township', 'community', 'village')"
AWAY = "care_location IN ('city', 'province', 'outside')"
HERE = "care_location IN ('own_alliance', 'sister_alliance', 'in_county')"
FUND = "fund_payable - excluded_fund"
INSIDE, INSURED = "inside", "insured"
"""Of care given in the place, or of its insured wherever they went."""

Part = tuple[str, str, str]
QUOTIENTS: dict[str, tuple[Part, Part]] = {
    "inpatient_average": (("total_cost", INSIDE, INPATIENT), ("discharges", INSIDE, INPATIENT)),
    "outpatient_average": (("total_cost", INSIDE, OUTPATIENT), ("settlements", INSIDE, OUTPATIENT)),
    "length_of_stay": (("bed_days", INSIDE, INPATIENT), ("discharges", INSIDE, INPATIENT)),
    "daily_cost": (("total_cost", INSIDE, INPATIENT), ("bed_days", INSIDE, INPATIENT)),
    "in_county_rate": (("discharges", INSURED, f"{INPATIENT} AND {HERE}"), ("discharges", INSURED, INPATIENT)),
    "referred_out": (("discharges", INSURED, f"{INPATIENT} AND {AWAY}"), ("discharges", INSURED, INPATIENT)),
    "unregistered_out": (
        ("discharges", INSURED, f"{INPATIENT} AND {AWAY} AND outflow_kind = 'self_chosen'"),
        ("discharges", INSURED, f"{INPATIENT} AND {AWAY}"),
    ),
    "in_county_fund": ((FUND, INSURED, HERE), (FUND, INSURED, "1 = 1")),
    "primary_share": (
        (FUND, INSURED, f"care_location = 'own_alliance' AND {PRIMARY}"), (FUND, INSURED, "care_location = 'own_alliance'"),
    ),
    "primary_visits": (("settlements", INSIDE, f"{OUTPATIENT} AND {PRIMARY}"), ("settlements", INSIDE, OUTPATIENT)),
    "reimbursement": (("pooled_fund_paid + serious_illness_paid", INSIDE, "1 = 1"), ("total_cost", INSIDE, "1 = 1")),
    "policy_reimbursement": (("pooled_fund_paid + serious_illness_paid", INSIDE, "1 = 1"), ("eligible_cost", INSIDE, "1 = 1")),
    "non_covered": (("non_covered_cost", INSIDE, "1 = 1"), ("total_cost", INSIDE, "1 = 1")),
    "own_burden": (("personal_account_paid + cash_paid", INSIDE, "1 = 1"), ("total_cost", INSIDE, "1 = 1")),
    "drug_share": (("drug_cost + tcm_cost", INSIDE, "1 = 1"), ("total_cost", INSIDE, "1 = 1")),
    "consumables_share": (("consumables_cost", INSIDE, "1 = 1"), ("total_cost", INSIDE, "1 = 1")),
    "exam_share": (("exam_cost", INSIDE, "1 = 1"), ("total_cost", INSIDE, "1 = 1")),
    "cmi": (("weight_sum", INSIDE, "1 = 1"), ("grouped_cases * 10000", INSIDE, "1 = 1")),
    "grouping_rate": (("grouped_cases", INSIDE, "1 = 1"), ("groupable_cases", INSIDE, "1 = 1")),
    "referral_ratio": (("referrals_up", INSIDE, "1 = 1"), ("referrals_down", INSIDE, "1 = 1")),
}  # fmt: skip
YUAN = {"inpatient_average", "outpatient_average", "daily_cost"}
MATERNITY = "AND visit_type NOT LIKE 'maternity%'"
CHARGED = "care_location <> 'in_county' AND alliance_id IS NOT NULL"


def cares(kind: str, pk: int) -> dict[str, str]:
    """The two conditions of a place. An institution has no insured."""
    if kind == "institution":
        here = f"institution_id = {pk} AND {HERE}"
        return {INSIDE: here, INSURED: here}
    if kind == "alliance":
        return {INSIDE: f"alliance_id = {pk} AND care_location = 'own_alliance'", INSURED: f"alliance_id = {pk}"}
    return {INSIDE: HERE, INSURED: "1 = 1"}


def summed(factset: int, fund: str, what: str, where: str) -> int:
    """Whole fen or cases of one fact set, employees' maternity left out."""
    maternity = MATERNITY if fund == "EMP" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COALESCE(SUM({what}), 0) FROM claims_monthlyfact"
            f" WHERE factset_id = {factset} AND fund_type = '{fund}' AND {where} {maternity}".replace("%", "%%"), []
        )  # fmt: skip
        return int(cursor.fetchone()[0])


def indicator(key: str, factset: int, fund: str, kind: str, pk: int) -> Decimal | None:
    """None where the denominator is not above zero."""
    (what, care, where), (what_below, care_below, where_below) = QUOTIENTS[key]
    places = cares(kind, pk)
    above = summed(factset, fund, what, f"{places[care]} AND {where}")
    below = summed(factset, fund, what_below, f"{places[care_below]} AND {where_below}")
    if below <= 0:
        return None
    if key in YUAN:
        above = Decimal(above) / 100  # type: ignore[assignment]
    return Decimal(above) / Decimal(below)


def charged(factset: int, fund: str, kind: str, pk: int) -> Decimal:
    """What packages were charged for a place's insured, for an institution: for care there."""
    care = cares(kind, pk)[INSURED]
    return Decimal(summed(factset, fund, FUND, f"{care} AND {CHARGED}")) / 100


def near(value: Any, expected: Decimal | None, money: bool) -> bool:
    """Equal but for the one rounding of the figure."""
    if value is None or expected is None:
        return value is expected
    step = Decimal("0.005") if money else Decimal("0.00000051")
    return bool(abs(value - expected) <= step)
