"""Proposals of one person that another decides: agreements' changes, points, qualifications, yearly checks.

They share their fields: ``status``, ``proposed_by``, ``decided_by``, ``decided_at``, ``decision``.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.utils import timezone

from core.access import different_person
from core.errors import REASON_MIN, Conflict, Problem, Refused
from core.models import User

NOTE = 300
Row = TypeVar("Row", bound=Any)


def need_status(row: Any, status: str, act: str) -> None:
    """Conflict when a row moved on since the person saw it."""
    if row.status != status:
        state, who = row.get_status_display(), f"（{row.decided_by}）" if row.decided_by is not None else ""
        text = f"{row._meta.verbose_name}“{row}”现在是“{state}”{who}，不能{act}。"
        raise Conflict([Problem("status", state, text, "请刷新页面查看最新状态。")])


def decide(actor: User, row: Row, status: str, note: str, what: str) -> Row:
    """Write the decision on a locked proposal; another person than the proposer. Returning it says why."""
    act = "退回" if status == "returned" else "审定"
    need_status(row, "proposed", act)
    different_person(actor, row.proposed_by, what)
    problems = note_problems(note, status == "returned")
    if problems:
        raise Refused(problems)
    return _write(actor, row, status, note.strip())


def settle(actor: User, row: Row, note: str) -> Row:
    """Give a proposal back because its ground has gone: a consequence of another act, not a decision of its own."""
    by_own = row.proposed_by_id == actor.pk
    row.status, row.decision = "returned", note[:NOTE]
    row.decided_by, row.decided_at = None if by_own else actor, timezone.now()
    row.save(update_fields=["status", "decision", "decided_by", "decided_at"])
    return row


def note_problems(note: str, needed: bool, field: str = "reason") -> list[Problem]:
    given = note.strip()
    if len(given) > NOTE:
        return [Problem(field, given[:20], f"意见有 {len(given)} 个字，超过 {NOTE} 个字。", "请缩短。")]
    if needed and len(given) < REASON_MIN:
        return [Problem(field, given, "没有写明理由。", f"请至少写 {REASON_MIN} 个字，说明原因和要求。")]
    return []


def text_problems(field: str, label: str, given: str, most: int, least: int = 1) -> list[Problem]:
    length = len(given.strip())
    if length > most:
        return [Problem(field, given.strip()[:20], f"{label}有 {length} 个字，超过 {most} 个字。", "请缩短。")]
    if length < least:
        wanted = "请填写。" if least == 1 else f"请至少写 {least} 个字。"
        return [Problem(field, given.strip(), f"没有写明{label}。", wanted)]
    return []


def _write(actor: User, row: Row, status: str, note: str) -> Row:
    row.status, row.decided_by, row.decided_at, row.decision = status, actor, timezone.now(), note
    row.save(update_fields=["status", "decided_by", "decided_at", "decision"])
    return row
