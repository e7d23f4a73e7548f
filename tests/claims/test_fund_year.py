"""S_in, X, T and the memos of a fund year, and the measure they came from."""

from datetime import date
from decimal import Decimal

import pytest

from claims import reading
from claims.models import OpenReject
from claims.reading import PackageScope
from claims.services import record_factset
from rules.periods import Month
from tests.claims.facts import fact

AUGUST, SEPTEMBER = Month(2026, 8), Month(2026, 9)
D = Decimal


@pytest.fixture
def september(world):
    """A month of Qingxi's insured with a row for every part of the sum."""
    rows = [
        fact("1000.00", "900.00"),
        fact("50.00", institution="H99010100011", visit_type="outpatient", method="ffs"),
        fact("7.00", institution="P99010100099", visit_type="pharmacy", care_location="in_county", method=""),
        fact("300.00", care_location="city", institution="H99010200001", institution_area="990102", method=""),
        fact("80.00", care_location="outside", institution="H11010000001", institution_area="110101", method=""),
        fact("20.00", "20.00", excluded_fund=2000, visit_type="chronic"),
        fact("400.00", fund_type="EMP"),
        fact("60.00", fund_type="EMP", visit_type="maternity_in"),
        fact("40.00", visit_type="maternity_in", method="ffs"),
        fact("9.00", fund_type="MEMO"),
    ]
    return record_factset(world.officer, world.qingxi, SEPTEMBER, rows, "table", data_to=date(2026, 9, 30))


def test_the_parts_of_a_year_stand_apart_and_add_up(world, september):
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert year.in_alliance == D("1090.00")  # 1000 + 50 + 40: residents' maternity is inside, the emergency is not
    assert year.out_of_county == D("380.00")
    assert year.at_sisters == D("0.00")
    assert year.outflow == D("380.00")
    assert year.charged == D("1470.00")
    assert year.primary == D("50.00")
    assert year.in_county_outside == D("7.00")
    assert year.excluded_emergency == D("20.00")
    assert year.billed_in_alliance == D("990.00")
    assert year.county_total == D("1497.00")
    assert year.charged + year.in_county_outside + year.excluded_emergency + year.out_of_scope == year.county_total


def test_employees_maternity_counts_only_with_its_flag(world, september):
    assert reading.fund_year(world.alliance, 2026, "EMP").charged == D("400.00")
    with_maternity = PackageScope(employee_maternity=True)
    assert reading.fund_year(world.alliance, 2026, "EMP", with_maternity).charged == D("460.00")


@pytest.mark.parametrize(
    ("scope", "charged"),
    [
        (PackageScope(general_outpatient=False), "1420.00"),
        (PackageScope(inpatient=False), "90.00"),
        (PackageScope(out_of_county=False), "1090.00"),
        (PackageScope(chronic_outpatient=False), "1470.00"),
    ],
)
def test_what_the_scope_leaves_out_is_not_charged(world, september, scope, charged):
    year = reading.fund_year(world.alliance, 2026, "RES", scope)
    assert year.charged == D(charged)
    assert year.charged + year.in_county_outside + year.excluded_emergency + year.out_of_scope == year.county_total


def test_sister_alliances_are_charged_for_their_insured_and_paid_for_others(world):
    at_west = {"institution": "H99010200002", "institution_area": "990102"}
    rows = [
        fact("10.00", alliance="YL-E", institution="H99010200001", institution_area="990102"),
        fact("3.00", alliance="YL-E", care_location="sister_alliance", **at_west),
        fact("5.00", alliance="YL-W", **at_west),
    ]
    record_factset(world.officer, world.yunling, SEPTEMBER, rows, "table")
    east, west = (reading.fund_year(alliance, 2026, "RES") for alliance in (world.east, world.west))
    assert (east.in_alliance, east.at_sisters, east.charged, east.treated_for_sisters) == (
        D("10.00"), D("3.00"), D("13.00"), D("0.00"),
    )  # fmt: skip
    assert (west.in_alliance, west.at_sisters, west.charged, west.treated_for_sisters) == (
        D("5.00"), D("0.00"), D("5.00"), D("3.00"),
    )  # fmt: skip
    assert east.county_total == west.county_total == D("18.00")


