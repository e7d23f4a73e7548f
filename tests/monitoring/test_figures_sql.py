"""The figures against plain SQL over the facts, and against what the other readers of the facts say."""

from decimal import Decimal

import pytest

from claims.reading import PackageScope, fund_year, measures, place_sums
from claims.services import record_factset
from monitoring.reading.figures import figures
from monitoring.reading.places import ref_of
from monitoring.services.computing import compute_county_month
from rules.indicators import INDICATORS, Kind
from rules.indicators.bases import FACT_BASES
from rules.periods import Month
from rules.spans import Span
from tests.monitoring import independent
from tests.monitoring.figures_ground import MARCH, facts, qingxi_rows, row, sister_facts, stored, yunling_rows

D = Decimal
LAST_MARCH = Month(2025, 3)
OF_FACTS = [
    one.key for one in INDICATORS
    if all(base.removeprefix("-") in FACT_BASES for base in (*one.top, *one.bottom))
]  # fmt: skip


def places_of(world):
    return [
        world.qingxi, world.yunling, world.alliance, world.east, world.west, world.lead, world.township, world.village,
        world.outsider, world.east_lead, world.west_lead,
    ]  # fmt: skip


def test_the_second_way_covers_every_indicator_that_needs_facts_alone():
    assert set(OF_FACTS) == {*independent.QUOTIENTS, "spending_growth"}


def test_every_fact_indicator_of_every_place_is_what_plain_sql_gives(world):
    sets = {world.qingxi.pk: facts(world).pk, world.yunling.pk: sister_facts(world).pk}
    for county in (world.qingxi, world.yunling):
        compute_county_month(county, MARCH)
    refs = list(map(ref_of, places_of(world)))
    found = figures(refs, [Span.month(MARCH)], OF_FACTS)
    compared = 0
    for ref in refs:
        for fund in ("RES", "EMP"):
            for key, figure in found[(ref.key, fund, Span.month(MARCH))].items():
                if figure.indicator.kind == Kind.CHANGE:
                    continue
                expected = independent.indicator(key, sets[ref.county], fund, ref.kind, ref.pk)
                assert independent.near(figure.value, expected, figure.indicator.unit == "yuan"), (ref, fund, key)
                compared += figure.value is not None
    assert compared > 150


def test_spending_growth_is_the_quotient_of_two_months_in_plain_sql(world):
    before, now = facts(world, LAST_MARCH), facts(world, MARCH, scale=3)
    for month in (LAST_MARCH, MARCH):
        compute_county_month(world.qingxi, month)
    for place in (world.qingxi, world.alliance, world.lead):
        ref = ref_of(place)
        figure = figures([ref], [Span.month(MARCH)], ["spending_growth"])[(ref.key, "RES", Span.month(MARCH))]
        top, bottom = (independent.charged(found.pk, "RES", ref.kind, ref.pk) for found in (now, before))
        assert independent.near(figure["spending_growth"].value, top / bottom - 1, False)
        assert figure["spending_growth"].value > 1


def test_the_city_is_the_sum_of_its_counties_in_plain_sql(world):
    sets = [facts(world).pk, sister_facts(world).pk]
    compute_county_month(world.qingxi, MARCH)
    compute_county_month(world.yunling, MARCH)
    city = stored(world.area)
    charged = sum(independent.charged(pk, "RES", "county", 0) for pk in sets)
    assert city.charged == charged > 0
    assert city.total_cost * 100 == sum(independent.summed(pk, "RES", "total_cost", independent.HERE) for pk in sets)


