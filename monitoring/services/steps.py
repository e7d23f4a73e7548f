"""The frame of every act on a warning: lock, right, state and reason first; state, notices and trail last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import Denied, NotAllowed
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import StoredFile, User
from core.notices import notify
from core.parameters import value
from core.trail import record
from core.working_days import add_working_days
from monitoring.models import Warning, WarningChange
from monitoring.parameters import whole
from monitoring.services.rights import four_eyes, require_right
from monitoring.states import Act, Transition, WarningState, action_name, transition

MOST_DAYS = 60


def locked(w: Warning) -> Warning:
    """The warning as it stands now, locked until the act is over."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a warning is locked inside the transaction of the act")
    return Warning.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=w.pk)


def begin(actor: User, w: Warning, act: str, reason: str | None = None) -> tuple[Warning, Transition]:
    """Check right, state, four eyes and reason of a person's act and lock the warning.

    Raises ``NotAllowed``; ``Conflict`` when the warning moved on; ``Refused`` without a reason where one is due. A warning
    whose figure has recovered is closed without further reason. ``reason`` None: the act has none.
    """
    held = locked(w)
    require_right(actor, held, act)
    step = transition(held.state, act)
    if step is None:
        raise wrong_state(held, act)
    answer = four_eyes(actor, held, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)
    if step.needs_reason and reason is not None and not (act == Act.CLOSE and held.recovered):
        need_reason(reason)
    return held, step


def wrong_state(w: Warning, act: str) -> Conflict:
    last = w.changes.select_related("actor").last()
    who = f"（{last.actor or '系统'}已办理“{last.get_act_display()}”）" if last else ""
    text = state_text(w, act, who)
    return Conflict([Problem("state", w.get_state_display(), text, "请刷新页面查看最新状态。")])


def state_text(w: Warning, act: str, who: str = "") -> str:
    """Why an act cannot be done now."""
    return f"预警 {w.number} 现在是“{w.get_state_display()}”{who}，不能办理“{Act(act).label}”。"


def due_after(w: Warning, key: str, days: int | None = None, field: str = "days") -> date:
    """The last day of a number of working days from today, the parameter's unless given."""
    count = whole(key, w.at, timezone.localdate()) if days is None else days
    if not 1 <= count <= MOST_DAYS:
        text = f"期限 {count} 个工作日不在 1–{MOST_DAYS} 之间。"
        raise Refused([Problem(field, str(count), text, "请填写合适的工作日数。")])
    return add_working_days(timezone.localdate(), count)


def choice(key: str, w: Warning) -> str:
    return value(key, w.at, timezone.localdate()).text


def change_row(
    w: Warning,
    step: Transition,
    actor: User | None,
    reason: str = "",
    *,
    until: date | None = None,
    data: dict[str, Any] | None = None,
    files: Sequence[StoredFile] = (),
) -> WarningChange:
    change = WarningChange.objects.create(
        warning=w,
        act=step.act,
        source=step.source,
        target=step.target,
        actor=actor,
        at=timezone.now(),
        reason=reason.strip(),
        until=until,
        data=data or {},
    )
    if files:
        change.files.set(files)
    return change


def finish(
    actor: User | None,
    w: Warning,
    step: Transition,
    summary: str,
    *,
    reason: str = "",
    until: date | None = None,
    data: dict[str, Any] | None = None,
    files: Sequence[StoredFile] = (),
    tell: Iterable[User] = (),
    fields: dict[str, Any] | None = None,
) -> WarningChange:
    """Write the new state and fields, the change row, the notices to ``tell`` and, last, the trail."""
    move(w, step, fields)
    change = change_row(w, step, actor, reason, until=until, data=data, files=files)
    notify(tell, summary, w.get_absolute_url())
    record(actor, action_name(step.act), w, summary, trail_data(change), place=w.alliance or w.at)
    return change


def move(w: Warning, step: Transition, fields: dict[str, Any] | None = None) -> None:
    w.state = step.target
    for name, given in (fields or {}).items():
        setattr(w, name, given)
    w.save(update_fields=["state", *(fields or {})])


def trail_data(change: WarningChange) -> dict[str, Any]:
    """What the trail keeps of a change: enough to find any later change of the row."""
    return {
        "change": change.pk,
        "act": str(change.act),
        "from": str(change.source),
        "to": str(change.target),
        "reason": change.reason,
        "until": str(change.until or ""),
    }


def name_of(w: Warning) -> str:
    """红色预警 警-2026-0814-QX-RES-03（青溪县紧密型县域医共体 居民：基层支出占比）."""
    return f"{w.get_level_display()}色预警 {w.number}（{w.at} {w.get_fund_type_display()}：{w.title}）"


def must(state: str, act: str) -> Transition:
    """The transition of an act of the system, which there is by construction."""
    step = transition(state, act)
    if step is None:
        raise RuntimeError(f"no transition {act} from {WarningState(state)}")
    return step
