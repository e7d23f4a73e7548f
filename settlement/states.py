"""The life of a settlement version as data: states, acts, and which act leads from where to where.

draft → reviewed → sent → confirmed or objected → final → paid or recovered. Every step before final can be taken back
with a reason; after final only a correction version changes anything (A18). Nothing here reads the database.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices

from core.models import Role


class VersionState(TextChoices):
    DRAFT = "draft", "试算草稿"
    REVIEWED = "reviewed", "已复核"
    SENT = "sent", "待医共体确认"
    CONFIRMED = "confirmed", "医共体已确认"
    OBJECTED = "objected", "医共体有异议"
    FINAL = "final", "已审定"
    PAID = "paid", "已支付"
    RECOVERED = "recovered", "已追回"
    SUPERSEDED = "superseded", "已被更正"
    CANCELLED = "cancelled", "已作废"


class Act(TextChoices):
    DRAFT = "draft", "起草清算"
    REFRESH = "refresh", "刷新试算"
    RETURN = "return", "退回经办"
    REVIEW = "review", "复核清算单"
    SEND = "send", "送医共体确认"
    WITHDRAW = "withdraw", "撤回已送清算单"
    CONFIRM = "confirm", "确认清算单"
    OBJECT = "object", "提出异议"
    ACCEPT_OBJECTION = "accept_objection", "采纳异议，退回重算"
    REJECT_OBJECTION = "reject_objection", "答复异议，再次送达"
    FINALISE = "finalise", "审定清算单"
    REOPEN = "reopen", "重新打开清算单"
    CORRECT = "correct", "起草更正"
    CANCEL = "cancel", "作废更正草稿"
    SUPERSEDE = "supersede", "由更正版本取代"
    PAY = "pay", "支付清算款"
    CLEAR = "clear", "零差额结清"
    RECOVER = "recover", "收到追回款"


OFFICER, REVIEWER, FINANCE = Role.FUND_OFFICER, Role.FUND_REVIEWER, Role.FUND_FINANCE

ROLES: dict[str, frozenset[str]] = {
    Act.DRAFT: frozenset({OFFICER}),
    Act.REFRESH: frozenset({OFFICER}),
    Act.RETURN: frozenset({REVIEWER}),
    Act.REVIEW: frozenset({REVIEWER}),
    Act.SEND: frozenset({OFFICER}),
    Act.WITHDRAW: frozenset({OFFICER, REVIEWER}),
    Act.CONFIRM: frozenset({Role.HOSPITAL_FINANCE}),
    Act.OBJECT: frozenset({Role.HOSPITAL_FINANCE}),
    Act.ACCEPT_OBJECTION: frozenset({OFFICER, REVIEWER}),
    Act.REJECT_OBJECTION: frozenset({REVIEWER}),
    Act.FINALISE: frozenset({REVIEWER}),
    Act.REOPEN: frozenset({REVIEWER}),
    Act.CORRECT: frozenset({OFFICER}),
    Act.CANCEL: frozenset({OFFICER}),
    Act.SUPERSEDE: frozenset({REVIEWER}),
    Act.PAY: frozenset({FINANCE}),
    Act.CLEAR: frozenset({FINANCE}),
    Act.RECOVER: frozenset({FINANCE}),
}


@dataclass(frozen=True)
class Transition:
    """``act`` done in ``source`` leads to ``target``; ``needs_reason`` when the person must say why."""

    source: str
    act: str
    target: str
    needs_reason: bool = False


TRANSITIONS: tuple[Transition, ...] = (
    Transition(VersionState.DRAFT, Act.REFRESH, VersionState.DRAFT),
    Transition(VersionState.DRAFT, Act.RETURN, VersionState.DRAFT, needs_reason=True),
    Transition(VersionState.DRAFT, Act.REVIEW, VersionState.REVIEWED),
    Transition(VersionState.DRAFT, Act.CANCEL, VersionState.CANCELLED, needs_reason=True),
    Transition(VersionState.REVIEWED, Act.RETURN, VersionState.DRAFT, needs_reason=True),
    Transition(VersionState.REVIEWED, Act.SEND, VersionState.SENT),
    Transition(VersionState.SENT, Act.WITHDRAW, VersionState.DRAFT, needs_reason=True),
    Transition(VersionState.SENT, Act.CONFIRM, VersionState.CONFIRMED),
    Transition(VersionState.SENT, Act.OBJECT, VersionState.OBJECTED, needs_reason=True),
    Transition(VersionState.OBJECTED, Act.ACCEPT_OBJECTION, VersionState.DRAFT, needs_reason=True),
    Transition(VersionState.OBJECTED, Act.REJECT_OBJECTION, VersionState.SENT, needs_reason=True),
    Transition(VersionState.OBJECTED, Act.FINALISE, VersionState.FINAL, needs_reason=True),
    Transition(VersionState.CONFIRMED, Act.FINALISE, VersionState.FINAL),
    Transition(VersionState.CONFIRMED, Act.REOPEN, VersionState.DRAFT, needs_reason=True),
    Transition(VersionState.FINAL, Act.PAY, VersionState.PAID),
    Transition(VersionState.FINAL, Act.CLEAR, VersionState.PAID),
    Transition(VersionState.FINAL, Act.RECOVER, VersionState.RECOVERED),
    Transition(VersionState.FINAL, Act.SUPERSEDE, VersionState.SUPERSEDED),
)

OPEN_STATES = (
    VersionState.DRAFT,
    VersionState.REVIEWED,
    VersionState.SENT,
    VersionState.CONFIRMED,
    VersionState.OBJECTED,
)
FINAL_STATES = (VersionState.FINAL, VersionState.PAID, VersionState.RECOVERED)
SEEN_BY_HOSPITAL = (
    VersionState.SENT,
    VersionState.CONFIRMED,
    VersionState.OBJECTED,
    *FINAL_STATES,
    VersionState.SUPERSEDED,
)
TONES = {
    VersionState.DRAFT: "",
    VersionState.REVIEWED: "run",
    VersionState.SENT: "warn",
    VersionState.CONFIRMED: "run",
    VersionState.OBJECTED: "bad",
    VersionState.FINAL: "run",
    VersionState.PAID: "ok",
    VersionState.RECOVERED: "ok",
    VersionState.SUPERSEDED: "",
    VersionState.CANCELLED: "",
}


def transition(source: str, act: str) -> Transition | None:
    """The transition of ``act`` from ``source``; None where the table has none."""
    return next((row for row in TRANSITIONS if row.source == source and row.act == act), None)


def acts_from(source: str) -> list[str]:
    """Acts the table allows in a state, in its order."""
    return [row.act for row in TRANSITIONS if row.source == source]


def action_name(act: str) -> str:
    """The name of the right an act needs."""
    return f"settlement.{act}"
