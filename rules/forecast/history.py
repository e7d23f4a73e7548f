"""What was known when: the triangle of one place and fund type, by part and service.

Months are counted as whole numbers (year × 12 + month − 1) inside this package; callers see :class:`rules.periods.Month`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rules.errors import RuleError
from rules.histories.table import PARTS, FactRow
from rules.money import exact
from rules.periods import Month

ZERO = Decimal(0)
MONTHS = 12
Cell = tuple[str, str]
"""(part, service)"""


class ForecastError(RuleError):
    """Inputs from which nothing can be projected."""


def index_of(month: Month) -> int:
    return month.year * MONTHS + month.month - 1


def month_at(index: int) -> Month:
    return Month(index // MONTHS, index % MONTHS + 1)


class Series:
    """One measure of one cell: for each month settled, what was known after 0, 1, 2 … months (cumulated).

    ``untold`` months were loaded afterwards: they tell amounts, but not when those became known.
    """

    __slots__ = ("_years", "cumulated", "untold")

    def __init__(self, cumulated: Mapping[int, Sequence[Decimal]], untold: Collection[int] = ()) -> None:
        self.cumulated = dict(cumulated)
        self.untold = frozenset(untold)
        self._years: dict[int, tuple[list[Decimal], int]] = {}

    @classmethod
    def of_increments(cls, increments: Mapping[int, Mapping[int, Decimal]], untold: Collection[int] = ()) -> Series:
        """From what was newly known: month settled → months of lag → amount."""
        found: dict[int, list[Decimal]] = {}
        for month, by_lag in increments.items():
            total, line = ZERO, []
            for lag in range(max(by_lag) + 1):
                total += by_lag.get(lag, ZERO)
                line.append(total)
            found[month] = line
        return cls(found, untold)

    def known(self, month: int, at: int) -> Decimal:
        """What was known of a month by the end of the month ``at``; 0 when nothing was."""
        line = self.cumulated.get(month)
        if line is None or at < month:
            return ZERO
        return line[min(at - month, len(line) - 1)]

    def year(self, year: int) -> tuple[list[Decimal], int]:
        """What the twelve months finally came to, and the month in which the last of it was known."""
        if year not in self._years:
            first = year * MONTHS
            lines = [self.cumulated.get(month) for month in range(first, first + MONTHS)]
            finals = [line[-1] if line else ZERO for line in lines]
            known = max((first + place + len(line) - 1 for place, line in enumerate(lines) if line), default=first)
            self._years[year] = (finals, known)
        return self._years[year]


@dataclass(frozen=True)
class History:
    """A place and fund type. ``delivered`` says for each month settled when its first rows were known."""

    area: str
    place: str
    fund_type: str
    yuan: Mapping[Cell, Series]
    settlements: Mapping[Cell, Series]
    delivered: Mapping[int, int]
    last_known: int
    _whole: dict[int, int | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_rows(cls, rows: Iterable[FactRow], untold: Collection[Month] = ()) -> list[History]:
        """The histories of a fact table, in the order in which their places first appear.

        ``untold`` are months loaded afterwards: nothing is learnt from them about late claims. Raises ForecastError
        for rows known before they were settled or of an unknown part.
        """
        found: dict[tuple[str, str, str], _Building] = {}
        for row in rows:
            key = (row.area, row.place, row.fund_type)
            if key not in found:
                found[key] = _Building()
            found[key].add(row)
        skipped = frozenset(index_of(month) for month in untold)
        return [building.history(*key, skipped) for key, building in found.items()]

    @classmethod
    def from_triangle(
        cls,
        place: str,
        fund_type: str,
        amounts: Mapping[str, Mapping[Month, Mapping[Month, Decimal]]],
        area: str = "",
    ) -> History:
        """A history without volumes: part → month settled → month known → yuan newly known."""
        rows = [
            FactRow(area, place, fund_type, settled, known, part, "", 0, yuan)
            for part, months in amounts.items()
            for settled, newly in months.items()
            for known, yuan in newly.items()
        ]
        if not rows:
            return cls(area, place, fund_type, {}, {}, {}, 0)
        return cls.from_rows(rows)[0]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(sorted(self.yuan))

    @property
    def years(self) -> tuple[int, ...]:
        """The years with any month."""
        return tuple(sorted({month // MONTHS for month in self.delivered}))

    def has(self, month: int, at: int) -> bool:
        """Whether anything of the month was known by the end of the month ``at``."""
        first = self.delivered.get(month)
        return first is not None and first <= at

    def known(self, month: int, at: int) -> Decimal:
        """Yuan of all cells known of a month by the end of the month ``at``."""
        return sum((series.known(month, at) for series in self.yuan.values()), ZERO)

    def whole_from(self, year: int) -> int | None:
        """From which month on all twelve months of the year were there (late claims apart); None if never."""
        if year not in self._whole:
            firsts = [self.delivered.get(month) for month in range(year * MONTHS, year * MONTHS + MONTHS)]
            there = [first for first in firsts if first is not None]
            self._whole[year] = max(there) if len(there) == MONTHS else None
        return self._whole[year]

    def is_whole(self, year: int, at: int) -> bool:
        """Whether all twelve months of the year were there by the end of the month ``at``."""
        since = self.whole_from(year)
        return since is not None and since <= at

    def final_year(self, year: int) -> Decimal | None:
        """What the year finally came to; None unless all its months were delivered."""
        if self.whole_from(year) is None:
            return None
        return sum((amount for series in self.yuan.values() for amount in series.year(year)[0]), ZERO)

    def final_known(self, year: int) -> int:
        """The month in which the year's last rows became known."""
        return max((series.year(year)[1] for series in self.yuan.values()), default=year * MONTHS + MONTHS - 1)


