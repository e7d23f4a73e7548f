"""Calendar periods: months, quarters and years of the fund. No clock; callers pass dates in."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from rules.errors import RuleError


class PeriodError(RuleError):
    """Text or numbers that name no period."""


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month, ordered, printed as 2026-09."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and 1900 <= self.year <= 2999):
            text = f"{self.year}-{self.month}"
            raise PeriodError.one("月份", text, f"月份无效:{text}", "请按“2026-09”填写")

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month of a text such as ``2026-09``."""
        year, separator, month = text.strip().partition("-")
        if separator != "-" or not (_digits(year, 4) and _digits(month, 2)):
            raise PeriodError.one("月份", text, f"月份无效:“{text}”", "请按“2026-09”填写")
        return cls(int(year), int(month))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month a day lies in."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.month, monthrange(self.year, self.month)[1])

    @property
    def quarter(self) -> Quarter:
        return Quarter(self.year, (self.month + 2) // 3)

    def plus(self, months: int) -> Month:
        """The month ``months`` later (earlier when negative)."""
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)

    def next(self) -> Month:
        return self.plus(1)

    def previous(self) -> Month:
        return self.plus(-1)


def months_after(day: date, months: int) -> date:
    """The day with the same number some months later, or the last day of that month when it has none."""
    last = Month.of(day).plus(months).last_day
    return last.replace(day=min(day.day, last.day))


@dataclass(frozen=True, order=True, slots=True)
class Quarter:
    """A calendar quarter, ordered, printed as 2026Q3."""

    year: int
    quarter: int

    def __post_init__(self) -> None:
        if not (1 <= self.quarter <= 4 and 1900 <= self.year <= 2999):
            text = f"{self.year}Q{self.quarter}"
            raise PeriodError.one("季度", text, f"季度无效:{text}", "请按“2026Q3”填写")

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """The quarter of a text such as ``2026Q3``."""
        year, separator, quarter = text.strip().upper().partition("Q")
        if separator != "Q" or not (_digits(year, 4) and _digits(quarter, 1)):
            raise PeriodError.one("季度", text, f"季度无效:“{text}”", "请按“2026Q3”填写")
        return cls(int(year), int(quarter))

    @classmethod
    def of(cls, day: date) -> Quarter:
        """The quarter a day lies in."""
        return Month.of(day).quarter

    def __str__(self) -> str:
        return f"{self.year:04d}Q{self.quarter}"

    @property
    def months(self) -> tuple[Month, Month, Month]:
        first = Month(self.year, self.quarter * 3 - 2)
        return first, first.plus(1), first.plus(2)

    @property
    def first_day(self) -> date:
        return self.months[0].first_day

    @property
    def last_day(self) -> date:
        return self.months[2].last_day

    def next(self) -> Quarter:
        return self.months[2].next().quarter

    def previous(self) -> Quarter:
        return self.months[0].previous().quarter


def months_of_year(year: int) -> tuple[Month, ...]:
    """January to December."""
    return tuple(Month(year, month) for month in range(1, 13))


def quarters_of_year(year: int) -> tuple[Quarter, ...]:
    """The four quarters."""
    return tuple(Quarter(year, quarter) for quarter in range(1, 5))


def months_between(first: Month, last: Month) -> tuple[Month, ...]:
    """All months from ``first`` to ``last``, both included; empty when ``last`` is earlier."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(first.plus(offset) for offset in range(count))


def _digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()
