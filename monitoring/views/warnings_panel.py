"""下一步: the acts a warning's state knows, as forms for who may do them and as reasons for who may not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from core.access import BUREAU_ROLES, Allowed, Denied, roles_at
from core.models import Role
from core.parameters import value as parameter
from core.working_days import add_working_days
from monitoring.forms_warnings import (
    AnswerForm,
    CloseForm,
    DecideForm,
    ExtendForm,
    InquireForm,
    ReasonForm,
    SendForm,
    TalkForm,
)
from monitoring.models import Warning, WarningAnswer
from monitoring.parameters import ANSWER_DAYS, RETURN_DAYS
from monitoring.services import warnings as services
from monitoring.states import Act, WarningState, transition

FORMS: dict[str, type[forms.Form]] = {
    Act.SEND: SendForm,
    Act.ANSWER: AnswerForm,
    Act.WITHDRAW: ReasonForm,
    Act.RETURN: DecideForm,
    Act.ACCEPT: DecideForm,
    Act.INQUIRE: InquireForm,
    Act.TALK: TalkForm,
    Act.EXTEND: ExtendForm,
    Act.REPORT: ReasonForm,
    Act.CLOSE: CloseForm,
    Act.REOPEN: ReasonForm,
}
FOLDED = (Act.INQUIRE, Act.TALK, Act.EXTEND, Act.WITHDRAW, Act.REPORT, Act.CLOSE, Act.REOPEN)
DUE: dict[str, tuple[str, str]] = {
    WarningState.RAISED: (Act.SEND, "等待医保局送达。"),
    WarningState.SENT: (Act.ANSWER, "等待答复。"),
    WarningState.RETURNED: (Act.ANSWER, "等待补充后重新答复。"),
    WarningState.ANSWERED: (Act.ACCEPT, "答复已提交，等待医保局审定。"),
    WarningState.ACCEPTED: (Act.CLOSE, "整改跟踪中：每月随数据更新，指标连续恢复后由医保局复核人解除。"),
}
"""By state: the one act that takes a warning on, whose refusal is told, and what everybody else is waiting for."""
BUTTONS = {
    Act.SEND: "送达", Act.ANSWER: "提交答复", Act.WITHDRAW: "撤回答复", Act.INQUIRE: "发函询问", Act.TALK: "记录约谈",
    Act.EXTEND: "延长期限", Act.CLOSE: "解除预警", Act.REOPEN: "重新打开", Act.REPORT: "上报",
}  # fmt: skip
EFFECTS = {
    Act.SEND: "送达后对方可以看到本预警，并从今天起计算答复期限。",
    Act.ANSWER: "提交后等待医保局审定，审定前可以撤回。",
    Act.WITHDRAW: "回到待答复，原答复保留在记录里。",
    Act.RETURN: "退回对方补充，意见对其可见，重新计算期限。",
    Act.ACCEPT: "采纳后转入整改跟踪，指标连续恢复后由复核人解除。",
    Act.INQUIRE: "形成询问函并通知对方，记入办理经过。",
    Act.TALK: "记入办理经过，对方可以看到。",
    Act.EXTEND: "期限改为所选日期，理由对双方可见。",
    Act.REPORT: "通知市医保局的经办、复核和领导，记入办理经过。",
    Act.CLOSE: "解除后不再跟踪；同一原因再次触发时形成新的预警。",
    Act.REOPEN: "回到待答复，重新计算期限。",
}


@dataclass(frozen=True)
class PanelAct:
    """One act the user may do now: its form, and whether it is shown open because it was just refused."""

    act: str
    label: str
    button: str
    effect: str
    url: str
    form: Any
    folded: bool
    open: bool


@dataclass(frozen=True)
class Panel:
    acts: tuple[PanelAct, ...]
    denied: tuple[str, ...]
    waiting: str
    decide: Any
    return_url: str
    accept_url: str
    return_days: int
    may_return: bool
    may_accept: bool

    @property
    def answer(self) -> PanelAct | None:
        return next((one for one in self.acts if one.act == Act.ANSWER), None)

    @property
    def send(self) -> PanelAct | None:
        return next((one for one in self.acts if one.act == Act.SEND), None)

    @property
    def folded(self) -> list[PanelAct]:
        return [one for one in self.acts if one.folded]

    @property
    def is_empty(self) -> bool:
        return not self.acts and not self.may_return and not self.may_accept


def panel_of(request: HttpRequest, found: Warning, last: WarningAnswer | None, refused: str) -> Panel:
    """``refused``: the act that has just failed; its form keeps what was typed."""
    user: Any = request.user
    answers = services.allowed_acts(user, found)
    known = [act for act in FORMS if transition(found.state, act) is not None and not (act == Act.REPORT and found.alliance)]
    allowed = [act for act in known if isinstance(answers.get(Act(act)), Allowed)]
    due, waiting = DUE.get(found.state, ("", ""))
    answer = answers.get(Act(due)) if due else None
    denied = [answer.reason] if isinstance(answer, Denied) and _concerns(user, found, due) else []
    today = timezone.localdate()
    answer_days = int(parameter(ANSWER_DAYS, found.at, today).text)
    return_days = int(parameter(RETURN_DAYS, found.at, today).text)
    acts = []
    for act in allowed:
        if act in (Act.RETURN, Act.ACCEPT):
            continue
        start = _initial(act, found, last, answer_days)
        form = form_of(request, act, start) if refused == act else FORMS[act](initial=start, auto_id=f"{act}-%s")
        acts.append(
            PanelAct(
                act=str(act), label=str(Act(act).label), button=BUTTONS[Act(act)], effect=EFFECTS[Act(act)],
                url=reverse("monitoring:warning-act", args=[found.pk, str(act)]), form=form, folded=act in FOLDED,
                open=refused == act,
            )
        )  # fmt: skip
    decide: Any = DecideForm(initial={"days": return_days}, auto_id="decide-%s")
    if refused in (Act.RETURN, Act.ACCEPT):
        decide = form_of(request, refused, {})
    return Panel(
        acts=tuple(acts),
        denied=tuple(denied),
        waiting=waiting,
        decide=decide,
        return_url=reverse("monitoring:warning-act", args=[found.pk, Act.RETURN.value]),
        accept_url=reverse("monitoring:warning-act", args=[found.pk, Act.ACCEPT.value]),
        return_days=return_days,
        may_return=Act.RETURN in allowed,
        may_accept=Act.ACCEPT in allowed,
    )


def _concerns(user: Any, found: Warning, act: str) -> bool:
    """Whether a refusal of the act is told: what only the bureau does is no business of a hospital."""
    return act == Act.ANSWER or bool(roles_at(user, found.at) & (BUREAU_ROLES | {Role.OBSERVER}))


def form_of(request: HttpRequest, act: str, initial: dict[str, Any] | None = None) -> Any:
    """The form of an act as posted."""
    name = "decide" if act in (Act.RETURN, Act.ACCEPT) else act
    return FORMS[act](request.POST, request.FILES, initial=initial or {}, auto_id=f"{name}-%s")


def _initial(act: str, found: Warning, last: WarningAnswer | None, days: int) -> dict[str, Any]:
    today = timezone.localdate()
    if act == Act.SEND:
        return {"days": days}
    if act == Act.ANSWER and last is not None and found.state == WarningState.RETURNED:
        return {"cause": last.cause, "measures": last.measures, "target": last.target, "by_date": last.by_date}
    if act == Act.INQUIRE:
        return {"until": add_working_days(today, days)}
    if act == Act.TALK:
        return {"held_on": today}
    if act == Act.EXTEND and found.due_on is not None:
        return {"until": add_working_days(max(found.due_on, today - timedelta(days=1)), days)}
    return {}
