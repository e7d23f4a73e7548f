"""Histories from the versions of the facts in the database."""

from __future__ import annotations

from dataclasses import replace

from core.models import Alliance
from monitoring.reading.replays import histories_of
from rules.forecast import History
from rules.periods import Month

EVER = Month(2999, 12)


def database_histories(through: Month = EVER) -> list[History]:
    """Every alliance's histories under their names, for the backtest: two queries for each pooling area."""
    alliances = list(Alliance.objects.select_related("county__pooling_area").order_by("county__code", "code"))
    names = {alliance.pk: alliance.name for alliance in alliances}
    areas = {alliance.county.pooling_area_id: alliance.county.pooling_area for alliance in alliances}
    found: list[History] = []
    for area in areas.values():
        members = [alliance for alliance in alliances if alliance.county.pooling_area_id == area.pk]
        histories = histories_of(area, members, through, {})
        found += [replace(history, area=area.name, place=names[key[0]]) for key, history in histories.items()]
    return found
