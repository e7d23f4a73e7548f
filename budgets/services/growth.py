"""Entering and approving the growth of the pooling area's revenue budget, the cap of every package (A20).

A new figure for the same fund and year replaces the approved one when it is approved itself; approved packages keep the
figure they were worked with.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from budgets.models import GrowthState, RevenueGrowth
from budgets.refusals import missing_text
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.files import store_evidence
from core.models import FundType, PoolingArea, Role, User
from core.notices import notify, notify_role
from core.trail import record
from rules.money import round_ratio
from rules.trace import percent

YEARS = range(2000, 2100)


@transaction.atomic
def enter_growth(
    actor: User,
    area: PoolingArea,
    fund_type: str,
    year: int,
    *,
    growth: Decimal,
    like_for_like: str,
    document_title: str,
    evidence: Any,
    previous_income: Decimal | None = None,
    budgeted_income: Decimal | None = None,
) -> RevenueGrowth:
    """Enter the growth (a ratio, 0.05 for 5 %) with its note and evidence file; a reviewer approves it.

    The two incomes (yuan, like for like) are optional but must give the same growth. A shrinking budget needs both.
    """
    require(actor, "budgets.enter_growth", area)
    problems = missing_text("同口径说明", like_for_like, "请写明比较口径，或写“口径无变化”。")
    problems += missing_text("依据文件", document_title, "请填写文号和标题。")
    if evidence is None:
        problems.append(Problem("依据附件", "", "没有上传依据附件。", "请上传批复或预算表。"))
    problems += _figure_problems(growth, previous_income, budgeted_income)
    if fund_type not in FundType.values:
        problems.append(Problem("险种", fund_type, "职工与居民须分别录入，不能合并。", "请选择一个险种。"))
    if year not in YEARS:
        problems.append(Problem("年度", str(year), "年度不在可办理范围内。", "请核对年度。"))
    if problems:
        raise Refused(problems)
    entered = RevenueGrowth.objects.create(
        pooling_area=area,
        fund_type=fund_type,
        year=year,
        growth=round_ratio(growth),
        previous_income=previous_income,
        budgeted_income=budgeted_income,
        like_for_like=like_for_like.strip(),
        document_title=document_title.strip(),
        evidence=store_evidence(evidence, "revenue_growth", actor),
        entered_by=actor,
    )
    notify_role({Role.FUND_REVIEWER}, area, f"{entered} {percent(entered.growth)}待审定。", reverse("budgets:growth"))
    record(
        actor,
        "budgets.enter_growth",
        entered,
        f"录入{entered} {percent(entered.growth)}，依据《{entered.document_title}》",
        {"growth": entered.growth, "evidence": entered.evidence.sha256},
    )
    return entered


@transaction.atomic
def approve_growth(actor: User, entered: RevenueGrowth) -> RevenueGrowth:
    """Put an entered growth in force; the former one of the same fund and year is kept as replaced."""
    require(actor, "budgets.approve_growth", entered.pooling_area)
    entered = _locked(entered)
    different_person(actor, entered.entered_by, "审定收入预算增幅")
    RevenueGrowth.objects.filter(
        pooling_area=entered.pooling_area, fund_type=entered.fund_type, year=entered.year, state=GrowthState.APPROVED
    ).update(state=GrowthState.SUPERSEDED)
    _decide(actor, entered, GrowthState.APPROVED)
    notify([entered.entered_by], f"{entered} {percent(entered.growth)}已审定。", reverse("budgets:growth"))
    record(actor, "budgets.approve_growth", entered, f"审定{entered} {percent(entered.growth)}")
    return entered


@transaction.atomic
def return_growth(actor: User, entered: RevenueGrowth, reason: str) -> RevenueGrowth:
    """Send an entered growth back with a reason; the officer enters a new one."""
    require(actor, "budgets.approve_growth", entered.pooling_area)
    entered = _locked(entered)
    problems = missing_text("退回原因", reason, "请写明要改什么。")
    if problems:
        raise Refused(problems)
    different_person(actor, entered.entered_by, "退回收入预算增幅")
    entered.return_reason = reason.strip()
    _decide(actor, entered, GrowthState.RETURNED)
    notify([entered.entered_by], f"{entered}被退回：{entered.return_reason}", reverse("budgets:growth"))
    record(actor, "budgets.approve_growth", entered, f"退回{entered}：{entered.return_reason}")
    return entered


def _locked(entered: RevenueGrowth) -> RevenueGrowth:
    PoolingArea.objects.select_for_update(no_key=True).get(pk=entered.pooling_area_id)
    entered = RevenueGrowth.objects.select_for_update(no_key=True).get(pk=entered.pk)
    if entered.state != GrowthState.SUBMITTED:
        raise Conflict(f"该增幅已由{entered.decided_by}办理，现为“{entered.get_state_display()}”。请刷新页面。")
    return entered


def _decide(actor: User, entered: RevenueGrowth, state: str) -> None:
    entered.state, entered.decided_by, entered.decided_at = state, actor, timezone.now()
    entered.save(update_fields=["state", "decided_by", "decided_at", "return_reason"])


def _figure_problems(growth: Decimal, previous: Decimal | None, budgeted: Decimal | None) -> list[Problem]:
    if not isinstance(growth, Decimal) or not growth.is_finite() or not Decimal("-1") < growth < Decimal("1"):
        return [Problem("收入预算增幅", str(growth), "增幅须在 −100% 与 100% 之间。", "请填写比例，如 4.2 表示 4.2%。")]
    if (previous is None) != (budgeted is None):
        return [Problem("收入预算", "", "上年与本年收入预算须同时填写。", "请补齐另一年，或两项都不填。")]
    if previous is not None and budgeted is not None:
        if previous <= 0 or budgeted <= 0:
            return [Problem("收入预算", "", "收入预算须大于零。", "请核对金额，单位为元。")]
        computed = round_ratio(budgeted / previous - 1)
        if computed != round_ratio(growth):
            text = f"按两年收入预算计算的增幅是 {percent(computed)}，与填写的 {percent(growth)} 不符。"
            return [Problem("收入预算增幅", percent(growth), text, "请核对金额或增幅。")]
    elif growth < 0:
        text = "收入预算增幅为负数，将使打包总额低于上年。"
        return [
            Problem("收入预算增幅", percent(growth), text, "确属收入预算下降的，请同时填写上年与本年收入预算金额。")
        ]
    return []
