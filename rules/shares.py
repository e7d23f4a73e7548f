"""Splitting by an agreed share: two alliances in one county, or the recipients of retained money.

Where no dated rule assigns an insured person to an alliance, an agreed yearly share per fund type does. Shares must add
up to exactly 1; money and head counts are split by largest remainder so that the parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from rules.errors import RuleError, RuleProblem
from rules.money import allocate, allocate_count
from rules.trace import percent


class SharesError(RuleError):
    """Agreed shares that do not describe a whole."""


def check_shares(shares: Mapping[str, Decimal]) -> None:
    """SharesError with all problems unless every share lies in 0–1 and they add up to exactly 1."""
    problems: list[RuleProblem] = []
    total = Decimal(0)
    for name, share in shares.items():
        if not isinstance(share, Decimal) or not share.is_finite() or not 0 <= share <= 1:
            text = f"“{name}”的份额须为0到1之间的十进制数,现为{share}"
            problems.append(RuleProblem(name, str(share), text, "请改正份额"))
        else:
            total += share
    if not problems and total != 1:
        text = f"各方份额合计须为100%,现为{percent(total)}"
        problems.append(RuleProblem("份额", str(total), text, "请核对协议约定的份额"))
    if problems:
        raise SharesError(problems)


def split_money(total: Decimal, shares: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Yuan per party, adding up to ``total`` to the fen."""
    check_shares(shares)
    return dict(zip(shares, allocate(total, list(shares.values())), strict=True))


def split_count(total: int, shares: Mapping[str, Decimal]) -> dict[str, int]:
    """Persons or visits per party, adding up to ``total``."""
    check_shares(shares)
    return dict(zip(shares, allocate_count(total, list(shares.values())), strict=True))
