"""Money: Decimal yuan with two decimals. The only module that rounds.

Half-up to the fen everywhere; whatever is split is split by largest remainder so that the parts add up exactly.
Floats, NaN, infinities and amounts finer than a fen are refused, never repaired.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import lcm

from rules.errors import RuleError

FEN = Decimal("0.01")
ZERO = Decimal("0.00")
RATIO_STEP = Decimal("0.000001")
RATE_STEP = Decimal("0.0001")
LIMIT = Decimal(10) ** 15
"""Amounts from here on would leave the exact range of 28 digits once multiplied by a rate."""


class MoneyError(RuleError):
    """An amount that is no exact amount of money."""


def round_fen(value: Decimal) -> Decimal:
    """Yuan rounded half-up (away from zero) to the fen."""
    return value.quantize(FEN, ROUND_HALF_UP)


def round_ratio(value: Decimal) -> Decimal:
    """A ratio rounded half-up to six decimals, for display; decisions are taken on amounts, not on this."""
    return value.quantize(RATIO_STEP, ROUND_HALF_UP)


def round_rate(value: Decimal) -> Decimal:
    """A yearly rate rounded half-up to four decimals (a hundredth of a percent), as people write growth."""
    return value.quantize(RATE_STEP, ROUND_HALF_UP)


def round_count(value: Decimal) -> int:
    """Heads or cases rounded half-up to a whole number."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def exact(value: Decimal | int, name: str = "金额") -> Decimal:
    """The amount in yuan with two decimals; MoneyError unless it is a finite whole number of fen.

    ``name`` is the Chinese name of the amount, used in the message.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        kind = type(value).__name__
        raise MoneyError.one(name, value, f"{name}须为十进制金额(元),不接受{kind}类型", "请用元、角、分的十进制数填写")
    amount = value if isinstance(value, Decimal) else Decimal(value)
    if not amount.is_finite():
        raise MoneyError.one(name, value, f"{name}不是有效数字", "请填写具体金额")
    if not -LIMIT < amount < LIMIT:
        raise MoneyError.one(name, value, f"{name}超出可计算范围", "单位为元,请检查是否多填了位数")
    cents = amount.quantize(FEN, ROUND_HALF_UP)
    if cents != amount:
        raise MoneyError.one(name, value, f"{name}最多两位小数(精确到分),现为{amount}", "请填写到分")
    return cents if cents else ZERO


def non_negative(value: Decimal | int, name: str) -> Decimal:
    """As ``exact``; negative amounts are refused as well."""
    amount = exact(value, name)
    if amount < 0:
        raise MoneyError.one(name, value, f"{name}不能为负数,现为{amount}", "请检查数据来源或符号")
    return amount


def positive(value: Decimal | int, name: str) -> Decimal:
    """As ``exact``; zero and negative amounts are refused as well."""
    amount = exact(value, name)
    if amount <= 0:
        raise MoneyError.one(name, value, f"{name}必须大于零,现为{amount}", "请先核定金额")
    return amount


def to_fen(value: Decimal) -> int:
    """Whole fen of an exact amount in yuan; MoneyError (a ValueError) when it is not exact."""
    return int(exact(value).scaleb(2))


def from_fen(fen: int) -> Decimal:
    """Yuan with two decimals from whole fen."""
    if isinstance(fen, bool) or not isinstance(fen, int):
        raise MoneyError.one("分", fen, "分必须为整数")
    return exact(Decimal(fen).scaleb(-2))


def allocate(total: Decimal, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """Split ``total`` yuan in proportion to ``weights`` by largest remainder; the parts add up exactly.

    Equal remainders go to the earlier part. A negative total is split like its absolute value.
    """
    fen = to_fen(total)
    parts = allocate_count(abs(fen), weights)
    return [from_fen(-part if fen < 0 else part) for part in parts]


def allocate_count(total: int, weights: Sequence[Decimal | int]) -> list[int]:
    """Split a whole number in proportion to ``weights`` by largest remainder; the parts add up exactly."""
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise MoneyError.one("总数", total, f"待分配的总数须为非负整数,现为{total}")
    scaled = _whole_weights(weights)
    whole = sum(scaled)
    parts = [total * weight // whole for weight in scaled]
    by_remainder = sorted(range(len(scaled)), key=lambda index: (-(total * scaled[index] % whole), index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def _whole_weights(weights: Sequence[Decimal | int]) -> list[int]:
    if not weights:
        raise MoneyError.one("权重", "", "没有可分配的对象", "请至少列出一个分配对象")
    decimals: list[Decimal] = []
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, (Decimal, int)):
            raise MoneyError.one("权重", weight, f"权重须为十进制数或整数,不接受{type(weight).__name__}类型")
        decimal = Decimal(weight)
        if not decimal.is_finite() or decimal < 0:
            raise MoneyError.one("权重", weight, f"权重不能为负数或非数字,现为{weight}")
        decimals.append(decimal)
    ratios = [decimal.as_integer_ratio() for decimal in decimals]
    denominator = lcm(*(bottom for _, bottom in ratios))
    scaled = [top * (denominator // bottom) for top, bottom in ratios]
    if not sum(scaled):
        raise MoneyError.one("权重", "0", "权重合计为零,无法分配", "请至少给一个对象填写权重")
    return scaled
