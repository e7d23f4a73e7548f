"""The clock's look at overdue measures, hand-overs and follow-ups. The job may be killed and run again."""

from __future__ import annotations

from django.utils import timezone

from audits.services.reminders import remind, to_remind
from core.jobs import JobRun, enqueue, job

REMIND_JOB = "audits.remind"


def look_for_reminders() -> None:
    """Asked by the clock: is something overdue that nobody was reminded of since its day or the last step?"""
    if to_remind():
        enqueue(REMIND_JOB, period=str(timezone.localdate()), label="稽核逾期催办")


@job(REMIND_JOB, label="稽核逾期催办")
def run_reminders(run: JobRun) -> str:
    return f"已催办 {remind(run.actor)} 项逾期的监管措施、移送或回头看。"
