"""A simple estimate of a year's end: spent to date ÷ the share the same months had in earlier years.

The plainest method that a person can redo with a pocket calculator (seasonal share). It pays nothing and decides
nothing. A range is given only by at least two earlier years: the smallest and the largest share they really had. Without
a whole earlier year months count evenly, no range is made up, and the result says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from rules.errors import RuleError
from rules.money import ZERO, allocate, exact, round_fen, round_ratio
from rules.trace import Step, Trace, Value, percent

CLAUSE = "设计测算方法：简单估计（季节占比法），仅供预警，不作支付依据"
SEASONAL, EVEN, WHOLE = "seasonal", "even", "whole"
METHODS = {SEASONAL: "历年同期占比", EVEN: "按月份平均（无完整往年数据）", WHOLE: "全年数据已到齐"}
MONTHS = 12
HISTORY_YEARS = 3
"""How many earlier years an estimate looks back on."""
YEARS_FOR_A_RANGE = 2


class ProjectionError(RuleError):
    """Inputs from which no year end can be estimated."""


class PastYear(NamedTuple):
    """One earlier year: yuan spent by month number (1–12). It counts only with all twelve months and a positive sum."""

    year: int
    months: Mapping[int, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.months.values(), ZERO)

    @property
    def is_whole(self) -> bool:
        return set(self.months) == set(range(1, MONTHS + 1)) and self.total > 0


class YearShare(NamedTuple):
    """What the present months made up of an earlier year (yuan, and their ratio with six decimals)."""

    year: int
    part: Decimal
    total: Decimal
    share: Decimal


@dataclass(frozen=True)
class SeasonalShare:
    """The share of a year the present months stand for. ``weights`` are the mean shares of the twelve months.

    ``lowest`` and ``highest`` are the extremes of the earlier years, None with fewer than two of them.
    """

    method: str
    months: tuple[int, ...]
    share: Decimal
    years: tuple[YearShare, ...]
    weights: tuple[Decimal, ...]
    lowest: Decimal | None
    highest: Decimal | None
    trace: Trace

    @property
    def method_text(self) -> str:
        return METHODS[self.method]

    @property
    def range_text(self) -> str:
        """How the range came about, or why there is none."""
        if self.method == WHOLE:
            return "全年数据已到齐，不再估计"
        if self.lowest is None:
            return "完整往年数据不足两年，不给区间" if self.years else "没有完整往年数据，按月份平均，不给区间"
        names = "、".join(str(row.year) for row in self.years)
        return f"区间为 {names} 年同期占比的最高与最低"

    def carry(self, spent: Decimal) -> Decimal:
        """The year-end amount (yuan) if ``spent`` is the usual share."""
        return round_fen(spent / self.share)

    def carry_range(self, spent: Decimal) -> tuple[Decimal, Decimal] | None:
        """The lowest and the highest year-end amount (yuan) by the shares of earlier years; None without a range."""
        if self.lowest is None or self.highest is None:
            return None
        return round_fen(spent / self.highest), round_fen(spent / self.lowest)

    def pace(self, package: Decimal) -> tuple[Decimal, ...]:
        """The package (yuan) spread over the twelve months by their usual shares; adds up exactly."""
        return tuple(allocate(package, self.weights))

    def spread(self, rest: Decimal) -> tuple[Decimal, ...]:
        """``rest`` (yuan) over the missing months by their usual shares; adds up exactly, empty when none is missing."""
        missing = [self.weights[month - 1] for month in range(1, MONTHS + 1) if month not in self.months]
        if not missing:
            return ()
        return tuple(allocate(rest, missing if sum(missing) else [1] * len(missing)))


@dataclass(frozen=True)
class YearEnd:
    """The estimate of one amount (yuan) with its range and its trace."""

    spent: Decimal
    expected: Decimal
    low: Decimal | None
    high: Decimal | None
    steps: tuple[Step, ...]
    season: SeasonalShare

    @property
    def trace(self) -> Trace:
        """The season's steps and its own."""
        return self.season.trace + Trace(self.steps)


