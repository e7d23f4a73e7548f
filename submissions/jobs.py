"""Work of the quarterly tables done in the background: checking uploads, the quarter's assignments, reminders.

The clock asks what is due; rows answer. Every job may be killed and run again.
"""

from __future__ import annotations

from django.utils import timezone

from core.jobs import JobRun, enqueue, job
from core.models import User
from core.notices import notify_role
from submissions.models import Submission
from submissions.periods import TablePeriod
from submissions.services.checking import check_submission, counts_of, outcome_text
from submissions.services.deadlines import remind, to_remind
from submissions.services.duties import assign_period, owed
from submissions.services.receiving import JOB as CHECK_JOB
from submissions.services.reconciling import outdated, refresh_reconciliations
from submissions.services.steps import HOSPITAL, name_of, page_of
from submissions.states import SubmissionState

ASSIGN_JOB, REMIND_JOB = "submissions.assign", "submissions.remind"
RECONCILE_JOB = "submissions.reconcile"


@job(CHECK_JOB, label="检查季度报表")
def check(run: JobRun) -> str:
    """Check one upload. When the program itself fails, the hospital is told that its file is kept and what to do."""
    submission = Submission.objects.with_places().get(pk=run.params["submission"])
    run.progress(0, 1, "读取工作簿")
    try:
        checked = check_submission(submission)
    except Exception:
        text = f"{name_of(submission)}的检查中断，文件已保存，上传时间有效。请稍后再次上传同一文件重新检查，或联系系统管理员。"
        notify_role(HOSPITAL, submission.assignment.alliance, text, page_of(submission))
        raise
    if checked.state == SubmissionState.REPLACED:
        return f"第 {checked.number} 版已由后一次上传替代，不再检查。"
    return f"{name_of(checked)}：{outcome_text(checked, counts_of(checked))}"


def look_for_assignments() -> None:
    """Asked by the clock: does anybody owe a table for the last period that has not been assigned yet?"""
    period = TablePeriod.ended_before(timezone.localdate())
    if owed(period):
        enqueue(ASSIGN_JOB, period=str(period), label=f"下达{period.text}基金运行情况表填报任务")


def enqueue_assignments(actor: User | None, period: TablePeriod) -> None:
    """The same for any period, asked by a person or the command line."""
    enqueue(ASSIGN_JOB, period=str(period), actor=actor, label=f"下达{period.text}基金运行情况表填报任务")


@job(ASSIGN_JOB, label="下达季度报表填报任务")
def assign(run: JobRun) -> str:
    period = TablePeriod.parse(run.job.period)
    return f"已下达 {assign_period(period, run.actor)} 个医共体{period.text}的填报任务。"


def look_for_reminders() -> None:
    """Asked by the clock: is a deadline near or passed that somebody has not been told of?"""
    if to_remind():
        enqueue(REMIND_JOB, period=str(timezone.localdate()), label="季度报表报送提醒")


@job(REMIND_JOB, label="季度报表报送提醒")
def send_reminders(run: JobRun) -> str:
    return f"已提醒 {remind(run.actor)} 个未报送的医共体。"


def look_for_new_facts() -> None:
    """Asked by the clock: did facts change under a reconciliation?"""
    if outdated():
        enqueue(RECONCILE_JOB, period=str(timezone.localdate()), label="季度报表重新对账")


@job(RECONCILE_JOB, label="季度报表重新对账")
def reconcile_again(_run: JobRun) -> str:
    return f"已按新的月度数据重新形成 {refresh_reconciliations()} 份对账。"
