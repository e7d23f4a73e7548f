"""The dated parameters of cases: every limit's days, the thresholds of hearing and legal review, the steps of escalation.

The limits are those of :mod:`rules.procedure`; all may be set by a pooling area or county once a reviewer has confirmed the
value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from core.models import ConfirmationStatus
from core.parameters import define, value, values
from core.working_days import is_working_day, overrides_between
from rules.penalties import DEFAULT_THRESHOLDS, Thresholds
from rules.procedure import LIMITS, MONTHS, UNITS, Limit, due_on
from rules.trace import CONFIRMED, UNCONFIRMED

ESCALATE_DAYS = "audits.escalate_days"
HEARING_PERSON, HEARING_ORGANISATION = "audits.hearing_person", "audits.hearing_organisation"
LEGAL_PERSON, LEGAL_ORGANISATION = "audits.legal_person", "audits.legal_organisation"
EXPERT_OPINION = "expert_opinion"
"""The limit of an expert opinion: until the day agreed with the expert; the decision's days stand still meanwhile."""
_DESIGN = "设计默认值：办案环节期限（待地方确定）"
_BEFORE, _AHEAD = timedelta(days=60), timedelta(days=1200)


ALL_LIMITS: dict[str, Limit] = {limit.key: limit for limit in LIMITS}


def count_key(key: str) -> str:
    """The parameter that holds how long a limit is."""
    return f"audits.limit.{key}"


def extension_key(key: str) -> str:
    """The parameter that holds by how much a limit may be extended; only limits that may be have one."""
    return f"audits.extension.{key}"


def define_parameters() -> None:
    """Called when the app is ready: the administrator's pages list what is defined."""
    for limit in ALL_LIMITS.values():
        kind = "months" if limit.unit == MONTHS else "days"
        status = ConfirmationStatus.CONFIRMED if limit.source.confirmed else ConfirmationStatus.UNCONFIRMED
        words = f"{limit.label}期限（{limit.event}{'前' if limit.before else '后'}，{UNITS[limit.unit].removeprefix('个')}）"
        define(count_key(limit.key), words, kind=kind, default=str(limit.count), clause=limit.source.basis, status=status)
        if limit.extension:
            more = f"{limit.label}可延长（{UNITS[limit.unit].removeprefix('个')}）"
            define(
                extension_key(limit.key), more, kind=kind, default=str(limit.extension), clause=limit.source.basis, status=status
            )
    clause = DEFAULT_THRESHOLDS.clause
    for key, label, amount in (
        (HEARING_PERSON, "须告知听证的个人罚款额", DEFAULT_THRESHOLDS.person),
        (HEARING_ORGANISATION, "须告知听证的单位罚款额", DEFAULT_THRESHOLDS.organisation),
        (LEGAL_PERSON, "须法制审核的个人罚款额", DEFAULT_THRESHOLDS.person),
        (LEGAL_ORGANISATION, "须法制审核的单位罚款额", DEFAULT_THRESHOLDS.organisation),
    ):
        define(key, label, kind="yuan", default=str(amount), clause=clause, status=ConfirmationStatus.UNCONFIRMED)
    define(
        ESCALATE_DAYS, "案件逾期后再次升级的间隔（工作日）", kind="days", default="2", clause=_DESIGN,
        status=ConfirmationStatus.UNCONFIRMED,
    )  # fmt: skip


def limit_at(key: str, place: Any, on: date) -> Limit:
    """A limit with the days in force at a place on a day; its source's status is that of the days."""
    limit = ALL_LIMITS[key]
    wanted = [count_key(key), *([extension_key(key)] if limit.extension else [])]
    held = values(wanted, place, on)
    days = held[count_key(key)]
    extension = int(held[extension_key(key)].decimal) if limit.extension else 0
    source = replace(limit.source, basis=days.clause, status=CONFIRMED if days.is_confirmed else UNCONFIRMED)
    return replace(limit, count=max(int(days.decimal), 1), extension=extension, source=source)


def limit_due(key: str, place: Any, start: date) -> date:
    """The last day (inclusive) of a limit whose event was on ``start``."""
    limit = limit_at(key, place, start)
    return due_on(start, limit.count, limit.unit, calendar(start))


def calendar(first: date) -> Callable[[date], bool]:
    """Whether people work on a day from about ``first`` on, with one query for all of them."""
    overrides = overrides_between(first - _BEFORE, first + _AHEAD)
    return lambda day: is_working_day(day, overrides)


def hearing_thresholds(place: Any, on: date) -> Thresholds:
    """Fines (yuan) from which the party may ask for a hearing."""
    return _thresholds(HEARING_PERSON, HEARING_ORGANISATION, place, on)


def legal_thresholds(place: Any, on: date) -> Thresholds:
    """Fines (yuan) from which a third person reviews the decision in law."""
    return _thresholds(LEGAL_PERSON, LEGAL_ORGANISATION, place, on)


def escalate_days(place: Any, on: date) -> int:
    """Working days between two steps of escalation."""
    return max(int(value(ESCALATE_DAYS, place, on).decimal), 1)


def _thresholds(person: str, organisation: str, place: Any, on: date) -> Thresholds:
    held = values([person, organisation], place, on)
    confirmed = all(one.is_confirmed for one in held.values())
    source = replace(DEFAULT_THRESHOLDS.source, status=CONFIRMED if confirmed else UNCONFIRMED)
    return Thresholds(held[person].decimal, held[organisation].decimal, held[organisation].clause, source)
