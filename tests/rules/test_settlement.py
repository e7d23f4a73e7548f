"""The year-end formula, its identities, the assessment factor and the way money comes back."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.assessment import AssessmentError, Grade, factor_of
from rules.money import from_fen
from rules.periods import Month
from rules.repayment import RepaymentError, repay_by_offset, repay_in_instalments
from rules.scheme import load_scheme
from rules.settlement import SettlementError, YearSettlement, settle_year

JIANGXI = load_scheme("jiangxi-2022")
GOOD = Grade("良好", Decimal(80), Decimal(90), True, False, Decimal("0.95"), "本地考核办法")
fen = st.integers(0, 10**12).map(from_fen)


def settled(**changes: Any) -> YearSettlement:
    inputs: dict[str, Any] = {
        "package": Decimal("300000000.00"),
        "s_in": Decimal("195000000.00"),
        "outflow": Decimal("90000000.00"),
        "prepaid": Decimal("180000000.00"),
        "score": Decimal(93),
    }
    return settle_year(JIANGXI, **(inputs | changes))


@given(st.integers(1, 10**12).map(from_fen), fen, fen, fen, fen, fen, fen, fen, st.integers(0, 9999), st.data())
def test_the_identities_hold_for_any_year(
    package: Decimal,
    s_in: Decimal,
    outflow: Decimal,
    sisters: Decimal,
    prepaid: Decimal,
    other: Decimal,
    deductions: Decimal,
    reserve: Decimal,
    factor: int,
    data: st.DataObject,
) -> None:
    target = data.draw(st.sampled_from([None, "retained_surplus", "whole_payment"]))
    year = settle_year(
        JIANGXI,
        package=package,
        s_in=s_in,
        outflow=outflow,
        treated_for_sisters=sisters,
        prepaid=prepaid,
        other_payments=other,
        deductions=deductions,
        reserve=reserve,
        assumed_factor=Decimal(factor) / 10000,
        assessment_target=target,
    )
    charged, paid_back = s_in + outflow, year.retained - year.forfeited
    if year.outcome == "surplus":
        assert charged + paid_back == package - year.returned - year.forfeited
    else:
        assert charged - year.alliance_bears == package + year.fund_bears
    assert year.cash == (
        s_in
        + sisters
        + paid_back
        - year.alliance_bears
        - year.reserve_forfeited
        - year.payment_forfeited
        - prepaid
        - other
        - deductions
    )
    assert 0 <= year.forfeited <= year.retained
    assert 0 <= year.reserve_forfeited <= reserve
    assert len(year.identities) >= 3 or year.outcome == "balanced"


def test_a_reserve_takes_the_factor_instead_of_the_surplus() -> None:
    year = settled(reserve=Decimal("10000000.00"), score=Decimal(84), local_grades=[GOOD])
    assert year.assessment_target == "reserve"
    assert (year.forfeited, year.reserve_forfeited) == (Decimal("0.00"), Decimal("500000.00"))
    assert year.cash == Decimal("26500000.00")


def test_the_whole_payment_takes_the_factor_only_by_explicit_choice() -> None:
    year = settled(assessment_target="whole_payment", score=Decimal(84), local_grades=[GOOD])
    assert year.payment_forfeited == Decimal("1350000.00")
    assert year.cash == Decimal("25650000.00")
    assert [line.label for line in year.lines][-2:] == ["考核扣减年终拨付款", "应拨付"]
    recovery = settled(s_in=Decimal("150000000.00"), outflow=Decimal("135000000.00"), assessment_target="whole_payment")
    assert recovery.cash == Decimal("-18000000.00")
    assert recovery.assessment_target == "none"


def test_a_year_with_money_to_assess_needs_a_score() -> None:
    with pytest.raises(SettlementError, match="缺少年度考核得分"):
        settled(score=None)
    overrun = settled(s_in=Decimal("234000000.00"), score=None)
    assert overrun.cash == Decimal("47400000.00")
    assert overrun.assessment_target == "none"


def test_a_trial_with_an_assumed_factor_says_so() -> None:
    trial = settled(score=None, assumed_factor=Decimal("1.00"))
    assert trial.factor_assumed
    assert any("试算" in step.expression for step in trial.trace)
    assert not settled().factor_assumed
    with pytest.raises(SettlementError, match="须在0到1之间"):
        settled(assumed_factor=Decimal("1.2"))


def test_only_the_reasonable_part_of_an_overrun_is_shared() -> None:
    year = settled(
        s_in=Decimal("224000000.00"), outflow=Decimal("100000000.00"), reasonable_overrun=Decimal("10000000.00")
    )
    assert (year.fund_bears, year.alliance_bears) == (Decimal("8000000.00"), Decimal("16000000.00"))
    assert year.cash == Decimal("28000000.00")


def test_sister_patients_and_monthly_payments_enter_the_cash_only() -> None:
    year = settled(treated_for_sisters=Decimal("7000000.00"), other_payments=Decimal("2000000.00"))
    assert year.charged == Decimal("285000000.00")
    assert year.cash == Decimal("32000000.00")
    owed = settled(deductions=Decimal("-100.00"))
    assert owed.cash == Decimal("27000100.00")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"package": Decimal(0)}, "打包总额必须大于零"),
        ({"s_in": Decimal("-1.00")}, "医共体内基金应付额不能为负数"),
        ({"outflow": Decimal("0.001")}, "最多两位小数"),
        ({"prepaid": Decimal("-0.01")}, "已预付不能为负数"),
        ({"deductions": Decimal("NaN")}, "其他扣减不是有效数字"),
        ({"assessment_target": "bonus"}, "不认识的考核系数作用对象"),
        ({"assessment_target": "reserve"}, "本年没有预留金"),
        ({"score": Decimal("84")}, "考核得分84没有对应的等级系数"),
        ({"score": Decimal("101")}, "须在0到100之间"),
        ({"reasonable_overrun": Decimal("1.00")}, "没有超支"),
    ],
)
def test_a_year_with_wrong_inputs_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        settled(**changes)


def test_a_pending_gate_stops_the_settlement() -> None:
    scheme = load_scheme("county-city-taizhengban")
    inputs: dict[str, Any] = {
        "package": Decimal("300000000.00"),
        "s_in": Decimal("285000000.00"),
        "outflow": Decimal("0.00"),
        "prepaid": Decimal("0.00"),
        "assumed_factor": Decimal(1),
    }
    with pytest.raises(SettlementError, match="清算前须判定条件"):
        settle_year(scheme, **inputs)
    year = settle_year(scheme, **inputs, indicators={"admission_outpatient_ratio": Decimal("0.01")})
    assert year.cash == Decimal("289500000.00")
    assert year.lines[-1].clause.startswith("参照赣医保发")


def test_another_ratio_base_must_be_given() -> None:
    scheme = JIANGXI.with_parameter("sharing.ratio_base", "initial_package", clause="本地办法")
    inputs: dict[str, Any] = {
        "package": Decimal("300000000.00"),
        "s_in": Decimal("324000000.00"),
        "outflow": Decimal("0.00"),
        "prepaid": Decimal("0.00"),
    }
    with pytest.raises(SettlementError, match="须另行给出比例基数"):
        settle_year(scheme, **inputs)
    year = settle_year(scheme, **inputs, ratio_base=Decimal("480000000.00"))
    assert year.fund_bears == Decimal("19200000.00")


def test_the_statement_lists_what_nobody_has_confirmed() -> None:
    assert settled().unconfirmed == ("assessment.target",)
    overrun = settled(s_in=Decimal("234000000.00"))
    assert overrun.unconfirmed == ("overrun.O1.rate",)


def test_lines_add_up_to_the_cash_and_survive_json() -> None:
    year = settled()
    assert sum(line.sign * line.amount for line in year.lines) == year.lines[-1].amount == year.cash
    stored = json.loads(json.dumps(year.as_json(), ensure_ascii=False))
    assert stored["cash"] == "27000000.00"
    assert stored["share"]["alliance_keeps"] == "12000000.00"
    assert all(identity["holds"] for identity in stored["identities"])
    assert stored["trace"][-1]["value"] == "27000000.00"


def test_ninety_points_are_paid_in_full_and_others_need_the_local_table() -> None:
    assert factor_of(90, JIANGXI.grades).factor == Decimal(1)
    assert factor_of(100, JIANGXI.grades).grade.label == "全额拨付"
    with pytest.raises(AssessmentError, match="由统筹区医保部门商财政、卫生健康部门确定"):
        factor_of(Decimal("89.99"), JIANGXI.grades)
    assessed = factor_of(Decimal("89.99"), [*JIANGXI.grades, GOOD])
    assert assessed.factor == Decimal("0.95")
    assert next(iter(assessed.trace)).clause == "本地考核办法"


@pytest.mark.parametrize("score", [Decimal("-0.01"), Decimal("100.01"), Decimal("NaN"), 93.0, "93", True])
def test_a_score_outside_its_range_is_refused(score: Any) -> None:
    with pytest.raises(AssessmentError, match="考核得分须"):
        factor_of(score, JIANGXI.grades)


def test_an_inconsistent_table_of_grades_is_refused_with_all_problems() -> None:
    wrong = [
        Grade("甲", Decimal(85), Decimal(95), True, True, Decimal("0.9"), "本地"),
        Grade("乙", Decimal(80), Decimal(70), True, True, Decimal("1.1"), "本地"),
    ]
    with pytest.raises(AssessmentError) as refused:
        factor_of(60, [*JIANGXI.grades, *wrong])
    text = str(refused.value)
    assert "重叠" in text
    assert "得分范围[80, 70]无效" in text
    assert "系数须在0到1之间,现为1.1" in text


def test_a_recovery_is_repaid_in_equal_parts_that_add_up() -> None:
    parts = repay_in_instalments(Decimal("18000000.01"), count=7, start=Month(2026, 11))
    assert sum(part.amount for part in parts) == Decimal("18000000.01")
    assert max(part.amount for part in parts) - min(part.amount for part in parts) == Decimal("0.01")
    assert str(parts[-1].month) == "2027-05"
    for count in (0, 13, True):
        with pytest.raises(RepaymentError, match="期数须在1到12之间"):
            repay_in_instalments(Decimal("1.00"), count=count, start=Month(2026, 1))
    with pytest.raises(RepaymentError, match="不足以分3期"):
        repay_in_instalments(Decimal("0.02"), count=3, start=Month(2026, 1))


def test_offsets_must_cover_the_recovery_within_the_planned_prepayments() -> None:
    planned = {Month(2026, 4): Decimal("15000000.00"), Month(2026, 5): Decimal("15000000.00")}
    offsets = [(Month(2026, 4), Decimal("15000000.00")), (Month(2026, 5), Decimal("3000000.00"))]
    parts = repay_by_offset(Decimal("18000000.00"), offsets=offsets, planned=planned)
    assert [part.amount for part in parts] == [Decimal("15000000.00"), Decimal("3000000.00")]
    assert all(part.offset for part in parts)
    with pytest.raises(RepaymentError) as refused:
        repay_by_offset(
            Decimal("18000000.00"),
            offsets=[(Month(2026, 4), Decimal("16000000.00")), (Month(2026, 4), Decimal("1.00"))],
            planned=planned,
        )
    assert [problem.field for problem in refused.value.problems] == ["2026-04", "月份", "冲抵合计"]
