"""The spans an indicator is shown for: a month, a quarter, a half-year, a year, or January to a month. No clock."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rules.periods import Month, PeriodError, months_between

MONTH, QUARTER, HALF, YEAR, TO_DATE = "month", "quarter", "half", "year", "to_date"
KINDS = {MONTH: "月", QUARTER: "季", HALF: "半年", YEAR: "全年", TO_DATE: "本年累计"}
LENGTHS = {MONTH: 1, QUARTER: 3, HALF: 6, YEAR: 12}
_FORM = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})|Q(?P<quarter>[1-4])|H(?P<half>[12])|M(?P<to>[0-9]{2}))?")


@dataclass(frozen=True, order=True)
class Span:
    """Consecutive months of one year; ``str`` gives 2026-09, 2026Q3, 2026H1, 2026 or 2026M09 (January to September)."""

    kind: str
    first: Month
    last: Month

    @classmethod
    def parse(cls, text: str) -> Span:
        """Raises ``PeriodError`` for a text that is no span."""
        found = _FORM.fullmatch(text.strip().upper())
        if found is None:
            raise PeriodError.one("期间", text, f"期间无效:“{text}”", "请按 2026-09、2026Q3、2026H1、2026 或 2026M09 填写")
        year = int(found["year"])
        if found["month"]:
            return cls.month(Month(year, int(found["month"])))
        if found["quarter"]:
            return cls.of(QUARTER, Month(year, int(found["quarter"]) * 3))
        if found["half"]:
            return cls.of(HALF, Month(year, int(found["half"]) * 6))
        if found["to"]:
            return cls.to_date(Month(year, int(found["to"])))
        return cls(YEAR, Month(year, 1), Month(year, 12))

    @classmethod
    def month(cls, month: Month) -> Span:
        return cls(MONTH, month, month)

    @classmethod
    def to_date(cls, month: Month) -> Span:
        return cls(TO_DATE, Month(month.year, 1), month)

    @classmethod
    def of(cls, kind: str, month: Month) -> Span:
        """The span of a kind that ``month`` lies in (for ``to_date``: that ends with it)."""
        if kind == TO_DATE:
            return cls.to_date(month)
        length = LENGTHS[kind]
        number = (month.month - 1) // length
        first = Month(month.year, number * length + 1)
        return cls(kind, first, first.plus(length - 1))

    def __str__(self) -> str:
        year, last = self.first.year, self.last.month
        return {
            MONTH: str(self.last),
            QUARTER: f"{year}Q{last // 3}",
            HALF: f"{year}H{last // 6}",
            YEAR: str(year),
            TO_DATE: f"{year}M{last:02d}",
        }[self.kind]

    @property
    def year(self) -> int:
        return self.last.year

    @property
    def months(self) -> tuple[Month, ...]:
        return months_between(self.first, self.last)

    @property
    def text(self) -> str:
        """2026 年 9 月, 2026 年三季度, 2026 年上半年, 2026 年, 2026 年 1–9 月."""
        year, last = self.first.year, self.last.month
        if self.kind == YEAR:
            return f"{year} 年"
        if self.kind == QUARTER:
            return f"{year} 年{'一二三四'[last // 3 - 1]}季度"
        if self.kind == HALF:
            return f"{year} 年{'上' if last == 6 else '下'}半年"
        if self.kind == TO_DATE and last > 1:
            return f"{year} 年 1–{last} 月"
        return f"{year} 年 {last} 月"

    def year_before(self) -> Span:
        return Span(self.kind, self.first.plus(-12), self.last.plus(-12))

    def previous(self) -> Span:
        """The span of the same kind before; for ``to_date`` the one that ends a month earlier, if there is any."""
        if self.kind == TO_DATE:
            return Span.to_date(self.last.previous())
        return Span.of(self.kind, self.first.previous())
