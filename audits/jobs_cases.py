"""The clock's look at the limits of cases and leads. The job may be killed and run again: every step is taken once."""

from __future__ import annotations

from django.utils import timezone

from audits.services.escalating import escalate, to_escalate
from core.jobs import JobRun, enqueue, job

ESCALATE_JOB = "audits.escalate"


def look_for_escalations() -> None:
    """Asked by the clock: did a limit pass that nobody has been told of?"""
    if to_escalate():
        enqueue(ESCALATE_JOB, period=str(timezone.localdate()), label="稽核案件逾期升级")


@job(ESCALATE_JOB, label="稽核案件逾期升级")
def step_up(run: JobRun) -> str:
    return f"已升级 {escalate(run.actor)} 项逾期的期限。"
