"""Place by month: one indicator of many places over twelve months, coloured by fifths of all values shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitoring.reading.figures import Figure, figures
from monitoring.reading.places import PlaceRef
from rules.indicators import Indicator
from rules.periods import Month, months_between
from rules.spans import Span

FIFTHS = 5


@dataclass(frozen=True)
class Cell:
    """``fifth`` 1 (lowest) to 5 (highest); 0 where there is no value."""

    month: Month
    figure: Figure
    fifth: int


@dataclass(frozen=True)
class HeatRow:
    place: PlaceRef
    cells: tuple[Cell, ...]

    @property
    def last(self) -> Decimal | None:
        return self.cells[-1].figure.value


@dataclass(frozen=True)
class Heat:
    """``bounds`` are the lowest and highest value of each fifth that has any."""

    months: tuple[Month, ...]
    rows: tuple[HeatRow, ...]
    total: HeatRow | None
    bounds: tuple[tuple[int, Decimal, Decimal], ...]


def heat(
    places: Sequence[PlaceRef], indicator: Indicator, fund: str, last: Month, number: int, total: PlaceRef | None = None
) -> Heat:
    """The grid by code. The row of the place above is coloured by the same fifths but does not make them."""
    months = months_between(last.plus(1 - number), last)
    spans = [Span.month(month) for month in months]
    wanted = [*places, *([total] if total is not None and total.kind in indicator.places else [])]
    found = figures(wanted, spans, [indicator.key], [fund])
    values = sorted(
        value
        for place in places
        for span in spans
        if (value := found[(place.key, fund, span)][indicator.key].value) is not None
    )
    cuts = [values[len(values) * part // FIFTHS] for part in range(1, FIFTHS)] if values else []

    def row(place: PlaceRef) -> HeatRow:
        cells = []
        for month, span in zip(months, spans, strict=True):
            figure = found[(place.key, fund, span)][indicator.key]
            cells.append(Cell(month, figure, 0 if figure.value is None else fifth_of(figure.value, cuts)))
        return HeatRow(place, tuple(cells))

    rows = tuple(row(place) for place in places)
    by_fifth = {part: [value for value in values if fifth_of(value, cuts) == part] for part in range(1, FIFTHS + 1)}
    bounds = tuple((part, held[0], held[-1]) for part, held in by_fifth.items() if held)
    above = row(total) if total is not None and total in wanted else None
    return Heat(months, rows, above, bounds)


def fifth_of(value: Decimal, cuts: Sequence[Decimal]) -> int:
    """Which fifth a value lies in; equal values are always in the same one, the middle one where all are equal."""
    if not cuts or cuts[0] == value == cuts[-1]:
        return 3
    return bisect_right(cuts, value) + 1


def ordered(heat: Heat, sort: str) -> list[HeatRow]:
    """By name or by the newest month; rows without a value last."""
    name = sort.removeprefix("-")
    rows = list(heat.rows)
    if name == "name":
        return sorted(rows, key=lambda row: row.place.name, reverse=sort.startswith("-"))
    if name != "last":
        return rows
    known = sorted((row for row in rows if row.last is not None), key=lambda row: row.last or Decimal(0))
    if sort.startswith("-"):
        known.reverse()
    return [*known, *(row for row in rows if row.last is None)]
