"""The frame of every act on a version: right, lock, state and reason first; state change, notice and trail last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import require
from core.errors import Conflict, Problem, need_reason
from core.models import Alliance, StoredFile, User
from core.notices import notify_role
from core.trail import record
from settlement.models import Computation, Settlement, SettlementVersion, StateChange
from settlement.states import Act, Transition, action_name, transition


def locked(version: SettlementVersion) -> SettlementVersion:
    """The version as it stands now, with its settlement row locked: two people wait for each other here."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a version is locked inside the transaction of the act")
    Settlement.objects.select_for_update(no_key=True).get(pk=version.settlement_id)
    return SettlementVersion.objects.with_places().get(pk=version.pk)


def lock_settlements(alliance: Alliance, fund_types: Iterable[str]) -> None:
    """Lock every settlement of an alliance and fund types: none of them becomes final before the act is over."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("settlements are locked inside the transaction of the act")
    rows = Settlement.objects.filter(alliance=alliance, fund_type__in=list(fund_types))
    list(rows.select_for_update(no_key=True).order_by("pk"))


def begin(
    actor: User, version: SettlementVersion, act: str, reason: str = "", seen: int | None = None
) -> tuple[SettlementVersion, Transition]:
    """Check right, state and reason of an act and lock the version.

    ``seen`` is the computation the person had before her eyes. Raises ``NotAllowed``; ``Conflict`` when the version
    moved on or was computed anew; ``Refused`` without a reason where one is due.
    """
    require(actor, action_name(act), version.settlement.alliance)
    now = locked(version)
    step = transition(now.state, act)
    if step is None:
        raise wrong_state(now, act)
    if seen is not None and seen != now.computation_id:
        raise Conflict(
            [Problem("computation", str(seen), "清算单在您打开之后已重新计算。", "请刷新页面，看过新的结果再办理。")]
        )
    if step.needs_reason:
        need_reason(reason)
    return now, step


def wrong_state(version: SettlementVersion, act: str) -> Conflict:
    last = version.changes.select_related("actor").last()
    who = f"（{last.actor or '系统'}已办理“{last.get_act_display()}”）" if last else ""
    text = f"第 {version.number} 版现在是“{version.get_state_display()}”{who}，不能办理“{Act(act).label}”。"
    return Conflict([Problem("state", version.get_state_display(), text, "请刷新页面查看最新状态。")])


def finish(
    actor: User | None,
    version: SettlementVersion,
    step: Transition,
    summary: str,
    *,
    reason: str = "",
    until: date | None = None,
    files: Sequence[StoredFile] = (),
    tell: Iterable[str] = (),
    text: str = "",
    data: dict[str, Any] | None = None,
) -> StateChange:
    """Write the new state, its row, the notices to ``tell`` and, last, the trail."""
    version.state = step.target
    version.save()
    change = StateChange.objects.create(
        version=version,
        act=step.act,
        source=step.source,
        target=step.target,
        actor=actor,
        at=timezone.now(),
        reason=reason.strip(),
        until=until,
        computation=version.computation,
    )
    change.files.set(files)
    roles = list(tell)
    if roles:
        notify_role(roles, version.alliance, text or summary, statement_url(version))
    record(
        actor,
        action_name(step.act),
        version,
        summary,
        {**trail_data(change, version.computation), "files": [stored.sha256 for stored in files], **(data or {})},
        place=version.alliance,
    )
    return change


def trail_data(change: StateChange, computation: Computation | None) -> dict[str, Any]:
    """What the trail keeps of a state change: enough to find any later change of the row."""
    return {
        "change": change.pk,
        "act": str(change.act),
        "from": str(change.source),
        "to": str(change.target),
        "reason": change.reason,
        "until": None if change.until is None else str(change.until),
        "computation": None if computation is None else computation.pk,
        "digest": None if computation is None else computation.digest,
        "cash": None if computation is None else str(computation.cash),
    }


def statement_url(version: SettlementVersion) -> str:
    return version.get_absolute_url()


def name_of(version: SettlementVersion) -> str:
    return f"{version.settlement.number} 第 {version.number} 版"



