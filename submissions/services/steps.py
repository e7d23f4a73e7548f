"""The frame of every act: right, lock, state and reason first; state change, notice and trail last.

The assignment's row is what two people wait for: every act on it or on one of its versions locks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import holders, require
from core.errors import Conflict, Problem, need_reason
from core.models import Role, User
from core.notices import notify_role
from core.trail import record
from submissions.models import Assignment, Submission, SubmissionChange
from submissions.states import REPLACEABLE, Act, SubmissionState, Transition, action_name, transition

HOSPITAL = (Role.HOSPITAL_FINANCE,)
OFFICER = (Role.FUND_OFFICER,)


def locked_assignment(assignment: Assignment) -> Assignment:
    """The assignment as it stands now, locked until the act is over."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an assignment is locked inside the transaction of the act")
    return Assignment.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=assignment.pk)


def locked(submission: Submission) -> Submission:
    """The version as it stands now, with its assignment locked."""
    assignment = locked_assignment(submission.assignment)
    found = Submission.objects.with_places().get(pk=submission.pk)
    found.assignment = assignment
    return found


def begin(actor: User, submission: Submission, act: str, reason: str = "") -> tuple[Submission, Transition]:
    """Check right, state and reason of an act on a version and lock it.

    Raises ``NotAllowed``; ``Conflict`` when the version moved on; ``Refused`` without a reason where one is due.
    """
    require(actor, action_name(act), submission.assignment.alliance)
    now = locked(submission)
    step = transition(now.state, act)
    if step is None:
        raise wrong_state(now, act)
    if step.needs_reason:
        need_reason(reason)
    return now, step


def wrong_state(submission: Submission, act: str) -> Conflict:
    last = submission.changes.select_related("actor").last()
    who = f"（{last.actor or '系统'}已办理“{last.get_act_display()}”）" if last else ""
    text = f"第 {submission.number} 版现在是“{submission.get_state_display()}”{who}，不能办理“{Act(act).label}”。"
    return Conflict([Problem("state", submission.get_state_display(), text, "请刷新页面查看最新状态。")])


def need_open(assignment: Assignment) -> None:
    """Raise ``Conflict`` when nothing more is taken in, naming who can open the assignment again."""
    if assignment.is_closed:
        raise Conflict(
            [
                Problem(
                    "assignment",
                    assignment.get_state_display(),
                    f"{assignment}已受理，不再接收新的版本。",
                    f"确需更正的，请联系{officers_of(assignment)}重新开放报送。",
                )
            ]
        )


def need_none_filed(assignment: Assignment) -> None:
    """Raise ``Conflict`` while a filed version waits for the bureau."""
    waiting = assignment.versions.filter(state=SubmissionState.FILED).first()
    if waiting is not None:
        raise Conflict(
            [
                Problem(
                    "assignment",
                    waiting.get_state_display(),
                    f"第 {waiting.number} 版（回执 {waiting.receipt}）已报送，正在等待受理。",
                    "要换一份，请先撤回该版本，或等医保局退回。",
                )
            ]
        )


def officers_of(assignment: Assignment) -> str:
    """Who at the bureau can help, by name: 经办林晓岚、陈立新."""
    people = "、".join(str(person) for person in holders(OFFICER, assignment.alliance)[:3])
    return f"医保局经办{people}" if people else "医保局经办（此处尚无人任此岗，请系统管理员授予）"


def next_number(assignment: Assignment) -> int:
    """The number of the next version; safe because the assignment is locked."""
    last = assignment.versions.order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def receipt_of(assignment: Assignment, number: int, digest: str) -> str:
    """QX-2026Q3-002-7F3A: alliance, period, version, and the first digits of the content's sha-256."""
    return f"{assignment.alliance.code}-{assignment.period}-{number:03d}-{digest[:4].upper()}"


def replace_open(actor: User, assignment: Assignment) -> Submission | None:
    """Put the open version out of the way of a newer one; returns it."""
    former = assignment.versions.filter(state__in=REPLACEABLE).first()
    if former is None:
        return None
    source, former.state = former.state, SubmissionState.REPLACED
    former.save(update_fields=["state"])
    change_row(assignment, former, Act.REPLACE, source, former.state, actor)
    return former


def change_row(
    assignment: Assignment,
    submission: Submission | None,
    act: str,
    source: str,
    target: str,
    actor: User | None,
    reason: str = "",
) -> SubmissionChange:
    return SubmissionChange.objects.create(
        assignment=assignment,
        submission=submission,
        act=act,
        source=source,
        target=target,
        actor=actor,
        at=timezone.now(),
        reason=reason.strip(),
    )


def move(assignment: Assignment, state: str, **fields: Any) -> None:
    """Write the assignment's new state with further fields."""
    assignment.state = state
    for name, value in fields.items():
        setattr(assignment, name, value)
    assignment.save(update_fields=["state", *fields])


def finish(
    actor: User | None,
    submission: Submission,
    step: Transition,
    summary: str,
    *,
    reason: str = "",
    tell: Iterable[str] = (),
    text: str = "",
    data: dict[str, Any] | None = None,
    assignment_fields: dict[str, Any] | None = None,
) -> SubmissionChange:
    """Write the new states, the change row, the notices to ``tell`` and, last, the trail."""
    submission.state = step.target
    submission.save(update_fields=["state", "filed_by", "filed_at", "decided_by", "decided_at"])
    move(submission.assignment, step.assignment, **(assignment_fields or {}))
    change = change_row(submission.assignment, submission, step.act, step.source, step.target, actor, reason)
    tell_and_record(actor, change, summary, tell=tell, text=text, data=data)
    return change


def tell_and_record(
    actor: User | None,
    change: SubmissionChange,
    summary: str,
    *,
    tell: Iterable[str] = (),
    text: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """The notices of an act and, last, its trail row on the version or, where there is none, on the assignment."""
    subject: Any = change.submission or change.assignment
    alliance = change.assignment.alliance
    roles = list(tell)
    if roles:
        notify_role(roles, alliance, text or summary, page_of(subject))
    record(actor, action_name(change.act), subject, summary, {**trail_data(change), **(data or {})}, place=alliance)


def trail_data(change: SubmissionChange) -> dict[str, Any]:
    """What the trail keeps of a change: enough to find any later change of the row."""
    found = change.submission
    return {
        "change": change.pk,
        "act": str(change.act),
        "from": str(change.source),
        "to": str(change.target),
        "reason": change.reason,
        "receipt": found.receipt if found else "",
        "sha256": found.file.sha256 if found and found.file else "",
    }


def page_of(subject: Submission | Assignment) -> str:
    return subject.get_absolute_url()


def name_of(submission: Submission) -> str:
    return f"{submission.assignment}第 {submission.number} 版（回执 {submission.receipt}）"
