"""Deadlines: reminders 5 and 1 working days ahead to those who have not filed, one escalation after the day has passed.

A due date is a calendar day and is not moved; how much time is left is told in working days. Each notice goes out once:
``Assignment.reminded`` keeps which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from core.models import Role, User
from core.notices import notify_role
from core.trail import record
from core.working_days import is_working_day, overrides_between, working_days_left
from submissions.models import Assignment
from submissions.services.steps import HOSPITAL, OFFICER, locked_assignment, page_of
from submissions.states import UNFILED

REMIND = "submissions.remind"
FIRST, LAST, LATE = "5", "1", "late"
AHEAD = {FIRST: 5, LAST: 1}
ESCALATED_TO = (*OFFICER, Role.OBSERVER)
LONGEST_HOLIDAY = timedelta(days=30)
LOOK_BACK = timedelta(days=366)


@dataclass(frozen=True)
class Reminder:
    """What is to be told about an assignment now. ``days`` working days left; negative when overdue."""

    assignment: Assignment
    step: str
    days: int


def to_remind(today: date | None = None) -> list[Reminder]:
    """Every reminder that is due and not sent: one query for the assignments, one for the calendar."""
    today = today or timezone.localdate()
    rows = Assignment.objects.filter(
        state__in=UNFILED, reopened=False, due_on__range=(today - LOOK_BACK, today + LONGEST_HOLIDAY)
    ).exclude(reminded__endswith=LATE)  # fmt: skip
    return list(_due(rows.with_places().with_standing().order_by("pk"), today))


def remind(actor: User | None = None, today: date | None = None) -> int:
    """Send what is due, each in its own transaction; returns how many assignments were reminded of."""
    today = today or timezone.localdate()
    return sum(_send(reminder.assignment, today, actor) for reminder in to_remind(today))


def days_left(assignment: Assignment, today: date, overrides: dict[date, bool] | None = None) -> int:
    """Working days until the last day; negative when it has passed."""
    return working_days_left(today, assignment.last_day, overrides)


def _due(rows: Iterable[Assignment], today: date) -> Iterable[Reminder]:
    found = list(rows)
    if not found:
        return
    days = [today, *(row.last_day for row in found)]
    overrides = overrides_between(min(days), max(days))
    for row in found:
        left = days_left(row, today, overrides)
        step = _step(row, left, today, overrides)
        if step:
            yield Reminder(row, step, left)


def _step(assignment: Assignment, left: int, today: date, overrides: dict[date, bool]) -> str:
    """Which notice is due: the latest whose time has come, unless it or a later one went out."""
    sent = assignment.reminded.split(",")
    if today > assignment.last_day:
        told = LATE in sent or not is_working_day(today, overrides)
        return LATE if not told and assignment.is_overdue(today) else ""
    if left <= AHEAD[LAST]:
        return "" if LAST in sent else LAST
    if left <= AHEAD[FIRST]:
        return "" if FIRST in sent or LAST in sent else FIRST
    return ""


def _send(assignment: Assignment, today: date, actor: User | None) -> bool:
    """Once: whoever comes second finds it sent."""
    with transaction.atomic():
        held = locked_assignment(assignment)
        if held.state not in UNFILED or held.reopened:
            return False
        reminder = next(iter(_due([held], today)), None)
        if reminder is None:
            return False
        held.reminded = ",".join(filter(None, [held.reminded, reminder.step]))
        held.save(update_fields=["reminded"])
        text, roles = _words(reminder)
        notify_role(roles, held.alliance, text, page_of(held))
        record(actor, REMIND, held, text, {"step": reminder.step, "last_day": held.last_day}, place=held.alliance)
        return True


def _words(reminder: Reminder) -> tuple[str, tuple[str, ...]]:
    held = reminder.assignment
    if reminder.step == LATE:
        return f"{held}期限 {held.last_day} 已过，尚未报送（{held.get_state_display()}）。", (*HOSPITAL, *ESCALATED_TO)
    left = f"还有 {reminder.days} 个工作日" if reminder.days else "期限前已没有其他工作日"
    return f"{held}尚未报送，期限 {held.last_day}，{left}。", HOSPITAL
