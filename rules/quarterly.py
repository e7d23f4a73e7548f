"""Derived rows of the quarterly table (domain §5, rows 6 and 10): computed from filed rows, never typed.

A formula takes the filed values by row code (yuan, persons, visits, days) and the months covered, and gives None where a
value is missing or the divisor is zero: blank is not zero. Percentages are per cent with two decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rules.money import ZERO, exact, round_fen, round_ratio

Values = Mapping[str, Decimal | None]


@dataclass(frozen=True)
class Formula:
    """A named formula with its wording for the handbook and the trace."""

    name: str
    text: str
    compute: Callable[[Values, int], Decimal | None]


def _quotient(top: Decimal | None, bottom: Decimal | None) -> Decimal | None:
    return None if top is None or not bottom else round_ratio(top / bottom)


def _percent(top: Decimal | None, bottom: Decimal | None) -> Decimal | None:
    return None if top is None or not bottom else round_fen(top * 100 / bottom)


def _average(top: Decimal | None, bottom: Decimal | None) -> Decimal | None:
    return None if top is None or not bottom else round_fen(top / bottom)


def _sum(*values: Decimal | None) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, ZERO) if len(known) == len(values) else None


def _current_balance(values: Values, months: int) -> Decimal | None:
    package, spent = values.get("2"), values.get("3")
    if package is None or spent is None:
        return None
    return round_fen(exact(package, "年度打包总额") * months / 12) - spent


def _year_balance(values: Values, _months: int) -> Decimal | None:
    package, spent = values.get("2"), values.get("3")
    return None if package is None or spent is None else package - spent


FORMULAS: dict[str, Formula] = {
    formula.name: formula
    for formula in (
        Formula("current_balance", "第 2 行 × 月数 ÷ 12 − 第 3 行", _current_balance),
        Formula("year_balance", "第 2 行 − 第 3 行", _year_balance),
        Formula("balance_rate", "第 6 行 ÷ 第 2 行", lambda v, m: _percent(_current_balance(v, m), v.get("2"))),
        Formula("average_outpatient_cost", "9.o ÷ 第 7 行", lambda v, m: _average(v.get("9.o"), v.get("7"))),
        Formula("average_inpatient_cost", "9.i ÷ 第 8 行", lambda v, m: _average(v.get("9.i"), v.get("8"))),
        Formula("cost_per_bed_day", "9.i ÷ 8.1", lambda v, m: _average(v.get("9.i"), v.get("8.1"))),
        Formula("length_of_stay", "8.1 ÷ 第 8 行", lambda v, m: _quotient(v.get("8.1"), v.get("8"))),
        Formula("drug_share", "9.1 ÷ 第 9 行", lambda v, m: _percent(v.get("9.1"), v.get("9"))),
        Formula("actual_reimbursement", "第 4 行 ÷ 第 9 行", lambda v, m: _percent(v.get("4"), v.get("9"))),
        Formula(
            "inpatient_rate",
            "（第 8 行 + 8.o）÷ 第 1 行",
            lambda v, m: _percent(_sum(v.get("8"), v.get("8.o")), v.get("1")),
        ),
        Formula(
            "in_alliance_rate",
            "第 8 行 ÷（第 8 行 + 8.o）",
            lambda v, m: _percent(v.get("8"), _sum(v.get("8"), v.get("8.o"))),
        ),
        Formula("primary_share", "4.p ÷ 第 4 行", lambda v, m: _percent(v.get("4.p"), v.get("4"))),
        Formula("outflow_share", "第 5 行 ÷ 第 3 行", lambda v, m: _percent(v.get("5"), v.get("3"))),
    )
}


def derived(name: str, values: Values, months: int) -> Decimal | None:
    """The value of the named formula; None where it cannot be said. ``months`` 3, 6, 9 or 12."""
    return FORMULAS[name].compute(values, months)


def change_percent(current: Decimal | None, last: Decimal | None) -> Decimal | None:
    """增减%: (current − same period last year) ÷ last year, per cent with two decimals."""
    return None if current is None or not last else round_fen((current - last) * 100 / abs(last))


def execution_percent(current: Decimal | None, budget: Decimal | None) -> Decimal | None:
    """执行率%: current cumulative ÷ yearly budget, per cent with two decimals."""
    return _percent(current, budget)
