"""Do the warnings still say what they said? Part of ``manage.py verify``; and their control sums.

One open warning a cause, states equal to the last act of the record, every act in the trail as it was, every figure with
its trace, nobody's answer accepted or closed by the same person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Sum

from core.models import TrailEvent
from core.registries import Finding
from monitoring.models import Threshold, Warning, WarningAnswer, WarningChange, WarningFigure, WatchEntry
from monitoring.models.thresholds import ThresholdStatus
from monitoring.models.warnings import WATCH_STATUS
from monitoring.services.steps import trail_data
from monitoring.states import OPEN_STATES, Act, WarningState

UNSENT = (WarningState.RAISED, WarningState.CLOSED)


def verify_warnings() -> list[Finding]:
    """Every finding, warning by warning."""
    told: dict[int, dict[str, Any]] = {
        event.data["change"]: event.data
        for event in TrailEvent.objects.filter(subject_type=Warning._meta.label_lower, action__startswith="monitoring.")
        if "change" in event.data
    }
    changes: dict[int, list[WarningChange]] = defaultdict(list)
    for change in WarningChange.objects.order_by("pk"):
        changes[change.warning_id].append(change)
    untraced = dict(
        WarningFigure.objects.filter(value__isnull=False, trace=[]).values_list("warning").annotate(count=Count("pk"))
    )
    answers = dict(WarningAnswer.objects.order_by("number").values_list("warning", "answered_by"))
    findings: list[Finding] = []
    open_causes: dict[tuple[str, str, str], str] = {}
    for w in Warning.objects.order_by("pk").iterator():
        findings.extend(_verify(w, changes[w.pk], told, answers.get(w.pk)))
        if w.pk in untraced:
            findings.append(Finding(w.number, f"有 {untraced[w.pk]} 个指标值没有计算依据"))
        if w.state in OPEN_STATES:
            key = (w.place, w.fund_type, w.cause)
            if key in open_causes:
                findings.append(Finding(w.number, f"与 {open_causes[key]} 是同一事项，同时未解除"))
            open_causes[key] = w.number
    gone = set(told) - {change.pk for rows in changes.values() for change in rows}
    if gone:
        findings.append(Finding("风险预警", f"轨迹中有 {len(gone)} 条办理记录已不存在"))
    return findings + [
        Finding(f"预警阈值 {row.pk}", "启用而没有核准人")
        for row in Threshold.objects.filter(status=ThresholdStatus.LIVE, decided_by=None)
    ]


def _verify(
    w: Warning, changes: list[WarningChange], told: dict[int, dict[str, Any]], answered_by: int | None
) -> Iterator[Finding]:
    if not changes or changes[-1].target != w.state:
        yield Finding(w.number, f"状态“{w.get_state_display()}”与办理记录不符")
    pairs = zip(changes, changes[1:], strict=False)
    if any(before.target != after.source for before, after in pairs):
        yield Finding(w.number, "办理记录前后状态不相接")
    for change in changes:
        event = told.get(change.pk, {})
        if any(event.get(name) != value for name, value in trail_data(change).items()):
            yield Finding(w.number, f"办理记录“{change.get_act_display()}”与轨迹不符，已被改动或缺失")
    if w.sent_at is None and w.state not in UNSENT:
        yield Finding(w.number, "没有送达时间")
    accepts = [change for change in changes if change.act == Act.ACCEPT]
    if w.accepted_by_id is not None and (not accepts or accepts[-1].actor_id != w.accepted_by_id):
        yield Finding(w.number, "采纳人与办理记录不符")
    if w.accepted_by_id is not None and w.accepted_by_id in (answered_by, w.closed_by_id):
        yield Finding(w.number, "答复、采纳、解除由同一人办理")
    elif answered_by is not None and w.closed_by_id == answered_by:
        yield Finding(w.number, "答复与解除由同一人办理")


def control_sums() -> dict[str, str]:
    """Warnings by state, figures with their yuan, answers, thresholds and watched providers by status."""
    sums = {}
    for state, count in Warning.objects.order_by("state").values_list("state").annotate(count=Count("pk")):
        sums[f"风险预警 {WarningState(state).label}"] = f"{count} 条"
    figures = WarningFigure.objects.aggregate(count=Count("pk"), amount=Sum("affected"))
    sums["预警指标值"] = f"{figures['count']} 个，涉及金额合计 {figures['amount'] or 0} 元"
    sums["预警办理记录"] = f"{WarningChange.objects.count()} 条，答复 {WarningAnswer.objects.count()} 次"
    for status, count in Threshold.objects.order_by("status").values_list("status").annotate(count=Count("pk")):
        sums[f"预警阈值 {ThresholdStatus(status).label}"] = f"{count} 项"
    for status, count in WatchEntry.objects.order_by("status").values_list("status").annotate(count=Count("pk")):
        sums[f"监控重点 {dict(WATCH_STATUS)[status]}"] = f"{count} 项"
    return sums
