"""Which months' figures stand on something older than what is held now: asked of rows, never of schedules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from budgets import reading as budgets
from claims import reading as claims
from claims.reading.readmissions import LOOK_BACK
from core.models import Alliance, County
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.services.gathering import in_reach
from rules.money import ZERO
from rules.periods import Month
from submissions import reading as submissions


def outdated(counties: Collection[int] | None = None) -> dict[int, list[Month]]:
    """By county id, oldest month first: no rows yet, other facts, or a newer report, approval or accepted table.

    Six queries whatever the number of counties (None: every county) and months.
    """
    rows = PlaceMonth.objects.current().filter(kind=PlaceKind.COUNTY).order_by()
    if counties is not None:
        rows = rows.filter(county__in=counties)
    made: dict[tuple[int, Month], tuple[int | None, datetime]] = {}
    for place, year, number, factset, at in rows.values_list("county_id", "year", "month", "factset_id", "computed_at"):
        key = (place or 0, Month(year, number))
        held = made.get(key)
        made[key] = (factset, at if held is None else min(at, held[1]))
    approved = budgets.approved_at(counties)
    tables: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    for (county, period), at in submissions.accepted_at(counties).items():
        tables[county].append((period, at))
    found: dict[int, list[Month]] = defaultdict(list)
    for (county, month), sources in sorted(claims.month_sources(counties).items()):
        row = made.get((county, month))
        news = [sources.reported_at, approved.get((county, month.year))]
        news += [at for period, at in tables[county] if in_reach(period, month)]
        if row is None or row[0] != sources.factset or any(at is not None and at > row[1] for at in news):
            found[county].append(month)
    return dict(found)


def prepaid_later(county: County, month: Month, back: int = 3) -> list[Month]:
    """The months before ``month`` whose prepaid yuan are others by now: a receipt was entered with an earlier day."""
    months = [month.plus(-step) for step in range(back, 0, -1)]
    rows = PlaceMonth.objects.current().filter(
        kind=PlaceKind.ALLIANCE, county=county, year__in={one.year for one in months}, prepaid__isnull=False
    )
    names = ("year", "month", "alliance_id", "fund_type", "prepaid")
    told: dict[Month, dict[tuple[int, str], Decimal]] = defaultdict(dict)
    for year, number, alliance, fund, prepaid in rows.order_by().values_list(*names):
        told[Month(year, number)][(alliance or 0, fund)] = prepaid
    alliances = list(Alliance.objects.filter(county=county))
    found = []
    for one in months:
        known = budgets.prepaid_of(alliances, one.year, until=one.last_day) if one in told else {}
        if any(known.get(key, ZERO) != amount for key, amount in told.get(one, {}).items()):
            found.append(one)
    return found


def with_followers(months: Collection[Month], held: Collection[Month]) -> list[Month]:
    """What to compute, in order: months whose readmissions look back at a changed one come first, so that a run that is
    killed in between still finds the changed month outdated."""
    after = {month.plus(step) for month in months for step in range(1, LOOK_BACK + 1)}
    return [*sorted((after & set(held)) - set(months)), *sorted(months)]
