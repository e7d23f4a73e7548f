"""Lets each act of the demonstration happen on its own day, in this thread only.

Four years of approvals written within a minute would all carry today's date, and most services rightly refuse a bank
receipt of the day before the approval. Inside :func:`acting_on` Django's clock answers the story's moment, a second
later each time it is asked; every other thread, and this one outside the block, keeps the real time. Jobs report their
progress outside it, so that a heartbeat is never a date of the story.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

_story_time: ContextVar[datetime | None] = ContextVar("story_time", default=None)
_real_now = timezone.now


def _now() -> datetime:
    moment = _story_time.get()
    if moment is None:
        return _real_now()
    moment += timedelta(seconds=1)
    _story_time.set(moment)
    return moment


@contextmanager
def acting_on(day: date, hour: int = 9) -> Iterator[None]:
    """Let the acts inside happen on ``day`` from ``hour`` o'clock on (local time)."""
    timezone.now = _now
    moment = timezone.make_aware(datetime.combine(day, time(hour))).astimezone(UTC)  # as Django's own clock answers
    token = _story_time.set(moment)
    try:
        yield
    finally:
        _story_time.reset(token)
