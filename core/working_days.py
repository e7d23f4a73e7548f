"""Working days of mainland China: statutory holidays and shifted days, with the yearly notice as overrides."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from core.models import WorkdayOverride


@lru_cache(maxsize=1)
def _statutory() -> Any:
    import holidays

    return holidays.country_holidays("CN", language="zh_CN")


def overrides_between(first: date, last: date) -> dict[date, bool]:
    """The entered exceptions of a span, for callers that count many deadlines with one query."""
    return dict(WorkdayOverride.objects.filter(day__range=(first, last)).values_list("day", "is_working"))


def _works(day: date, overrides: dict[date, bool]) -> bool:
    if day in overrides:
        return overrides[day]
    return bool(_statutory().is_working_day(day))


def is_working_day(day: date, overrides: dict[date, bool] | None = None) -> bool:
    """Whether people work that day. ``overrides`` given: they hold the day already and nothing is read."""
    return _works(day, overrides_between(day, day) if overrides is None else overrides)


def add_working_days(day: date, count: int) -> date:
    """The ``count``-th working day after ``day`` (``count`` ≥ 0; 0 returns ``day`` itself)."""
    overrides = overrides_between(day, day + timedelta(days=count * 3 + 30))
    while count:
        day += timedelta(days=1)
        if _works(day, overrides):
            count -= 1
    return day


def working_days_left(today: date, due: date, overrides: dict[date, bool] | None = None) -> int:
    """Working days after ``today`` up to and including ``due``; negative when overdue; 0 on the day itself.

    ``overrides`` given: they cover the span already and nothing is read.
    """
    if due == today:
        return 0
    first, last = min(today, due), max(today, due)
    if overrides is None:
        overrides = overrides_between(first, last)
    days = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    count = sum(_works(day, overrides) for day in days)
    return count if due > today else -max(count, 1)
