"""The monthly prepayment ratio of an alliance for a year after its assessment (R-033): entered, then approved."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from budgets.models import PrepaymentRatio
from budgets.refusals import missing_text
from budgets.services.figures import policy_day
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, Role, User
from core.notices import notify_role
from core.policies import scheme_in_force
from core.trail import record
from rules.trace import percent


@transaction.atomic
def enter_ratio(actor: User, alliance: Alliance, year: int, monthly_ratio: Decimal, reason: str) -> PrepaymentRatio:
    """Enter a monthly ratio (0.04 for 4 %), never above the scheme's own step; a reviewer approves it."""
    require(actor, "budgets.enter_ratio", alliance)
    problems = missing_text("依据", reason, "请写明考核等级和文件。")
    scheme = scheme_in_force(alliance, policy_day(year)).scheme
    step = scheme.prepayment_step
    if step is None:
        problems.append(Problem("每月预付比例", "", "现行方案没有规定每月预付比例。", "请管理员先录入方案参数。"))
    elif not Decimal(0) <= monthly_ratio <= step:
        text = f"每月预付比例须在 0 与方案规定的 {percent(step)} 之间。"
        problems.append(Problem("每月预付比例", percent(monthly_ratio), text, "请按考核结果填写。"))
    if problems:
        raise Refused(problems)
    entered = PrepaymentRatio.objects.create(
        alliance=alliance, year=year, monthly_ratio=monthly_ratio, reason=reason.strip(), entered_by=actor
    )
    text = f"{entered} {percent(monthly_ratio)} 待审定。"
    notify_role({Role.FUND_REVIEWER}, alliance, text, reverse("budgets:prepayments"))
    record(actor, "budgets.enter_ratio", entered, f"录入{entered} {percent(monthly_ratio)}：{entered.reason}")
    return entered


@transaction.atomic
def approve_ratio(actor: User, entered: PrepaymentRatio) -> PrepaymentRatio:
    """A second person puts the ratio in force for the months proposed from now on."""
    require(actor, "budgets.approve_ratio", entered.alliance)
    entered = (
        PrepaymentRatio.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance", "entered_by")
        .get(pk=entered.pk)
    )
    different_person(actor, entered.entered_by, "审定预付比例调整")
    if entered.approved_at is not None:
        raise Conflict(f"{entered}已由{entered.approved_by}审定。")
    entered.approved_by, entered.approved_at = actor, timezone.now()
    entered.save(update_fields=["approved_by", "approved_at"])
    record(actor, "budgets.approve_ratio", entered, f"审定{entered} {percent(entered.monthly_ratio)}")
    return entered
