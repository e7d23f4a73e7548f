"""Notices to people, written in the transaction of the act they tell of, with the row of their mailing where one is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.utils import timezone

from core.access import holders
from core.models import MailDelivery, MailMode, MessagePreference, Notice, NoticeKind, User
from core.models.places import Place

DEFAULT_MODES: dict[str, str] = {
    NoticeKind.WARNING: MailMode.AT_ONCE,
    NoticeKind.REPORT: MailMode.DAILY,
    NoticeKind.TASK: MailMode.DAILY,
    NoticeKind.OTHER: MailMode.NONE,
}
kinds_by_prefix: dict[str, str] = {}


def register_kind(prefix: str, kind: str) -> None:
    """Notices whose link begins with ``prefix`` are of this kind, unless the caller of :func:`notify` says another."""
    kinds_by_prefix[prefix] = kind


def kind_of(url: str) -> str:
    """The kind of a notice by its link: the longest registered prefix."""
    found = max((prefix for prefix in kinds_by_prefix if url.startswith(prefix)), key=len, default="")
    return kinds_by_prefix.get(found, NoticeKind.OTHER)


def notify(users: Iterable[User], text: str, url: str = "", kind: str = "") -> int:
    """One notice for each person; returns how many."""
    people = {user.pk: user for user in users}
    chosen = kind or kind_of(url)
    rows = [Notice(user=user, text=text[:300], url=url, kind=chosen) for user in people.values()]
    made = Notice.objects.bulk_create(rows)
    if mail_is_on() and made:
        _plan(made, chosen)
    return len(made)


def notify_role(roles: Iterable[str], place: Place, text: str, url: str = "", kind: str = "") -> int:
    """One notice for everybody holding one of ``roles`` at ``place`` or above it."""
    return notify(holders(roles, place), text, url, kind)


def mark_all_read(user: User) -> int:
    return Notice.objects.filter(user=user, read_at=None).update(read_at=timezone.now())


def mail_is_on() -> bool:
    """Whether the installation names a mail server."""
    return bool(settings.EMAIL_HOST)


def _plan(made: Sequence[Notice], kind: str) -> None:
    """A delivery for everybody with an address who wants this kind mailed."""
    addressed = [notice for notice in made if notice.user.email]
    rows = MessagePreference.objects.filter(user__in=[notice.user_id for notice in addressed], kind=kind)
    modes = dict(rows.values_list("user_id", "mode"))
    MailDelivery.objects.bulk_create(
        MailDelivery(notice=notice, user=notice.user, mode=mode)
        for notice in addressed
        if (mode := modes.get(notice.user_id, DEFAULT_MODES[kind])) != MailMode.NONE
    )
