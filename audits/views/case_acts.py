"""Acts on a case or one of its tracks from its page: one POST each, through the same services as the API.

Failures keep what was typed. A lost session leads through the login back to these addresses with a GET: they answer with
the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from audits.forms_base import values_of
from audits.forms_cases import OFFICERS
from audits.models import Case, Deadline, Track
from audits.services import cases, tracks
from audits.services.steps import right
from audits.states import Act
from audits.views.case import FILES, case_page, find_case
from audits.views.case_panel import ASK_OPINION, CASE_ORDER, END_OPINION, TRACK_ORDER, form_of, opened_name, state_act
from audits.views.leads_acts import person
from core.access import Denied, NotAllowed
from core.errors import Problem, Refused
from core.models import User

DONE = {
    Act.SUBMIT: "已提请初审", Act.PASS_FIRST: "初审已通过", Act.RETURN_FIRST: "已退回补充调查", Act.CLOSE: "已结案",
    Act.RESUME: "已恢复办理", Act.OFFICERS: "办案人员已指定", ASK_OPINION: "已登记委托", END_OPINION: "已登记结果",
    Act.EXTEND: "期限已延长", Act.SUSPEND: "已中止办理", Act.DISMISS: "已撤案", Act.NOTIFY: "告知书已登记送达",
    Act.PUT_FORWARD: "已提请复审", Act.PASS_RE: "复审已通过", Act.RETURN_RE: "已退回重新拟定", Act.PASS_LEGAL: "法制审核已通过",
    Act.RETURN_LEGAL: "已退回复审", Act.DECIDE: "已作出决定", Act.SERVE: "决定书已登记送达", Act.PUBLISH: "公开情况已登记",
    Act.COMPLETE: "已登记履行完毕", Act.DROP: "已登记不予处理",
}  # fmt: skip


def case_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act on the case, named in the address."""
    case = find_case(request, pk)
    if request.method != "POST":
        return redirect("audits:case", pk)
    if act not in CASE_ORDER:
        raise Http404("没有这种办理。")
    return _done(request, case, case, act)


def track_act(request: HttpRequest, pk: int, kind: str, act: str) -> HttpResponse:
    """Do one act on one of its tracks."""
    case = find_case(request, pk)
    if request.method != "POST":
        return redirect("audits:case", pk)
    track = case.tracks.filter(kind=kind).first()
    if act not in TRACK_ORDER or track is None:
        raise Http404("没有这种办理。")
    track.case = case
    return _done(request, case, track, act)


def need_right(user: Any, thing: Case | Track, act: str) -> None:
    """The post first, the form is judged afterwards; the service asks again with all the rest."""
    answer = right(user, thing, state_act(act))
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def perform(user: Any, thing: Case | Track, act: str, given: dict[str, Any]) -> object:
    """The service of an act with the values of a form or of the API."""
    return _on_case(user, thing, act, given) if isinstance(thing, Case) else _on_track(user, thing, act, given)


def officers_of(given: dict[str, Any]) -> list[tuple[User, str, bool]]:
    """The officers as the form names them, the first one leading; who is left out is told by the service."""
    found = []
    for name in OFFICERS:
        one = person(given.get(name), "officers")
        if one is not None:
            found.append((one, given.get(f"{name}_card") or "", name == OFFICERS[0]))
    return found


def _done(request: HttpRequest, case: Case, thing: Case | Track, act: str) -> HttpResponse:
    user: Any = request.user
    need_right(user, thing, act)
    form = form_of(user, thing, act, request)
    try:
        perform(user, thing, act, values_of(form, user, FILES))
    except Refused as refusal:
        return case_page(request, find_case(request, case.pk), refusal, opened_name(thing, act), form)
    way = "" if isinstance(thing, Case) else f"（{thing.get_kind_display()}）"
    messages.success(request, f"{DONE[act]}：{case.number}{way}。")
    return redirect("audits:case", case.pk)


def _on_case(user: Any, case: Case, act: str, given: dict[str, Any]) -> object:
    reason = given.get("reason", "")
    acts: dict[str, Callable[[], object]] = {
        Act.SUBMIT: lambda: cases.submit(user, case, reason),
        Act.PASS_FIRST: lambda: cases.pass_first(user, case, given.get("kinds", []), reason),
        Act.RETURN_FIRST: lambda: cases.return_first(user, case, reason),
        Act.CLOSE: lambda: cases.close(user, case, reason),
        Act.RESUME: lambda: cases.resume(user, case, reason),
        Act.OFFICERS: lambda: cases.set_officers(user, case, officers_of(given), reason),
        ASK_OPINION: lambda: cases.ask_opinion(user, case, given.get("expert", ""), given.get("until"), reason),
        END_OPINION: lambda: cases.end_opinion(user, case, reason),
        Act.EXTEND: lambda: cases.extend(
            user, case, _limit(case, given.get("limit")), given.get("until"), reason, minutes=next(iter(given.get("files", ())), None)
        ),
        Act.SUSPEND: lambda: cases.suspend(user, case, reason),
        Act.DISMISS: lambda: cases.dismiss(user, case, reason),
    }
    return acts[act]()


def _on_track(user: Any, track: Track, act: str, given: dict[str, Any]) -> object:
    reason = given.get("reason", "")
    service = {"on": given.get("on"), "way": given.get("way", ""), "files": given.get("files", ())}
    acts: dict[str, Callable[[], object]] = {
        Act.NOTIFY: lambda: tracks.notify(user, track, **service),
        Act.PUT_FORWARD: lambda: tracks.put_forward(user, track, reason),
        Act.PASS_RE: lambda: tracks.pass_re(user, track, reason),
        Act.RETURN_RE: lambda: tracks.return_re(user, track, reason),
        Act.PASS_LEGAL: lambda: tracks.pass_legal(user, track, reason),
        Act.RETURN_LEGAL: lambda: tracks.return_legal(user, track, reason),
        Act.DECIDE: lambda: tracks.decide(user, track, reason),
        Act.SERVE: lambda: tracks.serve(user, track, **service),
        Act.PUBLISH: lambda: tracks.publish(user, track, reason),
        Act.COMPLETE: lambda: tracks.complete(user, track, reason),
        Act.DROP: lambda: tracks.drop(user, track, reason),
    }
    return acts[act]()


def _limit(case: Case, key: Any) -> Deadline:
    found = case.deadlines.filter(pk=key).first() if str(key).isdigit() else None
    if found is None:
        raise Refused([Problem("limit", str(key), f"本案没有编号为“{key}”的期限。", "请从列表中选择。")])
    return found
