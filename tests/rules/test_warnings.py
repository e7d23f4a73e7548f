"""Figures held against levels: which level, where it begins, the yuan concerned – worked by hand, and for any figures."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.indicators import Window, compute
from rules.warnings import (
    NONE,
    ORANGE,
    RANK,
    RED,
    YELLOW,
    Levels,
    exact_value,
    is_recovered,
    judge,
    judge_reading,
    worsens,
)

D = Decimal
FLOOR = Levels("absolute", False, False, None, None, D("0.16"), "赣医保发〔2022〕23号 §二(二)3")


def levels(basis, above=True, relative=False, yellow=None, orange=None, red=None):
    numbers = (None if level is None else D(level) for level in (yellow, orange, red))
    return Levels(basis, above, relative, *numbers, "条款")


def primary(part, whole):
    return compute("primary_share", Window(now={"fund_primary": D(part), "fund_in_alliance": D(whole), "charged": D(whole)}))


def test_a_share_below_its_floor_is_red_and_the_gap_is_floor_times_denominator():
    # 16 % × 156 775 185.56 = 25 084 029.69 (rounded), less 24 199 202.30: 884 827.39
    judged = judge_reading(primary("24199202.30", "156775185.56"), None, FLOOR)
    assert (judged.level, judged.bound, judged.affected) == (RED, D("0.16"), D("884827.39"))
    assert [step.label for step in judged.trace] == ["基层支出占比", "预警等级", "涉及金额"]
    assert all(step.clause for step in judged.trace)
    assert judged.trace.steps[1].clause == FLOOR.clause


def test_a_share_exactly_on_its_floor_is_within():
    judged = judge_reading(primary("16.00", "100.00"), None, FLOOR)
    assert (judged.level, judged.affected) == (NONE, D("0.00"))


def test_one_fen_below_the_floor_is_a_breach_though_the_shown_ratio_is_the_floor():
    reading = primary("159999999.99", "1000000000.00")
    assert reading.value == D("0.160000")
    judged = judge_reading(reading, None, FLOOR)
    assert (judged.level, judged.affected) == (RED, D("0.01"))


def test_an_average_is_compared_with_last_year_by_its_rate_and_counted_by_discharges():
    # last year 5 000.00; +8 % is 5 400.00; now 5 500.00 over 1 000 discharges: 100.00 × 1 000
    reading = compute("inpatient_average", Window(now={"inpatient_cost": D("5500000.00"), "discharges": D(1000)}))
    judged = judge_reading(reading, D("5000"), levels("last_year", relative=True, yellow="0.08"))
    assert (judged.level, judged.bound, judged.affected) == (YELLOW, D("5400.00"), D("100000.00"))


def test_a_bound_worked_out_from_last_year_is_printed_to_the_fen_or_the_hundredth_of_a_percent():
    average = Window(now={"inpatient_cost": D("5500000.00"), "discharges": D(1000)})
    judged = judge_reading(compute("inpatient_average", average), D(5_000_000) / 1_009, levels("last_year", relative=True, yellow="0.08"))
    inputs = {one["name"]: one["value"] for step in judged.trace.as_json()[-2:] for one in step["inputs"]}
    assert (inputs["上年同期"], inputs["黄线幅度"]) == ("4,955.40 元", "8.00%")
    assert (inputs["黄线"], inputs["界限"]) == ("5,351.83 元", "5,351.83 元")
    assert "未舍入" in judged.trace.as_json()[-1]["expression"]
    sums = {"insured_discharges_out": D(27), "insured_discharges": D(100), "fund_all": D("9000000.00")}
    judged = judge_reading(compute("referred_out", Window(now=sums)), D(1) / 7, levels("last_year", yellow="0.02"))
    step = judged.trace.as_json()[-2]
    assert [one["value"] for one in step["inputs"]] == ["27.00%", "14.29%", "2.00 个百分点", "16.29%"]


def test_a_value_a_hairs_breadth_below_its_bound_is_printed_with_the_decimals_that_tell():
    judged = judge_reading(primary("15.9999", "100.00"), None, FLOOR)
    step = next(one for one in judged.trace.as_json() if one["label"] == "预警等级")
    assert [one["value"] for one in step["inputs"]] == ["15.9999%", "16.0000%"]


def test_a_rate_against_last_year_moves_in_points_and_takes_its_part_of_the_money():
    # 27 of 100 against 24 %: 3 points above, 2 allowed: 1 % of 9 000 000.00 fund spending
    sums = {"insured_discharges_out": D(27), "insured_discharges": D(100), "fund_all": D("9000000.00")}
    judged = judge_reading(compute("referred_out", Window(now=sums)), D("0.24"), levels("last_year", yellow="0.02"))
    assert (judged.level, judged.bound, judged.affected) == (YELLOW, D("0.26"), D("90000.00"))


def test_growth_beyond_the_cap_is_measured_on_last_years_amount():
    # 118 on 100 million, cap 10 %: 8 million
    window = Window(now={"charged": D("118000000.00")}, before={"charged": D("100000000.00")})
    judged = judge_reading(compute("spending_growth", window), None, levels("absolute", yellow="0.10", red="0.20"))
    assert (judged.level, judged.bound, judged.affected) == (YELLOW, D("0.10"), D("8000000.00"))


@pytest.mark.parametrize(
    ("charged", "level", "affected"),
    [
        # package 120 million, pace 75 % = 90 million; yellow from 80 % = 96 million, red from 85 % = 102 million
        ("96000000.00", NONE, "0.00"),
        ("96000000.01", YELLOW, "0.01"),
        ("102000000.00", YELLOW, "6000000.00"),
        ("103200000.00", RED, "7200000.00"),
    ],
)
def test_execution_ahead_of_the_pace_is_yellow_then_red(charged, level, affected):
    reading = compute("execution", Window(now={}, to_date={"charged": D(charged), "package": D("120000000.00")}))
    judged = judge_reading(reading, D("0.75"), levels("pace", yellow="0.05", red="0.10"))
    assert (judged.level, judged.affected) == (level, D(affected))


def test_the_pace_gap_itself_gives_the_same_yuan_as_execution_against_the_pace():
    sums = {"charged": D("103200000.00"), "package": D("120000000.00")}
    reading = compute("pace_gap", Window(now={}, to_date=sums, pace=D("0.75")))
    judged = judge_reading(reading, None, levels("absolute", yellow="0.05", red="0.10"))
    assert (judged.level, judged.affected) == (RED, D("7200000.00"))


def test_payable_months_below_the_level_are_the_missing_months_of_spending():
    # 24 million spent in twelve months is 2 million a month; balance 10 million is 5 months, 6 wanted
    reading = compute("payable_months", Window(now={}, year={"balance": D("10000000.00"), "fund_spending": D("24000000.00")}))
    judged = judge_reading(reading, None, levels("absolute", above=False, yellow="6", red="3"))
    assert (reading.value, judged.level, judged.affected) == (D("5.000000"), YELLOW, D("2000000.00"))


def test_days_beyond_the_level_take_their_part_of_the_cost():
    # 10 days, 8 allowed: a fifth of 1 000 000.00
    sums = {"bed_days": D(1000), "discharges": D(100), "inpatient_cost": D("1000000.00")}
    judged = judge_reading(compute("length_of_stay", Window(now=sums)), None, levels("absolute", red="8"))
    assert (judged.level, judged.affected) == (RED, D("200000.00"))


def test_the_yuan_never_fall_when_a_figure_worsens_into_a_higher_level():
    steps = levels("absolute", above=False, yellow="0.16", orange="0.14", red="0.12")
    amounts = [judge_reading(primary(part, "100.00"), None, steps).affected for part in ("15", "14", "13.99", "11.99", "5")]
    assert amounts == [D("1.00"), D("2.00"), D("2.01"), D("4.01"), D("11.00")]


def test_an_indicator_without_money_behind_it_has_no_yuan():
    reading = compute("primary_visits", Window(now={"visits_primary": D(50), "visits": D(100)}))
    judged = judge_reading(reading, None, levels("absolute", above=False, yellow="0.65"))
    assert (judged.level, judged.affected) == (YELLOW, None)


def test_what_has_no_value_is_not_judged_and_says_why():
    reading = compute("primary_share", Window(now={"fund_primary": D(1), "fund_in_alliance": D(0)}))
    judged = judge_reading(reading, None, FLOOR)
    assert judged.level == NONE and "为零" in judged.cannot
    assert exact_value(reading) is None


@pytest.mark.parametrize(("compared", "words"), [(None, "没有上年同期可比"), (D(0), "为零或负"), (D(-1), "为零或负")])
def test_without_anything_to_compare_with_nothing_is_judged(compared, words):
    level, bound, norm, cannot = judge(D(5), compared, levels("last_year", relative=True, yellow="0.08"))
    assert (level, bound, norm) == (NONE, None, None) and words in cannot


def test_levels_have_to_worsen_strictly_in_their_direction():
    assert levels("absolute", yellow="1", red="2").is_ordered()
    assert not levels("absolute", yellow="2", red="2").is_ordered()
    assert levels("absolute", above=False, yellow="2", orange="1.5", red="1").is_ordered()
    assert not levels("absolute", above=False, yellow="1", red="2").is_ordered()


def test_only_a_higher_level_worsens():
    assert worsens(YELLOW, RED) and worsens(NONE, YELLOW)
    assert not worsens(RED, RED) and not worsens(RED, ORANGE) and not worsens(YELLOW, NONE)


@pytest.mark.parametrize(
    ("seen", "months", "recovered"),
    [
        ([RED, NONE, NONE], 2, True),
        ([RED, NONE], 2, False),
        ([RED, NONE, YELLOW, NONE], 2, False),
        ([RED, NONE, None, NONE], 2, True),
        ([RED, None, None], 2, False),
        ([NONE, NONE, None], 2, True),
        ([], 2, False),
    ],
)
def test_recovery_needs_known_good_months_in_a_row(seen, months, recovered):
    assert is_recovered(seen, months) is recovered


yuan = st.integers(1, 10**11).map(lambda fen: D(fen).scaleb(-2))


@given(yuan, yuan, st.integers(1, 99), st.integers(1, 50))
def test_a_floor_is_breached_exactly_when_the_sum_is_short_of_it(part, whole, floor, step):
    held = levels("absolute", above=False, yellow=D(floor) / 100, red=D(floor) / 100 - D(step) / 1000)
    judged = judge_reading(primary(part, whole), None, held)
    short = D(floor) / 100 * whole - part
    assert bool(judged.level) == (short > 0)
    assert judged.affected >= 0
    assert abs(judged.affected - max(short, D(0))) <= D("0.005")


@given(st.lists(st.integers(-1000, 1000).map(lambda one: D(one) / 10), min_size=2, max_size=2), st.booleans())
def test_a_worse_figure_never_has_a_milder_level(values, above):
    held = levels("absolute", above, yellow="1", orange="20", red="50")
    if not above:
        held = levels("absolute", above, yellow="50", orange="20", red="1")
    better, worse = sorted(values, reverse=not above)
    assert RANK[judge(worse, None, held)[0]] >= RANK[judge(better, None, held)[0]]
