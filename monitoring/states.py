"""The life of a warning as data: raised → sent → answered → accepted or returned → closed. Nothing here reads the database.

A warning of an alliance or institution is answered by the hospital; one of a county's fund (distress) by the county's
fund officer, and the city's officer decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices

from core.models import Role


class WarningState(TextChoices):
    RAISED = "raised", "待送达"
    SENT = "sent", "待答复"
    ANSWERED = "answered", "待审定答复"
    RETURNED = "returned", "退回补充"
    ACCEPTED = "accepted", "整改跟踪"
    CLOSED = "closed", "已解除"


class Act(TextChoices):
    RAISE = "raise", "触发预警"
    WORSEN = "worsen", "预警升级"
    UPDATE = "update", "数据更新"
    RESTATE = "restate", "数据更正"
    SEND = "send", "送达预警"
    ANSWER = "answer", "答复预警"
    WITHDRAW = "withdraw", "撤回答复"
    RETURN = "return", "退回补充"
    ACCEPT = "accept", "采纳答复"
    INQUIRE = "inquire", "发函询问"
    TALK = "talk", "记录约谈"
    EXTEND = "extend", "延长答复期限"
    ESCALATE = "escalate", "逾期升级"
    REPORT = "report", "上报市医保局"
    CLOSE = "close", "解除预警"
    REOPEN = "reopen", "重新打开预警"


OFFICER = frozenset({Role.FUND_OFFICER})
ROLES: dict[str, frozenset[str]] = {
    Act.SEND: OFFICER,
    Act.ANSWER: frozenset({Role.HOSPITAL_FINANCE}),
    Act.WITHDRAW: frozenset({Role.HOSPITAL_FINANCE}),
    Act.RETURN: OFFICER,
    Act.ACCEPT: OFFICER,
    Act.INQUIRE: OFFICER,
    Act.TALK: OFFICER,
    Act.EXTEND: OFFICER,
    Act.REPORT: OFFICER,
    Act.CLOSE: frozenset({Role.FUND_REVIEWER}),
    Act.REOPEN: frozenset({Role.FUND_REVIEWER}),
}
"""Who may do what; acts missing here are done by the month-end job or the clock."""


@dataclass(frozen=True)
class Transition:
    """``act`` done in ``source`` leads to ``target``; ``needs_reason`` when the person must say why."""

    source: str
    act: str
    target: str
    needs_reason: bool = False


S = WarningState
TRANSITIONS: tuple[Transition, ...] = (
    Transition(S.RAISED, Act.SEND, S.SENT),
    Transition(S.SENT, Act.ANSWER, S.ANSWERED),
    Transition(S.RETURNED, Act.ANSWER, S.ANSWERED),
    Transition(S.ANSWERED, Act.WITHDRAW, S.SENT, needs_reason=True),
    Transition(S.ANSWERED, Act.RETURN, S.RETURNED, needs_reason=True),
    Transition(S.ANSWERED, Act.ACCEPT, S.ACCEPTED),
    *(Transition(state, Act.CLOSE, S.CLOSED, needs_reason=True) for state in (S.RAISED, S.SENT, S.ANSWERED, S.RETURNED, S.ACCEPTED)),
    *(Transition(state, act, state, needs_reason=True)
      for act in (Act.INQUIRE, Act.TALK) for state in (S.SENT, S.ANSWERED, S.RETURNED, S.ACCEPTED)),
    *(Transition(state, Act.EXTEND, state, needs_reason=True) for state in (S.SENT, S.RETURNED)),
    *(Transition(state, Act.ESCALATE, state) for state in (S.SENT, S.RETURNED, S.ANSWERED)),
    *(Transition(state, Act.WORSEN, state) for state in (S.RAISED, S.SENT, S.ANSWERED, S.RETURNED)),
    Transition(S.ACCEPTED, Act.WORSEN, S.SENT),
    *(Transition(state, act, state) for act in (Act.UPDATE, Act.RESTATE)
      for state in (S.RAISED, S.SENT, S.ANSWERED, S.RETURNED, S.ACCEPTED, S.CLOSED)),
    *(Transition(state, Act.REPORT, state) for state in (S.RAISED, S.SENT, S.ANSWERED, S.RETURNED, S.ACCEPTED)),
    Transition(S.CLOSED, Act.REOPEN, S.SENT, needs_reason=True),
)  # fmt: skip
"""A worsening sends an accepted warning back to be answered anew."""
OPEN_STATES = (S.RAISED, S.SENT, S.ANSWERED, S.RETURNED, S.ACCEPTED)
WAITING_FOR_HOSPITAL = (S.SENT, S.RETURNED)
SEEN_BY_HOSPITAL = (S.SENT, S.ANSWERED, S.RETURNED, S.ACCEPTED, S.CLOSED)
"""What has not been sent is not the hospital's yet (closed unsent ones stay out by ``sent_at``)."""
TONES = {
    S.RAISED: "warn", S.SENT: "run", S.ANSWERED: "warn", S.RETURNED: "bad", S.ACCEPTED: "run", S.CLOSED: "ok",
}  # fmt: skip
LEVEL_TONES = {"yellow": "warn", "orange": "warn", "red": "bad"}


def action_name(act: str) -> str:
    """The registered name of an act, for rights and for the trail."""
    return f"monitoring.{act}"


def transition(source: str, act: str) -> Transition | None:
    return next((row for row in TRANSITIONS if row.source == source and row.act == act), None)
