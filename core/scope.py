"""Who sees which rows. One place decides; every page, export and API view fetches through it.

A queryset names, per level of place, the path from its model to that place. A user sees a row if one of her valid
grants stands at the row's pooling area, county, alliance or institution. What is outside answers 404.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

if TYPE_CHECKING:
    from core.models import User

M = TypeVar("M", bound=models.Model)

LEVELS = ("pooling_area", "county", "alliance", "institution")


@dataclass(frozen=True)
class Scope:
    """Ids of the places a user's valid grants stand at, by level."""

    pooling_area: frozenset[int]
    county: frozenset[int]
    alliance: frozenset[int]
    institution: frozenset[int]


def scope_of(user: User, roles: frozenset[str] | None = None) -> Scope:
    """The user's scope today, by the posts in ``roles`` or by all; read once per user object."""
    known: dict[frozenset[str] | None, Scope] = user.__dict__.setdefault("_scopes", {})
    if roles not in known:
        ids: dict[str, set[int]] = {level: set() for level in LEVELS}
        if user.is_authenticated and user.is_active:
            for grant in user.grants_on(timezone.localdate()):
                for level in LEVELS:
                    place_id = getattr(grant, f"{level}_id")
                    if place_id is not None and (roles is None or grant.role in roles):
                        ids[level].add(place_id)
        known[roles] = Scope(**{level: frozenset(found) for level, found in ids.items()})
    return known[roles]


class ScopedQuerySet(models.QuerySet[M]):
    """A queryset that knows the way from its model to the places; levels it does not name are not visible there.

    ``scope_roles`` narrows it to what some posts may see at all; None is every post.
    """

    scope_paths: ClassVar[dict[str, str]] = {}
    scope_roles: ClassVar[frozenset[str] | None] = None

    def visible_to(self, user: Any) -> Self:
        """Rows inside the user's scope; none for a stranger."""
        scope = scope_of(user, self.scope_roles)
        inside, any_level, joins_many = Q(), False, False
        for level, path in self.scope_paths.items():
            ids = getattr(scope, level)
            if ids:
                inside |= Q(**{f"{path}__in": ids})
                any_level = True
                joins_many = joins_many or "memberships" in path
        if not any_level:
            return self.none()
        if joins_many:
            return self.filter(pk__in=self.model._default_manager.filter(inside).values("pk"))
        return self.filter(inside)


def get_visible(queryset: Any, user: Any, **lookup: Any) -> Any:
    """The one object inside the user's scope, or 404: a foreign place does not exist for her."""
    try:
        return queryset.visible_to(user).get(**lookup)
    except (queryset.model.DoesNotExist, ValueError, TypeError) as error:
        raise Http404("没有找到这项内容，或者它不在您的管理范围内。") from error
