"""Month weights of a year: the middle of past whole years, the Spring Festival moved to where it lies.

A weight of 1 is an average month. Each past year gives month ÷ its mean month, with the festival's dip taken out; the
median of the years keeps an epidemic year from deciding. Few own years: the city's weights count for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.forecast.festival import festival_share
from rules.forecast.history import MONTHS, ZERO
from rules.money import round_ratio

ONE = Decimal(1)
EVEN = tuple([ONE] * MONTHS)
YEARS_BACK = 5
POOL_YEARS = 8
"""The city's weights count like this many years of the place's own."""
USUAL_DIP = Decimal("0.30")
"""The festival's dip where fewer than three years tell another."""
DIPS = tuple(Decimal(step) / 50 for step in range(31))
YEARS_FOR_A_DIP = 3
SMALLEST = Decimal("0.05")


@dataclass(frozen=True)
class Season:
    """``base`` are the weights without the festival, ``dip`` what a day of its slack season lacks."""

    base: tuple[Decimal, ...]
    dip: Decimal
    years: tuple[int, ...]
    pooled: bool

    def weight(self, month: int) -> Decimal:
        """The weight of a month (by its number since year 0)."""
        year, place = divmod(month, MONTHS)
        share = festival_share(year, place + 1)
        return round_ratio(self.base[place] * (ONE - self.dip * share)) if share else self.base[place]


def median(values: Sequence[Decimal]) -> Decimal:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def festival_dip(years: Mapping[int, Sequence[Decimal]]) -> Decimal:
    """The dip (of 0.00, 0.02 … 0.60) that makes January's part of January and February most alike over the years."""
    used = [year for year, months in years.items() if min(months[0], months[1]) > 0]
    if len(used) < YEARS_FOR_A_DIP:
        return USUAL_DIP

    def spread(dip: Decimal) -> Decimal:
        parts = []
        for year in used:
            first = years[year][0] / (ONE - dip * festival_share(year, 1))
            second = years[year][1] / (ONE - dip * festival_share(year, 2))
            parts.append(first / (first + second))
        middle = median(parts)
        return sum((abs(part - middle) for part in parts), ZERO)

    return min(DIPS, key=lambda dip: (spread(dip), dip))


def fit(years: Mapping[int, Sequence[Decimal]], dip: Decimal, pooled: Season | None = None) -> Season:
    """The season of past whole years (twelve completed amounts each). Years without a positive sum do not count."""
    bases = []
    used = []
    for year, months in sorted(years.items()):
        total = sum(months, ZERO)
        if total <= 0:
            continue
        used.append(year)
        bases.append(
            [
                amount * MONTHS / total / (ONE - dip * festival_share(year, place + 1))
                for place, amount in enumerate(months)
            ]
        )
    if not bases:
        return pooled if pooled is not None else Season(EVEN, ZERO, (), False)
    base = [max(median([row[place] for row in bases]), SMALLEST) for place in range(MONTHS)]
    if pooled is not None and pooled.years:
        own = len(used)
        base = [
            (mine * own + theirs * POOL_YEARS) / (own + POOL_YEARS)
            for mine, theirs in zip(base, pooled.base, strict=True)
        ]
    return Season(_normal(base), dip, tuple(used), pooled is not None and bool(pooled.years))


def _normal(base: Sequence[Decimal]) -> tuple[Decimal, ...]:
    total = sum(base, ZERO)
    return tuple(round_ratio(weight * MONTHS / total) for weight in base)
