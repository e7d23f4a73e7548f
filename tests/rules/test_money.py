"""Rounding, exactness and splitting of money."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import MoneyError, allocate, allocate_count, from_fen, round_fen, round_ratio, to_fen
from rules.shares import SharesError, split_count, split_money

amounts = st.integers(-(10**13), 10**13).map(from_fen)
weights = st.lists(st.one_of(st.integers(0, 10**6), st.decimals(0, 1000, places=4)), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.005", "0.01"), ("0.0049", "0.00"), ("-0.005", "-0.01"), ("14327160.5185", "14327160.52"), ("2.675", "2.68")],
)
def test_half_a_fen_is_rounded_away_from_zero(value: str, rounded: str) -> None:
    assert str(round_fen(Decimal(value))) == rounded


def test_a_ratio_is_shown_with_six_decimals() -> None:
    assert str(round_ratio(Decimal(1) / Decimal(3))) == "0.333333"


@given(amounts)
def test_fen_and_yuan_convert_back_and_forth(amount: Decimal) -> None:
    assert from_fen(to_fen(amount)) == amount
    assert from_fen(to_fen(amount)).as_tuple().exponent == -2


@pytest.mark.parametrize("value", [Decimal("0.001"), Decimal("NaN"), Decimal("-Infinity"), 0.1, "1", None])
def test_to_fen_refuses_what_is_not_exact(value: Any) -> None:
    with pytest.raises(ValueError):
        to_fen(value)


def test_from_fen_refuses_fractions() -> None:
    with pytest.raises(MoneyError, match="分必须为整数"):
        from_fen(1.5)  # type: ignore[arg-type]


@given(amounts, weights.filter(lambda values: sum(values) > 0))
def test_parts_add_up_and_stay_within_a_fen_of_their_proportion(total: Decimal, values: list[Any]) -> None:
    parts = allocate(total, values)
    assert sum(parts) == total
    whole = sum(Decimal(value) for value in values)
    for part, value in zip(parts, values, strict=True):
        assert abs(part - total * Decimal(value) / whole) <= Decimal("0.0100001")
        assert value or not part


def test_the_largest_remainders_get_the_last_fen_and_ties_go_to_the_earlier() -> None:
    assert allocate(Decimal("100.00"), [1, 1, 1]) == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert allocate(Decimal("0.05"), [6, 3, 1]) == [Decimal("0.03"), Decimal("0.02"), Decimal("0.00")]
    assert allocate(Decimal("-0.01"), [1, 2]) == [Decimal("0.00"), Decimal("-0.01")]
    assert allocate_count(7, [Decimal("0.5"), Decimal("0.25"), Decimal("0.25")]) == [3, 2, 2]


@pytest.mark.parametrize(
    ("values", "says"), [([], "没有可分配的对象"), ([0, 0], "权重合计为零"), ([1, -1], "负数"), ([0.5], "float")]
)
def test_impossible_weights_are_refused(values: list[Any], says: str) -> None:
    with pytest.raises(MoneyError, match=says):
        allocate(Decimal("1.00"), values)


def test_a_count_to_split_is_a_whole_number() -> None:
    with pytest.raises(MoneyError, match="非负整数"):
        allocate_count(-1, [1])


def test_agreed_shares_split_money_and_heads_exactly() -> None:
    shares = {"甲医共体": Decimal("0.6667"), "乙医共体": Decimal("0.3333")}
    assert split_money(Decimal("100.01"), shares) == {"甲医共体": Decimal("66.68"), "乙医共体": Decimal("33.33")}
    assert split_count(1001, shares) == {"甲医共体": 667, "乙医共体": 334}


def test_agreed_shares_must_be_a_whole() -> None:
    with pytest.raises(SharesError, match="合计须为100%,现为99%"):
        split_money(Decimal("1.00"), {"甲": Decimal("0.50"), "乙": Decimal("0.49")})
    with pytest.raises(SharesError) as refused:
        split_count(1, {"甲": Decimal("-0.1"), "乙": Decimal("1.1")})
    assert len(refused.value.problems) == 2
