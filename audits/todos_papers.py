"""What measures, hand-overs and follow-ups ask of a person: letters to send, answers overdue or due soon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from audits.documents.kinds import OF_MEASURE
from audits.models import CaseOfficer, FollowUp, Measure, Referral
from core.access import has_any_role
from core.models import Role, User
from core.registries import Todo

LIMIT = 15
AHEAD = timedelta(days=7)


def todos(user: User) -> list[Todo]:
    """For the officers of a case, and for who planned a follow-up; the nearest day first."""
    if not has_any_role(user, {Role.AUDITOR}):
        return []
    soon = timezone.localdate() + AHEAD
    mine = CaseOfficer.objects.filter(user=user, until__isnull=True).values("case_id")
    measures = _of(Measure, user, Q(case__in=mine, outcome_on__isnull=True, due_on__lte=soon))
    later = Q(due_on__isnull=True) | Q(due_on__gt=soon)
    unsent = _of(Measure, user, later & Q(case__in=mine, sent_on__isnull=True, kind__in=list(OF_MEASURE)))
    referrals = _of(Referral, user, Q(case__in=mine, replied_on__isnull=True, due_on__lte=soon))
    follow_ups = _of(FollowUp, user, Q(done_on__isnull=True, due_on__lte=soon) & (Q(case__in=mine) | Q(planned_by=user)))
    found = [_todo(row, f"登记{row.get_kind_display()}结果", row.addressee) for row in measures]
    found += [_todo(row, f"催办移送回复：{row.get_body_display()}", row.number) for row in referrals]
    found += [_todo(row, "回头看", row.focus) for row in follow_ups]
    found += [_todo(row, f"送达{row.get_kind_display()}", row.addressee, "送达") for row in unsent]
    return sorted(found, key=lambda one: (one.due is None, one.due or soon))[:LIMIT]


def _of(model: Any, user: User, test: Q) -> Any:
    return model.objects.visible_to(user).filter(test).select_related("case").order_by("due_on", "pk")[:LIMIT]


def _todo(row: Any, title: str, detail: str, verb: str = "登记") -> Todo:
    return Todo(f"{title}：{row.case.party}", row.case.get_absolute_url(), f"{row.case.number} {detail}", due=row.due_on, verb=verb)
