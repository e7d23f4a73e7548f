"""Taking in a workbook: the original kept by its content, a number and a receipt at once, the check started as a job.

The moment of arrival is what counts as filed in time, however long the check takes afterwards.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.template.defaultfilters import date as format_date
from django.utils import timezone

from core.access import require
from core.errors import Conflict, Problem, Refused
from core.files import store_upload
from core.jobs import enqueue
from core.models import Job, User
from submissions.models import Assignment, Submission
from submissions.services.steps import (
    change_row,
    locked_assignment,
    move,
    need_none_filed,
    need_open,
    next_number,
    receipt_of,
    replace_open,
    tell_and_record,
)
from submissions.states import REPLACEABLE, Act, AssignmentState, SubmissionState, action_name

JOB = "submissions.check"
FILE_KIND = "quarterly_table"
LIMIT = 20 * 1024 * 1024


def receive(actor: User, assignment: Assignment, upload: Any) -> Submission:
    """Keep an uploaded workbook as the next version of ``assignment`` and start its check.

    ``upload`` has ``name``, ``size`` and ``chunks()``. Raises ``Refused`` for a file that cannot be one; ``Conflict`` when
    the assignment is closed, a filed version waits, or the same file is the open version already.
    """
    require(actor, action_name(Act.UPLOAD), assignment.alliance)
    arrived = timezone.now()
    _refuse_file(str(upload.name), int(upload.size))
    digest = _sha256(upload)
    with transaction.atomic():
        held = locked_assignment(assignment)
        need_open(held)
        need_none_filed(held)
        interrupted = _refuse_same_file(held, digest, str(upload.name))
        if interrupted is not None:
            start_check(interrupted, actor)
            return interrupted
        stored = store_upload(upload, FILE_KIND, actor)
        former = replace_open(actor, held)
        number = next_number(held)
        submission = Submission.objects.create(
            assignment=held,
            number=number,
            receipt=receipt_of(held, number, digest),
            file=stored,
            uploaded_by=actor,
            uploaded_at=arrived,
        )
        move(held, AssignmentState.UPLOADED)
        change = change_row(held, submission, Act.UPLOAD, "", submission.state, actor)
        start_check(submission, actor)
        tell_and_record(
            actor,
            change,
            f"上传{held}第 {number} 版“{stored.name}”，回执 {submission.receipt}",
            data={"bytes": stored.size, "replaced": former.number if former else None},
        )
        return submission


def start_check(submission: Submission, actor: User | None) -> Job:
    """Queue the check of a version; an unfinished job for it is returned as it is."""
    return enqueue(
        JOB,
        scope=str(submission.pk),
        period=submission.assignment.period,
        params={"submission": submission.pk},
        actor=actor,
        place=submission.assignment.alliance,
        label=f"检查{submission.assignment}第 {submission.number} 版",
    )


def is_interrupted(submission: Submission) -> bool:
    """Still to be checked, and no job is doing it any more, after a failure."""
    if submission.state != SubmissionState.RECEIVED:
        return False
    return not Job.objects.unfinished().filter(name=JOB, scope=str(submission.pk)).exists()


def _refuse_file(name: str, size: int) -> None:
    if size == 0:
        raise Refused([Problem("file", name, "文件没有内容（0 字节）。", "请在电脑上打开确认后重新选择文件。")])
    if size > LIMIT:
        text = f"文件 {size / (1 << 20):.1f} MB，超过 {LIMIT >> 20} MB。"
        remedy = "填好的报表一般不到 1 MB；请从本页下载模板，只填模板中的表，不要插入图片或整份明细。"
        raise Refused([Problem("file", name, text, remedy)])


def _refuse_same_file(assignment: Assignment, digest: str, name: str) -> Submission | None:
    """Refuse the bytes the open version already holds; that version itself when its check broke off and may start again."""
    held = assignment.versions.filter(state__in=REPLACEABLE, file__sha256=digest).select_related("file").first()
    if held is None:
        return None
    if is_interrupted(held):
        return held
    when = format_date(timezone.localtime(held.uploaded_at), "Y年n月j日 H:i")
    raise Conflict(
        [
            Problem(
                "file",
                name,
                f"这份文件与 {when} 上传的第 {held.number} 版（回执 {held.receipt}，{held.get_state_display()}）完全相同，未作改动。",
                "请确认修改后已保存，再上传修改过的文件；只想按最新的打包、预付数重新检查的，另存一次再上传。",
            )
        ]
    )


def _sha256(upload: Any) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    return digest.hexdigest()
