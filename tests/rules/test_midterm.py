"""The medium-term estimate does what a person with a pocket calculator would do, and refuses what makes no sense."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from rules import midterm, money
from rules.midterm import Assumptions, BaseYear, MidtermError, PastFundYear, estimate, estimate_all, suggest
from rules.periods import Month

D = Decimal
BASE = BaseYear(
    2025, 500_000, D("500000000.00"), D("4000000.00"), D("1000000.00"),
    D("480000000.00"), D("40000000.00"), D("2000000.00"), D("200000000.00"),
)  # fmt: skip
GROWTH = Assumptions(D("-0.01"), D("0.05"), D("0.02"), D("0.03"), D("0"), D("0.02"), D("1000000"), D("2000000"))


def scenarios(**changed):
    return {"base": GROWTH, "better": replace(GROWTH, price_growth=D("0.01")), "worse": replace(GROWTH, price_growth=D("0.06")), **changed}


def test_the_first_year_is_last_years_figures_times_the_stated_growth():
    line = estimate(BASE, GROWTH, 3).years[0]
    assert line.heads == 495_000
    assert line.contributions == D("519750000.00")  # 500 m × 0.99 × 1.05
    assert line.interest == D("4000000.00")  # 2 % of 200 m
    assert line.income == D("524750000.00")
    assert line.benefits == D("499245120.00")  # 480 m × 0.99 × 1.02 × 1.03
    assert line.critical_illness == D("39600000.00")
    assert line.spending == D("540845120.00")
    assert line.balance == D("183904880.00")  # 200 m + 524.75 m − 540.84512 m
    assert line.payable_months == D("4.08")  # 183.90488 ÷ (540.84512 ÷ 12)


def test_each_year_starts_where_the_former_ended():
    found = estimate(BASE, GROWTH, 5)
    assert [line.year for line in found.years] == [2026, 2027, 2028, 2029, 2030]
    before = BASE.balance
    for line in found.years:
        assert line.balance == before + line.income - line.spending
        before = line.balance


def test_the_month_the_balance_runs_out_is_told_by_an_even_year():
    poor = replace(BASE, balance=D("10000000.00"))
    flat = Assumptions(*[D(0)] * 6, D("1000000"), D("2000000"))
    found = estimate(poor, flat, 3)
    assert found.years[0].result == D("-21000000.00")  # 501 m in (no interest), 522 m out
    assert found.runs_out == Month(2026, 6)  # 10 ÷ (21 ÷ 12) = 5.7 months
    assert found.years[1].interest == D("0.00")


def test_a_fund_that_never_runs_out_names_no_month():
    assert estimate(replace(BASE, balance=D("9000000000.00")), GROWTH, 5).runs_out is None


def test_every_year_of_the_trace_ends_in_its_balance():
    found = estimate(BASE, GROWTH, 3)
    told = {step.label: step.value for step in found.trace}
    for line in found.years:
        assert told[f"{line.year} 年年末累计结余"] == line.balance
        assert told[f"{line.year} 年支出合计"] == line.spending


def test_all_wrong_figures_and_assumptions_are_told_at_once():
    wrong = replace(GROWTH, heads_growth=D("0.5"), interest_rate=D("-0.01"), transfers_in=D("-1"))
    with pytest.raises(MidtermError) as refusal:
        estimate_all(replace(BASE, heads=0, benefits=D("0")), scenarios(base=wrong), 8)
    told = {problem.field for problem in refusal.value.problems}
    assert told == {
        "年末参保人数", "待遇支出（含其他支出）", "参保人数年增长", "结余年利率", "每年转移及上级补助收入", "测算年数",
    }  # fmt: skip
    assert any("基准情景" in problem.text for problem in refusal.value.problems)


def test_a_careful_scenario_that_ends_better_is_refused():
    with pytest.raises(MidtermError) as refusal:
        estimate_all(BASE, scenarios(worse=replace(GROWTH, price_growth=D("-0.05"))), 3)
    assert "审慎情景的期末结余" in refusal.value.problems[0].text


def test_a_missing_scenario_is_named():
    given = scenarios()
    del given["worse"]
    with pytest.raises(MidtermError) as refusal:
        estimate_all(BASE, given, 3)
    assert refusal.value.problems[0].field == "审慎情景"


def test_growth_is_suggested_from_the_mean_of_three_years():
    past = [
        PastFundYear(replace(BASE, year=2023, heads=500_000, benefits=D("400000000.00"), balance=D("150000000.00")), 100_000),
        PastFundYear(replace(BASE, year=2024, heads=500_000, benefits=D("420000000.00"), balance=D("160000000.00")), 102_000),
        PastFundYear(replace(BASE, year=2025, heads=500_000, benefits=D("441000000.00")), 104_040),
    ]
    found = suggest(past)
    base = found.scenarios["base"]
    assert base.heads_growth == 0
    assert base.volume_growth == D("0.0200")
    assert base.price_growth == D("0.0294")  # 1.05 ÷ 1.02 − 1
    assert base.interest_rate == D("0.0225")  # 4 m of 178 m: 200 − 505 + 483
    assert found.scenarios["worse"].price_growth == D("0.0394")
    assert found.scenarios["better"].contribution_growth == D("0.01")


def test_one_year_alone_suggests_no_growth_and_says_so():
    found = suggest([PastFundYear(BASE, None)])
    assert found.scenarios["base"].contribution_growth == 0
    assert all("不足两年" in step.expression for step in found.trace if step.label == "人均筹资年增长")
    with pytest.raises(MidtermError):
        suggest([])


def test_growth_beyond_belief_is_bounded_and_marked():
    past = [PastFundYear(replace(BASE, year=2024, contributions=D("100000000.00")), None), PastFundYear(BASE, None)]
    found = suggest(past)
    assert found.scenarios["base"].contribution_growth == midterm.MOST_GROWTH
    assert any("取界限" in step.expression for step in found.trace)


def test_yuan_a_head_are_shown_to_the_fen_and_heads_as_whole_numbers():
    past = [PastFundYear(replace(BASE, year=2024, heads=333_333), 100_000), PastFundYear(replace(BASE, year=2025, heads=333_334), 100_001)]
    shown = {step.label: [value for _name, value in step.inputs] for step in suggest(past).trace}
    each = [BASE.benefits / 333_333, BASE.benefits / 333_334]
    assert shown["人均待遇支出年增长"] == [money.round_fen(value) for value in each]
    assert shown["参保人数年增长"] == [333_333, 333_334]
    assert shown["人均就医人次年增长（量）"] == [D("0.3000"), D("0.3000")]
