"""The key that pseudonymises persons may never change: its check value is kept and compared before every import."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from claims.engine import pseudonyms
from claims.models import PersonKeyCheck
from core.errors import Problem, Refused


def person_key() -> bytes:
    """The key of the installation."""
    return settings.PERSON_KEY.encode()


def check_value() -> str:
    """What the present key gives for a fixed text; it tells nothing about the key."""
    return pseudonyms.check_value(person_key())


@transaction.atomic
def require_same_person_key() -> None:
    """Keep the check value on first use; afterwards refuse an import under another key."""
    held = PersonKeyCheck.objects.select_for_update(no_key=True).order_by("pk").first()
    if held is None:
        PersonKeyCheck.objects.create(check_value=check_value())
    elif held.check_value != check_value():
        raise Refused([person_key_problem()])


def person_key_problem() -> Problem:
    return Problem(
        "PERSON_KEY",
        "",
        "参保人标识密钥（PERSON_KEY）与首次导入时不同，同一个人会被当成两个人，不能导入。",
        "请系统管理员恢复原来的密钥（与数据库一起备份）后重试。",
    )


def person_key_state() -> str:
    """What ``/readyz`` says: nothing when the key fits or was never used."""
    held = PersonKeyCheck.objects.order_by("pk").first()
    return "" if held is None or held.check_value == check_value() else person_key_problem().text
