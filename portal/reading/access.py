"""Which places' overview a person may open, and on which level she lands."""

from __future__ import annotations

from django.utils import timezone

from core.access import actions
from core.models import Alliance, County, PoolingArea, User
from core.models.places import Place, valid_on

ACTION = "portal.read_overview"


def overview_alliances(user: User) -> list[Alliance]:
    """Alliances in force today that a post with the right to the overview covers, by code."""
    wanted = actions[ACTION].roles
    grants = [grant for grant in user.grants_on(timezone.localdate()) if grant.role in wanted]
    areas = {grant.pooling_area_id for grant in grants} - {None}
    counties = {grant.county_id for grant in grants} - {None}
    own = {grant.alliance_id for grant in grants} - {None}
    if not (areas or counties or own):
        return []
    visible = Alliance.objects.visible_to(user).filter(valid_on(timezone.localdate()))
    found = visible.select_related("county__pooling_area").order_by("code")
    return [
        alliance
        for alliance in found
        if alliance.pk in own or alliance.county_id in counties or alliance.county.pooling_area_id in areas
    ]


def own_level(user: User) -> Place | None:
    """The highest place of the person's posts with the right: where the overview opens."""
    wanted = actions[ACTION].roles
    places = [grant.place for grant in user.grants_on(timezone.localdate()) if grant.role in wanted]
    for level in (PoolingArea, County, Alliance):
        for place in places:
            if isinstance(place, level):
                return place
    return None
