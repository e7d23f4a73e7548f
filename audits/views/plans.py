"""稽核计划: the list, one plan with its targets and course, making and changing one, its acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audits.forms_base import county_choices, export, form_problems, page_of
from audits.forms_plans import PlanFilter, PlanForm, ReasonForm, RemarkForm
from audits.models import AuditPlan, PlanState, PlanTarget, TargetState, Way
from audits.plan_acts import PLAN_TONES, PlanAct, plan_action, plan_row
from audits.reading.plan_targets import chosen_plans
from audits.reading.risk_lists import is_private, texts_of
from audits.services import plans as services
from audits.views.leads import need_reader
from core.access import Allowed, Denied, NotAllowed, actions, has_any_role, may, require_somewhere
from core.errors import Refused
from core.models import County, PoolingArea
from core.scope import get_visible
from core.trail import action_text, history

PREPARE = plan_action(PlanAct.PREPARE)
BUTTONS = (PlanAct.SUBMIT, PlanAct.APPROVE, PlanAct.RETURN, PlanAct.COMPLETE, PlanAct.CANCEL)
EFFECTS = {
    PlanAct.SUBMIT: "报批后不能再改，由稽核复核审批。",
    PlanAct.APPROVE: "批准后开始实施，逐个登记检查结果。",
    PlanAct.RETURN: "退回编制人修改后重新报批。",
    PlanAct.COMPLETE: "所有检查对象都已登记结果，计划办结。",
    PlanAct.CANCEL: "计划作废，已登记的结果和线索保留。",
}
DONE = {
    PlanAct.SUBMIT: "已报批", PlanAct.APPROVE: "已批准", PlanAct.RETURN: "已退回", PlanAct.COMPLETE: "已完成",
    PlanAct.CANCEL: "已取消",
}  # fmt: skip
FORMS: dict[str, type[Any]] = {PlanAct.APPROVE: RemarkForm, PlanAct.RETURN: ReasonForm, PlanAct.CANCEL: ReasonForm}
RESULT_TONES = {
    TargetState.WAITING: "", TargetState.CHECKED: "ok", TargetState.LEAD: "warn", TargetState.SKIPPED: "",
}  # fmt: skip
HEADER = (
    "编号", "名称", "范围", "年度", "类型", "方式", "依据", "开始", "结束", "检查对象", "已有结果", "转为线索", "状态", "编制人", "审批人",
)  # fmt: skip


@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """Every plan the user sees, the newest year first."""
    form, found = _chosen(request)
    page = page_of(request, found)
    context = {
        "form": form,
        "page_obj": page,
        "rows": [{"plan": row, "tone": PLAN_TONES[PlanState(row.state)], "percent": _percent(row)} for row in page],
        "may_prepare": has_any_role(request.user, actions[PREPARE].roles),
    }
    return render(request, "audits/plans.html", context)


def _percent(row: Any) -> int:
    return row.done_targets * 100 // row.all_targets if row.all_targets else 0


@require_GET
def plan_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the list as filtered and sorted."""
    form, found = _chosen(request)
    rows = [
        [
            row.number, row.title, str(services.place_of(row)), row.year, row.get_kind_display(), row.get_way_display(), row.basis,
            row.starts_on, row.ends_on, row.all_targets, row.done_targets, row.led_targets, row.get_state_display(),
            str(row.prepared_by), str(row.approved_by or ""),
        ]
        for row in found
    ]  # fmt: skip
    return export(request, "稽核计划", HEADER, rows, form.said())


def _chosen(request: HttpRequest) -> tuple[PlanFilter, Any]:
    need_reader(request.user)
    form = PlanFilter(request.GET, counties=county_choices(request.user))
    return form, chosen_plans(request.user, form.wanted(), request.GET.get("sort", ""))


@require_GET
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    return plan_page(request, find_plan(request, pk))


