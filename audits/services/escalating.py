"""Limits that passed: who has to act hears of it, then the reviewers, then the leaders; each step once a missed limit.

The first step comes on the first working day after the last day, every further one ``audits.escalate_days`` working days
later. More time starts anew. Leads that wait for their filing decision go the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from audits.models import Case, Deadline, Lead
from audits.parameters import ESCALATE_DAYS
from audits.services import lead_steps, telling
from audits.services.deadlines import label_of, running
from audits.services.steps import finish, locked_case, locked_lead, must, name_of
from audits.states import OPEN_CASES, OPEN_LEADS, Act
from core.models import User
from core.parameters import values_by_county
from core.working_days import is_working_day, overrides_between, working_days_left

STEPS = 3
LAPSING = ("hearing_request",)
"""A right of the party that simply ends; nobody is late."""


@dataclass(frozen=True)
class Overdue:
    """``step`` 1: to who has to act; 2: to the reviewers too; 3: to the leaders too. ``days``: working days since."""

    row: Deadline | Lead
    step: int
    days: int


def to_escalate(today: date | None = None) -> list[Overdue]:
    """Limits and leads whose next step is due: a query for each kind, one for the calendar, one for the parameter."""
    day = today or timezone.localdate()
    limits = Deadline.objects.filter(case__state__in=OPEN_CASES, ended_on__isnull=True, paused_on__isnull=True)
    late = limits.annotate(last=Coalesce("extended_to", "due_on")).filter(last__lt=day, escalations__lt=STEPS)
    rows = list(late.exclude(key__in=LAPSING).select_related("case").order_by("pk"))
    leads = Lead.objects.with_places().filter(state__in=OPEN_LEADS, due_on__lt=day, escalations__lt=STEPS)
    return list(_due([*rows, *leads.order_by("pk")], day))


def escalate(actor: User | None = None, today: date | None = None) -> int:
    """Take every step that is due, each in its own transaction; returns how many."""
    day = today or timezone.localdate()
    return sum(_lead_up(one.row, day, actor) if isinstance(one.row, Lead) else _limit_up(one.row, day, actor)
               for one in to_escalate(day))  # fmt: skip


def responsible(case: Case, row: Deadline) -> list[User]:
    """Whose limit it is."""
    if row.key == "first_review":
        return telling.reviewers(case)
    if row.key == "re_review":
        return telling.re_reviewers(case)
    if row.key in ("hearing_held", "legal_review"):
        return telling.legal(case)
    return telling.officers(case)


def _due(rows: list[Deadline | Lead], today: date) -> Iterable[Overdue]:
    if not rows:
        return
    overrides = overrides_between(min([_last(row) for row in rows]) - timedelta(days=1), today)
    if not is_working_day(today, overrides):
        return
    wait = values_by_county(ESCALATE_DAYS, {_place(row) for row in rows}, today)
    for row in rows:
        last = _last(row)
        if last >= today or row.escalations >= STEPS:
            continue
        late = -working_days_left(today, last, overrides)
        if late >= 1 + row.escalations * max(int(wait[_place(row)].decimal), 1):
            yield Overdue(row, row.escalations + 1, late)


def _limit_up(row: Deadline, today: date, actor: User | None) -> bool:
    """Once: whoever comes second finds it done."""
    with transaction.atomic():
        case = locked_case(row.case)
        held = running(case).filter(pk=row.pk, paused_on__isnull=True).select_related("track").first()
        if held is None or not case.is_open:
            return False
        held.case = case
        overdue = next(iter(_due([held], today)), None)
        if overdue is None:
            return False
        held.escalations = overdue.step
        held.save(update_fields=["escalations"])
        track = held.track
        if track is not None:
            track.case = case
        whose = responsible(case, held)
        about = name_of(track) if track is not None else name_of(case)
        summary = (
            f"{about}“{label_of(held.key)}”期限 {held.last_day} 已过 {overdue.days} 个工作日"
            f"（{telling.named(whose)}），第 {overdue.step} 次升级。"
        )
        step = must("case", case.state, Act.ESCALATE) if track is None else must("track", track.state, Act.ESCALATE)
        data = {"deadline": held.pk, "key": held.key, "step": overdue.step, "days": overdue.days, "due_on": str(held.last_day)}
        tell = [*whose, *telling.officers(case)]
        tell += telling.reviewers(case) if overdue.step > 1 else []
        tell += telling.observers(case) if overdue.step > 2 else []
        finish(actor, case, step, summary, track=track, data=data, tell=tell)
        return True


def _lead_up(lead: Lead, today: date, actor: User | None) -> bool:
    with transaction.atomic():
        held = locked_lead(lead)
        overdue = next(iter(_due([held], today)), None) if held.is_open else None
        if overdue is None:
            return False
        whose = [held.assigned_to] if held.assigned_to is not None else lead_steps.reviewers(held)
        summary = (
            f"{lead_steps.name_of(held)}立案期限 {held.due_on} 已过 {overdue.days} 个工作日"
            f"（{telling.named(whose)}），第 {overdue.step} 次升级。"
        )
        tell = [*whose, *(lead_steps.reviewers(held) if overdue.step > 1 else [])]
        tell += telling.observers(held) if overdue.step > 2 else []
        data = {"step": overdue.step, "days": overdue.days, "due_on": str(held.due_on)}
        step = must("lead", held.state, Act.ESCALATE)
        lead_steps.finish(actor, held, step, summary, data=data, tell=tell, fields={"escalations": overdue.step})
        return True


def _last(row: Deadline | Lead) -> date:
    last: date = row.due_on if isinstance(row, Lead) else row.last_day
    return last


def _place(row: Deadline | Lead) -> tuple[int, int | None]:
    about = row if isinstance(row, Lead) else row.case
    return about.pooling_area_id, about.county_id
