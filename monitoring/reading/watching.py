"""Institutions of a county whose spending grows abnormally: whom a county in continuing distress looks at first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.models import Institution, InstitutionKind
from core.parameters import value
from monitoring.models import Warning, WatchEntry
from monitoring.parameters import WATCH_GROWTH
from monitoring.reading.figures import figures
from monitoring.reading.places import PlaceRef, ref_of
from rules.money import round_fen, round_ratio
from rules.periods import Month
from rules.spans import Span
from rules.trace import percent

GROWTH = "spending_growth"


@dataclass(frozen=True)
class Candidate:
    """``growth`` of its spending on last year's same months, ``excess`` yuan beyond the county's own growth."""

    place: PlaceRef
    now: Decimal
    before: Decimal
    growth: Decimal
    excess: Decimal
    watched: bool
    text: str


def candidates(user: Any, warning: Warning) -> list[Candidate]:
    """Institutions the user sees whose spending of the year to date grew faster than the county's by the parameter and
    more; the largest excess first. A constant number of queries. Empty where the county's growth is not known."""
    county = warning.county
    if county is None:
        return []
    last = warning.figures.filter(value__isnull=False).order_by("year", "month", "pk").last()
    month = Month(last.year, last.month) if last else warning.period
    houses = Institution.objects.visible_to(user).filter(county=county).exclude(kind=InstitutionKind.PHARMACY)
    places = [ref_of(house) for house in houses.select_related("county__pooling_area")]
    whole = ref_of(county)
    span, fund = Span.to_date(month), warning.fund_type
    found = figures([whole, *places], [span], [GROWTH], [fund])
    own = found[whole.key, fund, span][GROWTH].value
    if own is None:
        return []
    margin = value(WATCH_GROWTH, county, month.last_day).decimal
    standing = WatchEntry.objects.filter(county=county, fund_type=fund, status__in=("proposed", "approved"))
    watched = set(standing.values_list("institution_id", flat=True))
    rows = []
    for place in places:
        reading = found[place.key, fund, span][GROWTH].reading
        if reading.value is None or reading.top is None or reading.bottom is None or reading.value <= own + margin:
            continue
        excess = round_fen(reading.top - reading.bottom * (1 + own))
        text = (
            f"{span.text}基金支出 {reading.top:,f} 元，同比 {percent(round_ratio(reading.value))}，"
            f"全县 {percent(own)}，超出 {excess:,f} 元"
        )
        rows.append(
            Candidate(place, reading.top, reading.bottom, reading.value, excess, place.pk in watched, text)
        )
    return sorted(rows, key=lambda row: (-row.excess, row.place.code))
