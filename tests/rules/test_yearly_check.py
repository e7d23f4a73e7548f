"""The yearly check: grade by score, effects by grade, and the end after two bad years."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.yearly_check import GRADES, YearlyCheckError, check, effects

MONTHLY = Decimal("0.05")
SCORES = st.integers(0, 10_000).map(lambda number: Decimal(number).scaleb(-2))


@pytest.mark.parametrize(
    ("score", "deduction", "grade", "left"),
    [
        ("100", "0", "qualified", "100"),
        ("80", "0", "qualified", "80"),
        ("80", "0.5", "basically_qualified", "79.5"),
        ("60", "0", "basically_qualified", "60"),
        ("59.99", "0", "unqualified", "59.99"),
        ("5", "10", "unqualified", "0"),
    ],
)
def test_points_lower_the_score_that_gives_the_grade(score, deduction, grade, left):
    found = check(Decimal(score), Decimal(deduction))
    assert (found.grade.key, found.score) == (grade, Decimal(left))
    assert {step.status for step in found.trace} == {"待核实"}


@pytest.mark.parametrize(
    ("grade", "ratio", "withheld", "package", "share"),
    [
        ("qualified", "0.05", "0.00", "1", "0.40"),
        ("basically_qualified", "0.0475", "5000.01", "0.98", "0.44"),
        ("unqualified", "0.045", "10000.01", "0.95", "0.48"),
    ],
)
def test_a_grade_moves_ratio_withheld_money_package_and_overrun(grade, ratio, withheld, package, share):
    found = effects(grade, [], MONTHLY)
    assert found.prepayment_ratio == Decimal(ratio)
    assert found.withheld_lost(Decimal("10000.01")) == Decimal(withheld)
    assert found.package_factor == Decimal(package)
    assert found.overrun_share(Decimal("0.4")) == Decimal(share)
    assert found.overrun_share(Decimal("0.95")) <= 1
    assert found.may_refuse_renewal == (grade == "unqualified")
    assert not found.terminated


@pytest.mark.parametrize(
    ("grade", "former", "terminated"),
    [
        ("unqualified", ["unqualified"], True),
        ("unqualified", ["qualified", "unqualified"], True),
        ("unqualified", ["unqualified", "qualified"], False),
        ("unqualified", ["unqualified", ""], False),
        ("unqualified", ["basically_qualified"], False),
        ("basically_qualified", ["unqualified"], False),
    ],
)
def test_two_unqualified_years_in_a_row_end_the_agreement(grade, former, terminated):
    found = effects(grade, former, MONTHLY)
    assert found.terminated == terminated
    assert (list(found.trace)[-1].value == "解除协议") == terminated


def test_all_that_is_wrong_with_a_check_is_listed():
    with pytest.raises(YearlyCheckError) as error:
        effects("good", ["bad", "", "qualified"], Decimal("1.01"))
    assert [problem.value for problem in error.value.problems] == ["good", "bad", "1.01"]
    with pytest.raises(YearlyCheckError) as error:
        check(Decimal("100.01"), Decimal(-1))
    assert [problem.field for problem in error.value.problems] == ["考核得分", "换算扣分"]


def test_the_stored_effects_hold_plain_text_and_flags():
    data = effects("basically_qualified", [], MONTHLY).as_json()
    assert data["prepayment_ratio"] == "0.047500"
    assert (data["grade"], data["withheld_unpaid"], data["terminated"]) == ("basically_qualified", "0.5", False)


@given(SCORES, SCORES)
def test_a_higher_score_never_gives_a_worse_grade(first, second):
    low, high = (check(score).grade for score in sorted((first, second)))
    assert low.score_from <= high.score_from
    assert low.prepayment_factor <= high.prepayment_factor
    assert low.overrun_factor >= high.overrun_factor


@given(
    st.sampled_from([grade.key for grade in GRADES]),
    st.integers(1, 10**6).map(lambda number: Decimal(number).scaleb(-6)),
)
def test_no_grade_raises_the_prepayment_ratio(grade, monthly):
    found = effects(grade, ["unqualified"], monthly)
    assert 0 <= found.prepayment_ratio <= monthly
    assert len(found.trace) == 5
