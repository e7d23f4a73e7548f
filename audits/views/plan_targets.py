"""Targets of a plan: the proposal by risk, putting providers on a draft, filing and result of each one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from audits.forms_base import export, form_problems, page_of
from audits.forms_plans import FilingForm, ResultForm, RisksForm, TargetFilter
from audits.models import AuditPlan, PlanTarget
from audits.plan_acts import PlanAct
from audits.reading.plan_targets import COVERAGE_CLAUSE, candidates
from audits.reading.risk_lists import lists_for, texts_of
from audits.services import plans as services
from audits.views.plans import find_plan, need_plan_right, target_row
from core.access import Allowed
from core.errors import Problem, Refused
from core.models import Institution

ACTS = {"remove": PlanAct.TARGETS, "risks": PlanAct.TARGETS, "filing": PlanAct.ENTERPRISE, "result": PlanAct.RESULT}
HEADER = (
    "机构编码", "机构", "类别", "性质", "检查项目", "涉企检查备案号", "备案日期", "结果", "检查日期", "检查人", "说明", "线索",
)  # fmt: skip


@require_http_methods(["GET", "POST"])
def targets(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom to check: providers of the place by risk with the reasons; POST puts the ticked ones on the draft."""
    found = find_plan(request, pk)
    user: Any = request.user
    need_plan_right(user, found, PlanAct.TARGETS)
    ticked = request.POST.getlist("institution") if request.method == "POST" else []
    if request.method == "POST":
        try:
            places = chosen_institutions(user, ticked)
            made = services.add_targets(user, found, [(place, ()) for place in places])
        except Refused as refusal:
            return _page(request, found, ticked, refusal)
        messages.success(request, f"已增加 {len(made)} 个检查对象，检查项目按机构类别列出，可逐个调整。")
        return redirect("audits:plan", pk)
    return _page(request, found, ticked)


def chosen_institutions(user: Any, codes: list[str]) -> list[Institution]:
    """The ticked providers; every code that names none the user sees is told."""
    rows = Institution.objects.visible_to(user).filter(code__in=codes).select_related("county__pooling_area")
    held = {row.code: row for row in rows}
    missing = [code for code in codes if code not in held]
    if missing:
        text = "没有编码为“{}”的机构，或者不在您的管理范围内。"
        raise Refused([Problem("institution", code, text.format(code), "请重新选择。") for code in missing])
    return [held[code] for code in codes]


def _page(request: HttpRequest, found: AuditPlan, ticked: list[str], refusal: Refused | None = None) -> HttpResponse:
    form = TargetFilter(request.GET)
    context = {
        "plan": found,
        "form": form,
        "page_obj": page_of(request, candidates(request.user, found, form.wanted())),
        "ticked": ticked,
        "clause": COVERAGE_CLAUSE,
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "audits/plan_targets.html", context, status=refusal.status if refusal else 200)


@require_GET
def targets_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """The targets of a plan with what came of each."""
    found = find_plan(request, pk)
    rows = [
        [
            row.institution.code, str(row.institution), row.institution.get_kind_display(), row.institution.get_ownership_display(),
            "、".join(risk.text for risk in texts_of(row.risks)), row.filing_number, row.filed_on, row.get_state_display(),
            row.checked_on, str(row.checked_by or ""), row.note, row.lead.number if row.lead else "",
        ]
        for row in found.targets.select_related("institution", "checked_by", "lead").order_by("institution__code")
    ]  # fmt: skip
    return export(request, f"检查对象-{found.number}", HEADER, rows)


@require_GET
def target(request: HttpRequest, pk: int, target: int) -> HttpResponse:
    found = find_plan(request, pk)
    return target_page(request, found, find_target(found, target))


def find_target(plan: AuditPlan, pk: int) -> PlanTarget:
    row = plan.targets.select_related("institution__county__pooling_area", "checked_by", "lead").filter(pk=pk).first()
    if row is None:
        raise Http404("计划中没有这个检查对象。")
    row.plan = plan
    return row


def target_page(
    request: HttpRequest, plan: AuditPlan, row: PlanTarget, refusal: Refused | None = None, opened: str = "", form: Any = None
) -> HttpResponse:
    """One target: its checklist with clauses, its filing, its result, and the forms of what is to be done."""
    answers = services.allowed_plan_acts(request.user, plan)  # type: ignore[arg-type]
    shown = target_row(plan, row)
    may = {name: isinstance(answers.get(act), Allowed) and row.state == "waiting" for name, act in ACTS.items()}
    forms = {name: form if opened == name else form_of(name, row) for name in ("risks", "filing", "result") if may[name]}
    if not shown["needs_filing"]:
        forms.pop("filing", None)
    context = {
        **shown, "plan": plan, "lists": _checklist(row), "forms": forms, "may_remove": may["remove"],
        "problems": refusal.problems if refusal else [],
    }  # fmt: skip
    return render(request, "audits/plan_target.html", context, status=refusal.status if refusal else 200)


def _checklist(row: PlanTarget) -> list[dict[str, Any]]:
    """The chosen risks under their lists."""
    found = [
        {"list": one, "risks": [risk for risk in one.risks if risk.key in row.risks]} for one in lists_for(row.institution)
    ]  # fmt: skip
    return [one for one in found if one["risks"]]


def form_of(name: str, row: PlanTarget, posted: Any = None) -> Any:
    """The form of an act: as it stands, or as posted."""
    if name == "risks":
        return RisksForm(posted, lists=lists_for(row.institution), initial={"risks": row.risks}, auto_id="risks-%s")
    if name == "filing":
        return FilingForm(posted, initial={"filing_number": row.filing_number, "filed_on": row.filed_on}, auto_id="filing-%s")
    return ResultForm(posted, auto_id="result-%s")


def target_act(request: HttpRequest, pk: int, target: int, act: str) -> HttpResponse:
    """Remove, choose risks, keep the filing, record the result: one POST each."""
    found = find_plan(request, pk)
    row = find_target(found, target)
    if request.method != "POST":
        return redirect("audits:plan-target", pk, target)
    if act not in ACTS:
        raise Http404("没有这种办理。")
    user: Any = request.user
    need_plan_right(user, found, ACTS[act])
    form = form_of(act, row, request.POST) if act != "remove" else None
    try:
        if form is not None and not form.is_valid():
            raise Refused(form_problems(form))
        told = perform_target(user, row, act, form.cleaned_data if form is not None else {})
    except Refused as refusal:
        return target_page(request, found, find_target(found, target), refusal, act, form)
    messages.success(request, told)
    return redirect("audits:plan", pk)


def perform_target(user: Any, row: PlanTarget, act: str, given: dict[str, Any]) -> str:
    """The service of an act on a target, and what is told afterwards; page and API alike."""
    name = str(row.institution)
    if act == "remove":
        services.remove_target(user, row)
        return f"已移除{name}。"
    if act == "risks":
        services.choose_risks(user, row, given["risks"])
        return f"已调整{name}的检查项目。"
    if act == "filing":
        services.file_enterprise_check(user, row, given["filing_number"], given["filed_on"])
        return f"已登记{name}的涉企检查备案。"
    done = services.record_result(user, row, **given)
    return f"已登记{name}的检查结果，线索 {done.lead.number}。" if done.lead else f"已登记{name}的检查结果。"
