"""What a person must do here, for the home page and the navigation, and what the search box finds."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse

from claims.models import ClaimsImport, ImportState, OpenReject
from core.access import actions, has_any_role, roles_at
from core.models import County
from core.registries import SearchHit, Todo

MOST = 10


def todos(user: Any) -> list[Todo]:
    """Imports that wait for a decision and rejected rows that are still open, at the places the user imports for."""
    counties = _own_counties(user)
    if not counties:
        return []
    waiting = ClaimsImport.objects.filter(county__in=counties, state=ImportState.AWAITING_DECISION).select_related("county")
    found = [
        Todo(
            f"确认{each.county} {each.period_text} 结算明细",
            reverse("claims:import", args=[each.pk]),
            "差错行超过上限" if each.needs_admission else "与已入库数据有差异",
            amount=each.good_pooled,
            verb="确认",
        )
        for each in waiting[:MOST]
    ]
    rejects = OpenReject.objects.open().filter(county__in=counties).select_related("county").order_by("year", "month")
    found += [
        Todo(
            f"处理{each.county} {each.period} 退回的 {each.rows} 行结算",
            reverse("claims:import", args=[each.claims_import_id]),
            "更正后重新导入，或核销",
            amount=each.pooled_fund_paid,
        )
        for each in rejects[:MOST]
    ]
    return found


def waiting_count(user: Any) -> int:
    """Imports waiting for this user's decision."""
    counties = _own_counties(user)
    if not counties:
        return 0
    return ClaimsImport.objects.filter(county__in=counties, state=ImportState.AWAITING_DECISION).count()


def search(user: Any, text: str) -> list[SearchHit]:
    """Imports by file name or number, for those who may see them."""
    counties = [county for county in County.objects.visible_to(user) if roles_at(user, county) & actions["claims.view"].roles]
    if not counties:
        return []
    match = Q(file__name__icontains=text) | (Q(pk=int(text)) if text.isdigit() and len(text) < 12 else Q())
    found = ClaimsImport.objects.filter(match, county__in=counties).select_related("county", "file")[:MOST]
    return [SearchHit(f"{each} · {each.file.name}", reverse("claims:import", args=[each.pk]), "明细导入") for each in found]


def _own_counties(user: Any) -> list[County]:
    allowed = actions["claims.import"].roles
    if not has_any_role(user, allowed):
        return []
    return [
        county
        for county in County.objects.visible_to(user).select_related("pooling_area")
        if roles_at(user, county) & allowed
    ]
