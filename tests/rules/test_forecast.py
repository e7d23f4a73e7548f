"""The projection on histories small enough to redo by hand."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from rules.forecast import (
    ACTUAL,
    COMPLETED,
    MISSING,
    PROJECTED,
    Errors,
    ForecastError,
    History,
    baseline,
    pools_of,
    project,
    replay,
)
from rules.forecast.development import develop
from rules.forecast.estimate import usual_growth
from rules.forecast.festival import festival_share
from rules.forecast.history import index_of
from rules.forecast.season import Season, festival_dip, fit, median
from rules.histories import FactRow
from rules.periods import Month, months_between

D = Decimal
IN, OUT = "in_alliance", "out_of_county"
AMOUNTS = (90, 95, 100, 105, 110)


def row(settled: Month, yuan: str | int, part: str = IN, late: int = 0, count: int = 1, place: str = "甲") -> FactRow:
    return FactRow("市", place, "RES", settled, settled.plus(late), part, "inpatient", count, D(yuan))


def flat(first: str, last: str, yuan: str | int = 100, part: str = IN, place: str = "甲") -> list[FactRow]:
    months = months_between(Month.parse(first), Month.parse(last))
    return [row(month, yuan, part, place=place) for month in months]


def late(first: str, last: str, shares: Iterable[int] = (50, 30, 20), place: str = "甲") -> list[FactRow]:
    """Out-of-county months of 100, known in these parts."""
    months = months_between(Month.parse(first), Month.parse(last))
    return [row(month, part, OUT, lag, place=place) for month in months for lag, part in enumerate(shares)]


def history(*rows: list[FactRow]) -> History:
    return History.from_rows([each for group in rows for each in group])[0]


def test_even_months_go_on_as_they_were():
    found = project(history(flat("2020-01", "2023-06")), Month(2023, 6))
    assert found.expected == D("1200.00") and found.known == 600
    assert [month.kind for month in found.months] == [ACTUAL] * 6 + [PROJECTED] * 6
    assert found.out_of_county == 0 and found.late == 0


def test_a_higher_level_is_followed_by_what_the_recent_months_say():
    # Months count 0.88 to the power of their age: six of 120 make 0.88^0+…+0.88^5 = 4.463303, twelve of 100 make
    # 0.88^6+…+0.88^17 = 3.035380. (120 × 4.463303 + 100 × 3.035380) ÷ 7.498683 = 111.90; 6 × 120 + 6 × 111.90 = 1391.40
    found = project(history(flat("2020-01", "2022-12"), flat("2023-01", "2023-06", 120)), Month(2023, 6))
    assert found.expected == D("1391.40")


def test_a_single_wild_month_counts_no_more_than_the_bound_lets_it():
    # The middle of the months is 100, so the month of 500 counts as 112 in the level: (112 + 100 × 6.498683) ÷ 7.498683
    # by weights 1 and 0.88 … 0.88^17 = 101.60; the year is 500 + 5 × 100 + 6 × 101.60 = 1609.60 (500 itself was spent).
    rows = flat("2020-01", "2023-06")
    rows[-1] = row(Month(2023, 6), 500)
    assert project(history(rows), Month(2023, 6)).expected == D("1609.60")


def test_late_claims_are_completed_by_the_factors_of_older_months():
    place = history(late("2020-01", "2023-06"))
    series = place.yuan[OUT, "inpatient"]
    found = develop(series, index_of(Month(2023, 6)))
    assert found.factors[:3] == (D("1.6"), D("1.25"), D(1))
    assert found.shares[:3] == (D("0.5"), D("0.8"), D(1))
    assert found.sums[:2] == ((300, 480), (480, 600))
    assert found.months[:2] == (6, 6) and set(found.sources) == {"own"}
    made = project(place, Month(2023, 6))
    assert made.known == 4 * 100 + 80 + 50 and made.late == 70 and made.expected == 1200
    assert [month.kind for month in made.months[:6]] == [ACTUAL] * 4 + [COMPLETED] * 2


def test_a_place_with_few_months_takes_the_factors_of_its_city():
    old = history(late("2021-01", "2023-06", place="乙"))
    young = history(late("2023-04", "2023-06"))
    pool = pools_of([old, young])["市", "RES"]
    found = project(young, Month(2023, 6), pool=pool)
    development = found.cells[OUT, "inpatient"].development
    assert development.sources[0] == "pool" and development.shares[:2] == (D("0.5"), D("0.8"))
    alone = project(young, Month(2023, 6)).cells[OUT, "inpatient"].development
    assert alone.sources[0] == "none" and alone.shares[0] == 1


def test_months_loaded_afterwards_tell_nothing_about_late_claims():
    rows = [*flat("2022-01", "2023-06", part=OUT)]
    told = develop(History.from_rows(rows)[0].yuan[OUT, "inpatient"], index_of(Month(2023, 6)))
    untold = History.from_rows(rows, months_between(Month(2022, 1), Month(2023, 6)))[0]
    found = develop(untold.yuan[OUT, "inpatient"], index_of(Month(2023, 6)))
    assert set(told.sources) == {"own"} and set(found.sources) == {"none"}


def test_a_missing_month_is_estimated_and_named_as_such():
    rows = [each for each in flat("2020-01", "2023-06") if each.settled != Month(2023, 4)]
    found = project(history(rows), Month(2023, 6))
    assert found.months[3].kind == MISSING and found.months[3].expected == 100
    assert found.known == 500 and found.expected == 1200
    assert baseline("straight_line", history(rows), index_of(Month(2023, 6))) == 1200


def test_a_negative_month_lowers_the_year_and_breaks_nothing():
    rows = [*flat("2020-01", "2023-05"), row(Month(2023, 6), -40)]
    found = project(history(rows), Month(2023, 6))
    assert found.months[5].expected == -40 and D(1050) < found.expected < D(1060)


def test_a_place_that_only_takes_back_is_expected_to_spend_nothing_more():
    found = project(history(flat("2023-01", "2023-06", -5)), Month(2023, 6), Errors())
    assert found.expected == -30 and found.low is None and "不给区间" in found.range_text


def test_a_place_without_any_spending_ends_at_zero_without_a_range():
    found = project(history(flat("2020-01", "2023-06", 0)), Month(2023, 6), Errors())
    assert found.expected == 0 and found.low is None and "不为正数" in found.range_text


def test_a_young_place_is_carried_on_evenly_and_has_no_range():
    place = history(flat("2023-04", "2023-06"))
    found = project(place, Month(2023, 6), Errors())
    assert [month.kind for month in found.months[:4]] == [MISSING] * 3 + [ACTUAL]
    assert found.expected == D("1200.00") and found.low is None
    assert baseline("last_year_growth", place, index_of(Month(2023, 6))) is None


def test_nothing_known_is_refused_with_the_place_and_the_month():
    with pytest.raises(ForecastError, match="甲截至2019-12近18个月没有数据"):
        project(history(flat("2020-01", "2020-06")), Month(2019, 12))


def test_rows_known_before_they_were_settled_are_refused():
    with pytest.raises(ForecastError, match="不能在2022-12就已获知"):
        history([row(Month(2023, 1), 1, late=-1)])
    with pytest.raises(ForecastError, match="未知的部分"):
        history([row(Month(2023, 1), 1, part="elsewhere")])


def test_the_festival_takes_its_days_from_the_month_it_lies_in():
    # 2023: new year 22 January, slack 15 January to 5 February; 2024: 10 February, slack 3 to 24 February.
    assert festival_share(2023, 1) == D(17) / 31 and festival_share(2023, 2) == D(5) / 28
    assert festival_share(2024, 1) == 0 and festival_share(2024, 2) == D(22) / 29
    assert festival_share(2024, 6) == festival_share(1990, 2) == 0


def test_the_dip_is_found_again_from_months_that_were_made_with_it():
    dip = D("0.30")
    years = {
        year: [100 * (1 - dip * festival_share(year, month)) for month in range(1, 13)] for year in range(2018, 2023)
    }
    assert festival_dip(years) == dip
    assert festival_dip({2018: years[2018]}) == D("0.30")
    season = fit(years, dip)
    assert season.weight(index_of(Month(2023, 1))) < season.weight(index_of(Month(2024, 1)))
    assert season.base == tuple([D(1)] * 12)


def test_an_epidemic_year_does_not_decide_the_month_weights():
    usual = [D(100)] * 12
    sick = [D(100), D(40), D(50), *[D(100)] * 9]
    years = {2007: usual, 2008: sick, 2009: usual}  # before the table of festivals
    assert fit(years, D(0)).base == tuple([D(1)] * 12)


def test_a_place_with_few_years_leans_on_the_season_of_its_city():
    city = Season((D("0.6"), *[D(1)] * 10, D("1.4")), D(0), (2007, 2008, 2009), False)
    found = fit({2009: [D(100)] * 12}, D(0), city)
    # one own year of weight 1 against eight of the city's: (1 + 8 × 0.6) ÷ 9
    assert found.base[0] == D("0.644444") and found.pooled
    assert fit({}, D(0), city) is city


def test_growth_is_the_middle_of_the_years_and_kept_within_reason():
    assert usual_growth({2019: D(100), 2020: D(90), 2021: D(99), 2022: D("103.95")}) == (D("0.05"), (2020, 2021, 2022))
    assert usual_growth({2019: D(100), 2020: D(200)})[0] == D("0.12")
    assert usual_growth({2019: D(0), 2020: D(200)}) == (0, ())
    assert median([D(3), D(1), D(2), D(10)]) == D("2.5")


def test_the_package_runs_out_in_the_month_that_it_no_longer_covers():
    place = history(flat("2020-01", "2023-06"), flat("2020-01", "2023-06", 50, OUT))
    found = project(place, Month(2023, 6), package=D("1500.00"), prepaid=D("1080.00"))
    package, prepaid = found.package_run_out, found.prepaid_run_out
    assert package is not None and prepaid is not None
    assert (package.month, package.used, package.left) == (Month(2023, 11), 1500, -300)
    assert (prepaid.month, prepaid.used, prepaid.left) == (Month(2023, 11), 1000, -120)
    assert found.run_out(D("1800.00")).month is None and found.run_out(D("1800.00")).left == 0
    assert found.run_out(D("0.00")).month == Month(2023, 1)


def test_baselines_use_what_was_known_then():
    rows = [*late("2021-01", "2021-12"), *[row(m, 110, OUT) for m in months_between(Month(2022, 1), Month(2022, 3))]]
    place, at = history(rows), index_of(Month(2022, 3))
    # a year ago 100 + 80 + 50 were known of three months; the year came to 1200: 1200 × 330 ÷ 230
    assert baseline("last_year_growth", place, at) == D("1721.74")
    assert baseline("straight_line", place, index_of(Month(2021, 3))) == 920
    assert baseline("last_year_rate", place, at) is None


def test_last_years_rate_grows_last_year_once_more():
    place = history(flat("2020-01", "2020-12"), flat("2021-01", "2021-12", 110), flat("2022-01", "2022-01", 1))
    assert baseline("last_year_rate", place, index_of(Month(2022, 1))) == D("1452.00")


def test_the_trace_can_be_added_up_to_the_year_end():
    place = history(flat("2020-01", "2023-06"), late("2020-01", "2023-06"))
    found = project(place, Month(2023, 6))
    steps = {step.label: step for step in found.trace}
    total = steps["预计全年发生"]
    assert sum(value for _, value in total.inputs) == total.value == found.expected
    cell = steps["县外及其他医共体住院预计全年"]
    assert sum(value for _, value in cell.inputs) == cell.value == found.out_of_county
    rest = steps["医共体内住院其余月份"]
    assert sum(value for _, value in rest.inputs) == rest.value == 600
    level = steps["县外及其他医共体住院月均水平"]
    sizes, counts = [value for _, value in level.inputs[0::2]], [value for _, value in level.inputs[1::2]]
    mean = sum(size * count for size, count in zip(sizes, counts, strict=True)) / sum(counts)
    assert abs(mean - level.value) < D("0.005")
    assert steps["县外及其他医共体住院已知比例"].value == D("0.5")
    assert found.trace.as_json()[-1]["value"] == "不给区间"


def test_a_range_rests_on_errors_of_earlier_years_only():
    places = [
        history(flat("2018-01", "2023-12", yuan, place=name)) for name, yuan in zip("甲乙丙丁戊", AMOUNTS, strict=True)
    ]
    cases = replay(places)
    assert {case.year for case in cases if case.low is not None} == {2021, 2022, 2023}
    spread = Errors.of(cases).spread(places[0], index_of(Month(2022, 6)))
    assert spread.years == (2019, 2020, 2021) and spread.pooled and spread.cases == 3 * 5 * 2
    found = project(places[0], Month(2022, 6), Errors.of(cases), pool=pools_of(places)["市", "RES"])
    off = found.expected * (1 - spread.low)
    assert found.expected == 1080 and spread.low < 1
    assert (
        abs(found.expected - off - found.low) < D("0.01") and found.high - found.expected == found.expected - found.low
    )


def test_a_replay_says_what_was_said_with_only_the_rows_known_then():
    rows = [*flat("2020-01", "2023-12", 130), *late("2020-01", "2023-12")]
    rows += [row(Month(2022, 5), -30, late=9), row(Month(2023, 2), 77, OUT, late=5)]
    whole = {case.as_of: case for case in replay([history(rows)])}
    for as_of in (Month(2022, 3), Month(2022, 9), Month(2023, 1), Month(2023, 8)):
        known = history([each for each in rows if each.known <= as_of])
        assert project(known, as_of).expected == whole[as_of].said["projection"]


def test_a_year_that_is_not_whole_is_not_replayed():
    cases = replay([history(flat("2021-01", "2021-12"), flat("2022-01", "2022-11"))])
    assert {case.year for case in cases} == {2021} and len(cases) == 12
    assert all(case.whole_years == 0 and case.low is None for case in cases)
