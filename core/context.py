"""What every page shows around its content: navigation, place, role, notices, the demonstration band."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from core.kept import kept
from core.models import PoolingArea
from core.navigation import groups_for


def page(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    today = timezone.localdate()
    if user is None or not user.is_authenticated:
        return {"today": today, "nav_groups": []}
    grants = user.grants_on(today)
    places = list(dict.fromkeys(str(grant.place) for grant in grants))
    return {
        "today": today,
        "nav_groups": groups_for(user, request.path),
        "place_line": "、".join(places[:2]) + ("等" if len(places) > 2 else ""),
        "current_role_text": "、".join(dict.fromkeys(grant.get_role_display() for grant in grants)),
        "unread_notices": user.notices.filter(read_at=None).count(),
        "demo_site": kept("demo", None, PoolingArea.objects.filter(is_demo=True).exists),
        "search_url": _search_url(),
    }


def _search_url() -> str:
    """The page behind the search box; empty where no installed app offers it (sources: ``core.registries``)."""
    try:
        return reverse("portal:search")
    except NoReverseMatch:
        return ""
