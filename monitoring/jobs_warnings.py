"""The month-end step of the warnings, and the clock's look at their deadlines. Every job may be killed and run again."""

from __future__ import annotations

from django.utils import timezone

from core.jobs import JobRun, enqueue, job
from core.models import Alliance, User
from monitoring.services.escalating import escalate, to_escalate
from monitoring.services.evaluating import evaluate_month
from rules.periods import Month

ESCALATE_JOB = "monitoring.escalate"


def warn(alliance: Alliance, month: Month, actor: User | None) -> str:
    """The step of an alliance's month end: its county with every place in it, then the city."""
    county = evaluate_month(alliance.county, month, actor)
    city = evaluate_month(alliance.county.pooling_area, month, actor)
    return county.text + (f"全市：{city.text}" if city.raised or city.worsened or city.recovered else "")


def look_for_escalations() -> None:
    """Asked by the clock: did a deadline pass that nobody above has been told of?"""
    if to_escalate():
        enqueue(ESCALATE_JOB, period=str(timezone.localdate()), label="预警逾期升级")


@job(ESCALATE_JOB, label="预警逾期升级")
def step_up(run: JobRun) -> str:
    return f"已升级 {escalate(run.actor)} 条逾期的预警。"