class _Building:
    def __init__(self) -> None:
        self.yuan: dict[Cell, dict[int, dict[int, Decimal]]] = {}
        self.settlements: dict[Cell, dict[int, dict[int, Decimal]]] = {}
        self.delivered: dict[int, int] = {}
        self.last_known = 0

    def add(self, row: FactRow) -> None:
        month, known = index_of(row.settled), index_of(row.known)
        lag = known - month
        if lag < 0:
            raise ForecastError.one(
                "获知月", str(row.known), f"{row.place}{row.settled}的金额不能在{row.known}就已获知", "请核对两个月份"
            )
        if row.part not in PARTS:
            raise ForecastError.one("部分", row.part, f"未知的部分：“{row.part}”", f"请使用 {'、'.join(PARTS)}")
        cell = (row.part, row.service)
        for store, value in ((self.yuan, exact(row.yuan)), (self.settlements, Decimal(row.settlements))):
            by_lag = store.setdefault(cell, {}).setdefault(month, {})
            by_lag[lag] = by_lag.get(lag, ZERO) + value
        self.delivered[month] = min(self.delivered.get(month, known), known)
        self.last_known = max(self.last_known, known)

    def history(self, area: str, place: str, fund_type: str, untold: Collection[int]) -> History:
        return History(
            area,
            place,
            fund_type,
            {cell: Series.of_increments(months, untold) for cell, months in self.yuan.items()},
            {cell: Series.of_increments(months, untold) for cell, months in self.settlements.items()},
            self.delivered,
            self.last_known,
        )


def added(histories: Sequence[History]) -> History:
    """The histories as one. A month counts as delivered once all that ever deliver it have."""
    yuan: dict[Cell, dict[int, list[Decimal]]] = {}
    counts: dict[Cell, dict[int, list[Decimal]]] = {}
    delivered: dict[int, int] = {}
    untold: set[int] = set()
    for history in histories:
        untold.update(*(series.untold for series in history.yuan.values()))
        for target, source in ((yuan, history.yuan), (counts, history.settlements)):
            for cell, series in source.items():
                months = target.setdefault(cell, {})
                for month, line in series.cumulated.items():
                    months[month] = _sum_lines(months[month], line) if month in months else list(line)
        for month, first in history.delivered.items():
            delivered[month] = max(delivered.get(month, first), first)
    first_of = histories[0]
    return History(
        first_of.area,
        "",
        first_of.fund_type,
        {cell: Series(months, untold) for cell, months in yuan.items()},
        {cell: Series(months, untold) for cell, months in counts.items()},
        delivered,
        max(history.last_known for history in histories),
    )


def _sum_lines(one: Sequence[Decimal], other: Sequence[Decimal]) -> list[Decimal]:
    length = max(len(one), len(other))
    return [one[min(lag, len(one) - 1)] + other[min(lag, len(other) - 1)] for lag in range(length)]
