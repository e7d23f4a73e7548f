"""Reminders of what is overdue beside the limits of a case: answers to measures, replies to hand-overs, follow-ups.

One on the day after the last day, then again every so many working days (a parameter) until it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audits.models import FollowUp, Measure, Referral
from audits.services.telling import officers, reviewers
from core.models import ConfirmationStatus, User
from core.notices import notify
from core.parameters import define, value
from core.trail import record
from core.working_days import add_working_days

REMIND = "audits.remind"
REMIND_DAYS = "audits.remind_days"
OPEN: tuple[tuple[type[Any], Q], ...] = (
    (Measure, Q(outcome_on__isnull=True)),
    (Referral, Q(replied_on__isnull=True)),
    (FollowUp, Q(done_on__isnull=True)),
)


def define_parameters() -> None:
    """Called when the app is ready."""
    define(
        REMIND_DAYS, "监管措施、移送、回头看逾期再次催办的间隔（工作日）", kind="days", default="5",
        clause="设计默认值：办案环节期限（待地方确定）", status=ConfirmationStatus.UNCONFIRMED,
    )  # fmt: skip


def overdue(model: type[Any], today: date) -> QuerySet[Any]:
    """Rows of Measure, Referral or FollowUp whose last day has passed and that are not done."""
    done = next(test for kind, test in OPEN if kind is model)
    return model.objects.filter(done, due_on__lt=today).with_case().order_by("due_on", "pk")  # type: ignore[no-any-return]


def to_remind() -> bool:
    """Whether anything overdue waits for its (next) reminder."""
    return next(_due(timezone.localdate()), None) is not None


def remind(actor: User | None) -> int:
    """Remind of each overdue thing once a step; a killed run goes on where it stood. Returns how many."""
    today, count = timezone.localdate(), 0
    for row in list(_due(today)):
        with transaction.atomic():
            case = type(row.case).objects.select_for_update(no_key=True, of=("self",)).get(pk=row.case_id)
            now = type(row).objects.with_case().get(pk=row.pk)
            if _is_done(now) or now.reminded_on != row.reminded_on:
                continue
            again = now.reminded_on is not None
            now.reminded_on = today
            now.save(update_fields=["reminded_on"])
            text = f"{_named(now)}已于 {now.due_on} 到期，请办理：案件 {case.number}。"
            notify([*officers(case), *(reviewers(case) if again else [])], text, case.get_absolute_url())
            record(actor, REMIND, now, text, {"case": case.number, "due_on": now.due_on}, place=now.case.at)
            count += 1
    return count


def _due(today: date) -> Iterator[Any]:
    steps: dict[int, int] = {}
    for model, _done in OPEN:
        for row in overdue(model, today):
            if row.reminded_on is None:
                yield row
                continue
            county = row.case.county
            if county.pk not in steps:
                steps[county.pk] = max(int(value(REMIND_DAYS, county, today).decimal), 1)
            if today >= add_working_days(row.reminded_on, steps[county.pk]):
                yield row


def _is_done(row: Any) -> bool:
    return any(getattr(row, name, None) is not None for name in ("outcome_on", "replied_on", "done_on"))


def _named(row: Measure | Referral | FollowUp) -> str:
    if isinstance(row, Measure):
        return f"{row.get_kind_display()}的结果"
    return f"移送{row.get_body_display()}的回复" if isinstance(row, Referral) else "回头看"
