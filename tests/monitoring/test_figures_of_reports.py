"""What stands in the 基金月报 alone is known without the month's claims; what comes out of claims still waits for them."""

from decimal import Decimal

import pytest

from monitoring.models import Warning
from monitoring.reading.collection import latest_month
from monitoring.reading.figures import figures, needs_claims
from monitoring.reading.places import ref_of
from monitoring.services.computing import compute_county_month
from monitoring.services.distress import judge_distress
from rules.indicators import INDICATORS
from rules.periods import Month
from rules.spans import Span
from tests.monitoring.figures_ground import MARCH, facts, report, stored
from tests.monitoring.warning_ground import JULY, funds_row

D = Decimal
KEYS = ("current_balance_rate", "contracted", "two_diseases", "inpatient_average", "execution")
pytestmark = pytest.mark.django_db


def read(world, keys=KEYS, month=MARCH):
    place, span = ref_of(world.qingxi), Span.month(month)
    return figures([place], [span], keys, ["RES"])[(place.key, "RES", span)]


def reported(world, **values):
    report(
        world.qingxi, income_employer=D("1000.00"), balance_current=D("-50.00"), family_doctor_contracts=90_000,
        hypertension_registered=100, hypertension_managed=60, diabetes_registered=100, diabetes_managed=80, **values,
    )  # fmt: skip


def test_without_facts_the_figures_of_the_report_are_shown_and_those_of_claims_are_not(world):
    reported(world)
    compute_county_month(world.qingxi, MARCH)
    assert not stored(world.qingxi).declared
    found = read(world)
    assert found["two_diseases"].value == D("0.7") and found["contracted"].value is not None
    assert found["current_balance_rate"].value is not None
    assert found["inpatient_average"].missing == found["execution"].missing.replace("2026-01、2026-02、", "")
    assert "2026-03 数据尚未接入" in found["inpatient_average"].missing


def test_a_month_without_any_report_is_still_missing_by_name(world):
    found = read(world)
    assert all(figure.value is None and "2026-03 数据尚未接入" in figure.missing for figure in found.values())


def test_facts_that_are_not_whole_do_not_enter_the_spending(world):
    facts(world, declared=False)
    report(world.qingxi, spending_critical_illness=D("100.00"))
    compute_county_month(world.qingxi, MARCH)
    assert stored(world.qingxi).fund_spending is None
    assert read(world)["current_balance_rate"].value is None


def test_facts_that_are_not_whole_hide_nothing_the_report_says(world):
    facts(world, declared=False)
    reported(world)
    compute_county_month(world.qingxi, MARCH)
    found = read(world)
    assert found["two_diseases"].value == D("0.7") and found["inpatient_average"].value is None


def test_indicators_that_touch_claims_anywhere_wait_for_them():
    free = {one.key for one in INDICATORS if not needs_claims(one.key)}
    assert free == {
        "current_balance_rate", "payable_months", "income_change", "insured_change", "enrolment", "prepaid_rate",
        "two_diseases", "contracted", "refusal", "recovery", "tips_closed_rate", "tips_in_time_rate", "procurement",
    }  # fmt: skip


def test_distress_is_judged_by_the_reports_and_not_put_off_for_the_claims(world):
    for number in range(1, 8):
        funds_row(world.qingxi, Month(2026, number), 100, 120, declared=False)
    found = judge_distress(world.qingxi, "EMP", JULY)
    assert found is not None and found.level and found.balance == D(-140)
    assert not Warning.objects.exists()


def test_the_watch_over_collection_opens_with_the_newest_report(world):
    funds_row(world.qingxi, JULY, 100, 90, declared=False)
    assert latest_month(world.officer) == JULY
