"""All places of a kind a person sees, side by side by one indicator: value, last year, change, rank, level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitoring.models import Level
from monitoring.reading.figures import Figure, figures
from monitoring.reading.indicator_text import change_of
from monitoring.reading.judging import judge_all, worst
from monitoring.reading.peers import rank_of
from monitoring.reading.places import PlaceRef
from monitoring.reading.thresholds import in_force
from rules.indicators import Indicator
from rules.spans import MONTH, QUARTER, TO_DATE, Span

SORTS = ("name", "value", "before", "change", "volume", "rank", "data_to")


@dataclass(frozen=True)
class LeagueRow:
    """``rank`` among the rows that have a value; ``level`` by the thresholds in force (empty: none passed)."""

    place: PlaceRef
    now: Figure
    before: Figure
    rank: int | None
    level: str

    @property
    def change(self) -> Decimal | None:
        return change_of(self.now.indicator, self.now.value, self.before.value)

    @property
    def level_text(self) -> str:
        return str(Level(self.level).label) if self.level else ""


def league(
    places: Sequence[PlaceRef], indicator: Indicator, fund: str, span: Span, total: PlaceRef | None = None
) -> tuple[list[LeagueRow], LeagueRow | None]:
    """The rows by code, and the row of the place above them all, worked out of its own sums (never of averages)."""
    before = span.year_before()
    wanted = [*places, *([total] if total is not None and total.kind in indicator.places else [])]
    found = figures(wanted, [span, before], [indicator.key], [fund])
    now = {place.key: found[(place.key, fund, span)][indicator.key] for place in wanted}
    known = [now[place.key].value for place in places]
    values = [value for value in known if value is not None]
    passed = levels(wanted, indicator, fund, span)
    rows = {
        place.key: LeagueRow(
            place,
            now[place.key],
            found[(place.key, fund, before)][indicator.key],
            rank_of(indicator.key, now[place.key].value, values),
            passed.get(place.key, ""),
        )
        for place in wanted
    }
    top = None
    if total is not None and total.key in rows:
        row = rows[total.key]
        top = LeagueRow(row.place, row.now, row.before, None, row.level)
    return [rows[place.key] for place in places], top


def levels(places: Sequence[PlaceRef], indicator: Indicator, fund: str, span: Span) -> dict[str, str]:
    """Place key → the gravest level of the thresholds in force for this indicator and kind of span."""
    if span.kind not in (MONTH, QUARTER, TO_DATE) or not places:
        return {}
    held = in_force(places, span.last.last_day)
    wanted = {}
    for (place, held_fund), rules in held.items():
        mine = [rule for rule in rules if rule.indicator == indicator.key and rule.span == span.kind]
        if held_fund == fund and mine:
            wanted[(place, held_fund)] = mine
    by_place = defaultdict(list)
    for judged in judge_all(wanted, span.last) if wanted else []:
        by_place[judged.place.key].append(judged)
    return {key: (found.level or "") for key, rows in by_place.items() if (found := worst(rows)) is not None}


def ordered(rows: Sequence[LeagueRow], sort: str) -> list[LeagueRow]:
    """By a column; rows without a value stand at the end both ways. Unknown columns keep the order by code."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        return list(rows)

    def key(row: LeagueRow) -> object:
        return {
            "name": row.place.name, "value": row.now.value, "before": row.before.value, "change": row.change,
            "volume": row.now.reading.volume, "rank": row.rank, "data_to": row.now.data_to,
        }[name]  # fmt: skip

    known = [row for row in rows if key(row) is not None]
    known.sort(key=key, reverse=sort.startswith("-"))  # type: ignore[arg-type]
    return [*known, *(row for row in rows if key(row) is None)]
