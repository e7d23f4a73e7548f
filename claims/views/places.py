"""The counties and areas a person works for on these pages; for anybody else they do not exist."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from core.access import actions, require, roles_at
from core.models import County, PoolingArea

VIEW = "claims.view"


def counties_of(user: Any) -> list[County]:
    """Counties inside the user's scope at which she may see claims data.

    Nobody below a county sees any (404); somebody in scope without such a post is told so (403).
    """
    inside = list(County.objects.visible_to(user).select_related("pooling_area"))
    if not inside:
        raise Http404("没有找到这个页面，或者它不在您的管理范围内。")
    allowed = [county for county in inside if roles_at(user, county) & actions[VIEW].roles]
    if not allowed:
        require(user, VIEW, inside[0])
    return allowed


def county_of(user: Any, code: str) -> County:
    """One of them by its code, else 404."""
    for county in counties_of(user):
        if county.code == code:
            return county
    raise Http404("没有找到这个县（区），或者它不在您的管理范围内。")


def allowed_at(user: Any, action: str, counties: list[County]) -> list[County]:
    """Those of the counties at which the user may do ``action``."""
    return [county for county in counties if roles_at(user, county) & actions[action].roles]


def areas_of(user: Any) -> list[PoolingArea]:
    """The pooling areas of the user's counties."""
    return list({county.pooling_area_id: county.pooling_area for county in counties_of(user)}.values())
