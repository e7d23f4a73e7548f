"""The bureau's acts: return, accept, reopen and take that back, admit a late table, waive a check."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import User
from submissions.models import Assignment, Finding, Severity, Submission, Waiver
from submissions.models.versions import FUND_SHEETS
from submissions.services.accepted import store_accepted
from submissions.services.reconciling import reconcile
from submissions.services.steps import (
    HOSPITAL,
    begin,
    change_row,
    finish,
    locked_assignment,
    move,
    name_of,
    need_open,
    replace_open,
    tell_and_record,
)
from submissions.states import Act, AssignmentState, SubmissionKind, SubmissionState, action_name

LATEST = timedelta(days=366)
WAIVABLE = (Severity.HARD, Severity.SOFT)


def return_submission(actor: User, submission: Submission, reason: str) -> Submission:
    """Give a filed version back to be mended; what was filed in time is not late when it comes again."""
    with transaction.atomic():
        held, step = begin(actor, submission, Act.RETURN, reason)
        held.decided_by = held.decided_at = None
        summary = f"退回{name_of(held)}：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, tell=HOSPITAL)
        return held


def accept(actor: User, submission: Submission) -> Submission:
    """Accept a filed version: its figures become readable, a former accepted version is superseded, facts are compared."""
    with transaction.atomic():
        held, step = begin(actor, submission, Act.ACCEPT)
        for person in (held.uploaded_by, held.filed_by):
            different_person(actor, person, name_of(held))
        former = _supersede(actor, held)
        held.decided_by, held.decided_at = actor, timezone.now()
        # The accepted state is written first: figures and reconciliation are those of an accepted version.
        Submission.objects.filter(pk=held.pk).update(state=step.target, decided_by=actor, decided_at=held.decided_at)
        held.state = step.target
        figures = 0
        if held.kind == SubmissionKind.WORKBOOK:
            figures = store_accepted(held)
            reconcile(held)
        summary = f"受理{name_of(held)}" + (f"，替代第 {former.number} 版" if former else "")
        data = {"figures": figures, "superseded": former.number if former else None}
        finish(actor, held, step, summary, tell=HOSPITAL, data=data, assignment_fields={"reopened": False})
        return held


def reopen(actor: User, assignment: Assignment, reason: str) -> Assignment:
    """Open an accepted assignment for a further version; the accepted one stays in force until the next is accepted."""
    require(actor, action_name(Act.REOPEN), assignment.alliance)
    with transaction.atomic():
        held = locked_assignment(assignment)
        if not held.is_closed:
            text = f"{held}现在是“{held.get_state_display()}”，本来就可以上传。"
            raise Conflict([Problem("state", held.get_state_display(), text, "不需要重新开放。")])
        need_reason(reason)
        held.reopened = True
        held.save(update_fields=["reopened"])
        change = change_row(held, None, Act.REOPEN, held.state, held.state, actor, reason)
        tell_and_record(actor, change, f"重新开放{held}：{reason.strip()}", tell=HOSPITAL)
        return held


def close_reopening(actor: User, assignment: Assignment, reason: str) -> Assignment:
    """Take a reopening back: the accepted version goes on standing, a draft made meanwhile is put out of the way.

    A filed version is not passed over: it is to be returned or accepted first.
    """
    require(actor, action_name(Act.CLOSE), assignment.alliance)
    with transaction.atomic():
        held = locked_assignment(assignment)
        standing = held.versions.filter(state=SubmissionState.ACCEPTED).first()
        if not held.reopened or standing is None:
            text = f"{held}没有重新开放，现在是“{held.get_state_display()}”。"
            raise Conflict([Problem("state", held.get_state_display(), text, "不需要结束重新开放。")])
        waiting = held.versions.filter(state=SubmissionState.FILED).first()
        if waiting is not None:
            text = f"第 {waiting.number} 版（回执 {waiting.receipt}）已报送，正在等待受理。"
            remedy = "请先受理或退回该版本；退回后可以结束重新开放。"
            raise Conflict([Problem("state", waiting.get_state_display(), text, remedy)])
        need_reason(reason)
        source, draft = held.state, replace_open(actor, held)
        move(held, AssignmentState.ACCEPTED, reopened=False)
        change = change_row(held, None, Act.CLOSE, source, held.state, actor, reason)
        summary = f"结束{held}的重新开放，仍以第 {standing.number} 版为准：{reason.strip()}"
        data = {"standing": standing.number, "replaced": draft.number if draft else None}
        tell_and_record(actor, change, summary, tell=HOSPITAL, data=data)
        return held


def admit_late(actor: User, assignment: Assignment, until: date, reason: str) -> Assignment:
    """Let a table be filed until a later day. Uploads that came late before count as well."""
    require(actor, action_name(Act.ADMIT), assignment.alliance)
    with transaction.atomic():
        held = locked_assignment(assignment)
        need_open(held)
        today = timezone.localdate()
        problems = []
        if until < today:
            problems.append(Problem("until", str(until), "准予迟报的日期已经过去。", "请填今天或以后的日期。"))
        elif until > today + LATEST:
            text = f"准予迟报至 {until}，距今超过 {LATEST.days} 日。"
            problems.append(Problem("until", str(until), text, "请填一年以内的日期。"))
        elif until <= held.last_day:
            text = f"现在的期限是 {held.last_day}，不早于所填日期。"
            problems.append(Problem("until", str(until), text, "请填期限以后的日期。"))
        if problems:
            raise Refused(problems)
        need_reason(reason)
        held.admitted_until, held.admitted_by, held.admitted_reason = until, actor, reason.strip()
        held.reminded = ""
        held.save(update_fields=["admitted_until", "admitted_by", "admitted_reason", "reminded"])
        change = change_row(held, None, Act.ADMIT, held.state, held.state, actor, reason)
        summary = f"准予{held}迟报至 {until}：{reason.strip()}"
        tell_and_record(actor, change, summary, tell=HOSPITAL, data={"until": until})
        return held


def waive(
    actor: User,
    assignment: Assignment,
    code: str,
    fund_type: str = "",
    row_code: str = "",
    institution: str = "",
    reason: str = "",
) -> Waiver:
    """A reviewer lets one check pass for an assignment, where given only for a fund sheet, row or institution.

    Holds for the findings there are and for those of later uploads. A file that cannot be read cannot be waived.
    """
    require(actor, action_name(Act.WAIVE), assignment.alliance)
    with transaction.atomic():
        held = locked_assignment(assignment)
        need_open(held)
        problems = _waiver_problems(code, fund_type)
        if problems:
            raise Refused(problems)
        need_reason(reason)
        waiver, created = Waiver.objects.get_or_create(
            assignment=held,
            code=code,
            fund_type=fund_type,
            row_code=row_code,
            institution=institution,
            defaults={"reason": reason.strip(), "granted_by": actor},
        )
        if not created:
            raise Conflict([Problem("code", code, f"{waiver}已由{waiver.granted_by}准予。", "不需要再次办理。")])
        concerned = apply_waivers(held, [waiver])
        change = change_row(held, None, Act.WAIVE, held.state, held.state, actor, reason)
        data = {
            "waiver": waiver.pk,
            "code": code,
            "fund_type": fund_type,
            "row_code": row_code,
            "institution": institution,
        }
        summary = f"准予{held}豁免检查 {code}：{reason.strip()}"
        tell_and_record(actor, change, summary, tell=HOSPITAL, data={**data, "findings": concerned})
        return waiver


def apply_waivers(assignment: Assignment, waivers: list[Waiver]) -> int:
    """Mark the findings of the version not filed yet that the waivers let pass; returns how many."""
    done = 0
    for waiver in waivers:
        found = Finding.objects.filter(
            submission__assignment=assignment,
            submission__state__in=(SubmissionState.CHECKED, SubmissionState.RETURNED),
            waiver=None,
            severity__in=WAIVABLE,
            code=waiver.code,
        )
        for name in ("fund_type", "row_code", "institution"):
            if getattr(waiver, name):
                found = found.filter(**{name: getattr(waiver, name)})
        done += found.update(waiver=waiver)
    return done


def _supersede(actor: User, submission: Submission) -> Submission | None:
    assignment = submission.assignment
    former = assignment.versions.filter(state=SubmissionState.ACCEPTED).exclude(pk=submission.pk).first()
    if former is None:
        return None
    source, former.state = former.state, SubmissionState.SUPERSEDED
    former.save(update_fields=["state"])
    change_row(assignment, former, Act.SUPERSEDE, source, former.state, actor)
    return former


def _waiver_problems(code: str, fund_type: str) -> list[Problem]:
    from submissions.checks import CATALOGUE

    problems = []
    if code not in {check.code for check in CATALOGUE}:
        text = f"“{code}”不是可以豁免的检查。" if code else "没有写明豁免哪一项检查。"
        problems.append(Problem("code", code, text, "不能读取的文件和单元格只能改正，不能豁免。"))
    if fund_type and fund_type not in dict(FUND_SHEETS):
        problems.append(Problem("fund_type", fund_type, f"没有“{fund_type}”这个险种。", "请从列表中选择，或留空。"))
    return problems
