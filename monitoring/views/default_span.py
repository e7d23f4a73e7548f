"""What an indicator page of one place shows when its address names no period: up to the newest month that is whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from monitoring.reading import seen
from monitoring.reading.places import PlaceRef
from rules.periods import Month
from rules.spans import Span


def asked_of(request: HttpRequest, place: PlaceRef) -> seen.Asked:
    """Fund type and span of the address, or the default one (:func:`monitoring.reading.seen.default_end`); the newest
    month stays among the periods to choose from."""
    user: Any = request.user
    asked = seen.asked(request.GET, seen.latest_month(user, place.kind, place))
    if request.GET.get("span") or asked.latest is None:
        return asked
    end = seen.default_end(user, place.kind, [place])
    return replace(asked, span=Span.to_date(end)) if end else asked


def part_month(request: HttpRequest, asked: seen.Asked) -> Month | None:
    """The newest month held, when the period was left open and stops before it because its data are not all in."""
    left_out = asked.latest is not None and asked.latest > asked.span.last
    return asked.latest if left_out and not request.GET.get("span") else None
