"""What the settlement asks of a person on the home page, the number in the navigation, and its search."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.models import FundType, Role, User
from core.registries import SearchHit, Todo
from settlement.models import SettlementVersion
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
    Role.FUND_FINANCE: ((VersionState.FINAL, "办理清算收付"),),
    Role.HOSPITAL_FINANCE: ((VersionState.SENT, "确认清算单"),),
}


def todos(user: User) -> list[Todo]:
    """One row a version that waits for the user's post; a draft waits for the reviewer once nothing is open in it."""
    wanted = _wanted(user)
    rows = []
    for version in _waiting(user, wanted).with_places()[:LIMIT]:
        rows.append(
            Todo(
                title=f"{wanted[version.state]}：{version.settlement}",
                url=reverse("settlement:statement", args=[version.pk]),
                detail=f"第 {version.number} 版 · {version.figures.label}",
                fund_type=version.settlement.fund_type,
                amount=version.figures.cash,
                due=version.confirm_by if version.state == VersionState.SENT else None,
                verb="确认" if version.state == VersionState.SENT else "办理",
            )
        )
    return rows


def badge(user: Any) -> int:
    """How many versions wait for the user's post."""
    return _waiting(user, _wanted(user)).count()


def search(user: User, text: str) -> list[SearchHit]:
    """By number (清-2025-QX-居民), alliance or county."""
    versions = SettlementVersion.objects.visible_to(user).with_places()
    funds = [fund.value for fund in FundType if fund.label in text]
    for word in text.replace("-", " ").replace("清", " ").split():
        if word.isdigit():
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
            reverse("settlement:statement", args=[version.pk]),
            "年度清算",
        )
        for version in versions.order_by("-settlement__year", "settlement_id", "-number")[:8]
    ]


def _wanted(user: Any) -> dict[str, str]:
    roles = {grant.role for grant in user.grants_on(timezone.localdate())}
    return {state: title for role in roles for state, title in WAITING.get(role, ())}


def _waiting(user: Any, wanted: dict[str, str]) -> SettlementVersionQuerySet:
    if not wanted:
        return SettlementVersion.objects.none()
    ready = ~Q(state=VersionState.DRAFT) | Q(computation__open_points=[])
    return SettlementVersion.objects.visible_to(user).filter(ready, state__in=list(wanted))