def find_plan(request: HttpRequest, pk: int) -> AuditPlan:
    rows = AuditPlan.objects.select_related("pooling_area", "county__pooling_area", "prepared_by", "approved_by")
    found: AuditPlan = get_visible(rows, request.user, pk=pk)
    return found


def plan_page(
    request: HttpRequest, found: AuditPlan, refusal: Refused | None = None, opened: str = "", form: Any = None
) -> HttpResponse:
    """The page; after a refusal with its problems, the act's form open and what was typed in it."""
    answers = services.allowed_plan_acts(request.user, found)  # type: ignore[arg-type]
    page = page_of(request, found.targets.select_related("institution__county", "checked_by", "lead").order_by("institution__code"))
    states = list(found.targets.values_list("state", flat=True))
    context = {
        "plan": found,
        "place": services.place_of(found),
        "tone": PLAN_TONES[PlanState(found.state)],
        "page_obj": page,
        "rows": [target_row(found, row) for row in page],
        "counts": [(label, states.count(state)) for state, label in TargetState.choices],
        "total": len(states),
        "acts": _acts(found, answers, opened, form),
        "denied": [answers[act].reason for act in _next(found) if isinstance(answers.get(act), Denied)],  # type: ignore[union-attr]
        "may_edit": isinstance(answers.get(PlanAct.EDIT), Allowed),
        "may_record": isinstance(answers.get(PlanAct.RESULT), Allowed),
        "events": [
            {"label": action_text(event.action), "when": event.at, "text": f"{event.actor_name}；{event.summary}"}
            for event in history(found)
        ],
        "is_late": found.state == PlanState.APPROVED and found.ends_on < timezone.localdate(),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "audits/plan.html", context, status=refusal.status if refusal else 200)


def target_row(found: AuditPlan, row: PlanTarget) -> dict[str, Any]:
    """A target with its risks in words and whether its enterprise filing is due."""
    return {
        "target": row, "tone": RESULT_TONES[TargetState(row.state)], "risks": texts_of(row.risks),
        "needs_filing": found.way == Way.ON_SITE and is_private(row.institution),
    }  # fmt: skip


def _next(found: AuditPlan) -> tuple[PlanAct, ...]:
    """The acts that take a plan on: why somebody may not do them is told."""
    return {PlanState.DRAFT: (PlanAct.SUBMIT,), PlanState.SUBMITTED: (PlanAct.APPROVE,), PlanState.APPROVED: (PlanAct.RESULT,)}.get(
        PlanState(found.state), ()
    )


def _acts(found: AuditPlan, answers: Any, opened: str, form: Any) -> list[dict[str, Any]]:
    rows = []
    for act in BUTTONS:
        if not isinstance(answers.get(act), Allowed):
            continue
        kind = FORMS.get(act)
        shown = form if opened == act else kind(auto_id=f"{act}-%s") if kind else None
        rows.append({
            "act": str(act), "label": str(act.label), "effect": EFFECTS[act], "form": shown, "open": opened == act,
            "url": reverse("audits:plan-act", args=[found.pk, str(act)]), "main": act not in (PlanAct.CANCEL, PlanAct.RETURN),
        })  # fmt: skip
    return rows


@require_http_methods(["GET", "POST"])
def plan_new(request: HttpRequest) -> HttpResponse:
    """Begin a plan of a county or of the city."""
    user: Any = request.user
    require_somewhere(user, PREPARE)
    places = place_choices(user)
    if request.method == "GET":
        today = timezone.localdate()
        given = {"year": today.year, "starts_on": today, "ends_on": date(today.year, 12, 31), "place": places[0][0] if places else ""}
        return _form_page(request, PlanForm(initial=given, places=places))
    form = PlanForm(request.POST, places=places)
    try:
        _need_fine(form)
        made = services.prepare(user, place_by_key(user, form.cleaned_data["place"]), form.cleaned_data)
    except Refused as refusal:
        return _form_page(request, form, refusal)
    messages.success(request, f"已编制稽核计划 {made.number}，请增加检查对象后报批。")
    return redirect(made.get_absolute_url())


