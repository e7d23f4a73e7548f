"""The point estimate of a year, cell by cell: season × level, late months completed by their development.

The level is what an average month of this year costs: each known month ÷ (its weight × the share usually known),
months further back counting less and last year's lifted by the usual growth. So a new wing or a changed price is
followed within months, and early in the year last year still speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from rules.forecast.development import LAGS, Development, develop
from rules.forecast.history import MONTHS, ZERO, Cell, ForecastError, History, Series, added, month_at
from rules.forecast.season import YEARS_BACK, Season, festival_dip, fit, median
from rules.money import round_fen, round_ratio

ONE = Decimal(1)
LEVEL_MONTHS = 18
"""How far back the level looks."""
FADE = Decimal("0.88")
"""What a month counts against the following one. Tuned, as CLIP is, on the shipped years before the held ones."""
CLIP = Decimal("0.12")
"""A month further than this from the middle of the months counts as this far: an outbreak, a double billing."""
GROWTH_LOW, GROWTH_HIGH = Decimal("-0.05"), Decimal("0.12")

ACTUAL, COMPLETED, MISSING, PROJECTED = "actual", "completed", "missing", "projected"
KINDS = {ACTUAL: "已到齐", COMPLETED: "补足晚报", MISSING: "缺月补估", PROJECTED: "预计"}


class LevelMonth(NamedTuple):
    """One month the level rests on. ``portion`` is its weight in the mean, ``size`` the level it speaks for."""

    month: int
    known: Decimal
    exposure: Decimal
    size: Decimal
    portion: Decimal


class CellMonth(NamedTuple):
    """One of the twelve months: what was known, what it is expected to come to, and how that was found."""

    known: Decimal
    expected: Decimal
    kind: str


@dataclass(frozen=True)
class CellEstimate:
    """A cell (part and service) of a year."""

    cell: Cell
    season: Season
    development: Development
    level: Decimal
    rests_on: tuple[LevelMonth, ...]
    months: tuple[CellMonth, ...]

    @property
    def known(self) -> Decimal:
        return sum((month.known for month in self.months), ZERO)

    @property
    def expected(self) -> Decimal:
        return sum((month.expected for month in self.months), ZERO)


class PoolView(NamedTuple):
    """What the places of a city together say at the end of a month."""

    dip: Decimal
    growth: Decimal
    growth_years: tuple[int, ...]
    seasons: Mapping[Cell, Season]
    developments: Mapping[Cell, Development]


class Pool:
    """The places of one area and fund type together: what a place with too little history of its own leans on."""

    def __init__(self, histories: Sequence[History]) -> None:
        self.total = added(histories)
        self.members = len(histories)
        self._views: dict[int, PoolView] = {}

    def view(self, at: int) -> PoolView:
        if at not in self._views:
            self._views[at] = self._look(at)
        return self._views[at]

    def _look(self, at: int) -> PoolView:
        total = self.total
        developments = {cell: develop(series, at) for cell, series in total.yuan.items()}
        years = whole_years(total, at)
        by_cell = {
            cell: {year: completed_year(series, developments[cell], year, at) for year in years}
            for cell, series in total.yuan.items()
        }
        together = {
            year: [sum((cell[year][place] for cell in by_cell.values()), ZERO) for place in range(MONTHS)]
            for year in years
        }
        dip = festival_dip(together)
        growth, growth_years = usual_growth({year: sum(months, ZERO) for year, months in together.items()})
        seasons = {cell: fit(found, dip) for cell, found in by_cell.items()}
        return PoolView(dip, growth, growth_years, seasons, developments)


def pools_of(histories: Iterable[History]) -> dict[tuple[str, str], Pool]:
    """One pool for each (area, fund type)."""
    groups: dict[tuple[str, str], list[History]] = {}
    for history in histories:
        groups.setdefault((history.area, history.fund_type), []).append(history)
    return {key: Pool(members) for key, members in groups.items()}


def whole_years(history: History, at: int) -> list[int]:
    """The past years of which every month was delivered by the end of the month ``at``, newest five, oldest first."""
    year = at // MONTHS
    return [past for past in range(year - YEARS_BACK, year) if history.is_whole(past, at)]


def completed_year(series: Series, development: Development, year: int, at: int) -> list[Decimal]:
    """The twelve amounts of a past year; months still young are divided by the share usually known."""
    finals, settled = series.year(year)
    if at >= settled and at - (year * MONTHS + MONTHS - 1) >= LAGS:
        return finals
    months = range(year * MONTHS, year * MONTHS + MONTHS)
    return [series.known(month, at) / development.share(at - month) for month in months]


def usual_growth(totals: Mapping[int, Decimal]) -> tuple[Decimal, tuple[int, ...]]:
    """The middle of the yearly growth rates, kept within reason; 0 without two years."""
    years = [year for year in sorted(totals) if totals.get(year - 1, ZERO) > 0]
    if not years:
        return ZERO, ()
    rate = median([totals[year] / totals[year - 1] - ONE for year in years])
    return round_ratio(min(max(rate, GROWTH_LOW), GROWTH_HIGH)), tuple(years)


def estimate(history: History, pool: Pool, at: int) -> dict[Cell, CellEstimate]:
    """The cells in yuan as seen at the end of the month ``at``.

    Raises ForecastError when nothing of the place was known.
    """
    present = _present(history, at)
    view = pool.view(at)
    years = whole_years(history, at)
    found = {}
    for cell, series in history.yuan.items():
        development = develop(series, at, view.developments.get(cell))
        past = {year: completed_year(series, development, year, at) for year in years}
        season = fit(past, view.dip, view.seasons.get(cell))
        found[cell] = _cell(cell, series, season, development, present, view.growth, at)
    return found


def estimate_settlements(history: History, pool: Pool, at: int) -> dict[Cell, CellEstimate]:
    """The same of the numbers of settlements, each cell by its own season and development."""
    present = _present(history, at)
    years = whole_years(history, at)
    found = {}
    for cell, series in history.settlements.items():
        development = develop(series, at)
        season = fit({year: completed_year(series, development, year, at) for year in years}, pool.view(at).dip)
        found[cell] = _cell(cell, series, season, development, present, pool.view(at).growth, at)
    return found


def _present(history: History, at: int) -> list[int]:
    present = [month for month in range(at, at - LEVEL_MONTHS, -1) if history.has(month, at)]
    if not present:
        month = month_at(at)
        raise ForecastError.one(
            "月份", str(month), f"{history.place}截至{month}近{LEVEL_MONTHS}个月没有数据，不能推算", "请先导入数据"
        )
    return present


def _cell(
    cell: Cell,
    series: Series,
    season: Season,
    development: Development,
    present: Sequence[int],
    growth: Decimal,
    at: int,
) -> CellEstimate:
    first = at // MONTHS * MONTHS
    rests_on = _level_months(series, season, development, present, growth, at)
    whole = sum((row.portion for row in rests_on), ZERO)
    level = round_fen(sum((row.size * row.portion for row in rests_on), ZERO) / whole)
    level = max(level, ZERO)
    here = set(present)
    months = []
    for month in range(first, first + MONTHS):
        usual = level * season.weight(month)
        if month > at:
            months.append(CellMonth(ZERO, round_fen(usual), PROJECTED))
        elif month not in here:
            months.append(CellMonth(ZERO, round_fen(usual), MISSING))
        else:
            known, share = series.known(month, at), development.share(at - month)
            if share == ONE:
                months.append(CellMonth(known, known, ACTUAL))
            else:
                months.append(CellMonth(known, known + round_fen(usual * (ONE - share)), COMPLETED))
    return CellEstimate(cell, season, development, level, tuple(rests_on), tuple(months))


def _level_months(
    series: Series, season: Season, development: Development, present: Sequence[int], growth: Decimal, at: int
) -> list[LevelMonth]:
    year = at // MONTHS
    raw = []
    for month in present:
        exposure = season.weight(month) * development.share(at - month)
        for _ in range(year - month // MONTHS):
            exposure /= ONE + growth
        exposure = round_ratio(exposure)
        known = series.known(month, at)
        raw.append((month, known, exposure, known / exposure))
    middle = median([size for *_, size in raw[:MONTHS]])
    low, high = (middle * (ONE - CLIP), middle * (ONE + CLIP)) if middle > 0 else (None, None)
    rows = []
    for month, known, exposure, size in raw:
        if low is not None and high is not None:
            size = min(max(size, low), high)
        rows.append(LevelMonth(month, known, exposure, round_fen(size), round_ratio(FADE ** (at - month) * exposure)))
    return rows
