"""What a person has to do about budgets, and what the search box finds: one short query a kind, by her posts."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from budgets.models import (
    AllocationState,
    AllocationVersion,
    BatchState,
    DistributionPlan,
    GrowthState,
    LeadAccount,
    OtherPayment,
    OtherPaymentState,
    PackageState,
    PackageVersion,
    PlanSide,
    PrepaymentBatch,
    RevenueGrowth,
)
from budgets.reading.worklist import waiting_batches
from budgets.services.batches import totals_text
from core.access import has_any_role
from core.models import FundType, Role
from core.registries import SearchHit, Todo


def todos(user: Any) -> list[Todo]:
    """Drafts to submit, things to approve, batches to submit, approve and pay, plans to acknowledge."""
    found: list[Todo] = []
    if has_any_role(user, {Role.FUND_OFFICER}):
        found += _packages(user, (PackageState.DRAFT, PackageState.RETURNED), "报审", mine=True)
        found += _batches(user, (BatchState.PROPOSED, BatchState.RETURNED), "核对报审")
        found += _plans(user, PlanSide.BRANCH)
    if has_any_role(user, {Role.FUND_REVIEWER}):
        found += _packages(user, (PackageState.SUBMITTED,), "审定", mine=False)
        found += _batches(user, (BatchState.SUBMITTED,), "审定")
        found += _small_approvals(user)
        found += _plans(user, PlanSide.BUREAU)
    if has_any_role(user, {Role.FUND_FINANCE}):
        found += _batches(user, (BatchState.APPROVED,), "拨付")
        for payment in OtherPayment.objects.visible_to(user).filter(state=OtherPaymentState.APPROVED)[:10]:
            found.append(_payment_todo(payment, "拨付"))
    return found


def search(user: Any, text: str) -> list[SearchHit]:
    """Packages by alliance, county or year; batches by month."""
    wanted = Q(package__alliance__name__icontains=text) | Q(package__alliance__county__name__icontains=text)
    if text.isdecimal() and len(text) == 4:
        wanted |= Q(package__year=int(text))
    versions = (
        PackageVersion.objects.visible_to(user)
        .filter(wanted)
        .exclude(state=PackageState.WITHDRAWN)
        .select_related("package__alliance")
        .order_by("-package__year", "-number")[:8]
    )
    hits = [
        SearchHit(
            f"{version}（{version.get_state_display()}）",
            version.get_absolute_url(),
            "打包预算",
        )
        for version in versions
    ]
    batches = PrepaymentBatch.objects.visible_to(user).filter(month__icontains=text).select_related("pooling_area")
    hits += [SearchHit(str(batch), reverse("budgets:batch", args=[batch.pk]), "月度预付") for batch in batches[:6]]
    return hits


def _packages(user: Any, states: tuple[str, ...], verb: str, *, mine: bool) -> list[Todo]:
    versions = PackageVersion.objects.visible_to(user).filter(state__in=states)
    if not mine:
        versions = versions.exclude(prepared_by=user).exclude(submitted_by=user)
    return [
        Todo(
            title=f"{version.package.alliance} {version.package.year} 年打包预算第 {version.number} 版{verb}",
            url=version.get_absolute_url(),
            detail=version.get_state_display(),
            fund_type=version.package.fund_type,
            amount=version.total,
            verb=verb,
        )
        for version in versions.select_related("package__alliance").order_by("pk")[:20]
    ]


def _batches(user: Any, states: tuple[BatchState, ...], verb: str) -> list[Todo]:
    areas = [grant.pooling_area_id for grant in user.grants_on(timezone.localdate()) if grant.pooling_area_id]
    return [
        Todo(
            title=f"{batch}{verb}",
            url=reverse("budgets:batch", args=[batch.pk]),
            detail=totals_text([(FundType.RESIDENT, batch.residents), (FundType.EMPLOYEE, batch.employees)]),
            verb=verb,
        )
        for batch in waiting_batches(states).filter(pooling_area__in=areas).select_related("pooling_area")[:20]
    ]


def _small_approvals(user: Any) -> list[Todo]:
    """Growth figures, allocations, accounts and other payments that wait for a reviewer."""
    growths = RevenueGrowth.objects.visible_to(user).filter(state=GrowthState.SUBMITTED).exclude(entered_by=user)
    found = [
        Todo(f"{growth}审定", reverse("budgets:growth"), growth.document_title, growth.fund_type, verb="审定")
        for growth in growths.select_related("pooling_area")[:10]
    ]
    allocations = (
        AllocationVersion.objects.visible_to(user)
        .filter(state=AllocationState.SUBMITTED)
        .exclude(prepared_by=user)
        .select_related("package__alliance")[:10]
    )
    found += [
        Todo(
            f"{allocation}审定",
            reverse("budgets:package", args=[allocation.package_id]) + "#allocation",
            "",
            allocation.package.fund_type,
            allocation.total,
            verb="审定",
        )
        for allocation in allocations
    ]
    accounts = (
        LeadAccount.objects.visible_to(user).filter(approved_at=None, returned_reason="").exclude(entered_by=user)
    )
    found += [
        Todo(f"{account.alliance}收款账户审定", reverse("budgets:accounts"), str(account), verb="审定")
        for account in accounts.select_related("alliance", "institution")[:10]
    ]
    payments = OtherPayment.objects.visible_to(user).filter(state=OtherPaymentState.SUBMITTED)
    waiting = payments.exclude(registered_by=user).select_related("alliance")[:10]
    return found + [_payment_todo(payment, "审定") for payment in waiting]


def _payment_todo(payment: OtherPayment, verb: str) -> Todo:
    return Todo(
        f"{payment}{verb}", reverse("budgets:payments"), payment.purpose, payment.fund_type, payment.amount, verb=verb
    )


def _plans(user: Any, side: PlanSide) -> list[Todo]:
    plans = DistributionPlan.objects.visible_to(user).exclude(acknowledgements__side=side)
    return [
        Todo(f"{plan}签收", reverse("budgets:plans"), plan.title, verb="签收")
        for plan in plans.select_related("alliance").order_by("-pk")[:10]
    ]