@pytest.mark.parametrize(
    ("rows", "measure"),
    [
        ([("5.00", None, "drg"), ("6.00", None, "ffs")], "pooled_fund_paid"),
        ([("5.00", "4.00", "drg"), ("6.00", None, "ffs")], "fund_payable"),
        ([("5.00", "4.00", "drg"), ("6.00", None, "dip")], "mixed"),
    ],
)
def test_the_measure_behind_the_sum_is_named(world, rows, measure):
    facts = [fact(payable, billed, method=method) for payable, billed, method in rows]
    record_factset(world.officer, world.qingxi, SEPTEMBER, facts, "table")
    assert reading.fund_year(world.alliance, 2026, "RES").measure == measure


def test_missing_months_are_named_and_a_month_of_late_claims_only_is_missing(world, september):
    record_factset(world.officer, world.qingxi, AUGUST, [fact("11.00")], "claims", declared=False)
    year = reading.fund_year(world.alliance, 2026, "RES", through=SEPTEMBER)
    assert year.months_present == (SEPTEMBER,)
    assert AUGUST in year.months_missing and len(year.months_missing) == 8
    assert year.data_to == date(2026, 9, 30)
    assert year.in_alliance == D("1101.00")  # the late claims are charged although their month is incomplete


def test_a_year_read_through_a_month_stops_there(world, september):
    record_factset(world.officer, world.qingxi, Month(2026, 10), [fact("500.00")], "table")
    assert reading.fund_year(world.alliance, 2026, "RES", through=SEPTEMBER).in_alliance == D("1090.00")
    assert reading.fund_year(world.alliance, 2026, "RES").in_alliance == D("1590.00")


def test_frozen_fact_sets_give_the_same_sums_after_a_later_version(world, september):
    before = reading.fund_year(world.alliance, 2026, "RES")
    record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("1.00")], "table")
    assert reading.fund_year(world.alliance, 2026, "RES").charged == D("1.00")
    again = reading.fund_year(world.alliance, 2026, "RES", frozen_factsets=before.factsets)
    assert again == before


def test_the_fingerprint_follows_the_inputs(world, september):
    first = reading.fund_year(world.alliance, 2026, "RES")
    assert reading.fund_year(world.alliance, 2026, "RES").fingerprint == first.fingerprint
    record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("1.00")], "table")
    assert reading.fund_year(world.alliance, 2026, "RES").fingerprint != first.fingerprint


def test_many_alliances_are_read_with_as_many_queries_as_one(world, september, django_assert_num_queries):
    alone = reading.fund_year(world.alliance, 2026, "RES")
    with django_assert_num_queries(3):
        years = reading.fund_years([world.alliance, world.east, world.west], 2026)
    assert years[(world.alliance.pk, "RES")] == alone
    assert years[(world.alliance.pk, "EMP")].charged == D("400.00")
    assert years[(world.east.pk, "RES")].charged == D("0.00")
    with django_assert_num_queries(3):
        reading.fund_year(world.alliance, 2026, "RES")


def test_the_months_of_a_series_add_up_to_the_year(world, september):
    record_factset(world.officer, world.qingxi, AUGUST, [fact("11.00"), fact("2.00", care_location="city")], "table")
    series = reading.months_by_year([world.alliance], 2026, 2026)[(world.alliance.pk, "RES")]
    assert [(point.month, point.in_alliance, point.out_of_county) for point in series] == [
        (AUGUST, D("11.00"), D("2.00")),
        (SEPTEMBER, D("1090.00"), D("380.00")),
    ]
    assert sum(point.charged for point in series) == reading.fund_year(world.alliance, 2026, "RES").charged


def test_the_members_add_up_to_what_was_spent_inside(world, september):
    lines = reading.member_spending(world.alliance, 2026, "RES")
    assert [(line.institution, line.amount) for line in lines] == [(world.lead, D("1040.00")), (world.township, D("50.00"))]
    assert sum(line.amount for line in lines) == reading.fund_year(world.alliance, 2026, "RES").in_alliance


def test_scope_flags_survive_storage_in_a_package(world):
    scope = PackageScope(out_of_county=False, employee_maternity=True)
    assert PackageScope.from_json(scope.as_json()) == scope
    with pytest.raises(TypeError):
        PackageScope.from_json({"dental": True})


def test_no_open_rejects_means_a_share_of_nought(world, september):
    assert not OpenReject.objects.exists()
    assert reading.fund_year(world.alliance, 2026, "RES").open_reject_share == 0
