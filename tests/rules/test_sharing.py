"""Sharing refuses what cannot be shared, and knows modes, gates, caps and the wording of its trace."""

import json
import pickle
from decimal import Decimal
from typing import Any

import pytest

from rules.money import MoneyError
from rules.scheme import Scheme, load_scheme, scheme_names
from rules.sharing import SharingError
from rules.trace import Trace

B = Decimal("300000000.00")
S = Decimal("324000000.00")
JIANGXI = load_scheme("jiangxi-2022")


@pytest.mark.parametrize(
    ("package", "charged", "says"),
    [
        (Decimal(0), S, "打包总额必须大于零"),
        (Decimal("-1.00"), S, "打包总额必须大于零"),
        (B, Decimal("-0.01"), "年度基金应付额不能为负数"),
        (B, Decimal("1.001"), "最多两位小数"),
        (Decimal("0.005"), S, "最多两位小数"),
        (B, Decimal("NaN"), "不是有效数字"),
        (B, Decimal("sNaN"), "不是有效数字"),
        (Decimal("Infinity"), S, "不是有效数字"),
        (Decimal(10) ** 15, S, "超出可计算范围"),
        (3e8, S, "不接受float类型"),
        (B, "324000000", "不接受str类型"),
        (B, True, "不接受bool类型"),
    ],
)
def test_what_is_no_amount_is_refused_in_chinese(package: Any, charged: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        JIANGXI.share(package, charged)
    assert isinstance(refused.value, MoneyError)
    assert refused.value.problems[0].field in ("打包总额", "年度基金应付额")


@pytest.mark.parametrize(
    ("charged", "reasonable", "says"),
    [
        (S, Decimal("24000000.01"), "不能大于超支额24000000.00"),
        (S, Decimal("-0.01"), "合理超支不能为负数"),
        (S, Decimal("0.001"), "最多两位小数"),
        (B, Decimal("0.01"), "本年度没有超支"),
        (Decimal("285000000.00"), Decimal("1.00"), "本年度没有超支"),
    ],
)
def test_a_reasonable_part_must_lie_within_the_overrun(charged: Decimal, reasonable: Decimal, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        JIANGXI.share(B, charged, reasonable)


def test_an_overrun_found_wholly_unreasonable_is_the_alliances() -> None:
    result = JIANGXI.share(B, S, Decimal("0.00"))
    assert (result.fund_bears, result.alliance_bears) == (Decimal("0.00"), Decimal("24000000.00"))
    assert result.label == "不合理超支"
    assert result.unconfirmed == ("overrun.O1.rate",)


def test_bounds_are_printed_in_fen() -> None:
    first, second, third = JIANGXI.share(Decimal("286543210.37"), Decimal("301234567.89")).tiers
    assert (first.lower, first.upper) == (Decimal("0.00"), Decimal("14327160.52"))
    assert (second.lower, second.upper) == (Decimal("14327160.52"), Decimal("28654321.04"))
    assert (third.lower, third.upper, third.amount) == (Decimal("28654321.04"), None, Decimal("0.00"))
    assert first.clause == "赣医保发〔2022〕23号 §二(三)1"
    assert first.status == "待核实"
    assert second.status == "confirmed"


def test_the_trace_can_be_redone_with_a_calculator() -> None:
    trace = JIANGXI.share(Decimal("286543210.37"), Decimal("301234567.89")).trace
    printed = {step.label: (dict(step.inputs), step.value) for step in trace}
    assert printed["O1档上限"] == (
        {"比例基数": Decimal("286543210.37"), "上限比例": "5%"},
        Decimal("14327160.52"),
    )
    assert printed["O1档基金分担"] == ({"O1档内金额": Decimal("14327160.52"), "比例": "80%"}, Decimal("11461728.42"))
    assert printed["各档基金分担合计"][1] == Decimal("11680246.62")
    assert printed["医共体承担"][1] == Decimal("3011110.90")


def test_a_result_survives_json_and_pickle() -> None:
    result = JIANGXI.share(B, S)
    stored = json.loads(json.dumps(result.as_json(), ensure_ascii=False))
    assert stored["fund_bears"] == "17400000.00"
    assert stored["tiers"][0]["upper"] == "15000000.00"
    assert stored["tiers"][2]["upper"] is None
    assert Trace.from_json(stored["trace"]).as_json() == result.trace.as_json()
    assert pickle.loads(pickle.dumps(result)) == result


def test_the_tiers_of_a_whole_amount_scheme_jump_and_the_bounds_decide() -> None:
    whole = JIANGXI.with_parameter("sharing.mode", "whole_amount")
    at_ten = whole.share(B, Decimal("270000000.00"))
    below_ten = whole.share(B, Decimal("270000000.01"))
    assert (at_ten.label, at_ten.alliance_keeps) == ("P2", Decimal("18000000.00"))
    assert (below_ten.label, below_ten.alliance_keeps) == ("P1", Decimal("23999999.99"))
    assert [tier.amount for tier in at_ten.tiers] == [Decimal("0.00"), Decimal("30000000.00"), Decimal("0.00")]
    at_five = whole.share(B, Decimal("315000000.00"))
    assert (at_five.label, at_five.fund_bears) == ("O1", Decimal("12000000.00"))
    assert "全部超支额落在O1档(0%至5%)" in [step.expression for step in at_five.trace]


def test_another_ratio_base_widens_the_tiers() -> None:
    result = JIANGXI.share(B, S, ratio_base=Decimal("480000000.00"))
    assert result.label == "O1"
    assert result.fund_bears == Decimal("19200000.00")
    assert result.ratio == Decimal("0.050000")


def test_a_dead_band_is_its_own_first_segment() -> None:
    result = load_scheme("city-five-tiers").share(Decimal("100000000.00"), Decimal("97000000.00"))
    assert [(tier.label, tier.amount) for tier in result.tiers if tier.amount] == [
        ("带内", Decimal("2000000.00")),
        ("P1", Decimal("1000000.00")),
    ]
    assert result.alliance_keeps == Decimal("2500000.00")


def test_an_indicator_gate_closes_retention_and_is_pending_without_its_value() -> None:
    scheme = load_scheme("county-city-taizhengban")
    charged = Decimal("285000000.00")
    pending = scheme.share(B, charged)
    assert pending.pending_gates == ("住院人次与门诊人次之比高于0.018",)
    assert pending.alliance_keeps == Decimal("4500000.00")
    at_limit = scheme.share(B, charged, indicators={"admission_outpatient_ratio": Decimal("0.018")})
    assert (at_limit.pending_gates, at_limit.closed_gates) == ((), ())
    closed = scheme.share(B, charged, indicators={"admission_outpatient_ratio": Decimal("0.0181")})
    assert (closed.alliance_keeps, closed.returned_to_fund) == (Decimal("0.00"), Decimal("15000000.00"))
    assert closed.gate_cut == Decimal("4500000.00")
    assert any("未通过条件" in step.expression for step in closed.trace)
    with pytest.raises(SharingError, match="须为十进制数"):
        scheme.share(B, charged, indicators={"admission_outpatient_ratio": 0.02})  # type: ignore[dict-item]


def test_a_score_gate_pays_nothing_below_its_score() -> None:
    gate = """
[[gates]]
key = "score_floor"
metric = "score"
title = "考核得分"
closes_when = "below"
threshold = 60
target = "retention"
clause = "本地考核办法"
status = "待核实"
"""
    scheme = Scheme.from_toml(JIANGXI.to_toml() + gate)
    charged = Decimal("285000000.00")
    assert scheme.share(B, charged, score=Decimal(60)).alliance_keeps == Decimal("12000000.00")
    failed = scheme.share(B, charged, score=Decimal("59.99"))
    assert failed.alliance_keeps == Decimal("0.00")
    assert failed.unconfirmed == ("gates.score_floor.threshold",)
    assert scheme.share(B, S, score=Decimal(0)).fund_bears == Decimal("17400000.00")


def test_every_unconfirmed_key_names_a_parameter_of_the_scheme() -> None:
    for name in scheme_names():
        scheme = load_scheme(name)
        for side, charged in ((scheme.brackets.surplus, "250000000.00"), (scheme.brackets.overrun, "380000000.00")):
            if side is not None:
                keys = scheme.share(B, Decimal(charged)).unconfirmed
                assert [scheme.parameter(key).status for key in keys] == ["待核实"] * len(keys)
    keys = load_scheme("city-five-tiers").share(B, Decimal("301000000.00")).unconfirmed
    assert keys == ("overrun.dead_band", "overrun.dead_band_rate")


def test_a_cap_sends_the_rest_to_the_other_side_and_says_so() -> None:
    result = load_scheme("county-city-taizhengban").share(B, Decimal("255000000.00"))
    assert (result.shared_by_tiers, result.cap_amount) == (Decimal("13500000.00"), Decimal("9000000.00"))
    assert result.cap_cut == Decimal("4500000.00")
    assert "超过封顶部分" in [step.label for step in result.trace]


def test_a_side_the_document_does_not_define_is_refused_not_guessed() -> None:
    with pytest.raises(SharingError, match="未规定结余留用比例"):
        load_scheme("shenzhen-2014").share(B, Decimal("285000000.00"))
    assert load_scheme("shenzhen-2014").share(B, B).outcome == "balanced"


def test_the_smallest_package_keeps_its_order_when_bounds_fall_together() -> None:
    result = JIANGXI.share(Decimal("0.01"), Decimal("0.02"))
    assert (result.label, result.fund_bears, result.alliance_bears) == ("O3", Decimal("0.00"), Decimal("0.01"))
