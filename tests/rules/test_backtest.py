"""What the projection is held to, on histories and years it was not made with.

Mean absolute year-end error from month 6 on at least 30 % below the straight line and in no held year above last year's
growth; the 80 % range right in 70–90 % of the cases.
"""

from decimal import Decimal
from functools import cache

import pytest

from rules.forecast import GROWTH, PROJECTION, RATE, STRAIGHT, Case, History, replay, score
from rules.forecast.scoring import Score
from rules.histories import city_rows, generated_rows, held_years
from rules.periods import Month

D = Decimal
BETTER = D("0.30")


def held(cases: list[Case]) -> Score:
    return score([case for case in cases if case.year in held_years() and case.as_of.month >= 6])


@cache
def first_city() -> list[Case]:
    return replay(History.from_rows(city_rows(0)))


def keeps_its_promise(found: Score) -> None:
    assert found.whole.improvement[STRAIGHT] >= BETTER
    assert [line.label for line in found.years] == [str(year) for year in held_years()]
    for line in found.years:
        assert line.improvement[STRAIGHT] >= BETTER
        assert line.errors[PROJECTION] <= line.errors[GROWTH]
        assert line.errors[PROJECTION] <= line.errors[RATE]
    assert found.whole.ranged == found.whole.cases
    assert D("0.70") <= found.whole.coverage <= D("0.90")


def test_the_promise_is_kept_in_the_held_years_of_the_first_city():
    keeps_its_promise(held(first_city()))


@pytest.mark.slow
def test_the_promise_is_kept_in_the_held_years_of_all_shipped_cities():
    found = held(replay(History.from_rows(generated_rows())))
    assert found.whole.cases == 48 * 3 * 7
    keeps_its_promise(found)


def test_the_later_in_the_year_the_smaller_the_error():
    errors = [line.errors[PROJECTION] for line in held(first_city()).months]
    assert errors == sorted(errors, reverse=True) and errors[-1] < D("0.005")


def case(truth: str, ours: str | None, line: str | None, low: str | None = None, high: str | None = None) -> Case:
    amounts = {PROJECTION: ours, STRAIGHT: line, GROWTH: None, RATE: None}
    said = {name: None if text is None else D(text) for name, text in amounts.items()}
    bounds = (None if low is None else D(low), None if high is None else D(high))
    return Case("", "甲", "RES", Month(2023, 6), Month(2024, 1), D(truth), said, *bounds, 3)


def test_the_table_is_the_mean_of_the_relative_errors():
    # ours: 10/100 and 20/200 → 10 %; straight line 20/100 and 60/200 → 25 %; 60 % lower; one of two ranges holds
    found = score([case("100", "110", "120", "90", "105"), case("200", "180", "140", "150", "190")]).whole
    assert found.errors == {PROJECTION: D("0.1"), STRAIGHT: D("0.25"), GROWTH: None, RATE: None}
    assert found.improvement == {STRAIGHT: D("0.6"), GROWTH: None, RATE: None}
    assert (found.cases, found.ranged, found.coverage) == (2, 2, D("0.5"))


def test_a_method_is_compared_only_where_both_said_something():
    found = score([case("100", "110", None), case("100", "120", "160"), case("0", "5", "5")]).whole
    assert found.errors[PROJECTION] == D("0.15") and found.errors[STRAIGHT] == D("0.6")
    assert found.improvement[STRAIGHT] == D("0.666667") and found.coverage is None


def test_no_cases_make_an_empty_table_and_no_crash():
    found = score([])
    assert found.whole.cases == 0 and found.years == [] and found.whole.as_json()["errors"][PROJECTION] is None