def seasonal_share(months: Collection[int], history: Sequence[PastYear]) -> SeasonalShare:
    """What share of a year ``months`` (numbers 1–12 whose data are complete) are, by the whole years of ``history``.

    Raises ProjectionError without any month, and when the months had no spending in the earlier years.
    """
    present = tuple(sorted(set(months)))
    if not present or present[0] < 1 or present[-1] > MONTHS:
        raise ProjectionError.one("月份", "、".join(map(str, present)), "没有可用的月份，不能估计全年", "请先导入数据")
    past = [row for row in sorted(history) if row.is_whole]
    weights = _weights(past)
    if len(present) == MONTHS:
        step = _step("占全年比例", "十二个月数据已到齐", (), Decimal(1), "比例")
        return SeasonalShare(WHOLE, present, Decimal(1), (), weights, None, None, Trace([step]))
    if not past:
        share = round_ratio(Decimal(len(present)) / MONTHS)
        inputs = (("已有月份", f"{len(present)}个月"), ("全年", "12个月"))
        step = _step("占全年比例", "已有月份 ÷ 12，六位小数（没有完整往年数据）", inputs, share, "比例")
        return SeasonalShare(EVEN, present, share, (), weights, None, None, Trace([step]))
    years = tuple(_year_share(row, present) for row in past)
    steps = [
        _step(
            f"{row.year}年同期占比",
            "同期发生 ÷ 全年发生，六位小数",
            ((f"{row.year}年同期", row.part), (f"{row.year}年全年", row.total)),
            row.share,
            "比例",
        )
        for row in years
    ]
    share = round_ratio(sum((row.share for row in years), Decimal(0)) / len(years))
    if share <= 0:
        names = "、".join(str(row.year) for row in years)
        raise ProjectionError.one("往年同期", names, f"{names}年同期没有发生额，不能按占比估计", "请核对往年数据")
    named = tuple((f"{row.year}年同期占比", percent(row.share)) for row in years)
    steps.append(_step("占全年比例", "各年同期占比的算术平均，六位小数", named, share, "比例"))
    ranged = len(years) >= YEARS_FOR_A_RANGE and min(row.share for row in years) > 0
    lowest = min(row.share for row in years) if ranged else None
    highest = max(row.share for row in years) if ranged else None
    return SeasonalShare(SEASONAL, present, share, years, weights, lowest, highest, Trace(steps))


def project_year(spent: Decimal, season: SeasonalShare, label: str = "全年发生") -> YearEnd:
    """The year-end amount of ``spent`` yuan, what the season's months have cost so far."""
    amount = exact(spent, label)
    expected = season.carry(amount)
    inputs = (("至今发生", amount), ("占全年比例", percent(season.share)))
    steps = [_step(f"预计{label}", "至今发生 ÷ 占全年比例，四舍五入到分", inputs, expected)]
    found = season.carry_range(amount)
    if found is not None and season.highest is not None and season.lowest is not None:
        for name, share, value in (("下限", season.highest, found[0]), ("上限", season.lowest, found[1])):
            which = "最高" if name == "下限" else "最低"
            parts = (("至今发生", amount), (f"历年{which}同期占比", percent(share)))
            steps.append(_step(f"预计{label}{name}", f"至今发生 ÷ 历年{which}同期占比", parts, value))
    low, high = found or (None, None)
    return YearEnd(amount, expected, low, high, tuple(steps), season)


def _weights(past: Sequence[PastYear]) -> tuple[Decimal, ...]:
    """Mean share of each month in the whole years, six decimals; even months without any."""
    if not past:
        return tuple([Decimal(1)] * MONTHS)
    return tuple(
        max(round_ratio(sum((row.months[month] / row.total for row in past), Decimal(0)) / len(past)), Decimal(0))
        for month in range(1, MONTHS + 1)
    )


def _year_share(row: PastYear, present: Sequence[int]) -> YearShare:
    part = sum((row.months[month] for month in present), ZERO)
    return YearShare(row.year, part, row.total, round_ratio(part / row.total))


def _step(label: str, text: str, inputs: tuple[tuple[str, Value], ...], value: Decimal, unit: str = "元") -> Step:
    return Step(label, text, inputs, value, CLAUSE, unit)
