"""Numbers without gaps: the row of a series is locked until the act that takes the number is over."""

from __future__ import annotations

from django.db import transaction

from audits.models import NumberSeries
from core.models import PoolingArea


def next_number(area: PoolingArea, series: str, year: int) -> int:
    """The next number of a series (``lead-990101``, ``case-990101``, ``doc-notice-990101`` …) in a year, from 1 on.

    Series of one act are taken in alphabetical order, so that two acts never wait for each other.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a number is taken inside the transaction of the act it belongs to")
    NumberSeries.objects.get_or_create(pooling_area=area, series=series, year=year)
    row = NumberSeries.objects.select_for_update(no_key=True).get(pooling_area=area, series=series, year=year)
    row.last += 1
    row.save(update_fields=["last"])
    return row.last
