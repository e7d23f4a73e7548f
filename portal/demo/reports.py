"""基金月报 of the demonstration: heads, income by source and balances that follow from the same story as the facts.

Residents' own premiums come in from September to February, subsidies in three lots, employers' money every month.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from claims.services.reports import enter_fund_report
from core.models import County, FundType
from portal.demo import facts, story
from portal.demo.people import user
from portal.demo.places import COUNTIES
from portal.demo.story import EMP, RES
from rules.money import from_fen
from rules.periods import Month

REPORTERS = {"990101": "fang.officer", "990102": "tang.officer", "990103": "gao.officer"}
PERSONAL = {2022: 350, 2023: 380, 2024: 400, 2025: 400, 2026: 415, 2027: 430}
SUBSIDY = {2022: 610, 2023: 640, 2024: 670, 2025: 700, 2026: 715}
EMPLOYER = {2022: 2210, 2023: 2345, 2024: 2470, 2025: 2590, 2026: 2685}
"""Yuan a head and year."""
PREMIUM_MONTHS = {1: 5, 2: 3, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 20, 10: 26, 11: 22, 12: 18}
SUBSIDY_MONTHS = {1: 40, 5: 35, 9: 25}
CRITICAL_ILLNESS = {RES: 85, EMP: 52}
OPENING = {
    ("990101", RES): 168_204_771, ("990101", EMP): 131_560_308, ("990102", RES): 341_907_265,
    ("990102", EMP): 262_118_940, ("990103", RES): 297_350_112, ("990103", EMP): 173_441_587,
}  # fmt: skip
"""Accumulated balance at the end of 2021 in yuan."""

Values = dict[str, int | Decimal]


@cache
def all_reports() -> dict[tuple[str, str, Month], Values]:
    """Every report of the story by county, fund and month; balances run on from month to month."""
    found: dict[tuple[str, str, Month], Values] = {}
    for county in COUNTIES:
        for fund in story.FUNDS:
            balance = OPENING[(county.code, fund)] * 100
            heads_2021 = county.insured[0 if fund == RES else 1]
            for month in story.MONTHS:
                values, change = _values(county.code, fund, month, heads_2021, balance)
                balance += change
                found[(county.code, fund, month)] = values
    return found


def report(county_code: str, month: Month) -> None:
    """Enter both funds' reports of a county and month."""
    county = County.objects.select_related("pooling_area").get(code=county_code)
    actor = user(REPORTERS[county_code])
    for fund in story.FUNDS:
        enter_fund_report(actor, county, FundType(fund), month, all_reports()[(county_code, fund, month)])


def _values(county: str, fund: str, month: Month, heads_2021: int, balance: int) -> tuple[Values, int]:
    passed = (month.year - 2022) * 12 + month.month
    heads = round(heads_2021 * (1 + (-0.00017 if fund == RES else 0.0006) * passed))
    income = _income(fund, month, heads, balance)
    spent = facts.spent(facts.month_rows(county, month), fund)
    illness = heads * CRITICAL_ILLNESS[fund] * 100 if month.month == 3 else 0
    allowance = heads * 620 if fund == EMP else 0
    change = sum(income.values()) - spent - illness - allowance
    values: Values = {
        "insured_heads": heads,
        "resettled_heads": heads * (21 if fund == RES else 34) // 1000,
        **{name: from_fen(fen) for name, fen in income.items()},
        "balance_current": from_fen(change),
        "balance_accumulated": from_fen(balance + change),
    }
    if illness:
        values["spending_critical_illness"] = from_fen(illness)
    if fund == EMP:
        values["retired_heads"] = heads * 271 // 1000
        values["spending_maternity_allowance"] = from_fen(allowance)
    else:
        registered = heads * 94 // 1000
        values["family_doctor_contracts"] = heads * (430 + 3 * passed) // 1000
        values["hypertension_registered"] = registered
        values["hypertension_managed"] = registered * (701 + 2 * passed) // 1000
        values["diabetes_registered"] = registered * 3 // 10
        values["diabetes_managed"] = registered * 3 // 10 * (664 + 2 * passed) // 1000
        values["procurement_committed"] = from_fen(spent * 74 // 1000)
        values["procurement_bought"] = from_fen(spent * (68 + passed % 9) // 1000)
    return values, change


def _income(fund: str, month: Month, heads: int, balance: int) -> dict[str, int]:
    interest = max(balance, 0) * 42 // 10_000 if month.month in (3, 6, 9, 12) else 0
    if fund == EMP:
        return {"income_employer": heads * EMPLOYER[month.year] * 100 // 12, "income_interest": interest}
    year = month.year + 1 if month.month >= 9 else month.year
    return {
        "income_personal": heads * PERSONAL[year] * PREMIUM_MONTHS[month.month],
        "income_subsidy": heads * SUBSIDY[month.year] * SUBSIDY_MONTHS.get(month.month, 0),
        "income_interest": interest,
    }
