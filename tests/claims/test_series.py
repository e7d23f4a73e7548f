"""Months of several years at once say the same as the fund year of each."""

from datetime import date
from decimal import Decimal

from claims.reading import PackageScope, fund_year, latest_year, months_by_year
from rules.periods import Month
from tests.portal.year import month_of_facts, years_of_facts

D = Decimal


def test_the_months_of_a_year_add_up_to_the_fund_year(world):
    years_of_facts(world, {2025: 90, 2026: 100}, through=3)
    found = months_by_year([world.alliance], 2025, 2026)[(world.alliance.pk, "RES")]
    for year in (2025, 2026):
        mine = [month for month in found if month.month.year == year]
        whole = fund_year(world.alliance, year, "RES")
        assert sum(month.charged for month in mine) == whole.charged > 0
        assert sum(month.in_alliance for month in mine) == whole.in_alliance
        assert sum(month.outflow for month in mine) == whole.outflow
        assert sum(month.primary for month in mine) == whole.primary > 0
        assert sum(month.settlements for month in mine) == whole.settlements


def test_what_the_package_does_not_cover_stays_out_of_the_months(world):
    month_of_facts(world, Month(2026, 1))
    scope = PackageScope(general_outpatient=False, out_of_county=False)
    key = (world.alliance.pk, "RES")
    month = months_by_year([world.alliance], 2026, 2026, {key: scope})[key][0]
    assert month.charged == fund_year(world.alliance, 2026, "RES", scope).charged
    assert month.outflow == 0


def test_a_month_whose_data_end_early_says_that_it_is_not_complete(world):
    month_of_facts(world, Month(2026, 1))
    month_of_facts(world, Month(2026, 2), data_to=date(2026, 2, 20))
    found = months_by_year([world.alliance], 2026, 2026)[(world.alliance.pk, "RES")]
    assert [month.is_complete for month in found] == [True, False]


def test_any_number_of_alliances_and_years_takes_two_queries_and_later_one(world, django_assert_num_queries):
    years_of_facts(world, {2025: 37, 2026: 41}, through=2)  # read by no other test, so not kept yet
    places = [world.alliance, world.east, world.west]
    with django_assert_num_queries(2):
        before = months_by_year(places, 2022, 2026)
    with django_assert_num_queries(1):
        assert months_by_year(places, 2022, 2026) == before


def test_a_new_version_of_a_month_is_seen_at_once(world):
    key = (world.alliance.pk, "RES")
    month_of_facts(world, Month(2026, 1), 100)
    before = months_by_year([world.alliance], 2026, 2026)[key][0]
    month_of_facts(world, Month(2026, 1), 110)
    after = months_by_year([world.alliance], 2026, 2026)[key][0]
    assert after.charged == before.charged * 110 / 100


def test_the_latest_year_with_data_is_that_of_the_alliances_own_counties(world):
    assert latest_year([world.alliance], 2026) is None
    years_of_facts(world, {2025: 90, 2026: 100}, through=2)
    assert latest_year([world.alliance], 2026) == 2026
    assert latest_year([world.alliance], 2025) == 2025
    assert latest_year([world.east], 2026) is None
