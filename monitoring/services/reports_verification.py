"""Does every report still say what it said? Part of ``manage.py verify``, with the control totals of a backup.

The content equals its digest and that of its acts in the trail, the state the last act, the Word file its checksum, and
the approver is nobody who wrote it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Count

from core.models import TrailEvent
from core.registries import Finding
from monitoring.models import AnalysisReport, ReportChange, ReportComment
from monitoring.models.reports import COMMENT, FROZEN, ReportAct, ReportState
from monitoring.services.reports import trail_data
from monitoring.services.reports_tables import digest_of

LABEL = AnalysisReport._meta.label_lower


def verify_reports() -> list[Finding]:
    """Every finding, report by report."""
    told: dict[int, dict[str, Any]] = {}
    commented: dict[int, dict[str, Any]] = {}
    for event in TrailEvent.objects.filter(subject_type=LABEL):
        if "change" in event.data:
            told[event.data["change"]] = event.data
        elif event.action == COMMENT:
            commented[event.data["comment"]] = event.data
    changes: dict[int, list[ReportChange]] = defaultdict(list)
    for change in ReportChange.objects.order_by("pk"):
        changes[change.report_id].append(change)
    findings: list[Finding] = []
    for report in AnalysisReport.objects.with_places().select_related("word").order_by("pk").iterator():
        findings.extend(_verify(report, changes[report.pk], told))
    for comment in ReportComment.objects.filter(carried=False).order_by("pk").iterator():
        if commented.get(comment.pk, {}).get("text") != comment.text:
            findings.append(Finding(f"报告说明 {comment.pk}", "与轨迹不符，已被改动或缺失"))
    gone = set(told) - {change.pk for rows in changes.values() for change in rows}
    if gone:
        findings.append(Finding("分析报告", f"轨迹中有 {len(gone)} 条办理记录已不存在"))
    return findings


def control_sums() -> dict[str, str]:
    """How many reports stand in which state."""
    rows = AnalysisReport.objects.order_by("state").values_list("state").annotate(reports=Count("pk"))
    return {str(ReportState(state).label): f"{reports} 份" for state, reports in rows}


def _verify(report: AnalysisReport, changes: list[ReportChange], told: dict[int, dict[str, Any]]) -> Iterator[Finding]:
    where = f"{report}第 {report.version} 版"
    if digest_of(report.content) != report.digest:
        yield Finding(where, "内容与校验值不符，已被改动")
    if not changes or changes[-1].target != report.state or changes[-1].digest != report.digest:
        yield Finding(where, f"状态“{report.get_state_display()}”或内容与办理记录不符")
    for change in changes:
        event = told.get(change.pk, {})
        if any(event.get(name) != value for name, value in trail_data(change).items()):
            yield Finding(where, f"办理记录“{change.get_act_display()}”与轨迹不符，已被改动或缺失")
    approvers = {change.actor_id for change in changes if change.act == ReportAct.APPROVE}
    if report.approved_by_id is not None and report.approved_by_id not in approvers:
        yield Finding(where, "审定人与办理记录不符")
    if report.state in FROZEN:
        if report.approved_by_id is None or report.approved_by_id in (report.submitted_by_id, report.prepared_by_id):
            yield Finding(where, "已印发而没有审定人，或审定人就是起草人")
        words = {told.get(change.pk, {}).get("word") for change in changes if change.act == ReportAct.ISSUE}
        if report.word is None or report.word.sha256 not in words:
            yield Finding(where, "Word 文件与印发时不符")
