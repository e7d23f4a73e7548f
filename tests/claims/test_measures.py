"""The measures of the quarterly table's rows: every key, agreement with the fund year, members, completeness."""

from datetime import date
from decimal import Decimal

import pytest

from claims import reading
from claims.models import FundMonthlyReport
from claims.reading import PackageScope
from claims.reading.measures import COUNTS, KEYS
from claims.services import record_factset
from core.models import TownshipRule
from rules.periods import Month
from submissions.declaration import shipped_table
from tests.claims.facts import fact

MARCH = Month(2026, 3)
D = Decimal
TOWNSHIP, VILLAGE = "H99010100011", "H99010100021"


def march_rows():
    away = {"institution": "H99010200001", "institution_area": "990102", "method": ""}
    return [
        fact("1000.00", "900.00", discharges=1, bed_days=9, drug_cost=20000, tcm_cost=5000, consumables_cost=10000,
             exam_cost=30000, treatment_cost=40000, eligible_cost=150000, personal_account_paid=700),
        fact("50.00", institution=TOWNSHIP, visit_type="outpatient", method="ffs", settlements=3),
        fact("30.00", institution=VILLAGE, visit_type="chronic", method="ffs", settlements=2, referrals_up=1),
        fact("200.00", institution=TOWNSHIP, discharges=2, bed_days=11, settlements=2, referrals_down=2),
        fact("7.00", institution="P99010100099", visit_type="pharmacy", care_location="in_county", method=""),
        fact("300.00", care_location="city", outflow_kind="referred", discharges=1, **away),
        fact("80.00", care_location="outside", outflow_kind="emergency", discharges=1, **away),
        fact("60.00", care_location="province", outflow_kind="self_chosen", **away),
        fact("10.00", care_location="province", outflow_kind="resettled", visit_type="outpatient", **away),
        fact("20.00", "20.00", excluded_fund=2000, visit_type="chronic"),
        fact("400.00", fund_type="EMP"),
        fact("60.00", fund_type="EMP", visit_type="maternity_in"),
        fact("9.00", fund_type="MEMO"),
    ]  # fmt: skip


def quarter(world, rows=None):
    """January and February empty of the first case, March with a row for every part."""
    for month in (1, 2):
        record_factset(world.officer, world.qingxi, Month(2026, month), [fact("1.00", discharges=1)], "table")
    record_factset(world.officer, world.qingxi, MARCH, rows or march_rows(), "table", data_to=date(2026, 3, 31))


def residents(world, scope=PackageScope.DEFAULT):
    key = (world.alliance.pk, "RES")
    return reading.measures([world.alliance], MARCH, {key: scope})[key]


def test_every_key_the_table_names_is_answered():
    named = {row.fact for row in shipped_table().rows if row.fact}
    assert named == {*KEYS, "insured"}
    counted = {row.fact for row in shipped_table().rows if row.fact and row.is_whole}
    assert counted == COUNTS


def test_every_member_column_the_table_sums_is_answered():
    assert {row.member for row in shipped_table().rows if row.member} == set(reading.MEMBER_KEYS)


def test_the_parts_of_a_quarter_add_up(world):
    quarter(world)
    values = residents(world).values
    expected = {
        "charged": "1732.00", "in_alliance": "1282.00", "in_alliance.outpatient": "50.00", "in_alliance.chronic": "30.00",
        "in_alliance.inpatient": "1202.00", "in_alliance.lead": "1002.00", "in_alliance.township": "250.00",
        "in_alliance.village": "30.00", "in_alliance.county_level": "0.00", "in_alliance.other": "0.00",
        "in_alliance.primary": "280.00", "outflow": "450.00", "outflow.referred": "300.00", "outflow.other": "80.00",
        "outflow.self_chosen": "60.00", "outflow.resettled": "10.00", "outflow.sister": "0.00", "outflow.city": "300.00",
        "outflow.province": "70.00", "outflow.outside": "80.00", "visits": "6", "visits.primary": "5", "visits.other": "1",
        "visits.chronic": "3", "discharges": "5", "discharges.primary": "2", "discharges.other": "3",
        "discharges.outside": "2", "bed_days": "20", "total_cost": "2404.00", "total_cost.outpatient": "200.00",
        "total_cost.inpatient": "2204.00", "cost.drug": "250.00", "cost.consumables": "100.00", "cost.exam": "300.00",
        "cost.treatment": "400.00", "cost.other": "1354.00", "eligible_cost": "1500.00", "referrals.up": "1",
        "referrals.down": "2", "memo.non_member": "7.00", "memo.excluded": "20.00", "memo.personal_account": "7.00",
    }  # fmt: skip
    assert {key: value for key, value in values.items() if value != D(expected[key])} == {}
    assert values["in_alliance"] + values["outflow"] == values["charged"]


