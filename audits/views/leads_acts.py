"""Acts on a lead from its page: one POST each, through the same services as the API; failures keep what was typed.

A lost session leads through the login back to these addresses with a GET: they answer with the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from audits.forms_base import values_of
from audits.models import Case, Lead
from audits.services import lead_decisions, leads
from audits.services.steps import right
from audits.states import Act
from audits.views.leads import FILES, find_lead, lead_page
from audits.views.leads_panel import ORDER, form_of
from core.access import Denied, NotAllowed
from core.errors import Problem, Refused
from core.models import User
from core.scope import get_visible

DONE = {
    Act.ASSIGN: "已分派", Act.MERGE: "已并入", Act.HAND: "已移交", Act.PROPOSE_FILE: "已提请立案，待审批",
    Act.PROPOSE_REFUSE: "已提请不予立案，待审批", Act.RETURN_LEAD: "已退回核查", Act.EXTEND_LEAD: "立案期限已延长",
    Act.FILE: "已立案", Act.REFUSE: "已批准不予立案",
}  # fmt: skip


def lead_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act of the transition table, named in the address."""
    found = find_lead(request, pk)
    if request.method != "POST":
        return redirect("audits:lead", pk)
    if act not in ORDER:
        raise Http404("没有这种办理。")
    user: Any = request.user
    need_right(user, found, act)
    form = form_of(user, found, act, request)
    try:
        done = perform(user, found, act, values_of(form, user, FILES))
    except Refused as refusal:
        return lead_page(request, find_lead(request, pk), refusal, act, form)
    messages.success(request, f"{DONE[Act(act)]}：{found.number}。")
    return redirect(done.case.get_absolute_url() if act == Act.FILE and done.case else found.get_absolute_url())


def need_right(user: Any, found: Lead, act: str) -> None:
    """The post first, the form is judged afterwards; the service asks again with all the rest."""
    answer = right(user, found, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def perform(user: Any, found: Lead, act: str, given: dict[str, Any]) -> Lead:
    """The service of an act with the values of a form or of the API."""
    reason, files = given.get("reason", ""), given.get("files", ())
    acts: dict[str, Callable[[], Lead]] = {
        Act.ASSIGN: lambda: leads.assign(user, found, person(given.get("to"), "to"), reason),
        Act.MERGE: lambda: leads.merge(user, found, reason, **_into(user, given.get("into", ""))),
        Act.HAND: lambda: leads.hand_over(user, found, given.get("to", ""), reason),
        Act.PROPOSE_FILE: lambda: leads.propose(user, found, filing=True, reason=reason, files=files),
        Act.PROPOSE_REFUSE: lambda: leads.propose(user, found, filing=False, reason=reason, files=files),
        Act.RETURN_LEAD: lambda: leads.return_lead(user, found, reason),
        Act.EXTEND_LEAD: lambda: leads.extend(user, found, reason),
        Act.FILE: lambda: lead_decisions.file(
            user, found, kind=given["kind"], way=given["way"], title=given["title"], claims_from=given["claims_from"],
            claims_to=given["claims_to"], officers=officers_of(given), reason=reason,
        ),
        Act.REFUSE: lambda: lead_decisions.refuse(user, found, reason),
    }  # fmt: skip
    return acts[act]()


def officers_of(given: dict[str, Any]) -> list[tuple[User, str, bool]]:
    """The two officers as the form names them; a name left out is told by the service."""
    named = [(given.get("leading"), given.get("leading_card", ""), True), (given.get("second"), given.get("second_card", ""), False)]
    return [(found, card or "", leads_it) for key, card, leads_it in named if key and (found := person(key, "officers")) is not None]


def person(key: Any, field: str) -> User | None:
    if not key:
        return None
    found = User.objects.filter(pk=int(key), is_active=True).first() if str(key).isdigit() else None
    if found is None:
        raise Refused([Problem(field, str(key), f"没有编号为“{key}”的在用人员。", "请从列表中选择。")])
    return found


def _into(user: Any, key: str) -> dict[str, Any]:
    """L12 is a lead, C7 a case the user sees."""
    if not key:
        return {}
    if key[:1] == "L":
        return {"into": get_visible(Lead.objects.with_places(), user, pk=key[1:])}
    return {"case": get_visible(Case.objects.with_places(), user, pk=key[1:])}
