"""Checking a version: read it, run every check, keep what was found and the annotated workbook, all or nothing.

Reading and building happen outside any transaction; one short transaction keeps the result. A killed check leaves
nothing behind and is simply run again; a version that was replaced meanwhile keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from core.files import store_bytes
from submissions.declaration import Table
from submissions.figures import Figures, Found, Placed, Read
from submissions.models import Finding, Severity, Submission, SubmissionChange
from submissions.models.versions import FUND_SHEETS
from submissions.services.deciding import apply_waivers
from submissions.services.steps import HOSPITAL, change_row, locked, name_of, tell_and_record
from submissions.services.tables import TABLE, table_of
from submissions.states import Act, SubmissionState

ANSWER_KIND = "quarterly_answer"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ORDER = {Severity.REFUSAL: 0, Severity.HARD: 1, Severity.SOFT: 2, Severity.NOTE: 3}
FUND_LABELS = dict(FUND_SHEETS)


@dataclass
class Examined:
    """What reading and checking brought. ``read`` None: the file as a whole cannot be read."""

    read: Read | None
    table: Table | None
    checks_run: int = 0
    placed: list[Placed] = field(default_factory=list)
    answer: bytes = b""


def check_submission(submission: Submission) -> Submission:
    """Check a received version; one that is checked, replaced or decided already is returned as it is."""
    now = Submission.objects.with_places().get(pk=submission.pk)
    if now.state != SubmissionState.RECEIVED:
        return now
    examined = examine(now)
    with transaction.atomic():
        held = locked(now)
        if held.state == SubmissionState.RECEIVED:
            _keep(held, examined)
        return held


def examine(submission: Submission) -> Examined:
    """Read and check the original file; nothing is written."""
    from submissions.checks import CATALOGUE, run_checks
    from submissions.sources import context_of, expected_of
    from submissions.workbook import Unreadable, answer_workbook, read_workbook

    stored, assignment = submission.file, submission.assignment
    assert stored is not None
    content = stored.path.read_bytes()
    try:
        read = read_workbook(content, stored.name, expected_of(assignment))
    except Unreadable as refusal:
        placed = [Placed(one, one.sheet, one.cell) for one in refusal.found]
        return Examined(None, None, 0, placed, answer_workbook(content, None, placed))
    table = table_of(assignment.alliance.county.pooling_area, TABLE, read.table_version)
    assert table is not None
    found = sorted([*read.found, *run_checks(context_of(assignment, read.figures, table))], key=_severity_first)
    placed = [Placed(one, *read.layout.place_of(one)) for one in found]
    return Examined(read, table, len(CATALOGUE), placed, answer_workbook(content, read, placed))


def _severity_first(found: Found) -> int:
    return ORDER[Severity(found.severity)]


def _keep(held: Submission, examined: Examined) -> None:
    """Write findings, figures and answer; then the state, the notice and the trail."""
    assignment, stored = held.assignment, held.file
    assert stored is not None
    findings = _findings(held, examined)
    Finding.objects.bulk_create(findings)
    held.state = SubmissionState.CHECKED if examined.read else SubmissionState.REFUSED
    if examined.read is not None and examined.table is not None:
        held.figures, held.notes = examined.read.figures.as_json(), list(examined.read.notes)
        held.cells_read = examined.read.cells_read
        held.table_version, held.table_sha256 = examined.table.version, examined.table.sha256
    held.checks_run, held.checked_at = examined.checks_run, timezone.now()
    if examined.answer:
        name = f"{Path(stored.name).stem[:150]}-检查结果.xlsx"
        held.answer = store_bytes(examined.answer, name, ANSWER_KIND, None, XLSX)
    held.save()
    apply_waivers(assignment, list(assignment.waivers.all()))
    change = change_row(assignment, held, Act.CHECK, SubmissionState.RECEIVED, held.state, None)
    _tell(held, change)


def _tell(held: Submission, change: SubmissionChange) -> None:
    counts = counts_of(held)
    text = f"检查{name_of(held)}：{outcome_text(held, counts)}"
    tell_and_record(None, change, text, tell=HOSPITAL, data={"findings": counts})


def counts_of(submission: Submission) -> dict[str, int]:
    """How many findings of each severity still count: waived and explained ones are told apart."""
    counts: dict[str, int] = {}
    for finding in submission.findings.all():
        kind = "waived" if finding.waiver_id else "explained" if finding.explanation else str(finding.severity)
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def outcome_text(submission: Submission, counts: dict[str, int]) -> str:
    """The result of a check in one sentence."""
    if submission.state == SubmissionState.REFUSED:
        return f"文件不能读取（{counts.get(Severity.REFUSAL, 0)} 处原因），请按提示改正后重新上传。"
    hard, soft = counts.get(Severity.HARD, 0), counts.get(Severity.SOFT, 0)
    if not hard and not soft:
        return "检查通过，可以报送。"
    parts = [f"{hard} 处错误须改正"] if hard else []
    return "，".join([*parts, *([f"{soft} 处须说明"] if soft else [])]) + "。"


def _findings(held: Submission, examined: Examined) -> list[Finding]:
    figures = examined.read.figures if examined.read else Figures()
    names = {member.institution: member.name for member in figures.members}
    explained = _explained(held)
    rows = []
    for number, placed in enumerate(examined.placed, start=1):
        found = placed.found
        row = Finding(
            submission=held,
            number=number,
            code=found.code,
            severity=found.severity,
            sheet=placed.sheet[:40],
            cell=placed.cell[:12],
            fund_type=found.fund_type,
            row_code=found.row_code[:20],
            institution=found.institution[:20],
            place=(found.place or place_of(found, examined.table, names))[:120],
            value=found.value[:200],
            text=found.text,
            remedy=found.remedy,
        )
        former = explained.get(_identity(row)) if row.severity == Severity.SOFT else None
        if former is not None:
            row.explanation = former.explanation
            row.explained_by_id, row.explained_at = former.explained_by_id, former.explained_at
        rows.append(row)
    return rows


def place_of(found: Found, table: Table | None, names: dict[str, str]) -> str:
    """Where a finding stands, in words: 居民 · 4.1 普通门诊, or 石桥镇中心卫生院 · 居民 · 门诊基金支出."""
    parts = []
    if found.institution:
        parts.append(names.get(found.institution) or found.institution)
    if found.fund_type:
        parts.append(FUND_LABELS.get(found.fund_type, found.fund_type))
    if table is not None and found.row_code in table.by_code:
        parts.append(f"{found.row_code} {table.by_code[found.row_code].label}")
    if table is not None and found.institution and found.column in table.member_by_key:
        parts.append(table.member_by_key[found.column].label)
    return " · ".join(parts)


def _explained(held: Submission) -> dict[tuple[str, ...], Finding]:
    """Explanations given to earlier versions of the assignment, the latest of each: they hold where the value is the same."""
    earlier = Finding.objects.filter(
        submission__assignment=held.assignment_id, submission__number__lt=held.number
    ).exclude(explanation="").order_by("submission__number", "number")  # fmt: skip
    return {_identity(finding): finding for finding in earlier}


def _identity(finding: Finding) -> tuple[str, ...]:
    return finding.code, finding.fund_type, finding.row_code, finding.institution, finding.value
