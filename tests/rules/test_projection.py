"""The simple year-end estimate: shares of earlier years, a range only where they give one, sums to the fen."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.projection import EVEN, SEASONAL, WHOLE, PastYear, ProjectionError, project_year, seasonal_share

D = Decimal


def past(year, first, rest):
    """A year that cost ``first`` in each of the months 1–9 and ``rest`` in 10–12."""
    return PastYear(year, {month: D(first if month <= 9 else rest) for month in range(1, 13)})


NINE = range(1, 10)
YEARS = [past(2024, "8.00", "9.00"), past(2025, "9.00", "13.00")]  # 72 of 99, 81 of 120


def test_spent_is_divided_by_the_mean_share_of_the_same_months():
    season = seasonal_share(NINE, YEARS)
    assert season.method == SEASONAL
    assert [row.share for row in season.years] == [D("0.727273"), D("0.675000")]
    assert season.share == D("0.701137")  # (0.727273 + 0.675000) ÷ 2 = 0.7011365, half-up
    end = project_year(D("700.00"), season)
    assert end.expected == D("998.38")  # 700 ÷ 0.701137 = 998.378…


def test_two_whole_years_give_the_range_of_their_own_shares():
    end = project_year(D("700.00"), seasonal_share(NINE, YEARS))
    assert end.low == D("962.50")  # 700 ÷ 0.727273 = 962.499…
    assert end.high == D("1037.04")  # 700 ÷ 0.675 = 1037.037
    assert "2024、2025 年同期占比" in seasonal_share(NINE, YEARS).range_text


def test_one_whole_year_gives_an_estimate_but_no_range():
    season = seasonal_share(NINE, YEARS[:1])
    end = project_year(D("720.00"), season)
    assert (season.method, end.low, end.high) == (SEASONAL, None, None)
    assert end.expected == D("990.00")
    assert "不给区间" in season.range_text


def test_without_a_whole_year_months_count_evenly_and_the_result_says_so():
    broken = PastYear(2025, {month: D("5.00") for month in range(1, 12)})
    season = seasonal_share(NINE, [broken])
    assert season.method == EVEN
    assert season.share == D("0.75")
    assert project_year(D("90.00"), season).expected == D("120.00")
    assert (season.lowest, season.highest) == (None, None)
    assert "没有完整往年数据" in season.range_text


def test_a_complete_year_is_not_estimated_any_more():
    season = seasonal_share(range(1, 13), YEARS)
    assert season.method == WHOLE
    end = project_year(D("123.45"), season)
    assert (end.expected, end.low, end.high) == (D("123.45"), None, None)
    assert season.spread(D("0.00")) == ()


def test_no_month_at_all_cannot_be_carried_to_a_year():
    with pytest.raises(ProjectionError):
        seasonal_share([], YEARS)


def test_months_that_cost_nothing_in_earlier_years_are_refused():
    late = PastYear(2025, {month: D("0.00" if month <= 9 else "10.00") for month in range(1, 13)})
    with pytest.raises(ProjectionError, match="2025"):
        seasonal_share(NINE, [late])


def test_every_step_of_the_trace_can_be_redone_and_names_the_method():
    end = project_year(D("700.00"), seasonal_share(NINE, YEARS), "全年发生")
    told = {step.label: step for step in end.trace}
    assert told["2024年同期占比"].inputs == (("2024年同期", D("72.00")), ("2024年全年", D("99.00")))
    assert told["预计全年发生"].value == D("998.38")
    assert told["预计全年发生下限"].value == D("962.50")
    assert all("简单估计" in step.clause for step in end.trace)


@given(
    st.lists(st.integers(min_value=1, max_value=10**12), min_size=12, max_size=12),
    st.integers(min_value=1, max_value=12),
    st.integers(min_value=0, max_value=10**12),
)
def test_pace_and_rest_add_up_to_the_fen_and_the_range_holds_the_estimate(fen, count, spent):
    whole = PastYear(2025, {month: D(amount).scaleb(-2) for month, amount in enumerate(fen, 1)})
    other = PastYear(2024, {month: D(amount).scaleb(-2) for month, amount in enumerate(reversed(fen), 1)})
    try:
        season = seasonal_share(range(1, count + 1), [whole, other])
    except ProjectionError:
        return
    package = D("286543210.37")
    assert sum(season.pace(package)) == package
    end = project_year(D(spent).scaleb(-2), season)
    if count < 12:
        assert sum(season.spread(D("1234.57"))) == D("1234.57")
    if end.low is not None:
        assert end.low <= end.expected <= end.high
