"""May this person do this act at this place? ``Allowed`` or ``Denied`` with the reason and who can lift it.

Acts are registered by the app that owns them, with the roles that may do them (R-068). A right holds at the place of
the grant and everywhere below it. Who prepared a thing never approves it; incompatible posts are refused at the grant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.models import Alliance, County, Institution, PoolingArea, Role, RoleGrant, User
from core.models.places import Place, valid_on


@dataclass(frozen=True)
class Action:
    name: str
    label: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Allowed:
    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Denied:
    """``reason`` says in Chinese what is missing and who can lift it; worked out only when somebody asks why."""

    text: str | Callable[[], str]

    @property
    def reason(self) -> str:
        return self.text if isinstance(self.text, str) else self.text()

    def __bool__(self) -> bool:
        return False


class NotAllowed(Exception):
    """Raised by :func:`require`; becomes a 403 page or API answer that shows the reason."""

    def __init__(self, denied: Denied) -> None:
        self.denied = denied
        super().__init__(denied.reason)


actions: dict[str, Action] = {}

# Posts one person may not hold at overlapping places; nobody audits the provider she works for.
INCOMPATIBLE: tuple[tuple[str, str], ...] = (
    (Role.FUND_OFFICER, Role.FUND_REVIEWER),
    (Role.FUND_OFFICER, Role.FUND_FINANCE),
    (Role.FUND_REVIEWER, Role.FUND_FINANCE),
    (Role.AUDITOR, Role.AUDIT_REVIEWER),
    (Role.AUDITOR, Role.LEGAL_REVIEWER),
    (Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER),
    *(
        (audits, provider)
        for audits in (Role.AUDITOR, Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER)
        for provider in (Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION)
    ),
)
BUREAU_ROLES = frozenset(
    {Role.FUND_OFFICER, Role.FUND_REVIEWER, Role.FUND_FINANCE, Role.AUDITOR, Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER}
)
HOSPITAL_ROLES = frozenset({Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION})


def register_action(name: str, label: str, roles: Iterable[str]) -> None:
    """Make an act known; ``label`` is its Chinese wording in refusals and in the trail."""
    actions[name] = Action(name, label, frozenset(roles))


def covering_places(place: Place) -> Q:
    """A filter on grants standing at ``place`` or above it."""
    if isinstance(place, PoolingArea):
        return Q(pooling_area=place)
    if isinstance(place, County):
        return Q(county=place) | Q(pooling_area=place.pooling_area_id)
    above = Q(county=place.county_id) | Q(pooling_area=place.county.pooling_area_id)
    if isinstance(place, Alliance):
        return Q(alliance=place) | above
    today = timezone.localdate()
    alliances = place.memberships.filter(valid_on(today)).values("alliance_id")
    return Q(institution=place) | Q(alliance__in=alliances) | above


def covers(grant: RoleGrant, place: Place) -> bool:
    if grant.place == place:
        return True
    if isinstance(place, PoolingArea):
        return False
    if isinstance(place, County):
        return grant.pooling_area_id == place.pooling_area_id
    if place.county_id == grant.county_id or place.county.pooling_area_id == grant.pooling_area_id:
        return True
    if isinstance(place, Institution) and grant.alliance_id is not None:
        return place.memberships.filter(valid_on(timezone.localdate()), alliance=grant.alliance_id).exists()
    return False


def roles_at(user: User, place: Place) -> set[str]:
    """The roles the user holds today at ``place`` or above it."""
    if not user.is_authenticated or not user.is_active:
        return set()
    return {grant.role for grant in user.grants_on(timezone.localdate()) if covers(grant, place)}


def holders(roles: Iterable[str], place: Place) -> list[User]:
    """Active people who hold one of ``roles`` at ``place`` or above it today."""
    grants = RoleGrant.objects.filter(
        valid_on(timezone.localdate()), covering_places(place), role__in=list(roles), user__is_active=True
    ).select_related("user")
    return sorted({grant.user for grant in grants}, key=lambda user: user.username)


def may(user: User, action: str, place: Place) -> Allowed | Denied:
    """Whether ``user`` may do the registered act at ``place``; a ``Denied`` names the post needed and who holds it."""
    act = actions[action]
    held = roles_at(user, place)
    if held & act.roles:
        return Allowed()
    return Denied(lambda: _why_denied(act, place, held))


def _why_denied(act: Action, place: Place, held: Collection[str]) -> str:
    needed = "、".join(sorted(Role(role).label for role in act.roles))
    mine = "、".join(sorted(Role(role).label for role in held)) or "无"
    people = "、".join(str(person) for person in holders(act.roles, place)[:3])
    who = f"可请{people}办理" if people else "此处尚无人任此岗"
    return f"“{act.label}”需要{place}的{needed}岗位，您在此处的岗位是：{mine}。{who}，或请系统管理员授予岗位。"


def require(user: User, action: str, place: Place) -> None:
    """Raise :class:`NotAllowed` unless ``user`` may do the act at ``place``."""
    answer = may(user, action, place)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def different_person(user: User, preparer: User | None, what: str) -> None:
    """Four eyes: raise :class:`NotAllowed` if ``user`` is the one who prepared ``what``."""
    if preparer is not None and user.pk == preparer.pk:
        raise NotAllowed(
            Denied(f"“{what}”由您本人经办，不能由本人复核。请由另一位有复核岗位的同事办理，或请系统管理员指定复核人。")
        )


def require_somewhere(user: Any, action: str) -> None:
    """Raise :class:`NotAllowed` unless one of the user's posts allows the act anywhere: before a form that names the place."""
    act = actions[action]
    if not has_any_role(user, act.roles):
        needed = "、".join(sorted(Role(role).label for role in act.roles))
        raise NotAllowed(Denied(f"“{act.label}”需要{needed}岗位，您没有这个岗位，请系统管理员授予。"))


def has_any_role(user: Any, roles: Iterable[str]) -> bool:
    """Whether the user holds one of the roles anywhere today: what the navigation asks."""
    wanted = set(roles)
    return any(grant.role in wanted for grant in user.grants_on(timezone.localdate()))
