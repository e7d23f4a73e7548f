"""What the monitoring URLs name, all of it Qingxi's: a warning, a threshold, a report, a projection, a meeting …"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from monitoring.services import collection, liaison, midterm, projecting, reports, watching
from monitoring.services import warnings as services
from rules.midterm import Assumptions, BaseYear
from rules.periods import Month
from rules.spans import Span
from tests.monitoring import desk_ground
from tests.world import World

YUAN = Decimal("1000000.00")
BASE = BaseYear(2025, 500_000, 150 * YUAN, YUAN, 0 * YUAN, 140 * YUAN, 12 * YUAN, 0 * YUAN, 100 * YUAN)
GROWTH = Assumptions(*(Decimal(text) for text in ("0", "0.04", "0.02", "0.04", "0", "0.01", "0.00", "0.00")))


def monitored(world: World) -> dict[str, dict[str, Any]]:
    """Per URL name the values to reverse it with."""
    today = timezone.localdate()
    warning = desk_ground.answered(world)
    letter = services.inquire(world.officer, warning, "请书面说明支出增长的原因。", today).changes.latest("pk")
    threshold = desk_ground.threshold(world, "trial")
    distress = desk_ground.distress(world)
    entry = watching.propose_watch(world.officer, distress, world.lead, "watch", "按月核查次均费用", today)
    report = reports.draft_report(world.officer, world.qingxi, Span.parse("2025Q3")).report
    circular = reports.draft_report(world.officer, world.qingxi, Span.parse("2025Q2")).report
    reports.comment(world.officer, circular, "measures", "逐家约谈，按月跟踪。")
    circular = reports.approve(world.reviewer, reports.submit(world.officer, circular))
    circular = reports.issue(world.reviewer, circular, release=True)
    estimate = midterm.prepare_midterm(
        world.officer, world.qingxi, "RES", BASE, dict.fromkeys(("base", "better", "worse"), GROWTH), 5, "按近三年月报与省级参数编制"
    )
    meeting = liaison.record_meeting(
        world.officer, world.alliance,
        {"held_on": date(2025, 6, 2), "place": "会议室", "bureau_people": "林晓岚", "hospital_people": "周敏",
         "agenda": "打包基金运行", "decisions": "按月提供数据"},
    )  # fmt: skip
    follow = liaison.add_follow_up(
        world.officer, meeting, {"text": "提供出院明细", "side": "hospital", "person": "周敏", "due_on": today}
    )
    supply = liaison.supply_data(
        world.officer, world.alliance, {"kind": "facts", "title": "五月数据", "period": "2025-05", "link": "共享目录"}
    )
    finding = collection.register_finding(
        world.officer, world.qingxi,
        {"kind": "arrears", "fund_type": "EMP", "payer": "青溪建材", "period": "2025-01", "amount": YUAN,
         "description": "连续三个月未缴职工医保费"},
    )  # fmt: skip
    target = collection.enter_target(world.officer, world.qingxi, 2025, "RES", 100_000, "统计局年末人口")
    projection = _projection(world)
    place = {"key": f"A{world.alliance.pk}"}
    month = {"month": "2025-09"}
    return {
        "monitoring:place": place,
        "monitoring:place-xlsx": place,
        "monitoring:figure-trace": place | {"indicator": "inpatient_average"},
        "monitoring:indicator": {"key": "inpatient_average"},
        "monitoring:indicator-xlsx": {"key": "inpatient_average"},
        **_at(warning.pk, "warning"),
        "monitoring:warning-act": {"pk": warning.pk, "act": "accept"},
        "monitoring:warning-letter": {"pk": warning.pk, "change": letter.pk},
        "monitoring:watch-propose": {"pk": distress.pk},
        **_at(threshold.pk, "threshold", "threshold-edit"),
        "monitoring:threshold-act": {"pk": threshold.pk, "act": "approve"},
        "monitoring:watch-act": {"pk": entry.pk, "act": "approve"},
        **_at(projection, "projection", "projection-xlsx"),
        "monitoring:projection-trace": {"pk": projection, "name": "expected"},
        **_at(estimate.pk, "midterm-estimate", "midterm-estimate-xlsx", "midterm-edit"),
        "monitoring:midterm-trace": {"pk": estimate.pk, "scenario": "base"},
        "monitoring:midterm-act": {"pk": estimate.pk, "action": "approve"},
        **_at(report.pk, "report", "report-xlsx", "report-again", "report-comment"),
        **_at(circular.pk, "report-word", "circular", "circular-xlsx"),
        "monitoring:report-act": {"pk": report.pk, "act": "submit"},
        **{f"monitoring:{name}": month for name in ("run", "run-xlsx", "run-start", "run-close", "run-reopen")},
        **_at(meeting.pk, "meeting", "meeting-edit"),
        "monitoring:meeting-act": {"pk": meeting.pk, "act": "confirm"},
        **_at(follow.pk, "follow-up-done"),
        **_at(supply.pk, "supply"),
        "monitoring:supply-act": {"pk": supply.pk, "act": "receive"},
        **_at(finding.pk, "finding"),
        "monitoring:finding-act": {"pk": finding.pk, "act": "follow"},
        "monitoring:target-act": {"pk": target.pk, "act": "confirm"},
    }


def _at(pk: int, *names: str) -> dict[str, dict[str, Any]]:
    return {f"monitoring:{name}": {"pk": pk} for name in names}


def _projection(world: World) -> int:
    from monitoring.models import Projection

    projecting.project_month([world.alliance], Month(2026, 9))
    return int(Projection.objects.filter(alliance=world.alliance).latest("pk").pk)
