"""The end of every act on a lead (state, change row, notices, trail) and who is concerned by it.

Free text of a lead may name informants and persons: it stays on the lead, never in the trail or in notices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from audits.models import Case, Lead, LeadChange
from audits.states import Act, Transition, action_name
from core.access import holders
from core.models import Role, StoredFile, User
from core.notices import notify
from core.trail import record

ENTER = action_name(Act.ENTER)


def finish(
    actor: User | None,
    lead: Lead,
    step: Transition,
    summary: str,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
    tell: Iterable[User] = (),
    fields: dict[str, Any] | None = None,
) -> LeadChange:
    """Write the new state and fields, the change row, the notices to ``tell`` and, last, the trail."""
    lead.state = step.target
    for name, given in (fields or {}).items():
        setattr(lead, name, given)
    lead.save(update_fields=["state", *(fields or {})])
    change = LeadChange.objects.create(
        lead=lead, act=step.act, source=step.source, target=step.target, actor=actor, at=timezone.now(),
        reason=reason.strip(), data=data or {},
    )  # fmt: skip
    notify(tell, summary, lead.get_absolute_url())
    record(actor, action_name(step.act), lead, summary, trail_data(change), place=lead.county)
    return change


def trail_data(change: LeadChange) -> dict[str, Any]:
    """What the trail keeps of a change: where to find it, none of its words."""
    return {"change": change.pk, "act": str(change.act), "from": str(change.source), "to": str(change.target)}


def attach(lead: Lead, files: Sequence[StoredFile]) -> None:
    if files:
        lead.files.add(*files)


def name_of(lead: Lead) -> str:
    """线索 青线〔2026〕12号（举报投诉，青溪康宁医院）: number, source and place, never a person."""
    return f"线索 {lead.number}（{lead.get_source_display()}，{lead.at}）"


def reviewers(lead: Lead) -> list[User]:
    return holders((Role.AUDIT_REVIEWER,), lead.at)


def auditors(lead: Lead | Case) -> list[User]:
    """Who may be charged with checking the lead or case."""
    return holders((Role.AUDITOR,), lead.at)


def is_overdue(lead: Lead, today: date) -> bool:
    return lead.is_open and lead.due_on < today
