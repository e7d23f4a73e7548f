"""What the quarterly tables ask of a person on the home page, the number in the navigation, and the search."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.access import has_any_role
from core.models import Role, User
from core.registries import SearchHit, Todo
from submissions.models import Assignment, Submission, TableVersion
from submissions.models.assignments import AssignmentQuerySet
from submissions.states import UNFILED, AssignmentState

LIMIT = 20
TITLES = {
    AssignmentState.DUE: ("报送", "上传"),
    AssignmentState.UPLOADED: ("核对检查结果并报送", "办理"),
    AssignmentState.RETURNED: ("改正退回的报表", "改正"),
    AssignmentState.FILED: ("受理", "受理"),
}


def todos(user: User) -> list[Todo]:
    """Hospital: what is to be filed, nearest day first. Officer: what waits to be accepted. Reviewer: loaded versions."""
    waiting = _waiting(user).with_places().with_standing().order_by("due_on", "alliance__code")
    rows = [_todo(row) for row in waiting[:LIMIT]]
    if has_any_role(user, {Role.FUND_REVIEWER}):
        loaded = TableVersion.objects.visible_to(user).filter(status="proposed").order_by("pk")
        rows += [Todo(f"核准{row}", row.get_absolute_url(), f"自 {row.valid_from} 起用", verb="核准") for row in loaded]
    return rows[:LIMIT]


def badge(user: Any) -> int:
    """How many tables wait for the user's post."""
    return _waiting(user).count()


def search(user: User, text: str) -> list[SearchHit]:
    """By receipt number, alliance, county, year or period (2026Q3)."""
    receipts = Submission.objects.visible_to(user).filter(receipt__icontains=text.strip())
    hits = [
        SearchHit(f"回执 {found.receipt} {found.assignment}", found.get_absolute_url(), "季度报表")
        for found in receipts.select_related("assignment__alliance").order_by("-pk")[:4]
    ]
    rows = Assignment.objects.visible_to(user).with_places()
    for word in text.split():
        rows = rows.filter(
            Q(alliance__name__icontains=word)
            | Q(alliance__code__iexact=word)
            | Q(alliance__county__name__icontains=word)
            | Q(period__istartswith=word)
        )
    return hits + [SearchHit(str(row), row.get_absolute_url(), "季度报表") for row in rows[: 8 - len(hits)]]


def _todo(row: Assignment) -> Todo:
    title, verb = TITLES[AssignmentState(row.state)]
    url = row.get_absolute_url()
    if row.state == AssignmentState.FILED:
        return Todo(f"{title}：{row}", url, "已报送，待受理", verb=verb)
    today = timezone.localdate()
    overdue = row.is_overdue(today)
    detail = (
        "已逾期，报送前须由医保局准予迟报" if overdue and row.state == AssignmentState.DUE else row.get_state_display()
    )
    due = row.last_day if overdue or today <= row.last_day else None  # what was given back has no day to miss
    return Todo(f"{title}：{row}", url, detail, due=due, verb=verb)


def _waiting(user: Any) -> AssignmentQuerySet:
    """Rows that the user's posts must act on."""
    states: list[str] = []
    if has_any_role(user, {Role.HOSPITAL_FINANCE}):
        states += UNFILED
    if has_any_role(user, {Role.FUND_OFFICER}):
        states.append(AssignmentState.FILED)
    if not states:
        return Assignment.objects.none()
    return Assignment.objects.visible_to(user).filter(state__in=states)
