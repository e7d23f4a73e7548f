"""The acts on the money and the proposals of a case's tracks as forms: which there are, for whom, with what effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from audits.forms_money import (
    AgreementForm,
    DeductForm,
    EndRemedyForm,
    PayFineForm,
    PenaltyForm,
    ReceiveForm,
    RemedyForm,
    TakeBackForm,
)
from audits.models import Recovered, RecoveryKind, RemedyState, Track
from audits.reading.money import live_rows
from audits.services.steps import allowed_track_acts
from audits.states import Act, TrackKind, TrackState
from core.access import Allowed
from core.templatetags.fund import yuan

END_REMEDY = "end_remedy"
LABELS = {
    Act.RECEIVE: "登记退回基金", Act.DEDUCT: "转清算扣减", Act.TAKE_BACK: "冲销登记", Act.PAY_FINE: "登记罚款缴库",
    Act.REMEDY: "登记复议诉讼", END_REMEDY: "登记复议诉讼结果", Act.PROPOSE: "拟定处理意见",
}  # fmt: skip
EFFECTS = {
    Act.RECEIVE: "登记后记入基金账，冲抵应追回金额。",
    Act.DEDUCT: "该险种尚欠的全部金额推送到医共体下一未审定的年度清算，从清算款中扣减。",
    Act.TAKE_BACK: "原登记和凭证以相反金额冲销，金额恢复为尚欠。",
    Act.PAY_FINE: "罚款上缴国库，不入基金账、不计入清算。",
    Act.REMEDY: "复议、诉讼期间加处罚款停止计算。",
    END_REMEDY: "自终结次日起恢复计算加处罚款。",
    Act.PROPOSE: "拟定后可以送达告知书；认定有变化的须重新拟定。",
}
MONEY_ACTS = (Act.RECEIVE, Act.DEDUCT, Act.TAKE_BACK)
FINE_ACTS = (Act.PAY_FINE,)
REMEDY_ACTS = (Act.REMEDY, END_REMEDY)
ACTS = frozenset({*MONEY_ACTS, *FINE_ACTS, *REMEDY_ACTS, Act.PROPOSE})


@dataclass(frozen=True)
class ActForm:
    """One act the reader may do now; ``open`` when it was just refused."""

    act: str
    label: str
    effect: str
    url: str
    form: Any
    open: bool


def state_act(act: str) -> Act:
    """The act of the state table that allows it."""
    return Act.REMEDY if act == END_REMEDY else Act(act)


def opened_name(track: Track, act: str) -> str:
    """How the page names the refused act of a track."""
    return f"{track.kind}-{act}"


def form_of(track: Track, act: str, request: HttpRequest | None = None) -> Any:
    """The form of an act: empty with what is known, or as posted."""
    posted: tuple[Any, ...] = (request.POST, request.FILES) if request is not None else ()
    ids: dict[str, Any] = {"auto_id": f"{opened_name(track, act)}-%s"}
    if not posted:
        ids["initial"] = _initial(track, act)
    if act == Act.TAKE_BACK:
        return TakeBackForm(*posted, rows=_live(track), **ids)
    if act == END_REMEDY:
        return EndRemedyForm(*posted, rows=_running(track), **ids)
    if act == Act.PROPOSE:
        return (PenaltyForm if track.kind == TrackKind.PENALTY else AgreementForm)(*posted, **ids)
    forms = {Act.RECEIVE: ReceiveForm, Act.DEDUCT: DeductForm, Act.PAY_FINE: PayFineForm, Act.REMEDY: RemedyForm}
    return forms[Act(act)](*posted, **ids)


def act_forms(user: Any, track: Track, acts: tuple[str, ...], opened: str = "", form: Any = None) -> list[ActForm]:
    """The acts among ``acts`` the reader may do on the track now."""
    answers = allowed_track_acts(user, track)
    found = []
    for act in acts:
        if not isinstance(answers.get(state_act(act)), Allowed) or not _asked_for(track, act):
            continue
        is_open = opened == opened_name(track, act)
        found.append(
            ActForm(
                act=str(act), label=LABELS[act], effect=EFFECTS[act],
                url=reverse("audits:case-money-act", args=[track.case_id, track.kind, str(act)]),
                form=form if is_open and form is not None else form_of(track, act), open=is_open,
            )
        )  # fmt: skip
    return found


def _asked_for(track: Track, act: str) -> bool:
    """Only what can be chosen: rows to take back, a party that has a settlement, reviews that run."""
    if act == Act.TAKE_BACK:
        return bool(_live(track))
    if act == END_REMEDY:
        return bool(_running(track))
    return act != Act.DEDUCT or track.case.alliance_id is not None


def _live(track: Track) -> list[tuple[str, str]]:
    """Receipts (once each) and deductions that stand, newest first."""
    rows = live_rows(track).order_by("-pk")
    found: dict[Any, list[Recovered]] = {}
    for row in rows:
        key = row.entry if row.kind == RecoveryKind.REPAID else f"d{row.pk}"
        found.setdefault(key, []).append(row)
    return [
        (str(held[0].pk), f"{held[0].get_kind_display()} {held[0].on} {yuan(sum(row.amount for row in held))} 元（{held[0].reference}）")
        for held in found.values()
    ]


def _running(track: Track) -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in track.remedies.filter(state=RemedyState.RUNNING)]


def _initial(track: Track, act: str) -> dict[str, Any]:
    if act in (Act.RECEIVE, Act.PAY_FINE):
        return {"on": timezone.localdate(), "kind": "fine"}
    if act != Act.PROPOSE or track.proposed_at is None or track.state != TrackState.TO_NOTIFY:
        return {"text": track.measures.get("text", "")} if act == Act.PROPOSE else {}
    measures = track.measures
    held = {name: measures.get(name) or None for name in ("text", "points", "correct", "suspend_months", "terminate")}
    return {
        **held, "fine": track.fine, "grade": track.grade, "grade_reason": track.grade_reason,
        "facts": track.penalty.get("facts", []),
    }  # fmt: skip
