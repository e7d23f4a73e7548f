"""Getting money back when the year-end cash is negative: equal instalments, or offsets against next prepayments.

Either way the parts add up to the recovery to the fen, and nothing is set off silently: the plan is approved elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from rules.errors import RuleError, RuleProblem
from rules.money import ZERO, allocate, positive
from rules.periods import Month

MAX_INSTALMENTS = 12


class RepaymentError(RuleError):
    """A plan that does not give the money back exactly."""


class Repayment(NamedTuple):
    """One part of a repayment: its number, month, amount in yuan, and whether it is offset against a prepayment."""

    number: int
    month: Month
    amount: Decimal
    offset: bool


def repay_in_instalments(amount: Decimal, *, count: int, start: Month) -> tuple[Repayment, ...]:
    """Equal monthly payments adding up to ``amount``; RepaymentError unless 1 ≤ count ≤ 12 and no part is 0."""
    total = positive(amount, "应追回金额")
    if isinstance(count, bool) or not 1 <= count <= MAX_INSTALMENTS:
        raise RepaymentError.one("期数", count, f"还款期数须在1到12之间,现为{count}", "请改正期数")
    parts = allocate(total, [1] * count)
    if not parts[-1]:
        raise RepaymentError.one("期数", count, f"应追回金额{total}元不足以分{count}期", "请减少期数")
    return tuple(Repayment(number + 1, start.plus(number), part, False) for number, part in enumerate(parts))


def repay_by_offset(
    amount: Decimal, *, offsets: Sequence[tuple[Month, Decimal]], planned: Mapping[Month, Decimal]
) -> tuple[Repayment, ...]:
    """Offsets against planned prepayments (yuan per month), adding up to ``amount`` exactly; all problems at once."""
    total = positive(amount, "应追回金额")
    problems: list[RuleProblem] = []
    parts: list[Repayment] = []
    for number, (month, value) in enumerate(offsets, 1):
        part = positive(value, f"{month}冲抵额")
        available = planned.get(month, ZERO)
        if part > available:
            text = f"{month}冲抵额{part}大于当月计划预付额{available}"
            problems.append(RuleProblem(str(month), str(part), text, "请减少该月冲抵额"))
        parts.append(Repayment(number, month, part, True))
    if len({part.month for part in parts}) != len(parts):
        problems.append(RuleProblem("月份", "", "同一月份重复冲抵", "请合并为一行"))
    covered = sum((part.amount for part in parts), ZERO)
    if covered != total:
        text = f"冲抵合计{covered}与应追回金额{total}相差{abs(total - covered)}"
        problems.append(RuleProblem("冲抵合计", str(covered), text, "请使合计与应追回金额一致"))
    if problems:
        raise RepaymentError(problems)
    return tuple(parts)
