"""Filing the alliance's own distribution plan: copied to the county bureau and the agency branch at once (R-020)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from budgets.models import DistributionPlan, PlanAcknowledgement, PlanSide
from budgets.refusals import missing_text
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.files import store_evidence
from core.models import Alliance, Role, User
from core.notices import notify, notify_role
from core.trail import record

ACTIONS = {
    PlanSide.BUREAU: "budgets.acknowledge_plan_bureau",
    PlanSide.BRANCH: "budgets.acknowledge_plan_branch",
}


@transaction.atomic
def file_plan(
    actor: User, alliance: Alliance, year: int, *, title: str, effective_on: date, file: Any, summary: str = ""
) -> DistributionPlan:
    """File a new version; both bodies get a notice and acknowledge it separately."""
    require(actor, "budgets.file_plan", alliance)
    problems = missing_text("名称", title, "请填写办法名称。")
    if file is None:
        problems.append(Problem("文件", "", "没有上传办法全文。", "请上传 PDF 或 Word 文件。"))
    if not 2000 <= year <= timezone.localdate().year + 1:
        problems.append(Problem("年度", str(year), "年度不在可报送范围内。", "请核对年度。"))
    if problems:
        raise Refused(problems)
    Alliance.objects.select_for_update(no_key=True).get(pk=alliance.pk)
    held = DistributionPlan.objects.filter(alliance=alliance, year=year)
    plan = DistributionPlan.objects.create(
        alliance=alliance,
        year=year,
        number=(held.aggregate(last=Max("number"))["last"] or 0) + 1,
        title=title.strip(),
        summary=summary.strip(),
        effective_on=effective_on,
        file=store_evidence(file, "distribution_plan", actor),
        uploaded_by=actor,
    )
    text = f"{plan}已抄报，请签收。"
    notify_role({Role.FUND_REVIEWER, Role.FUND_OFFICER}, alliance.county, text, reverse("budgets:plans"))
    record(actor, "budgets.file_plan", plan, f"报送{plan}《{plan.title}》", {"sha256": plan.file.sha256})
    return plan


@transaction.atomic
def acknowledge_plan(actor: User, plan: DistributionPlan, side: str, remark: str = "") -> PlanAcknowledgement:
    """One of the two bodies confirms that it received the plan."""
    if side not in PlanSide.values:
        raise Refused([Problem("抄报单位", side, "没有这个抄报单位。", "请选择县医保局或经办机构。")])
    require(actor, ACTIONS[PlanSide(side)], plan.alliance)
    plan = (
        DistributionPlan.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance", "uploaded_by")
        .get(pk=plan.pk)
    )
    held = plan.acknowledgements.filter(side=side).select_related("by").first()
    if held is not None:
        raise Conflict(f"{plan}已由{held.by}代表{held.get_side_display()}签收。")
    made = PlanAcknowledgement.objects.create(plan=plan, side=side, by=actor, remark=remark.strip())
    notify([plan.uploaded_by], f"{plan}已由{made.get_side_display()}签收。", reverse("budgets:plans"))
    record(actor, ACTIONS[PlanSide(side)], plan, f"{made.get_side_display()}签收{plan}", {"remark": made.remark})
    return made
