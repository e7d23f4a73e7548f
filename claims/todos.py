"""What a person must do here, for the home page and the navigation, and what the search box finds."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from claims.models import ClaimsImport, ImportState, OpenReject
from claims.month_end import held_counties
from core.access import actions, has_any_role, roles_at
from core.models import Alliance, County
from core.registries import SearchHit, Todo
from core.texts import whole
from rules.periods import Month

MOST = 10


def todos(user: Any) -> list[Todo]:
    """Imports that wait for a decision and rejected rows that are still open, at the places the user imports for."""
    counties = _own_counties(user)
    if not counties:
        return []
    last_month = Month.of(timezone.localdate()).previous()
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
    return found + _missing(counties, last_month)


def _missing(counties: list[County], month: Month) -> list[Todo]:
    """Counties with an alliance whose last month is not held and not on its way."""
    ids = [county.pk for county in counties]
    packaged = set(Alliance.objects.on(month.last_day).filter(county__in=ids).values_list("county_id", flat=True))
    coming = set(
        ClaimsImport.objects.unfinished()
        .filter(county__in=ids, period_from__lte=month.last_day, period_to__gte=month.first_day)
        .values_list("county_id", flat=True)
    )
    lacking = packaged - held_counties(ids, month) - coming
    return [
        Todo(f"接入{county} {month} 医保结算数据", reverse("claims:upload"), "月末处理前接入", verb="上传")
        for county in counties
        if county.pk in lacking
    ]


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
    match = Q(file_name__icontains=text) | (Q(pk=whole(text)) if whole(text) is not None else Q())
    found = ClaimsImport.objects.filter(match, county__in=counties).select_related("county")[:MOST]
    return [SearchHit(f"{each} · {each.file_name}", reverse("claims:import", args=[each.pk]), "明细导入") for each in found]


def _own_counties(user: Any) -> list[County]:
    allowed = actions["claims.import"].roles
    if not has_any_role(user, allowed):
        return []
    return [
        county
        for county in County.objects.visible_to(user).select_related("pooling_area")
        if roles_at(user, county) & allowed
    ]
