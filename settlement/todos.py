"""What the settlement asks of a person on the home page, the number in the navigation, and its search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.models import FundType, Role, User
from core.registries import SearchHit, Todo
from core.texts import whole
from ledger.accounts import Account
from ledger.reading import balances
from settlement.models import (
    Adjustment,
    AdjustmentState,
    AnalysisState,
    AssessmentScore,
    CauseAnalysis,
    PlanState,
    RecoveryPlan,
    ScoreState,
    SettlementVersion,
)
from settlement.models.versions import SettlementVersionQuerySet
from settlement.states import VersionState

LIMIT = 20
WAITING: dict[str, tuple[tuple[str, str], ...]] = {
    Role.FUND_OFFICER: (
        (VersionState.REVIEWED, "送医共体确认"),
        (VersionState.OBJECTED, "处理异议"),
    ),
    Role.FUND_REVIEWER: (
        (VersionState.DRAFT, "复核清算单"),
        (VersionState.CONFIRMED, "审定清算单"),
        (VersionState.OBJECTED, "处理异议"),
    ),
    Role.HOSPITAL_FINANCE: ((VersionState.SENT, "确认清算单"),),
}


def todos(user: User) -> list[Todo]:
    """What waits for the user's posts: versions, then money of final ones, then what a reviewer must decide."""
    wanted, roles = _wanted(user), _roles(user)
    rows = [_todo(version, wanted[version.state]) for version in _waiting(user, wanted).with_places()[:LIMIT]]
    if roles & {Role.FUND_OFFICER, Role.FUND_FINANCE}:
        rows.extend(_money(user, roles))
    if Role.FUND_REVIEWER in roles:
        rows.extend(_decisions(user))
    return rows[:LIMIT]


def badge(user: Any) -> int:
    """How many versions wait for the user's post."""
    return _waiting(user, _wanted(user)).count()


def search(user: User, text: str) -> list[SearchHit]:
    """By number (清-2025-QX-居民), alliance or county."""
    versions = SettlementVersion.objects.visible_to(user).with_places()
    funds = [fund.value for fund in FundType if fund.label in text]
    for word in text.replace("-", " ").replace("清", " ").split():
        if whole(word) is not None:
            versions = versions.filter(settlement__year=int(word) if len(word) == 4 else 0)
        elif word not in FundType.labels:
            versions = versions.filter(
                Q(settlement__alliance__name__icontains=word)
                | Q(settlement__alliance__code__iexact=word)
                | Q(settlement__alliance__county__name__icontains=word)
            )
    if funds:
        versions = versions.filter(settlement__fund_type__in=funds)
    return [
        SearchHit(
            f"{version.settlement.number} 第 {version.number} 版 {version.settlement.alliance}",
            version.get_absolute_url(),
            "年度清算",
        )
        for version in versions.order_by("-settlement__year", "settlement_id", "-number")[:8]
    ]


def _todo(version: SettlementVersion, title: str, amount: Any = None) -> Todo:
    sent = version.state == VersionState.SENT
    return Todo(
        title=f"{title}：{version.settlement}",
        url=version.get_absolute_url(),
        detail=f"第 {version.number} 版 · {version.figures.label}",
        fund_type=version.settlement.fund_type,
        amount=version.figures.cash if amount is None else amount,
        due=version.confirm_by if sent else None,
        verb="确认" if sent else "办理",
    )


def _money(user: User, roles: set[str]) -> Iterator[Todo]:
    """Final versions whose money waits: finance pays or books what comes back, the officer proposes how it comes back."""
    versions = list(
        SettlementVersion.objects.visible_to(user)
        .filter(state=VersionState.FINAL)
        .with_places()
        .prefetch_related("plans__instalments__booking")[:LIMIT]
    )
    owing = balances([Account.RECOVERY_RECEIVABLE], alliances=[version.alliance for version in versions])
    for version in versions:
        settlement = version.settlement
        key = (Account.RECOVERY_RECEIVABLE.value, settlement.fund_type, settlement.alliance_id, settlement.year)
        owed = owing.get(key, 0)  # type: ignore[call-overload]
        plans = [plan for plan in version.plans.all() if plan.state in (PlanState.PROPOSED, PlanState.APPROVED)]
        if owed and not plans and Role.FUND_OFFICER in roles:
            yield _todo(version, "提出追回方案", owed)
        elif not owed and Role.FUND_FINANCE in roles:
            yield _todo(version, "支付或结清清算款")
        elif owed and Role.FUND_FINANCE in roles:
            yield from _instalments(version, plans)


def _instalments(version: SettlementVersion, plans: Iterable[RecoveryPlan]) -> Iterator[Todo]:
    for plan in plans:
        open_parts = [part for part in plan.instalments.all() if not hasattr(part, "booking")]
        if plan.state == PlanState.APPROVED and open_parts:
            part = open_parts[0]
            yield Todo(
                title=f"登记追回第 {part.number} 期：{version.settlement}",
                url=version.get_absolute_url(),
                detail=plan.get_method_display(),
                fund_type=version.settlement.fund_type,
                amount=part.amount,
                due=part.due_on,
                verb="登记",
            )


def _decisions(user: User) -> Iterator[Todo]:
    """Analyses, plans, scores and deductions that wait for a reviewer."""
    plans = RecoveryPlan.objects.visible_to(user).filter(state=PlanState.PROPOSED)
    for plan in plans.select_related("version__settlement__alliance")[:LIMIT]:
        settlement = plan.version.settlement
        url = plan.version.get_absolute_url()
        yield Todo(f"批准追回方案：{settlement}", url, plan.get_method_display(), settlement.fund_type, plan.amount)
    analyses = CauseAnalysis.objects.visible_to(user).filter(state=AnalysisState.SUBMITTED)
    for row in analyses.select_related("alliance")[:LIMIT]:
        url = f"{reverse('settlement:list')}?year={row.year}&fund={row.fund_type}&q={row.alliance.name}"
        yield Todo(f"审定{row}", url, "", row.fund_type, row.reasonable_part)
    scores = AssessmentScore.objects.visible_to(user).filter(state=ScoreState.ENTERED)
    for score in scores.select_related("alliance")[:LIMIT]:
        yield Todo(f"核实{score}", f"{reverse('settlement:scores')}?year={score.year}", score.source)
    waiting = Adjustment.objects.visible_to(user).filter(state=AdjustmentState.PROPOSED)
    for item in waiting.select_related("alliance")[:LIMIT]:
        url = f"{reverse('settlement:adjustments')}?state={AdjustmentState.PROPOSED}"
        yield Todo(f"审定扣减：{item.alliance} {item.source}", url, item.reason, item.fund_type, item.amount)


def _roles(user: Any) -> set[str]:
    return {grant.role for grant in user.grants_on(timezone.localdate())}


def _wanted(user: Any) -> dict[str, str]:
    return {state: title for role in _roles(user) for state, title in WAITING.get(role, ())}


def _waiting(user: Any, wanted: dict[str, str]) -> SettlementVersionQuerySet:
    if not wanted:
        return SettlementVersion.objects.none()
    ready = ~Q(state=VersionState.DRAFT) | Q(computation__open_points=[])
    return SettlementVersion.objects.visible_to(user).filter(ready, state__in=list(wanted))
