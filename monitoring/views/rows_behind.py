"""From an indicator's month to the facts and claim rows behind it, for people whose posts may open them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from core.access import may
from core.models import County
from monitoring.models import PlaceMonth
from monitoring.reading.places import PlaceRef
from rules.periods import Month


def facts_links(user: Any, place: PlaceRef, months: Sequence[Month]) -> dict[Month, str]:
    """Month → the page of the county's facts, where the month has any; nothing for who may not open them."""
    if place.county is None or not months:
        return {}
    county = County.objects.select_related("pooling_area").filter(pk=place.county).first()
    if county is None or not may(user, "claims.view", county):
        return {}
    held = (
        PlaceMonth.objects.current()
        .filter(county=county, factset__isnull=False, year__gte=months[0].year, year__lte=months[-1].year)
        .order_by()
        .values_list("year", "month")
        .distinct()
    )
    known = {Month(year, month) for year, month in held}
    return {month: reverse("claims:facts", args=[county.code, str(month)]) for month in months if month in known}
