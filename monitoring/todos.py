"""What warnings ask of a person on the home page, the number in the navigation, and the search."""

from __future__ import annotations

from typing import Any

from core.access import has_any_role
from core.models import Role, User
from core.registries import SearchHit, Todo
from monitoring.models import Threshold, ThresholdStatus, Warning, WatchEntry
from monitoring.reading.warnings import newest_figures, seen_by, waiting, words
from monitoring.states import WAITING_FOR_HOSPITAL, WarningState

LIMIT = 20
HITS = 8
VERBS = {
    WarningState.RAISED: ("核对并送达预警", "送达"),
    WarningState.SENT: ("答复预警", "答复"),
    WarningState.RETURNED: ("补充答复预警", "补充"),
    WarningState.ANSWERED: ("审定预警答复", "审定"),
    WarningState.ACCEPTED: ("解除已恢复的预警", "解除"),
}


def todos(user: User) -> list[Todo]:
    """Hospital and county: what must be answered; officer: what must be sent and judged; reviewer: what may be closed,
    watch entries and thresholds to decide on. Nearest day first, then the gravest."""
    rows = list(waiting(user).with_places().order_by("due_on", "-raised_at")[:LIMIT])
    figures = newest_figures(rows)
    found = [_todo(row, figures.get(row.pk)) for row in rows]
    if has_any_role(user, {Role.FUND_REVIEWER}):
        found += _reviewing(user)
    return found[:LIMIT]


def _todo(row: Warning, figure: Any) -> Todo:
    title, verb = VERBS[WarningState(row.state)]
    late = f"，已逾期升级 {row.escalations} 次" if row.escalations else ""
    return Todo(
        f"{title}：{row.at} {row.title}",
        row.get_absolute_url(),
        f"{row.get_level_display()}色预警，{row.get_state_display()}{late}",
        fund_type=row.fund_type,
        amount=figure.affected if figure is not None else None,
        due=row.due_on if row.state in (*WAITING_FOR_HOSPITAL, WarningState.ANSWERED) else None,
        verb=verb,
    )


def _reviewing(user: User) -> list[Todo]:
    found = []
    entries = WatchEntry.objects.visible_to(user).filter(status="proposed").exclude(proposed_by=user)
    for entry in entries.select_related("institution", "warning").order_by("pk")[:LIMIT]:
        title = f"核准监控重点：{entry.institution} {entry.get_consequence_display()}"
        found.append(Todo(title, entry.warning.get_absolute_url(), entry.detail, fund_type=entry.fund_type, verb="核准"))
    trials = Threshold.objects.visible_to(user).filter(status=ThresholdStatus.TRIAL).exclude(entered_by=user).count()
    if trials:
        from django.urls import reverse

        url = f"{reverse('monitoring:thresholds')}?status=trial"
        found.append(Todo(f"核准预警阈值：{trials} 条在试运行", url, "看过预演后逐条核准", verb="核准"))
    return found


def badge(user: Any) -> int:
    """How many warnings wait for the user's post."""
    return waiting(user).count()


def search(user: User, text: str) -> list[SearchHit]:
    """By number, title or place; only what the user may see."""
    rows = seen_by(user)
    asked = text.split()
    if not asked:
        return []
    for word in asked:
        rows = rows.filter(words(word))
    return [
        SearchHit(f"{row.number} {row.at} {row.title}（{row.get_state_display()}）", row.get_absolute_url(), "风险预警")
        for row in rows.order_by("-raised_at", "-pk")[:HITS]
    ]
