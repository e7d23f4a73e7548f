"""Who hears of what happens in a case: by post at its place, without a list of their own."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from audits.models import Case, Lead, PartyKind
from core.access import holders
from core.models import Role, RoleGrant, User
from core.models.places import valid_on


def officers(case: Case) -> list[User]:
    """Who investigates it now; the leading one first."""
    rows = case.officers.filter(until__isnull=True).select_related("user")
    return [row.user for row in rows.order_by("-leads", "pk")]


def reviewers(case: Case) -> list[User]:
    """Who may review it: holders of the post at its place who never investigated it."""
    barred = set(case.officers.values_list("user_id", flat=True))
    return [user for user in holders((Role.AUDIT_REVIEWER,), case.at) if user.pk not in barred]


def re_reviewers(case: Case) -> list[User]:
    """Reviewers but the one of the first review."""
    return [user for user in reviewers(case) if user.pk != case.first_reviewed_by_id]


def legal(case: Case) -> list[User]:
    return holders((Role.LEGAL_REVIEWER,), case.at)


def finance(case: Case) -> list[User]:
    return holders((Role.FUND_FINANCE,), case.at)


def observers(thing: Case | Lead) -> list[User]:
    """Leaders at the place and above it."""
    return holders((Role.OBSERVER,), thing.at)


def provider(case: Case) -> list[User]:
    """The party's own people once it was notified: its alliance's finance and the institution's post."""
    if case.party_kind != PartyKind.PROVIDER or case.notified_at is None:
        return []
    found: list[User] = []
    if case.alliance_id is not None:
        found += _grantees(Role.HOSPITAL_FINANCE, alliance=case.alliance_id)
    if case.institution_id is not None:
        found += _grantees(Role.MEMBER_INSTITUTION, institution=case.institution_id)
    return found


def named(people: Iterable[User], most: int = 3) -> str:
    """钱理、孙敏；无人任此岗 where there is nobody."""
    return "、".join([str(person) for person in people][:most]) or "无人任此岗"


def _grantees(role: str, **place: int) -> list[User]:
    grants = RoleGrant.objects.filter(valid_on(timezone.localdate()), role=role, user__is_active=True, **place)
    return sorted({grant.user for grant in grants.select_related("user")}, key=lambda user: user.username)
