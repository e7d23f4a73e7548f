"""Does every filed table still say what it said? Part of ``manage.py verify``.

The original file of each version equals its receipt and the trail, states equal the last act of the record, the accepted
figures equal those of the version they came from, and every accepted workbook has its reconciliation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core.models import TrailEvent
from core.registries import Finding
from submissions.figures import Figures
from submissions.models import AcceptedFigure, Assignment, Submission, SubmissionChange
from submissions.services.steps import name_of, trail_data
from submissions.states import Act, SubmissionKind, SubmissionState

LABELS = (Submission._meta.label_lower, Assignment._meta.label_lower)
QUIET = (Act.REPLACE, Act.SUPERSEDE)
"""Acts that happen with another one, whose trail row tells of them."""
NAMED = 5
HELD = (SubmissionState.ACCEPTED, SubmissionState.SUPERSEDED)


def verify_submissions() -> list[Finding]:
    """Every finding, assignment by assignment."""
    told: dict[int, dict[str, Any]] = {
        event.data["change"]: event.data
        for event in TrailEvent.objects.filter(subject_type__in=LABELS, action__startswith="submissions.")
        if "change" in event.data
    }
    changes: dict[int, list[SubmissionChange]] = defaultdict(list)
    for change in SubmissionChange.objects.select_related("submission__file").order_by("pk"):
        changes[change.assignment_id].append(change)
    findings: list[Finding] = []
    for assignment in Assignment.objects.with_places().order_by("pk").iterator():
        findings.extend(_verify_record(assignment, changes[assignment.pk], told))
    for submission in Submission.objects.with_places().select_related("reconciliation").order_by("pk").iterator():
        findings.extend(_verify_version(submission, changes[submission.assignment_id]))
    gone = set(told) - {change.pk for rows in changes.values() for change in rows}
    if gone:
        findings.append(Finding("季度报表", f"轨迹中有 {len(gone)} 条办理记录已不存在"))
    return findings


def _verify_record(
    assignment: Assignment, changes: list[SubmissionChange], told: dict[int, dict[str, Any]]
) -> Iterator[Finding]:
    for change in changes:
        if change.act in QUIET:
            continue
        event = told.get(change.pk, {})
        if any(event.get(name) != value for name, value in trail_data(change).items()):
            yield Finding(str(assignment), f"办理记录“{change.get_act_display()}”与轨迹不符，已被改动或缺失")


def _verify_version(submission: Submission, changes: list[SubmissionChange]) -> Iterator[Finding]:
    where = name_of(submission)
    mine = [change for change in changes if change.submission_id == submission.pk]
    if not mine or mine[-1].target != submission.state:
        yield Finding(where, f"状态“{submission.get_state_display()}”与办理记录不符")
    if submission.file is not None and not submission.receipt.endswith(submission.file.sha256[:4].upper()):
        yield Finding(where, "原始文件与回执编号不符，已被调换")
    if submission.state in HELD:
        yield from _verify_accepted(where, submission)


def _verify_accepted(where: str, submission: Submission) -> Iterator[Finding]:
    accepters = [submission.uploaded_by_id, submission.filed_by_id]
    if submission.decided_by_id is None or submission.decided_by_id in accepters:
        yield Finding(where, "没有受理人，或受理人就是报送人")
    if submission.kind != SubmissionKind.WORKBOOK:
        return
    if not hasattr(submission, "reconciliation"):
        yield Finding(where, "已受理而没有对账")
    stored = {
        (row.fund_type, row.institution, row.key): row.number if row.amount is None else row.amount
        for row in AcceptedFigure.objects.filter(submission=submission)
    }
    filed = _typed(Figures.from_json(submission.figures))
    wrong = sorted(key for key, value in filed.items() if stored.get(key) != value)
    for fund_type, institution, key in wrong[:NAMED]:
        at = " ".join(filter(None, (fund_type, institution, key)))
        told = f"受理数据 {at} 为 {stored.get((fund_type, institution, key))}"
        yield Finding(where, f"{told}，报表中是 {filed[fund_type, institution, key]}")
    if len(wrong) > NAMED:
        yield Finding(where, f"受理数据共有 {len(wrong)} 项与报表不符")


def _typed(figures: Figures) -> dict[tuple[str, str, str], Decimal]:
    """What the version says, by fund type, institution and row or column."""
    rows = {
        (fund, "", code): row.current
        for fund, codes in figures.funds.items()
        for code, row in codes.items()
        if row.current is not None
    }
    members = {
        (member.fund_type, member.institution, key): value
        for member in figures.members
        for key, value in member.values.items()
        if value is not None
    }
    return rows | members
