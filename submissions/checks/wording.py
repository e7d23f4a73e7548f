"""How amounts are said in findings, and the two slips worth naming: swapped digits, and yuan typed as 万元."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.money import ZERO, round_fen
from submissions.declaration import MONEY_UNIT, WHOLE_UNITS

WAN = Decimal(10000)


def wan(value: Decimal) -> str:
    """Yuan in 万元, two decimals, with thousands separators."""
    return _signed(f"{round_fen(value / WAN):,}")


def shown(value: Decimal | None, unit: str) -> str:
    """A value as its sheet shows it; empty for blank."""
    if value is None:
        return ""
    if unit == MONEY_UNIT:
        return wan(value)
    whole = unit in WHOLE_UNITS or value == value.to_integral_value()
    if whole and value == value.to_integral_value():
        return _signed(f"{int(value):,}")
    return _signed(f"{value.normalize():,f}")


def _signed(text: str) -> str:
    """With the minus sign the pages print."""
    return text.replace("-", "−")


def apart(filed: Decimal, expected: Decimal, unit: str) -> str:
    """多 1,500.00 or 少 72.00."""
    return f"{'多' if filed > expected else '少'} {shown(abs(filed - expected), unit)}"


def percent(fraction: Decimal) -> str:
    """A fraction as per cent with two decimals."""
    return f"{round_fen(fraction * 100)}%"


@dataclass(frozen=True)
class Slip:
    """One cell whose correction would make everything agree."""

    key: str
    filed: Decimal
    should: Decimal
    hint: str


def hint(filed: Decimal, should: Decimal, unit: str, slack: Decimal = ZERO) -> str:
    """What the slip looks like in words; empty when it looks like none."""
    if unit == MONEY_UNIT and _typed_in_yuan(filed, should, slack):
        return f"该格像是按元填报，本表单位为万元；改为 {wan(filed / WAN)}。"
    if _swapped(filed, should, unit):
        return f"疑为数字换位（{shown(should, unit)} 误作 {shown(filed, unit)}）；请核对后改正。"
    return ""


def slip_of(cells: Sequence[tuple[str, Decimal]], expected: Decimal, unit: str, slack: Decimal) -> Slip | None:
    """The cell of a sum whose slip explains why the cells do not add up to ``expected``; None without one."""
    added = sum((value for _key, value in cells), ZERO)
    for key, value in cells:
        should = value + expected - added
        found = hint(value, should, unit, slack) if should >= 0 else ""
        if found:
            return Slip(key, value, should, found)
    return None


def _typed_in_yuan(filed: Decimal, should: Decimal, slack: Decimal) -> bool:
    """Ten thousand times too much; a cell of zero is no slip."""
    meant = filed / WAN
    return bool(filed) and abs(filed) >= WAN and abs(meant - should) <= max(slack, Decimal(100)) and abs(should) > 0


def _swapped(filed: Decimal, should: Decimal, unit: str) -> bool:
    """Whether two neighbouring digits changed places."""
    one, other = _digits(filed, unit), _digits(should, unit)
    if len(one) != len(other) or one == other:
        return False
    places = [index for index in range(len(one)) if one[index] != other[index]]
    return (
        len(places) == 2
        and places[1] == places[0] + 1
        and one[places[0]] == other[places[1]]
        and one[places[1]] == other[places[0]]
    )


def _digits(value: Decimal, unit: str) -> str:
    """The digits as typed: hundredths of a 万元, or the whole count."""
    typed = round_fen(value / WAN) * 100 if unit == MONEY_UNIT else value
    return f"{abs(typed):f}".split(".")[0]
