"""稽核监管: the inbox of leads from every source, one lead with its claims and course, entering one by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audits.access import reads_audits
from audits.forms_base import county_choices, export, page_of, values_of
from audits.forms_leads import SOURCE_HELP, LeadFilter, LeadForm
from audits.models import Lead, LeadSource
from audits.reading.leads import Tally, chosen, origin_of, tally
from audits.services.lead_steps import ENTER, is_overdue
from audits.services.leads import enter_lead
from audits.states import Act, LeadState
from audits.views.leads_panel import panel_of
from core.access import Denied, NotAllowed, actions, has_any_role, require_somewhere
from core.errors import Refused
from core.exports import attachment
from core.models import County, Institution
from core.scope import get_visible

FILES = "audit_lead"
PAGE_STATES = (LeadState.NEW, LeadState.ASSIGNED, LeadState.PROPOSED, LeadState.FILED)
BAD_ACTS = (Act.RETURN_LEAD, Act.ESCALATE)
HEADER = (
    "编号", "来源", "状态", "县（区）", "对象类别", "对象", "险种", "事由", "涉及金额（元）", "收到日期", "立案期限", "逾期", "核查人",
    "案件",
)  # fmt: skip


def need_reader(user: Any) -> None:
    """Leads and plans are the bureau's own; a provider is told that its cases are elsewhere."""
    if not reads_audits(user):
        text = "线索和稽核计划只供医保局岗位查看。医疗机构在“稽核案件”中查看已告知的案件；需要查看请系统管理员授予岗位。"
        raise NotAllowed(Denied(text))


@require_GET
def lead_list(request: HttpRequest) -> HttpResponse:
    """Every lead the user sees, open ones with the nearest limit first."""
    form, found = _chosen(request)
    context = {
        "form": form,
        "page_obj": page_of(request, found),
        "strip": _strip(tally(found)),
        "may_enter": has_any_role(request.user, actions[ENTER].roles),
        "today": timezone.localdate(),
    }
    return render(request, "audits/leads.html", context)


@require_GET
def lead_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the list as filtered and sorted."""
    form, found = _chosen(request)
    today = timezone.localdate()
    rows = [
        [
            row.number, row.get_source_display(), row.get_state_display(), str(row.county), row.get_party_kind_display(),
            row.party_name or row.party_code, row.get_fund_type_display(), row.title, row.estimate, row.received_on, row.due_on,
            "是" if is_overdue(row, today) else "", str(row.assigned_to or ""), row.case.number if row.case else "",
        ]
        for row in found
    ]  # fmt: skip
    return export(request, "稽核线索", HEADER, rows, form.said(), money=frozenset({8}))


def _chosen(request: HttpRequest) -> tuple[LeadFilter, Any]:
    need_reader(request.user)
    form = LeadFilter(request.GET, counties=county_choices(request.user))
    return form, chosen(request.user, form.wanted(), request.GET.get("sort", ""))


def _strip(counted: Tally) -> list[dict[str, Any]]:
    states = [
        {"label": state.label, "value": counted.states.get(state.value, 0), "query": f"state={state.value}", "bad": False}
        for state in PAGE_STATES
    ]
    late = {"label": "已逾期", "value": counted.overdue, "query": "overdue=on", "bad": bool(counted.overdue)}
    return [{"label": "未办结", "value": counted.open, "query": "state=open", "bad": False}, *states, late, {
        "label": "未办结涉及金额", "money": counted.estimate,
    }]  # fmt: skip


@require_GET
def lead(request: HttpRequest, pk: int) -> HttpResponse:
    return lead_page(request, find_lead(request, pk))


def find_lead(request: HttpRequest, pk: int) -> Lead:
    found: Lead = get_visible(Lead.objects.with_places().select_related("entered_by", "decided_by", "merged_into"), request.user, pk=pk)
    return found


def lead_page(
    request: HttpRequest, found: Lead, refusal: Refused | None = None, opened: str = "", form: Any = None
) -> HttpResponse:
    """The page; after a refusal with its problems, the act's form open and what was typed in it."""
    changes = list(found.changes.select_related("actor").order_by("pk"))
    claims = list(found.claims.select_related("county").order_by("pk"))
    context = {
        "lead": found,
        "is_overdue": is_overdue(found, timezone.localdate()),
        "origin": origin_of(found),
        "page_obj": page_of(request, claims, 50),
        "claims_total": sum((row.amount for row in claims), start=0),
        "claims_count": len(claims),
        "events": [_event(change) for change in changes],
        "merged": list(found.merged.order_by("pk")),
        "files": list(found.files.order_by("pk")),
        "panel": panel_of(request.user, found, opened, form),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "audits/lead.html", context, status=refusal.status if refusal else 200)


