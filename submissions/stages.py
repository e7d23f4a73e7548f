"""The way of a table as steps with who and until when, what happened so far, and what a version comes to in a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.templatetags.fund import day
from submissions.models import Assignment, Finding, Severity, Submission, SubmissionChange
from submissions.states import Act, AssignmentState, SubmissionKind, SubmissionState

CURRENT = {
    AssignmentState.DUE: 0,
    AssignmentState.UPLOADED: 1,
    AssignmentState.RETURNED: 1,
    AssignmentState.FILED: 3,
    AssignmentState.ACCEPTED: 4,
}
CONCLUSIONS = {
    SubmissionState.RECEIVED: ("检查中", ""),
    SubmissionState.REFUSED: ("不能读取", "bad"),
    SubmissionState.FILED: ("已报送，待受理", ""),
    SubmissionState.RETURNED: ("已退回", "bad"),
    SubmissionState.ACCEPTED: ("已受理", ""),
    SubmissionState.SUPERSEDED: ("已被后一版替代", ""),
    SubmissionState.REPLACED: ("已重新上传", ""),
}
BAD_ACTS = (Act.RETURN, Act.WITHDRAW, Act.REOPEN)


@dataclass(frozen=True)
class Tally:
    """How many findings of a version block it, ask for a word, were explained, were waived."""

    blocking: int
    questions: int
    explained: int
    waived: int
    notes: int

    @property
    def open_questions(self) -> int:
        return self.questions - self.explained

    @property
    def is_clean(self) -> bool:
        return not self.blocking and not self.open_questions


def tally(findings: Sequence[Finding]) -> Tally:
    soft = [one for one in findings if one.severity == Severity.SOFT and one.waiver_id is None]
    return Tally(
        blocking=sum(1 for one in findings if one.is_blocking),
        questions=len(soft),
        explained=sum(1 for one in soft if one.explanation),
        waived=sum(1 for one in findings if one.waiver_id is not None),
        notes=sum(1 for one in findings if one.severity == Severity.NOTE),
    )


def conclusion(version: Submission, counted: Tally) -> tuple[str, str]:
    """What a version comes to, and ``bad`` where something must be mended."""
    if version.state != SubmissionState.CHECKED:
        return CONCLUSIONS[SubmissionState(version.state)]
    if counted.blocking:
        return "未通过", "bad"
    return ("待写说明", "") if counted.open_questions else ("可以报送", "")


def stages(assignment: Assignment, last: Submission | None, filed: Submission | None) -> list[dict[str, Any]]:
    """Due, uploaded, filed, accepted. ``filed`` is the last version that was filed and not taken back."""
    at = CURRENT[AssignmentState(assignment.state)]
    accepted = filed if filed is not None and filed.state == SubmissionState.ACCEPTED else None
    until = f"{day(assignment.last_day, 'short')} 24:00 前"
    rows: tuple[tuple[str, Any, Any, str], ...] = (
        ("下达", None, assignment.created_at, ""),
        ("上传", last.uploaded_by if last else None, last.uploaded_at if last else None, until),
        ("报送", filed.filed_by if filed else None, filed.filed_at if filed else None, until),
        ("受理", accepted.decided_by if accepted else None, accepted.decided_at if accepted else None, "基金经办"),
    )
    returned = assignment.state == AssignmentState.RETURNED
    steps = []
    for number, (label, who, when, note) in enumerate(rows):
        state = "done" if number < max(at, 1) else "current" if number == max(at, 1) else "todo"
        if assignment.state == AssignmentState.UPLOADED:
            state = "done" if number <= 1 else "current" if number == 2 else "todo"
        if returned:
            state = "done" if number == 0 else "refused" if number == 1 else "todo"
        told = when if state in ("done", "refused") else None
        steps.append(
            {
                "label": "退回待改" if state == "refused" else label,
                "state": state,
                "who": str(who) if who and told else "",
                "when": day(told, "time") if told else "",
                "note": "" if told or state == "done" else note,
            }
        )
    return steps


def events(changes: Sequence[SubmissionChange]) -> list[dict[str, Any]]:
    """What happened, oldest first, for the timeline."""
    told = []
    for change in changes:
        version = f"第 {change.submission.number} 版" if change.submission else ""
        who = str(change.actor) if change.actor else "系统"
        text = "；".join(filter(None, [who, change.reason]))
        told.append(
            {
                "label": f"{change.get_act_display()} {version}".strip(),
                "state": "bad" if change.act in BAD_ACTS else "done",
                "when": day(change.at, "time"),
                "text": text,
            }
        )
    return told


def version_events(assignment: Assignment, seen: Sequence[Submission], shown: Submission) -> list[dict[str, Any]]:
    """Versions and deadline of an assignment for the column beside a version; ``seen`` newest first with findings."""
    rows: list[dict[str, Any]] = [
        {"label": "任务下达", "state": "done", "when": day(assignment.created_at, "short"), "text": assignment.basis}
    ]
    for version in reversed(seen):
        counted = tally(list(version.findings.all()))
        verdict, tone = conclusion(version, counted)
        found = [f"错误 {counted.blocking} 项" if counted.blocking else "", _questions(counted)]
        if version.kind == SubmissionKind.NOTHING:
            found = ["无数据上报"]
        rows.append(
            {
                "label": f"第 {version.number} 版{'（本页）' if version.pk == shown.pk else ''}",
                "state": "bad" if tone == "bad" or version.state == SubmissionState.REPLACED else "done",
                "when": day(version.uploaded_at, "time"),
                "text": "；".join(filter(None, [verdict, *found, f"{version.uploaded_by}"])),
            }
        )
    if assignment.state != AssignmentState.ACCEPTED:
        filed = assignment.state == AssignmentState.FILED
        if not filed:
            rows.append(
                {
                    "label": "报送",
                    "state": "current",
                    "when": f"{day(assignment.last_day, 'short')} 24:00 前",
                    "text": "没有硬性错误且说明齐全方可报送",
                }
            )
        rows.append({"label": "医保局受理或退回", "state": "current" if filed else "todo"})
    return rows


def _questions(counted: Tally) -> str:
    return f"需说明 {counted.questions} 项，已写 {counted.explained} 项" if counted.questions else ""
