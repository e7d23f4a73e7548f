"""The methods a projection must beat, on what was known then.

Straight line: known so far ÷ months × 12. Last year's growth: last year's amount × (this year so far ÷ the same months
of last year as they were known a year ago) – like compared with like, late claims missing on both sides. Last year's
rate: last year's amount grown once more as it had grown.
"""

from __future__ import annotations

from decimal import Decimal

from rules.forecast.history import MONTHS, ZERO, History
from rules.money import round_fen

STRAIGHT, GROWTH, RATE = "straight_line", "last_year_growth", "last_year_rate"
BASELINES = (STRAIGHT, GROWTH, RATE)


def baseline(name: str, history: History, at: int) -> Decimal | None:
    """The year end by one of the methods; None where it can say nothing."""
    return _METHODS[name](history, at)


def _straight(history: History, at: int) -> Decimal | None:
    months = [month for month in range(at // MONTHS * MONTHS, at + 1) if history.has(month, at)]
    if not months:
        return None
    return round_fen(sum((history.known(month, at) for month in months), ZERO) * MONTHS / len(months))


def _growth(history: History, at: int) -> Decimal | None:
    last = _whole_year(history, at // MONTHS - 1, at)
    months = [month for month in range(at // MONTHS * MONTHS, at + 1) if history.has(month, at)]
    then = sum((history.known(month - MONTHS, at - MONTHS) for month in months), ZERO)
    if last is None or then <= 0:
        return None
    return round_fen(last * sum((history.known(month, at) for month in months), ZERO) / then)


def _rate(history: History, at: int) -> Decimal | None:
    last = _whole_year(history, at // MONTHS - 1, at)
    before = _whole_year(history, at // MONTHS - 2, at)
    if last is None or before is None or before <= 0:
        return None
    return round_fen(last * last / before)


def _whole_year(history: History, year: int, at: int) -> Decimal | None:
    months = range(year * MONTHS, year * MONTHS + MONTHS)
    if not history.is_whole(year, at):
        return None
    return sum((history.known(month, at) for month in months), ZERO)


_METHODS = {STRAIGHT: _straight, GROWTH: _growth, RATE: _rate}
