"""Acts on the money and the proposals of a case from its page: one POST each; failures keep what was typed.

A lost session leads through the login back to these addresses with a GET: they answer with the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from audits.forms_base import values_of
from audits.models import Recovered, Remedy, Track
from audits.services import money
from audits.services.proposals import propose
from audits.services.steps import right
from audits.states import Act
from audits.views.case import case_page, find_case
from audits.views.money_panel import ACTS, END_REMEDY, LABELS, form_of, opened_name, state_act
from core.access import Denied, NotAllowed
from core.errors import Problem, Refused

FILES = "audit_money"


def case_money_act(request: HttpRequest, pk: int, kind: str, act: str) -> HttpResponse:
    """Do one act, named in the address, on one track of a case."""
    case = find_case(request, pk)
    if request.method != "POST":
        return redirect("audits:case", pk)
    track = case.tracks.filter(kind=kind).first()
    if act not in ACTS or track is None:
        raise Http404("没有这种办理。")
    track.case = case
    user: Any = request.user
    need_right(user, track, act)
    form = form_of(track, act, request)
    try:
        perform(user, track, act, values_of(form, user, FILES))
    except Refused as refusal:
        return case_page(request, find_case(request, pk), refusal, opened_name(track, act), form)
    messages.success(request, f"{LABELS[act]}：{case.number} 已办理。")
    return redirect("audits:case", pk)


def need_right(user: Any, track: Track, act: str) -> None:
    """The post first, the form is judged afterwards; the service asks again with all the rest."""
    answer = right(user, track, state_act(act))
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def perform(user: Any, track: Track, act: str, given: dict[str, Any]) -> object:
    """The service of an act with the values of a form or of the API."""
    reason, files = given.get("reason", ""), given.get("files", ())
    acts: dict[str, Callable[[], object]] = {
        Act.RECEIVE: lambda: money.receive(
            user, track, fund_type=given["fund_type"], amount=given["amount"], on=given["on"],
            reference=given["reference"], files=files,
        ),
        Act.DEDUCT: lambda: money.deduct(user, track, fund_type=given["fund_type"], reason=reason),
        Act.TAKE_BACK: lambda: money.take_back(user, track, _recovered(track, given["recovered"]), reason),
        Act.PAY_FINE: lambda: money.pay_fine(
            user, track, amount=given["amount"], on=given["on"], reference=given["reference"], kind=given["kind"], files=files,
        ),
        Act.REMEDY: lambda: money.record_remedy(
            user, track, kind=given["kind"], reference=given["reference"], started_on=given["started_on"], note=reason,
        ),
        END_REMEDY: lambda: money.end_remedy(
            user, _remedy(track, given["remedy"]), state=given["state"], ended_on=given["ended_on"], note=reason,
        ),
        Act.PROPOSE: lambda: propose(user, track, **_proposal(given)),
    }  # fmt: skip
    return acts[act]()


def _proposal(given: dict[str, Any]) -> dict[str, Any]:
    names = ("text", "correct", "suspend_months", "terminate", "fine", "grade", "grade_reason", "facts")
    return {"points": given.get("points") or 0, **{name: given[name] for name in names if name in given}}


def _recovered(track: Track, key: Any) -> Recovered:
    found = Recovered.objects.filter(amount_row__track=track, pk=key).first() if str(key).isdigit() else None
    if found is None:
        raise Refused([Problem("recovered", str(key), f"本案没有编号为“{key}”的追回登记。", "请从列表中选择。")])
    return found


def _remedy(track: Track, key: Any) -> Remedy:
    found = track.remedies.filter(pk=key).first() if str(key).isdigit() else None
    if found is None:
        raise Refused([Problem("remedy", str(key), f"本案没有编号为“{key}”的复议诉讼。", "请从列表中选择。")])
    found.track = track
    return found
