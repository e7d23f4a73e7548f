"""Distress of a fund and its causes: worked by hand, and parts that add up for any figures."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.distress import Sides, causes_of, is_continuing, judge_fund
from rules.periods import Month, months_between

D = Decimal
MARCH = Month(2026, 3)


def flow(*values, year=2026):
    return {Month(year, number): D(value) for number, value in enumerate(values, start=1)}


def whole_year(year, values):
    return {Month(year, number): D(value) for number, value in enumerate(values, start=1)}


def test_spending_above_income_of_the_year_to_date_is_red():
    found = judge_fund(flow(100, 100, 100), flow(90, 110, 120), MARCH)
    assert (found.level, found.kinds, found.balance, found.shortfall) == ("red", ("to_date", "month"), D(-20), D(20))
    assert found.text == "本年累计收不抵支、当月收不抵支"
    assert [step.label for step in found.trace] == ["本年累计当期结余", "当月结余"]
    assert all("宁医保〔2019〕128号" in step.clause for step in found.trace)


def test_income_equal_to_spending_is_no_distress():
    found = judge_fund(flow(100, 100), flow(100, 100), Month(2026, 2))
    assert (found.level, found.shortfall) == ("", D("0.00"))


def test_a_month_short_alone_is_a_signal_only_where_the_parameter_says_so():
    income, spending = flow(300, 0), flow(100, 100)
    assert judge_fund(income, spending, Month(2026, 2)).level == ""
    found = judge_fund(income, spending, Month(2026, 2), single_month=True)
    assert (found.level, found.kinds, found.shortfall) == ("yellow", ("month",), D(100))


def test_a_year_end_expected_short_is_orange_by_last_years_shares():
    # income came evenly (25 % to March), spending only 20 % by then: 330 ÷ 0.25 = 1 320; 300 ÷ 0.20 = 1 500
    income = whole_year(2025, [100] * 12) | flow(110, 110, 110)
    spending = whole_year(2025, [80, 80, 80] + [D(960) / 9] * 9) | flow(100, 100, 100)
    found = judge_fund(income, spending, MARCH)
    assert (found.level, found.kinds) == ("orange", ("projected",))
    assert (found.projected_income, found.projected_spending, found.shortfall) == (D("1320.00"), D("1500.00"), D("180.00"))


def test_without_a_whole_earlier_year_nothing_is_projected():
    found = judge_fund(flow(110, 110, 110), flow(100, 100, 100), MARCH)
    assert (found.level, found.projected_income) == ("", None)


def test_the_whole_year_needs_no_projection():
    year = whole_year(2026, [100] * 12)
    assert judge_fund(year, year, Month(2026, 12)).projected_spending is None


def test_a_missing_month_leaves_the_fund_unjudged():
    assert judge_fund({Month(2026, 1): D(1), MARCH: D(1)}, flow(1, 1, 1), MARCH) is None


@pytest.mark.parametrize(
    ("states", "month", "unit", "needed", "expected"),
    [
        ({9: True, 8: True}, 9, "month", 2, True),
        ({9: True, 8: None}, 9, "month", 2, False),
        ({9: True, 8: False, 6: True}, 9, "quarter", 2, True),
        ({8: True, 7: True, 6: False}, 8, "quarter", 2, False),
        ({8: True, 6: True}, 8, "quarter", 2, True),
        ({8: False, 6: True}, 8, "quarter", 2, False),
    ],
)
def test_continuing_distress_counts_months_or_quarters_in_a_row(states, month, unit, needed, expected):
    held = {Month(2026, number): state for number, state in states.items()}
    assert is_continuing(held, Month(2026, month), unit, needed) is expected


def test_the_causes_of_a_worsening_are_split_by_hand():
    now = Sides(D("900.00"), D("1300.00"), D("660.00"), D("200.00"), D("300.00"), D(110), D("9.00"))
    before = Sides(D("1000.00"), D("1000.00"), D("500.00"), D("180.00"), D("220.00"), D(100), D("8.00"))
    found = causes_of(now, before)
    shares = {cause.key: cause.share for cause in found.causes}
    # spending +300, income −100: 400 worse; admissions 10 × 5.00 = 50; average 160 − 50 = 110; others 140 − 100 = 40
    assert found.worsening == D("400.00")
    assert shares == {
        "income": D("100.00"),
        "admissions": D("50.00"),
        "average_cost": D("110.00"),
        "category_inpatient": D("160.00"),
        "category_outpatient": D("20.00"),
        "category_out_of_county": D("80.00"),
        "category_other": D("40.00"),
    }
    assert sum(cause.share for cause in found.causes if cause.counted) == found.worsening
    assert [cause.key for cause in found.causes[:3]] == ["income", "admissions", "average_cost"]
    assert {cause.key: cause.ratio for cause in found.causes}["income"] == D("0.250000")
    assert {cause.key: cause.change for cause in found.causes}["average_cost"] == D("1.00")


def test_inpatient_money_without_admissions_is_one_part_and_not_split():
    now, before = Sides(D(100), D(200), D(80)), Sides(D(100), D(150), D(60))
    found = causes_of(now, before)
    parts = {cause.key: cause for cause in found.causes}
    assert (parts["category_inpatient"].share, parts["category_inpatient"].counted) == (D(20), True)
    assert parts["admissions"].share == 0 and "其他" in parts["admissions"].text
    assert parts["category_other"].share == D(30)


def test_without_claims_the_whole_spending_stands_under_others():
    found = causes_of(Sides(D(90), D(120)), Sides(D(100), D(100)))
    parts = {cause.key: cause.share for cause in found.causes}
    assert (parts["income"], parts["category_other"], found.worsening) == (D(10), D(20), D(30))


def test_a_fund_that_did_better_has_no_ratios():
    found = causes_of(Sides(D(120), D(100)), Sides(D(100), D(100)))
    assert found.worsening == D(-20) and all(cause.ratio is None for cause in found.causes)


def test_a_year_before_with_more_reversals_than_admissions_is_not_split():
    now, before = Sides(D(1), D(5), D(4), discharges=D(2)), Sides(D(1), D(1), D(1), discharges=D(-1))
    parts = {cause.key: cause for cause in causes_of(now, before).causes}
    assert parts["admissions"].share == 0 and "为负" in parts["admissions"].text


fen = st.integers(-(10**12), 10**12).map(lambda value: D(value).scaleb(-2))
maybe = st.one_of(st.none(), fen)
counts = st.one_of(st.none(), st.integers(0, 10**7).map(D))
sides = st.builds(Sides, fen, fen, maybe, maybe, maybe, counts, maybe)


@given(sides, sides)
def test_the_counted_causes_add_up_to_the_worsening_to_the_fen(now, before):
    found = causes_of(now, before)
    assert sum(cause.share for cause in found.causes if cause.counted) == found.worsening
    assert all(cause.share == cause.share.quantize(D("0.01")) for cause in found.causes)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=12))
def test_to_date_distress_holds_exactly_when_less_came_in_than_went_out(pairs):
    months = months_between(Month(2026, 1), Month(2026, len(pairs)))
    income = {month: D(pair[0]) for month, pair in zip(months, pairs, strict=True)}
    spending = {month: D(pair[1]) for month, pair in zip(months, pairs, strict=True)}
    found = judge_fund(income, spending, months[-1])
    assert (found.level == "red") == (sum(income.values()) < sum(spending.values()))
    assert (found.shortfall > 0) == bool(found.level)
