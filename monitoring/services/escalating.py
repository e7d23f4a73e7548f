"""Deadlines that passed: the reviewer hears of it, then the city; each step once a missed deadline.

The first step comes on the first working day after the deadline, the second ``monitoring.escalate_days`` working days
later. A new deadline starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from core.models import User
from core.parameters import values_by_county
from core.working_days import is_working_day, overrides_between, working_days_left
from monitoring.models import Warning
from monitoring.parameters import ESCALATE_DAYS
from monitoring.services.rights import answerers, city_people, closers, deciders
from monitoring.services.steps import finish, locked, must, name_of
from monitoring.states import WAITING_FOR_HOSPITAL, Act, WarningState

STEPS = 2
WAITING = (*WAITING_FOR_HOSPITAL, WarningState.ANSWERED)


@dataclass(frozen=True)
class Overdue:
    """``step`` 1: to the reviewer; 2: to the city. ``days``: working days since the deadline."""

    warning: Warning
    step: int
    days: int


def to_escalate(today: date | None = None) -> list[Warning]:
    """Warnings whose next step is due: one query for them, one for the calendar, one for the parameter."""
    return [row.warning for row in _due(_waiting(today or timezone.localdate()), today or timezone.localdate())]


def escalate(actor: User | None = None, today: date | None = None) -> int:
    """Take every step that is due, each in its own transaction; returns how many."""
    day = today or timezone.localdate()
    return sum(_step_up(w, day, actor) for w in to_escalate(day))


def _waiting(today: date) -> list[Warning]:
    rows = Warning.objects.filter(state__in=WAITING, due_on__lt=today, escalations__lt=STEPS)
    return list(rows.with_places().order_by("pk"))


def _due(rows: list[Warning], today: date) -> Iterable[Overdue]:
    if not rows:
        return
    days = [row.due_on for row in rows if row.due_on is not None]
    overrides = overrides_between(min([*days, today]) - timedelta(days=1), today)
    if not is_working_day(today, overrides):
        return
    wait = values_by_county(ESCALATE_DAYS, {(row.pooling_area_id, row.county_id) for row in rows}, today)
    for row in rows:
        if row.due_on is None or row.due_on >= today or row.state not in WAITING or row.escalations >= STEPS:
            continue
        late = -working_days_left(today, row.due_on, overrides)
        needed = 1 + row.escalations * int(wait[row.pooling_area_id, row.county_id].decimal)
        if late >= needed:
            yield Overdue(row, row.escalations + 1, late)


def _step_up(w: Warning, today: date, actor: User | None) -> bool:
    """Once: whoever comes second finds it done."""
    with transaction.atomic():
        overdue = next(iter(_due([locked(w)], today)), None)
        if overdue is None:
            return False
        held = overdue.warning
        whose = answerers(held) if held.state in WAITING_FOR_HOSPITAL else deciders(held)
        named = "、".join(str(person) for person in whose[:3]) or "无人任此岗"
        what = "未答复" if held.state in WAITING_FOR_HOSPITAL else "未审定答复"
        summary = f"{name_of(held)}期限 {held.due_on} 已过 {overdue.days} 个工作日，{what}（{named}），第 {overdue.step} 次升级。"
        above = closers(held) if overdue.step == 1 else city_people(held)
        data = {"step": overdue.step, "days": overdue.days, "due_on": str(held.due_on)}
        fields = {"escalations": overdue.step}
        tell = [*whose, *deciders(held), *above]
        finish(actor, held, must(held.state, Act.ESCALATE), summary, data=data, tell=tell, fields=fields)
        return True
