"""The hospital's acts after the check: explain, file, withdraw, and "nothing to report"."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from core.access import require
from core.errors import Problem, Refused, need_reason
from core.models import User
from submissions.models import Assignment, Finding, Severity, Submission
from submissions.services.steps import (
    OFFICER,
    begin,
    change_row,
    finish,
    locked,
    locked_assignment,
    move,
    name_of,
    need_none_filed,
    need_open,
    next_number,
    officers_of,
    receipt_of,
    replace_open,
    tell_and_record,
    wrong_state,
)
from submissions.states import Act, AssignmentState, SubmissionKind, SubmissionState, action_name

SHORTEST, LONGEST = 20, 500
NAMED = 8


def explain(actor: User, submission: Submission, texts: Mapping[int, str]) -> Submission:
    """Write the explanations of soft findings; ``texts`` by the finding's id, an empty one takes it back.

    Raises ``Refused`` with every text that is too short, too long or for a finding that needs none; then nothing is kept.
    """
    require(actor, action_name(Act.EXPLAIN), submission.assignment.alliance)
    with transaction.atomic():
        held = locked(submission)
        if held.state != SubmissionState.CHECKED:
            raise wrong_state(held, Act.EXPLAIN)
        findings = {finding.pk: finding for finding in held.findings.all()}
        problems = [problem for pk, text in sorted(texts.items()) for problem in _text_problems(findings, pk, text)]
        if problems:
            raise Refused(problems)
        changed = [findings[pk] for pk, text in sorted(texts.items()) if findings[pk].explanation != text.strip()]
        if not changed:
            return held
        for finding in changed:
            _write(actor, finding, texts[finding.pk].strip())
        change = change_row(held.assignment, held, Act.EXPLAIN, held.state, held.state, actor)
        codes = "、".join(f"{finding.code}#{finding.number}" for finding in changed)
        told = {finding.number: finding.explanation for finding in changed}
        tell_and_record(actor, change, f"填写{name_of(held)}的说明：{codes}", data={"texts": told})
        return held


def file(actor: User, submission: Submission) -> Submission:
    """Hand the checked version in. Refuses with everything that stands in the way: errors, open questions, lateness."""
    with transaction.atomic():
        held, step = begin(actor, submission, Act.FILE)
        problems = [*_unfinished(list(held.findings.all())), *_lateness(held)]
        if problems:
            raise Refused(problems)
        held.filed_by, held.filed_at = actor, timezone.now()
        summary = f"报送{name_of(held)}"
        finish(actor, held, step, summary, tell=OFFICER, text=f"待受理：{name_of(held)}")
        return held


def withdraw(actor: User, submission: Submission, reason: str) -> Submission:
    """Take a filed version back before the bureau has decided on it."""
    with transaction.atomic():
        held, step = begin(actor, submission, Act.WITHDRAW, reason)
        held.filed_by = held.filed_at = None
        summary = f"撤回{name_of(held)}：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, tell=OFFICER)
        return held


def report_nothing(actor: User, assignment: Assignment, reason: str) -> Submission:
    """File that the period has nothing to report, with the reason: a version of its own kind, not a missing table."""
    require(actor, action_name(Act.NOTHING), assignment.alliance)
    with transaction.atomic():
        held = locked_assignment(assignment)
        need_open(held)
        need_none_filed(held)
        need_reason(reason)
        now = timezone.now()
        former, number = replace_open(actor, held), next_number(held)
        submission = Submission(
            assignment=held,
            number=number,
            kind=SubmissionKind.NOTHING,
            state=SubmissionState.FILED,
            receipt=receipt_of(held, number, hashlib.sha256(reason.strip().encode()).hexdigest()),
            reason=reason.strip(),
            uploaded_by=actor,
            uploaded_at=now,
            filed_by=actor,
            filed_at=now,
        )
        if problems := _lateness(submission):
            raise Refused(problems)
        submission.save()
        move(held, AssignmentState.FILED)
        change = change_row(held, submission, Act.NOTHING, "", submission.state, actor, reason)
        summary = f"报送{name_of(submission)}：本期无数据上报。{reason.strip()}"
        data = {"replaced": former.number if former else None}
        tell_and_record(actor, change, summary, tell=OFFICER, data=data)
        return submission


def is_late(submission: Submission) -> bool:
    """Whether the upload came after the last day. What the bureau itself returned or reopened is never late again."""
    assignment = submission.assignment
    if assignment.in_time(submission.uploaded_at):
        return False
    return not assignment.is_given_back


def _lateness(submission: Submission) -> list[Problem]:
    if not is_late(submission):
        return []
    assignment = submission.assignment
    when = timezone.localtime(submission.uploaded_at)
    text = f"期限为 {assignment.last_day}，本版于 {when:%Y-%m-%d %H:%M} 上传，已逾期。"
    remedy = f"请联系{officers_of(assignment)}准予迟报；准予后不必重新上传，可直接报送。"
    return [Problem("deadline", str(assignment.last_day), text, remedy)]


def _unfinished(findings: Sequence[Finding]) -> list[Problem]:
    blocking = [finding for finding in findings if finding.is_blocking]
    open_questions = [finding for finding in findings if finding.is_open_question]
    problems = []
    if blocking:
        text = f"还有 {len(blocking)} 处错误没有改正：{_named(blocking)}。"
        remedy = "请按标注工作簿改正后重新上传；确有特殊情况的，可请基金复核准予豁免。"
        problems.append(Problem("findings", str(len(blocking)), text, remedy))
    if open_questions:
        text = f"还有 {len(open_questions)} 处需要说明：{_named(open_questions)}。"
        problems.append(
            Problem("explanations", str(len(open_questions)), text, f"请逐项填写 {SHORTEST}–{LONGEST} 字的说明。")
        )
    return problems


def _named(findings: Sequence[Finding]) -> str:
    shown = "、".join(f"{found.code}（{found.sheet} {found.cell}）".replace(" ）", "）") for found in findings[:NAMED])
    return shown + (" 等" if len(findings) > NAMED else "")


def _text_problems(findings: Mapping[int, Finding], pk: int, text: str) -> list[Problem]:
    field, written = f"text-{pk}", text.strip()
    finding = findings.get(pk)
    if finding is None or finding.severity != Severity.SOFT:
        return [Problem(field, str(pk), "有一项不是本版需要说明的发现。", "请刷新页面后重新填写。")]
    if not written or SHORTEST <= len(written) <= LONGEST:
        return []
    told = f"第 {finding.number} 项（{finding.code}）的说明有 {len(written)} 个字，须为 {SHORTEST}–{LONGEST} 字。"
    return [Problem(field, written, told, "请写明原因和依据。")]


def _write(actor: User, finding: Finding, text: str) -> None:
    finding.explanation = text
    finding.explained_by, finding.explained_at = (actor, timezone.now()) if text else (None, None)
    finding.save(update_fields=["explanation", "explained_by", "explained_at"])
