"""Late claims: what share of a month is usually known after 0, 1, 2 … months.

A development factor is what months came to one month later ÷ what they were, summed over the latest months old enough
to tell. The share known is 1 ÷ the product of the factors still to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rules.forecast.history import ZERO, Series
from rules.money import round_ratio

ONE = Decimal(1)
LAGS = 6
"""Months after which a month counts as complete."""
WINDOW = 6
"""How many months a factor rests on."""
ENOUGH = 5
"""Fewer months of its own: a place takes the city's factors."""
LEAST, MOST = Decimal("0.2"), Decimal("10")
OWN, POOL, NONE = "own", "pool", "none"


@dataclass(frozen=True)
class Development:
    """``shares[k]`` is the share known after k months, 1 from LAGS on; ``months`` how many each factor rests on.

    ``sums[k]`` is what those months were after k months and what they came to one month later.
    """

    shares: tuple[Decimal, ...]
    factors: tuple[Decimal, ...]
    months: tuple[int, ...]
    sources: tuple[str, ...]
    sums: tuple[tuple[Decimal, Decimal], ...] = ((ZERO, ZERO),) * LAGS

    def share(self, lag: int) -> Decimal:
        return self.shares[lag] if lag < LAGS else ONE


def develop(series: Series, at: int, pooled: Development | None = None) -> Development:
    """The development of one cell as seen at the end of the month ``at``; ``pooled`` is the city's."""
    factors, months, sources, sums = [], [], [], []
    for lag in range(LAGS):
        before = after = ZERO
        newest = at - lag - 1
        lines = [
            line
            for month in range(newest, newest - WINDOW, -1)
            if (line := series.cumulated.get(month)) and month not in series.untold
        ]
        count = len(lines)
        for line in lines:
            last = len(line) - 1
            before += line[lag if lag < last else last]
            after += line[lag + 1 if lag < last else last]
        if count >= ENOUGH and before > 0 and after > 0:
            factor, source = min(max(round_ratio(after / before), LEAST), MOST), OWN
        elif pooled is not None and pooled.sources[lag] != NONE:
            factor, source, count = pooled.factors[lag], POOL, pooled.months[lag]
            before, after = pooled.sums[lag]
        else:
            factor, source, count = ONE, NONE, 0
        factors.append(factor)
        months.append(count)
        sources.append(source)
        sums.append((before, after))
    shares, product = [ONE] * LAGS, ONE
    for lag in range(LAGS - 1, -1, -1):
        product *= factors[lag]
        shares[lag] = round_ratio(ONE / product)
    return Development(tuple(shares), tuple(factors), tuple(months), tuple(sources), tuple(sums))
