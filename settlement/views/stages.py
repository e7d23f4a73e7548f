"""The way of a version as steps with who and until when, and its signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.templatetags.fund import day
from settlement.models import Booking, SettlementVersion
from settlement.states import VersionState

CURRENT = {
    VersionState.DRAFT: 1,
    VersionState.CANCELLED: 1,
    VersionState.REVIEWED: 2,
    VersionState.SENT: 2,
    VersionState.OBJECTED: 2,
    VersionState.CONFIRMED: 3,
    VersionState.FINAL: 4,
    VersionState.SUPERSEDED: 4,
    VersionState.PAID: 5,
    VersionState.RECOVERED: 5,
}
REFUSED = (VersionState.OBJECTED, VersionState.CANCELLED, VersionState.SUPERSEDED)


def stages(version: SettlementVersion, bookings: Sequence[Booking]) -> list[dict[str, Any]]:
    """Five steps: drafted, reviewed, answered by the alliance, final, money settled."""
    current = CURRENT[VersionState(version.state)]
    last = bookings[-1] if bookings else None
    rows = (
        ("试算起草", _name(version.prepared_by, "经办"), version.prepared_at, ""),
        ("复核", _name(version.reviewed_by, "复核"), version.reviewed_at, ""),
        ("医共体确认", _name(version.confirmed_by, "医共体财务"), version.confirmed_at, _waiting_for_answer(version)),
        ("审定", _name(version.finalised_by, "复核"), version.finalised_at, ""),
        ("差额收付", _name(last.booked_by if last else None, "基金财务"), last.booked_at if last else None, ""),
    )
    return [
        {
            "label": label,
            "state": "done" if at < current else "todo" if at > current else _now(version),
            "who": who,
            "when": day(when, "time") if when else "",
            "note": "" if when else note,
        }
        for at, (label, who, when, note) in enumerate(rows)
    ]


def _now(version: SettlementVersion) -> str:
    return "refused" if version.state in REFUSED else "current"


def signatures(version: SettlementVersion, bookings: Sequence[Booking]) -> list[dict[str, Any]]:
    """The strip at the foot of the statement."""
    last = bookings[-1] if bookings else None
    rows = (
        ("经办", version.prepared_by, version.prepared_at, "待起草"),
        ("复核", version.reviewed_by, version.reviewed_at, "待复核"),
        ("医共体（牵头医院）", version.confirmed_by, version.confirmed_at, _waiting_for_answer(version)),
        ("审定", version.finalised_by, version.finalised_at, "待审定"),
        ("基金财务", last.booked_by if last else None, last.booked_at if last else None, "待收付"),
    )
    return [
        {"role": role, "name": str(who or "系统"), "when": day(when, "time")} if when else {"role": role, "pending": pending}
        for role, who, when, pending in rows
    ]


def _waiting_for_answer(version: SettlementVersion) -> str:
    if version.state == VersionState.SENT and version.confirm_by:
        return f"待确认，{version.confirm_by} 前"
    if version.state == VersionState.REVIEWED:
        return "待送达"
    return "有异议" if version.state == VersionState.OBJECTED else "待确认"


def _name(user: Any, post: str) -> str:
    return f"{user}（{post}）" if user is not None else post
