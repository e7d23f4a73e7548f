"""The cumulative periods of a table: a quarter names January to its last month (domain §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rules.periods import Month, Quarter, months_between

KINDS = {1: "一季度", 2: "半年", 3: "三季度", 4: "全年"}


@dataclass(frozen=True, order=True, slots=True)
class TablePeriod:
    """January to the end of ``quarter``; stored as 2026Q3."""

    quarter: Quarter

    @classmethod
    def parse(cls, text: str) -> TablePeriod:
        """Raises ``PeriodError`` for a text that is no quarter."""
        return cls(Quarter.parse(text))

    @classmethod
    def ended_before(cls, day: date) -> TablePeriod:
        """The last period that is over on ``day``."""
        return cls(Quarter.of(day).previous())

    def __str__(self) -> str:
        return str(self.quarter)

    @property
    def year(self) -> int:
        return self.quarter.year

    @property
    def months(self) -> int:
        """How many months the figures cover: 3, 6, 9 or 12."""
        return self.quarter.quarter * 3

    @property
    def first_day(self) -> date:
        return date(self.year, 1, 1)

    @property
    def last_day(self) -> date:
        return self.quarter.last_day

    @property
    def last_month(self) -> Month:
        return self.quarter.months[2]

    @property
    def covered(self) -> tuple[Month, ...]:
        return months_between(Month(self.year, 1), self.last_month)

    @property
    def kind_text(self) -> str:
        return KINDS[self.quarter.quarter]

    @property
    def text(self) -> str:
        """2026 年 1–9 月."""
        return f"{self.year} 年 1–{self.months} 月"

    @property
    def last_year(self) -> TablePeriod:
        return TablePeriod(Quarter(self.year - 1, self.quarter.quarter))

    @property
    def previous(self) -> TablePeriod | None:
        """The shorter period of the same year; None for the first quarter."""
        return None if self.quarter.quarter == 1 else TablePeriod(self.quarter.previous())
