"""Numbers without gaps: the row of a series is locked until the act that takes the number is over."""

from __future__ import annotations

from django.db import transaction

from audits.models import NumberSeries
from core.models import County, PoolingArea


def next_number(area: PoolingArea, series: str, year: int) -> int:
    """The next number of a series (``lead-990101``, ``case-990101``, ``doc-notice-990101`` …) in a year, from 1 on.

    Series of one act are taken in alphabetical order, so that two acts never wait for each other.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a number is taken inside the transaction of the act it belongs to")
    row = hold_series(area, series, year)
    row.last += 1
    row.save(update_fields=["last"])
    return row.last


def hold_series(area: PoolingArea, series: str, year: int) -> NumberSeries:
    """The locked row of a series: nobody else takes a number of it until the act is over."""
    NumberSeries.objects.get_or_create(pooling_area=area, series=series, year=year)
    return NumberSeries.objects.select_for_update(no_key=True).get(pooling_area=area, series=series, year=year)


def short_name(county: County) -> str:
    """What a county is called in numbers (青 in 青线〔2026〕12号): the shortest beginning of its name no other county has.

    Counties of one name are told apart by their code, so that a number names one county in the whole system.
    """
    others = list(County.objects.exclude(pk=county.pk).values_list("name", flat=True))
    beginnings = [county.name[:length] for length in (1, 2) if len(county.name) > length]
    for short in [*beginnings, county.name]:
        if not any(other == county.name or other.startswith(short) for other in others):
            return short
    return f"{county.name}{county.code}"
