"""Replaying the past: what would have been said at the end of each month, against what the year came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from rules.forecast.baselines import BASELINES, baseline
from rules.forecast.estimate import Pool, estimate, pools_of, whole_years
from rules.forecast.history import MONTHS, ZERO, ForecastError, History, index_of, month_at
from rules.money import round_fen, round_ratio
from rules.periods import Month

PROJECTION = "projection"
METHODS = (PROJECTION, *BASELINES)
ENOUGH_ERRORS = 20
"""Fewer replayed cases give no range."""
REACH = Decimal("0.85")
"""The point of the sizes of past errors a range reaches to. A new year has its own shock, of which a few past years show
too little: at 0.80 too few of the shipped cases before 2023 lay inside. Chosen there, see ADR 0037."""


class Case(NamedTuple):
    """One place at the end of one past month. ``settled`` is the month in which the year's last rows were known.

    ``whole_years`` is how many past years it could lean on: without any its error says nothing about others.
    ``said`` holds the year end by method, None where a method could say nothing; ``low`` and ``high`` the range.
    """

    area: str
    place: str
    fund_type: str
    as_of: Month
    settled: Month
    truth: Decimal
    said: Mapping[str, Decimal | None]
    low: Decimal | None
    high: Decimal | None
    whole_years: int

    @property
    def year(self) -> int:
        return self.as_of.year

    @property
    def ratio(self) -> Decimal | None:
        """What the year came to ÷ what was projected."""
        said = self.said[PROJECTION]
        return self.truth / said if said is not None and said > 0 else None

    def error(self, method: str) -> Decimal | None:
        """The absolute error relative to the truth; None where the method said nothing or the truth is not positive."""
        said = self.said[method]
        return abs(said - self.truth) / self.truth if said is not None and self.truth > 0 else None

    @property
    def is_held(self) -> bool | None:
        """Whether the truth lies in the range; None without one."""
        return None if self.low is None or self.high is None else self.low <= self.truth <= self.high


class Spread(NamedTuple):
    """The ratios an 80 % range is drawn from; ``low`` and ``high`` None when there are too few."""

    low: Decimal | None
    high: Decimal | None
    cases: int
    years: tuple[int, ...]
    pooled: bool


NO_SPREAD = Spread(None, None, 0, (), True)


@dataclass
class Errors:
    """Errors of earlier replays, kept between projections. A case counts only once its year was wholly known."""

    _ratios: dict[tuple[str, str, int], list[tuple[int, int, str, Decimal]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Errors:
        found = cls()
        for case in cases:
            found.add(case)
        return found

    def add(self, case: Case) -> None:
        ratio = case.ratio
        if ratio is not None and case.whole_years:
            key = (case.area, case.fund_type, case.as_of.month)
            self._ratios[key].append((case.year, index_of(case.settled), case.place, ratio))

    def spread(self, history: History, at: int) -> Spread:
        """How far projections of the same month and the one before were off in earlier years, either way.

        The place's own errors, its city's when those are fewer than ENOUGH_ERRORS.
        """
        if not whole_years(history, at):
            return NO_SPREAD
        year, month = divmod(at, MONTHS)
        rows = [
            row
            for told in (month, month + 1)
            for row in self._ratios.get((history.area, history.fund_type, told), ())
            if row[0] < year and row[1] <= at
        ]
        own = [row for row in rows if row[2] == history.place]
        pooled = len(own) < ENOUGH_ERRORS
        used = rows if pooled else own
        years = tuple(sorted({row[0] for row in used}))
        if len(used) < ENOUGH_ERRORS:
            return Spread(None, None, len(used), years, pooled)
        off = _quantile(sorted(abs(row[3] - 1) for row in used), REACH)
        return Spread(max(1 - off, ZERO), 1 + off, len(used), years, pooled)


def bounds(expected: Decimal, spread: Spread) -> tuple[Decimal | None, Decimal | None]:
    """The range around a year end; (None, None) without a spread or a positive amount."""
    if spread.low is None or spread.high is None or expected <= 0:
        return None, None
    return round_fen(expected * spread.low), round_fen(expected * spread.high)


def _quantile(ordered: Sequence[Decimal], share: Decimal) -> Decimal:
    """Between the two neighbouring values, by the usual straight line; six decimals."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round_ratio(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def replay(
    histories: Sequence[History],
    years: Collection[int] | None = None,
    pools: Mapping[tuple[str, str], Pool] | None = None,
    errors: Errors | None = None,
) -> list[Case]:
    """Every month of every year that is whole and wholly known, oldest first; ``years`` limits the years.

    Ranges are drawn from the years replayed before (or from ``errors``), never from the same or a later one.
    """
    pools = pools or pools_of(histories)
    book = errors if errors is not None else Errors()
    cases: list[Case] = []
    everything = sorted({year for history in histories for year in history.years})
    for year in everything:
        if years is not None and year not in years:
            continue
        fresh = []
        for history in histories:
            truth = history.final_year(year)
            if truth is None:
                continue
            settled = history.final_known(year)
            pool = pools[history.area, history.fund_type]
            for at in range(year * MONTHS, year * MONTHS + MONTHS):
                case = _case(history, pool, at, truth, settled, book)
                if case is not None:
                    fresh.append(case)
        for case in fresh:
            book.add(case)
        cases += fresh
    return cases


def _case(history: History, pool: Pool, at: int, truth: Decimal, settled: int, book: Errors) -> Case | None:
    if not any(history.has(month, at) for month in range(at // MONTHS * MONTHS, at + 1)):
        return None
    try:
        cells = estimate(history, pool, at)
    except ForecastError:
        return None
    said: dict[str, Decimal | None] = {PROJECTION: sum((cell.expected for cell in cells.values()), ZERO)}
    for name in BASELINES:
        said[name] = baseline(name, history, at)
    spread = book.spread(history, at)
    low, high = bounds(said[PROJECTION] or ZERO, spread)
    return Case(
        history.area, history.place, history.fund_type, month_at(at), month_at(settled), truth, said, low, high,
        len(whole_years(history, at)),
    )  # fmt: skip