@pytest.mark.parametrize(
    "scope",
    [
        PackageScope.DEFAULT,
        PackageScope(general_outpatient=False),
        PackageScope(inpatient=False),
        PackageScope(out_of_county=False),
        PackageScope(employee_maternity=True),
    ],
)
@pytest.mark.parametrize("fund_type", ["RES", "EMP"])
def test_amounts_agree_to_the_fen_with_the_fund_year(world, scope, fund_type):
    quarter(world)
    key = (world.alliance.pk, fund_type)
    values = reading.measures([world.alliance], MARCH, {key: scope})[key].values
    year = reading.fund_year(world.alliance, 2026, fund_type, scope, through=MARCH)
    assert (values["charged"], values["in_alliance"], values["outflow"], values["in_alliance.primary"]) == (
        year.charged, year.in_alliance, year.outflow, year.primary,
    )  # fmt: skip
    assert values["outflow.sister"] == year.at_sisters
    assert values["memo.non_member"] == year.in_county_outside
    assert values["memo.excluded"] == year.excluded_emergency


def test_sisters_are_outflow_of_the_responsible_alliance(world):
    rows = [
        fact("10.00", alliance="YL-E", institution="H99010200001", institution_area="990102"),
        fact("3.00", alliance="YL-E", care_location="sister_alliance", institution="H99010200002", discharges=1),
        fact("5.00", alliance="YL-W", institution="H99010200002", institution_area="990102"),
    ]
    record_factset(world.officer, world.yunling, MARCH, rows, "table")
    found = reading.measures([world.east, world.west], MARCH)
    east, west = found[(world.east.pk, "RES")].values, found[(world.west.pk, "RES")].values
    assert (east["outflow.sister"], east["outflow"], east["discharges.outside"]) == (D("3.00"), D("3.00"), D(1))
    assert (west["in_alliance.lead"], west["outflow"]) == (D("5.00"), D("0.00"))


def test_members_add_up_to_the_alliance(world):
    quarter(world)
    found = residents(world)
    assert set(found.members) == {"H99010100001", TOWNSHIP, VILLAGE}
    for column, key in reading.MEMBER_KEYS.items():
        assert sum(member[column] for member in found.members.values()) == found.values[key], column
    assert found.members[TOWNSHIP]["spending"] == D("250.00")


def test_only_months_that_were_all_delivered_are_complete(world):
    quarter(world)
    assert residents(world).is_complete
    assert residents(world).data_to == date(2026, 3, 31)
    april = reading.measures([world.alliance], Month(2026, 4))[(world.alliance.pk, "RES")]
    assert not april.is_complete
    assert april.months_missing == (Month(2026, 4),)
    record_factset(world.officer, world.qingxi, Month(2026, 2), [fact("1.00")], "claims", declared=False)
    assert residents(world).months_missing == (Month(2026, 2),)


def test_insured_heads_come_from_the_report_of_the_last_month(world):
    quarter(world)
    assert "insured" not in residents(world).values
    for county, heads in ((world.qingxi, 1000), (world.yunling, 501)):
        FundMonthlyReport.objects.create(
            county=county, fund_type="RES", year=2026, month=3, version=1, insured_heads=heads, entered_by=world.officer
        )
    found = reading.measures([world.alliance, world.east, world.west], MARCH)
    assert found[(world.alliance.pk, "RES")].values["insured"] == 1000
    east, west = (found[(alliance.pk, "RES")].values["insured"] for alliance in (world.east, world.west))
    assert (east, west) == (301, 200)


def test_heads_that_townships_divide_are_unknown_rather_than_estimated(world):
    TownshipRule.objects.create(
        alliance=world.east, township_code="990102101", township_name="东镇", valid_from=date(2020, 1, 1)
    )
    FundMonthlyReport.objects.create(
        county=world.yunling, fund_type="RES", year=2026, month=3, version=1, insured_heads=501, entered_by=world.officer
    )
    assert "insured" not in reading.measures([world.east], MARCH)[(world.east.pk, "RES")].values


def test_many_alliances_are_measured_with_as_many_queries_as_one(world, django_assert_num_queries):
    quarter(world)
    with django_assert_num_queries(7):
        reading.measures([world.alliance], MARCH)
    with django_assert_num_queries(7):
        reading.measures([world.alliance, world.east, world.west], MARCH)


def test_the_lines_behind_a_key_add_up_to_it(world):
    quarter(world)
    values = residents(world).values
    for key in KEYS:
        lines = reading.measure_lines(world.alliance, "RES", key, MARCH)
        assert sum((line.value for line in lines), D(0)) == values[key], key
    months = [(line.month.month, line.code, line.value) for line in reading.measure_lines(world.alliance, "RES", "in_alliance.lead", MARCH)]
    assert months == [(1, "H99010100001", D("1.00")), (2, "H99010100001", D("1.00")), (3, "H99010100001", D("1000.00"))]


def test_a_place_outside_the_registers_is_shown_by_its_code(world):
    quarter(world, [fact("80.00", care_location="outside", institution="H11010000001", institution_area="110101")])
    [line] = [line for line in reading.measure_lines(world.alliance, "RES", "outflow.outside", MARCH) if line.month == MARCH]
    assert (line.name, line.location_text) == ("H11010000001", "省外")
