"""Scores and adjustments: entered by an officer or pushed from elsewhere, decided by a reviewer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.access import actions, has_any_role, may, require_somewhere
from core.errors import Refused
from core.files import store_evidence
from core.models import Alliance, Role
from core.scope import get_visible
from core.texts import whole
from settlement import reading, services
from settlement.forms import DeductionForm, ScoreForm, YearAnalysisForm
from settlement.models import Adjustment, AdjustmentState, AssessmentScore, ScoreState
from settlement.registries import held_by
from settlement.views.acts import refused_by, stored_files

PAGE = 30


@require_GET
def scores(request: HttpRequest) -> HttpResponse:
    return _scores_page(request)


@require_POST
def enter_score(request: HttpRequest) -> HttpResponse:
    """Enter an assessment score with its document."""
    require_somewhere(request.user, "settlement.enter_score")
    form = ScoreForm(request.POST, request.FILES, alliances=_alliances(request))
    try:
        if not form.is_valid():
            raise refused_by(form)
        given = form.cleaned_data
        services.record_score(
            request.user,  # type: ignore[arg-type]
            given["alliance"],
            given["year"],
            given["score"],
            given["source"],
            _document(request, given["document"], "assessment_score"),
        )
    except Refused as refusal:
        return _scores_page(request, form, refusal)
    messages.success(request, "得分已录入，待基金复核核实后生效。")
    return redirect("settlement:scores")


@require_POST
def confirm_score(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(AssessmentScore.objects.select_related("alliance__county__pooling_area"), request.user, pk=pk)
    try:
        services.confirm_score(request.user, row)  # type: ignore[arg-type]
    except Refused as refusal:
        return _scores_page(request, None, refusal)
    messages.success(request, f"{row}已核实，请经办刷新清算试算。")
    return redirect("settlement:scores")


@require_GET
def analyses(request: HttpRequest) -> HttpResponse:
    return _analyses_page(request)


@require_POST
def submit_analysis(request: HttpRequest) -> HttpResponse:
    """Hand in a cause analysis before the statement was sent: what the hospital contributes to the draft."""
    require_somewhere(request.user, "settlement.submit_analysis")
    form = YearAnalysisForm(request.POST, alliances=_alliances(request))
    try:
        if not form.is_valid():
            raise refused_by(form)
        files = stored_files(request, "files", "cause_analysis")
        services.submit_analysis(request.user, files=files, **form.cleaned_data)  # type: ignore[arg-type]
    except Refused as refusal:
        return _analyses_page(request, form, refusal)
    messages.success(request, "原因分析已提交，待基金复核审定。")
    return redirect("settlement:analyses")


@require_GET
def adjustments(request: HttpRequest) -> HttpResponse:
    return _adjustments_page(request)


@require_POST
def propose_deduction(request: HttpRequest) -> HttpResponse:
    """Enter a deduction agreed with the finance bureau."""
    require_somewhere(request.user, "settlement.propose_deduction")
    form = DeductionForm(request.POST, request.FILES, alliances=_alliances(request))
    try:
        if not form.is_valid():
            raise refused_by(form)
        given = form.cleaned_data
        document = _document(request, given.pop("document"), "settlement_deduction")
        services.propose_deduction(request.user, document=document, **given)  # type: ignore[arg-type]
    except Refused as refusal:
        return _adjustments_page(request, form, refusal)
    messages.success(request, "扣减已登记，待基金复核审定后计入清算。")
    return redirect("settlement:adjustments")


@require_POST
def decide_adjustment(request: HttpRequest, pk: int, decision: str) -> HttpResponse:
    """Approve, return or withdraw an adjustment."""
    row = get_visible(Adjustment.objects.select_related("alliance__county__pooling_area"), request.user, pk=pk)
    reason = request.POST.get("reason", "")
    try:
        if decision == "approve":
            services.approve_adjustment(request.user, row)  # type: ignore[arg-type]
        elif decision == "return":
            services.return_adjustment(request.user, row, reason)  # type: ignore[arg-type]
        else:
            services.withdraw_adjustment(request.user, row, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return _adjustments_page(request, None, refusal)
    messages.success(request, "已办理。")
    return redirect("settlement:adjustments")


def _scores_page(request: HttpRequest, form: ScoreForm | None = None, refusal: Refused | None = None) -> HttpResponse:
    user: Any = request.user
    wanted = request.GET.get("year", "")
    years = reading.years()
    year = found if (found := whole(wanted)) in years else timezone.localdate().year - 1
    rows = [
        {
            "score": row,
            "grade": _grade(row),
            "may_confirm": row.state == ScoreState.ENTERED
            and bool(may(user, "settlement.confirm_score", row.alliance)),
        }
        for row in reading.scores_seen(user, year)
    ]
    context = {
        "year": year,
        "years": years,
        "rows": rows,
        "form": form or ScoreForm(alliances=_alliances(request), initial={"year": year}),
        "may_enter": has_any_role(user, {Role.FUND_OFFICER}),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "settlement/scores.html", context, status=refusal.status if refusal else 200)


def _analyses_page(
    request: HttpRequest, form: YearAnalysisForm | None = None, refusal: Refused | None = None
) -> HttpResponse:
    user: Any = request.user
    page = Paginator(reading.analyses_seen(user), PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "form": form
        or YearAnalysisForm(alliances=_alliances(request), initial={"year": timezone.localdate().year - 1}),
        "may_submit": has_any_role(user, actions["settlement.submit_analysis"].roles),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "settlement/analyses.html", context, status=refusal.status if refusal else 200)


def _grade(row: AssessmentScore) -> str:
    from rules.errors import RuleError
    from settlement.services.scores import graded

    try:
        found = graded(row.alliance, row.year, row.score)
    except (RuleError, Refused):
        return "无对应等级"
    return f"{found.grade.label} × {found.factor}"


def _adjustments_page(
    request: HttpRequest, form: DeductionForm | None = None, refusal: Refused | None = None
) -> HttpResponse:
    user: Any = request.user
    found = reading.adjustments_seen(user)
    state = request.GET.get("state", "")
    if state in AdjustmentState.values:
        found = found.filter(state=state)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    held = held_by([row.pk for row in page])
    rows = [
        {
            "row": row,
            "may_decide": row.state == AdjustmentState.PROPOSED
            and bool(may(user, "settlement.approve_deduction", row.alliance)),
            "may_withdraw": row.state == AdjustmentState.IN_FORCE
            and not row.needs_approval
            and row.pk not in held
            and bool(may(user, "settlement.push_adjustment", row.alliance)),
        }
        for row in page
    ]
    last = timezone.localdate().year - 1
    context = {
        "page_obj": page,
        "rows": rows,
        "states": AdjustmentState.choices,
        "state": state,
        "form": form
        or DeductionForm(alliances=_alliances(request), initial={"year": last, "origin_year": last - 1}),
        "may_propose": has_any_role(user, {Role.FUND_OFFICER}),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "settlement/adjustments.html", context, status=refusal.status if refusal else 200)


def _alliances(request: HttpRequest) -> Any:
    return Alliance.objects.visible_to(request.user).select_related("county__pooling_area")


def _document(request: HttpRequest, upload: Any, kind: str) -> Any:
    return store_evidence(upload, kind, request.user) if upload else None  # type: ignore[arg-type]
