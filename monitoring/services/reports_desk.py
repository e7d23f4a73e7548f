"""What the reports ask of a person on the home page, the number in the navigation, and their search."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from core.access import has_any_role
from core.models import Role, User
from core.registries import SearchHit, Todo
from monitoring.models import AnalysisReport
from monitoring.models.reports import AnalysisReportQuerySet, ReportState

LIMIT = 10
TITLES = {
    ReportState.DRAFT: ("填写说明并提交", "办理"),
    ReportState.RETURNED: ("按退回意见修改", "修改"),
    ReportState.SUBMITTED: ("审定", "审定"),
    ReportState.APPROVED: ("印发", "印发"),
}


def todos(user: User) -> list[Todo]:
    """Officer: drafts, the nearest last day first. Reviewer: what waits to be approved or issued."""
    rows = _waiting(user).with_places().defer("content").order_by("due_on", "-ends_on", "place")[:LIMIT]
    found = []
    for report in rows:
        title, verb = TITLES[ReportState(report.state)]
        found.append(
            Todo(f"{title}：{report}", report.get_absolute_url(), report.get_state_display(), due=report.due_on, verb=verb)
        )
    return found


def badge(user: Any) -> int:
    return _waiting(user).count()


def search(user: User, text: str) -> list[SearchHit]:
    """By number (析-2026Q3-…), place or period."""
    rows = AnalysisReport.objects.visible_to(user).with_places().defer("content")
    for word in text.split():
        rows = rows.filter(
            Q(number__icontains=word) | Q(span__istartswith=word) | Q(county__name__icontains=word) | Q(pooling_area__name__icontains=word)
        )
    return [SearchHit(f"{row}第 {row.version} 版", row.get_absolute_url(), "分析报告") for row in rows[:6]]


def _waiting(user: Any) -> AnalysisReportQuerySet:
    states: list[str] = []
    if has_any_role(user, {Role.FUND_OFFICER}):
        states += [ReportState.DRAFT, ReportState.RETURNED]
    if has_any_role(user, {Role.FUND_REVIEWER}):
        states += [ReportState.SUBMITTED, ReportState.APPROVED]
    return AnalysisReport.objects.visible_to(user).filter(state__in=states)