@require_http_methods(["GET", "POST"])
def plan_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft."""
    found = find_plan(request, pk)
    user: Any = request.user
    answer = may(user, plan_action(PlanAct.EDIT), services.place_of(found))
    if isinstance(answer, Denied):
        raise NotAllowed(answer)
    if request.method == "GET":
        names = ("year", "kind", "way", "title", "basis", "starts_on", "ends_on", "focus")
        return _form_page(request, PlanForm(initial={name: getattr(found, name) for name in names}, places=None), plan=found)
    form = PlanForm(request.POST, places=None)
    try:
        _need_fine(form)
        services.edit(user, found, form.cleaned_data)
    except Refused as refusal:
        return _form_page(request, form, refusal, found)
    messages.success(request, f"已修改稽核计划 {found.number}。")
    return redirect(found.get_absolute_url())


def _need_fine(form: Any) -> None:
    if not form.is_valid():
        raise Refused(form_problems(form))


def _form_page(request: HttpRequest, form: PlanForm, refusal: Refused | None = None, plan: AuditPlan | None = None) -> HttpResponse:
    context = {"form": form, "problems": refusal.problems if refusal else [], "plan": plan}
    return render(request, "audits/plan_form.html", context, status=refusal.status if refusal else 200)


def place_choices(user: Any) -> list[tuple[str, str]]:
    """Where the user may prepare plans: counties by code, the city's own last."""
    counties = County.objects.visible_to(user).select_related("pooling_area").order_by("code")
    areas = PoolingArea.objects.visible_to(user)
    found = [(f"C{row.pk}", row.name) for row in counties if may(user, PREPARE, row)]
    return [*found, *((f"P{row.pk}", f"{row.name}本级（全市）") for row in areas if may(user, PREPARE, row))]


def place_by_key(user: Any, key: str) -> PoolingArea | County:
    """C7 is a county, P1 the pooling area; 404 outside the user's scope."""
    if key[:1] == "P":
        return get_visible(PoolingArea.objects, user, pk=key[1:])  # type: ignore[no-any-return]
    return get_visible(County.objects.select_related("pooling_area"), user, pk=key[1:])  # type: ignore[no-any-return]


def plan_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act of the plan's table, named in the address; a GET after a lost session answers with the page."""
    found = find_plan(request, pk)
    if request.method != "POST":
        return redirect("audits:plan", pk)
    if act not in BUTTONS:
        raise Http404("没有这种办理。")
    user: Any = request.user
    need_plan_right(user, found, act)
    kind = FORMS.get(act)
    form = kind(request.POST, auto_id=f"{act}-%s") if kind else None
    try:
        if form is not None:
            _need_fine(form)
        perform(user, found, act, form.cleaned_data.get("reason", "") if form is not None else "")
    except Refused as refusal:
        return plan_page(request, find_plan(request, pk), refusal, act, form)
    messages.success(request, f"{DONE[PlanAct(act)]}：{found.number}。")
    return redirect("audits:plan", pk)


def need_plan_right(user: Any, found: AuditPlan, act: str) -> None:
    """The right first, where the state knows the act: the form is judged afterwards. The service asks again."""
    answer = may(user, plan_action(act), services.place_of(found))
    if answer and plan_row(found.state, act) is not None:
        answer = services.allowed_plan_acts(user, found)[PlanAct(act)]
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def perform(user: Any, found: AuditPlan, act: str, reason: str) -> AuditPlan:
    """The service of an act; page and API alike."""
    acts: dict[str, Callable[[], AuditPlan]] = {
        PlanAct.SUBMIT: lambda: services.submit(user, found),
        PlanAct.APPROVE: lambda: services.approve(user, found, reason),
        PlanAct.RETURN: lambda: services.return_plan(user, found, reason),
        PlanAct.COMPLETE: lambda: services.complete(user, found),
        PlanAct.CANCEL: lambda: services.cancel(user, found, reason),
    }
    return acts[act]()