@pytest.mark.parametrize(
    "scope",
    [
        PackageScope.DEFAULT,
        PackageScope(out_of_county=False),
        PackageScope(general_outpatient=False, chronic_outpatient=False),
        PackageScope(inpatient=False),
        PackageScope(employee_maternity=True),
    ],
)
def test_charged_and_care_inside_agree_to_the_fen_with_fund_year_and_measures(world, scope):
    qingxi, yunling = facts(world), sister_facts(world)
    scopes = {(alliance.pk, fund): scope for alliance in (world.alliance, world.east, world.west) for fund in ("RES", "EMP")}
    for alliance, factset in ((world.alliance, qingxi), (world.east, yunling), (world.west, yunling)):
        sums = place_sums(factset.pk, scopes).alliances
        for fund in ("RES", "EMP"):
            mine = sums.get((alliance.pk, fund))
            if mine is None:
                continue
            year = fund_year(alliance, 2026, fund, scope, through=MARCH)
            told = measures([alliance], MARCH, scopes)[(alliance.pk, fund)].values
            assert mine["charged"] == year.charged == told["charged"]
            assert mine["fund_in_alliance"] == year.in_alliance and mine["fund_primary"] == year.primary
            for base, key in (
                ("inpatient_cost", "total_cost.inpatient"), ("outpatient_cost", "total_cost.outpatient"),
                ("total_cost", "total_cost"), ("drug_cost", "cost.drug"), ("consumables_cost", "cost.consumables"),
                ("exam_cost", "cost.exam"), ("eligible_cost", "eligible_cost"), ("discharges", "discharges"),
                ("bed_days", "bed_days"), ("visits", "visits"), ("visits_primary", "visits.primary"),
                ("referrals_up", "referrals.up"), ("referrals_down", "referrals.down"),
            ):  # fmt: skip
                assert mine[base] == told[key], (alliance, fund, base)
    assert place_sums(qingxi.pk, scopes).alliances[(world.alliance.pk, "RES")]["charged"] > 0


def test_what_institutions_were_charged_adds_up_to_the_care_inside_the_county(world):
    found = place_sums(sister_facts(world).pk)
    inside = sum(sums["charged"] for (_pk, fund), sums in found.institutions.items() if fund == "RES")
    assert inside == D("58905.00")  # 30000 + 7000 + 20000 + 2500 less one percent emergency; the unassigned 1000 are nobody's
    assert found.county["RES"]["charged"] == D("64845.00")  # and the 6000 of the province, less one percent
    assert found.county["RES"]["fund_all"] == D("65835.00")
    assert found.alliances[(world.east.pk, "RES")]["discharges"] == 9  # care of its own insured at its own members
    assert found.institutions[(world.east_lead.pk, "RES")]["discharges"] == 18
    assert found.institutions[(world.east_lead.pk, "RES")]["fund_all"] is None


def test_in_county_care_outside_the_alliance_is_no_charge_but_stays_in_the_county(world):
    found = place_sums(facts(world).pk)
    mine, outsider = found.alliances[(world.alliance.pk, "RES")], found.institutions[(world.outsider.pk, "RES")]
    assert outsider["charged"] == 0 and outsider["inpatient_cost"] == D("1000.00")
    assert mine["fund_all"] - mine["charged"] == D("605.00")  # 500.00 − 5.00 and 111.11 − 1.11: a percent is emergency care


def test_facts_of_other_schemes_and_insured_of_nobody_reach_no_alliance(world):
    rows = [row("100.00", fund_type="MEMO"), row("200.00", alliance="", care_location="sister_alliance")]
    found = place_sums(record_factset(None, world.qingxi, MARCH, rows, "table").pk)
    assert found.alliances == {}
    assert found.county["RES"]["charged"] == 0 and found.county["RES"]["fund_all"] == D("198.00")
    assert found.billed == {"RES": D("200.07"), "EMP": D("0.00")}


def test_the_facts_of_a_month_are_read_in_one_query(world, django_assert_num_queries):
    factset = record_factset(None, world.qingxi, MARCH, qingxi_rows(), "table").pk
    with django_assert_num_queries(1):
        place_sums(factset)
    other = record_factset(None, world.yunling, MARCH, yunling_rows(), "table").pk
    with django_assert_num_queries(1):
        assert place_sums(other).alliances
