"""What the month's end asks of a person: steps that failed (officer), a finished month to close (reviewer)."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from core.access import has_any_role
from core.models import Role, User
from core.registries import Todo
from monitoring.models.periods import RunState, StepRun
from monitoring.reading.runs import month_lines
from rules.periods import Month


def todos(user: User) -> list[Todo]:
    """Two lines at most: the newest month with failed steps, the last month that is over and not closed."""
    found = []
    if has_any_role(user, {Role.FUND_OFFICER}):
        bad = StepRun.objects.visible_to(user).filter(state__in=[RunState.FAILED, RunState.SKIPPED])
        newest = bad.order_by("-year", "-month").values_list("year", "month").first()
        if newest is not None:
            month = Month(*newest)
            count = bad.filter(year=month.year, month=month.month).values("alliance").distinct().count()
            url = reverse("monitoring:run", args=[str(month)])
            found.append(Todo(f"月末处理未完成：{month}", url, f"{count} 个医共体有步骤未完成", verb="查看"))
    if any(grant.role == Role.FUND_REVIEWER and grant.pooling_area_id for grant in user.grants_on(timezone.localdate())):
        ended = Month.of(timezone.localdate()).previous()
        line = next((line for line in month_lines(user) if line.month == ended), None)
        if line is not None and line.total and line.done >= line.total and line.state != "closed":
            url = reverse("monitoring:run", args=[str(ended)])
            found.append(Todo(f"月份结账：{ended}", url, "月末各步骤都已完成", verb="结账"))
    return found
