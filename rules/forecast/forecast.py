"""The projection of one place and fund type: twelve months, the year end with its range, and when an amount runs out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from rules.forecast.estimate import (
    ACTUAL,
    COMPLETED,
    MISSING,
    PROJECTED,
    CellEstimate,
    Pool,
    PoolView,
    estimate,
    estimate_settlements,
)
from rules.forecast.history import MONTHS, ZERO, Cell, History, index_of, month_at
from rules.forecast.replaying import ENOUGH_ERRORS, NO_SPREAD, Errors, Spread, bounds
from rules.histories.table import IN_ALLIANCE, OUT_OF_COUNTY
from rules.money import exact
from rules.periods import Month
from rules.trace import Trace

_ORDER = (MISSING, COMPLETED, ACTUAL)


class ForecastMonth(NamedTuple):
    """One of the twelve months in yuan. ``kind`` is ``actual``, ``completed``, ``missing`` or ``projected``."""

    month: Month
    kind: str
    known: Decimal
    in_alliance: Decimal
    out_of_county: Decimal

    @property
    def expected(self) -> Decimal:
        return self.in_alliance + self.out_of_county


class RunOut(NamedTuple):
    """When an amount is used up: the first month that cannot be covered wholly, or None when it lasts the year.

    ``left`` is what is over at the year's end (negative: what is lacking). ``used`` is what was used before ``month``.
    """

    amount: Decimal
    month: Month | None
    used: Decimal
    left: Decimal


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of a year as seen at the end of ``as_of``. All amounts are yuan."""

    place: str
    fund_type: str
    as_of: Month
    cells: Mapping[Cell, CellEstimate]
    volumes: Mapping[Cell, CellEstimate]
    view: PoolView
    spread: Spread
    package: Decimal | None = None
    prepaid: Decimal | None = None

    @cached_property
    def months(self) -> tuple[ForecastMonth, ...]:
        """January to December."""
        first = self.as_of.year * MONTHS
        rows = []
        for place in range(MONTHS):
            parts = {IN_ALLIANCE: ZERO, OUT_OF_COUNTY: ZERO}
            kinds, known = set(), ZERO
            for (part, _), cell in self.cells.items():
                month = cell.months[place]
                parts[part] += month.expected
                known += month.known
                kinds.add(month.kind)
            kind = next((name for name in _ORDER if name in kinds), PROJECTED)
            rows.append(ForecastMonth(month_at(first + place), kind, known, parts[IN_ALLIANCE], parts[OUT_OF_COUNTY]))
        return tuple(rows)

    @property
    def known(self) -> Decimal:
        """What was known of the year so far."""
        return sum((row.known for row in self.months), ZERO)

    @property
    def completed(self) -> Decimal:
        """The months so far with their late claims (and missing months) added."""
        return sum((row.expected for row in self.months if row.kind != PROJECTED), ZERO)

    @property
    def late(self) -> Decimal:
        """What is expected still to become known of the months so far."""
        return self.completed - self.known

    @cached_property
    def expected(self) -> Decimal:
        """The year end."""
        return sum((row.expected for row in self.months), ZERO)

    @property
    def in_alliance(self) -> Decimal:
        return sum((row.in_alliance for row in self.months), ZERO)

    @property
    def out_of_county(self) -> Decimal:
        return sum((row.out_of_county for row in self.months), ZERO)

    @property
    def low(self) -> Decimal | None:
        return self._bounds[0]

    @property
    def high(self) -> Decimal | None:
        return self._bounds[1]

    @property
    def _bounds(self) -> tuple[Decimal | None, Decimal | None]:
        return bounds(self.expected, self.spread)

    @property
    def range_text(self) -> str:
        """How the range came about, or why there is none (Chinese)."""
        if self.low is None:
            if self.expected <= 0:
                return "预计全年不为正数，不给区间"
            if not self.spread.cases:
                return "没有完整往年或往年回放，不给区间"
            return f"往年同期回放仅 {self.spread.cases} 例，不足 {ENOUGH_ERRORS} 例，不给区间"
        whose = "本统筹区各医共体" if self.spread.pooled else "本医共体"
        years = "、".join(map(str, self.spread.years))
        return f"80% 区间取自{whose} {years} 年同月及上月回放的 {self.spread.cases} 例误差"

    @property
    def package_run_out(self) -> RunOut | None:
        """When the package is used up by everything charged to it (in the alliance and outside, A6)."""
        return None if self.package is None else self.run_out(self.package)

    @property
    def prepaid_run_out(self) -> RunOut | None:
        """When the prepaid amount is used up by care inside the alliance: what is outside the fund pays elsewhere."""
        return None if self.prepaid is None else self.run_out(self.prepaid, IN_ALLIANCE)

    def run_out(self, amount: Decimal, part: str | None = None) -> RunOut:
        """When ``amount`` yuan are used up along the twelve months; ``part`` limits what uses them."""
        amount = exact(amount, "金额")
        used, found = ZERO, None
        before = ZERO
        for row in self.months:
            month = row.expected if part is None else row.in_alliance if part == IN_ALLIANCE else row.out_of_county
            if found is None and used + month > amount:
                found, before = row.month, used
            used += month
        return RunOut(amount, found, before if found else used, amount - used)

    @cached_property
    def trace(self) -> Trace:
        """Every step a person needs to redo the year end with a pocket calculator."""
        from rules.forecast.explain import explain

        return explain(self)


def project(
    history: History,
    as_of: Month,
    errors: Errors | None = None,
    package: Decimal | None = None,
    prepaid: Decimal | None = None,
    pool: Pool | None = None,
) -> Forecast:
    """The projection of ``as_of``'s year as seen at the end of that month.

    ``pool`` holds the places of the same area and fund type (the place alone without it); ``errors`` the errors of
    earlier replays (no range without them). Raises ForecastError when nothing of the place was known.
    """
    at = index_of(as_of)
    pool = pool or Pool([history])
    return Forecast(
        history.place,
        history.fund_type,
        as_of,
        estimate(history, pool, at),
        estimate_settlements(history, pool, at),
        pool.view(at),
        errors.spread(history, at) if errors is not None else NO_SPREAD,
        package,
        prepaid,
    )