def _event(change: Any) -> dict[str, Any]:
    held = change.data if isinstance(change.data, dict) else {}
    told = {
        Act.ASSIGN: f"由{held.get('name', '')}核查",
        Act.HAND: f"移交{held.get('to', '')}",
        Act.MERGE: f"并入 {held['into']}" if held.get("into") else f"并入线索 {held.get('number', '')}",
        Act.EXTEND_LEAD: f"期限由 {held.get('before', '')} 延至 {held.get('due_on', '')}",
        Act.FILE: f"案件 {held.get('case', '')}",
    }.get(Act(change.act), "")
    text = "；".join(filter(None, [str(change.actor or "系统"), told, change.reason]))
    return {"label": change.get_act_display(), "state": "bad" if change.act in BAD_ACTS else "done", "when": change.at, "text": text}


@require_GET
def lead_file(request: HttpRequest, pk: int, file: int) -> FileResponse:
    """An attachment of a lead the user sees."""
    return attachment(find_lead(request, pk).files.filter(pk=file).first())


@require_http_methods(["GET", "POST"])
def lead_new(request: HttpRequest) -> HttpResponse:
    """Enter a lead by hand, of any source."""
    user: Any = request.user
    require_somewhere(user, ENTER)
    choices: dict[str, Any] = {"counties": county_choices(user), "institutions": institution_choices(user)}
    if request.method == "GET":
        given = {name: request.GET[name] for name in ("source", "county", "institution", "fund_type") if name in request.GET}
        return _new_page(request, LeadForm(initial={"received_on": timezone.localdate(), **given}, **choices))
    form = LeadForm(request.POST, request.FILES, **choices)
    try:
        made = entered(user, values_of(form, user, FILES))
    except Refused as refusal:
        return _new_page(request, form, refusal)
    messages.success(request, f"已登记线索 {made.number}，立案期限 {made.due_on}。")
    return redirect(made.get_absolute_url())


def entered(user: Any, given: dict[str, Any]) -> Lead:
    """The service with the values of a form or of the API; county and institution as codes the user sees."""
    institution = None
    if given.get("institution"):
        places = Institution.objects.select_related("county__pooling_area")
        institution = get_visible(places, user, code=given["institution"])
    county = get_visible(County.objects.select_related("pooling_area"), user, code=given["county"])
    return enter_lead(
        user, source=given["source"], county=county, institution=institution, party_kind=given["party_kind"],
        party_name=given.get("party_name", ""), party_code=given.get("party_code", ""), title=given["title"],
        detail=given["detail"], estimate=given.get("estimate"), files=given.get("files", ()),
        received_on=given.get("received_on"), fund_type=given.get("fund_type", ""),
    )  # fmt: skip


def institution_choices(user: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Providers the user sees by county, villages last."""
    groups: dict[str, list[tuple[str, str]]] = {}
    rows = Institution.objects.visible_to(user).select_related("county").order_by("county__code", "kind", "code")
    for row in sorted(rows, key=lambda row: (row.county.code, row.kind == "village", row.code)):
        groups.setdefault(row.county.name, []).append((row.code, row.name))
    return list(groups.items())


def _new_page(request: HttpRequest, form: LeadForm, refusal: Refused | None = None) -> HttpResponse:
    helps = [{"label": LeadSource(source).label, "text": text} for source, text in SOURCE_HELP.items()]
    context = {"form": form, "problems": refusal.problems if refusal else [], "helps": helps}
    return render(request, "audits/lead_new.html", context, status=refusal.status if refusal else 200)
