"""What leads and plans ask of a person on the home page, the number in the navigation, and the search."""

from __future__ import annotations

from typing import Any

from audits.access import reads_audits
from audits.models import AuditPlan, Lead, PlanState
from audits.reading.leads import waiting_of, words
from audits.states import LeadState
from core.access import has_any_role
from core.models import Role, User
from core.registries import SearchHit, Todo

LIMIT = 20
HITS = 8
VERBS = {
    LeadState.NEW: ("分派线索", "分派"), LeadState.ASSIGNED: ("核查线索", "核查"), LeadState.PROPOSED: ("审批线索", "审批"),
}  # fmt: skip


def todos(user: User) -> list[Todo]:
    """Auditor: leads to check; reviewer: new ones to assign, proposals and plans to decide. Nearest limit first."""
    if not reads_audits(user):
        return []
    rows = Lead.objects.visible_to(user).filter(waiting_of(user)).with_places().order_by("due_on", "pk")[:LIMIT]
    return [*(_todo(row) for row in rows), *_plans(user)][:LIMIT]


def _todo(row: Lead) -> Todo:
    title, verb = VERBS[LeadState(row.state)]
    late = f"，已逾期升级 {row.escalations} 次" if row.escalations else ""
    return Todo(
        f"{title}：{row.at} {row.title}", row.get_absolute_url(), f"{row.number}，{row.get_source_display()}{late}",
        fund_type=row.fund_type, amount=row.estimate, due=row.due_on, verb=verb,
    )  # fmt: skip


def _plans(user: User) -> list[Todo]:
    if not has_any_role(user, {Role.AUDIT_REVIEWER}):
        return []
    plans = AuditPlan.objects.visible_to(user).filter(state=PlanState.SUBMITTED).exclude(prepared_by=user).order_by("pk")
    return [Todo(f"审批稽核计划：{row.title}", row.get_absolute_url(), row.number, verb="审批") for row in plans[:LIMIT]]


def badge(user: Any) -> int:
    """How many leads wait for the user's post."""
    return Lead.objects.visible_to(user).filter(waiting_of(user)).count()


def search(user: User, text: str) -> list[SearchHit]:
    """By number, cause, party or place; only what the user may see."""
    asked = text.split()
    if not asked:
        return []
    rows = Lead.objects.visible_to(user)
    for word in asked:
        rows = rows.filter(words(word))
    return [
        SearchHit(f"{row.number} {row.title}（{row.get_state_display()}）", row.get_absolute_url(), "稽核线索")
        for row in rows.order_by("-received_on", "-pk")[:HITS]
    ]
