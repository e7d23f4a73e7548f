"""The Spring Festival by the calendar: how many days of its slack season lie in a month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from rules.periods import Month

NEW_YEAR = {
    2010: (2, 14), 2011: (2, 3), 2012: (1, 23), 2013: (2, 10), 2014: (1, 31), 2015: (2, 19), 2016: (2, 8),
    2017: (1, 28), 2018: (2, 16), 2019: (2, 5), 2020: (1, 25), 2021: (2, 12), 2022: (2, 1), 2023: (1, 22),
    2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3),
    2031: (1, 23), 2032: (2, 11), 2033: (1, 31), 2034: (2, 19), 2035: (2, 8), 2036: (1, 28), 2037: (2, 15),
    2038: (2, 4), 2039: (1, 24), 2040: (2, 12),
}  # fmt: skip
"""Month and day of the lunar new year. A year outside the table has no festival: its months are not shifted."""
DAYS_BEFORE, DAYS_AFTER = 7, 14
"""From the little new year's week to the Lantern Festival: when people put off what can wait."""


@cache
def festival_share(year: int, month: int) -> Decimal:
    """The share of a month's days in the festival's slack season (four decimals suffice: days ÷ days)."""
    if year not in NEW_YEAR or month > 3:
        return Decimal(0)
    day = date(year, *NEW_YEAR[year])
    begins, ends = day - timedelta(days=DAYS_BEFORE), day + timedelta(days=DAYS_AFTER)
    whole = Month(year, month)
    days = (min(whole.last_day, ends) - max(whole.first_day, begins)).days + 1
    return Decimal(max(days, 0)) / ((whole.last_day - whole.first_day).days + 1)
