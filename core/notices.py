"""Notices to people, written in the transaction of the act they tell of."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from core.access import holders
from core.models import Notice, User
from core.models.places import Place


def notify(users: Iterable[User], text: str, url: str = "") -> int:
    """One notice for each person; returns how many."""
    rows = [Notice(user=user, text=text[:300], url=url) for user in {user.pk: user for user in users}.values()]
    return len(Notice.objects.bulk_create(rows))


def notify_role(roles: Iterable[str], place: Place, text: str, url: str = "") -> int:
    """One notice for everybody holding one of ``roles`` at ``place`` or above it."""
    return notify(holders(roles, place), text, url)


def mark_all_read(user: User) -> int:
    return Notice.objects.filter(user=user, read_at=None).update(read_at=timezone.now())
