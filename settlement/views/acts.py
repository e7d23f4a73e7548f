"""Acts on a version from its page: one POST each, through the same services as the API; failures keep what was typed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core.access import require
from core.errors import Problem, Refused
from core.files import store_evidence
from core.models import StoredFile
from core.scope import get_visible
from core.texts import whole
from settlement import posting, services
from settlement.forms import AnalysisForm, ReceiptForm, RecoveryForm
from settlement.models import (
    Adjustment,
    CauseAnalysis,
    RecoveryInstalment,
    RecoveryMethod,
    RecoveryPlan,
    SettlementVersion,
)
from settlement.services.recovery import planned_prepayments
from settlement.states import Act, action_name
from settlement.views.statement import find_version, statement_page

DONE = {
    Act.REFRESH: "已刷新试算",
    Act.RETURN: "已退回基金经办",
    Act.REVIEW: "已复核",
    Act.CANCEL: "已作废",
    Act.SEND: "已送医共体确认",
    Act.WITHDRAW: "已撤回",
    Act.CONFIRM: "已确认",
    Act.OBJECT: "已提出异议",
    Act.ACCEPT_OBJECTION: "已采纳异议，退回重算",
    Act.REJECT_OBJECTION: "已答复异议并再次送达",
    Act.FINALISE: "已审定",
    Act.REOPEN: "已重新打开",
}
WITH_SEEN = (Act.REVIEW, Act.CONFIRM, Act.FINALISE)


@require_POST
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act of the transition table, named in the address."""
    version = find_version(request, pk)
    reason = request.POST.get("reason", "")
    try:
        done = perform(request, version, act, reason)
    except Refused as refusal:
        return statement_page(request, find_version(request, pk), refusal, reason=reason)
    messages.success(request, f"{DONE.get(Act(act), Act(act).label)}：{version.settlement.number} 第 {version.number} 版。")
    visible = SettlementVersion.objects.visible_to(request.user).filter(pk=done).exists()
    return redirect("settlement:statement", pk) if visible else redirect("settlement:list")


def perform(request: Any, version: SettlementVersion, act: str, reason: str) -> int:
    """Call the service of an act; shared with nothing else, so that the address decides and no flag does."""
    user, text = request.user, reason.strip()
    seen = request.POST.get("seen", "")
    known = whole(seen)
    plain: dict[str, Callable[[], Any]] = {
        Act.REFRESH: lambda: services.refresh(user, version),
        Act.RETURN: lambda: services.return_to_officer(user, version, text),
        Act.REVIEW: lambda: services.review(user, version, known),
        Act.CANCEL: lambda: services.cancel(user, version, text),
        Act.SEND: lambda: services.send(user, version),
        Act.WITHDRAW: lambda: services.withdraw(user, version, text),
        Act.CONFIRM: lambda: services.confirm(user, version, known),
        Act.OBJECT: lambda: services.object_to(user, version, text, stored_files(request, "files", "settlement_objection")),
        Act.ACCEPT_OBJECTION: lambda: services.accept_objection(user, version, text),
        Act.REJECT_OBJECTION: lambda: services.reject_objection(user, version, text),
        Act.FINALISE: lambda: services.finalise(user, version, text, known),
        Act.REOPEN: lambda: services.reopen(user, version, text),
    }
    if act not in plain:
        raise Http404("没有这种办理。")
    plain[act]()
    return version.pk


@require_POST
def pay(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the bank receipt of the payment, or the clearing of a version under which nothing is owed."""
    version, form = find_version(request, pk), ReceiptForm(request.POST, request.FILES)
    require(request.user, action_name(Act.PAY), version.alliance)  # type: ignore[arg-type]
    try:
        on, reference, receipt = _receipt(request, form)
        owed = posting.outstanding(version.figures, posting.position(version.settlement))
        if owed == 0:
            services.clear(request.user, version, on)  # type: ignore[arg-type]
        else:
            services.pay(request.user, version, on, reference, receipt)  # type: ignore[arg-type]
    except Refused as refusal:
        return statement_page(request, find_version(request, pk), refusal, receipt_form=form)
    messages.success(request, "已登记，凭证已生成。")
    return redirect("settlement:statement", pk)


@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft a correction of a final settlement; after the reopening period it becomes a line of a later one."""
    version, reason = find_version(request, pk), request.POST.get("reason", "")
    try:
        made = services.correct(request.user, version.settlement, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return statement_page(request, version, refusal, reason=reason)
    if isinstance(made, Adjustment):
        messages.success(request, f"已过更正期：差额 {made.amount:,.2f} 元列入 {made.year} 年度清算，待基金复核审定。")
        return redirect("settlement:adjustments")
    messages.success(request, f"已起草第 {made.number} 版（更正），须重新复核、送达和审定。")
    return redirect("settlement:statement", made.pk)


@require_POST
def submit_analysis(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the cause analysis of an overrun."""
    version, form = find_version(request, pk), AnalysisForm(request.POST)
    require(request.user, "settlement.submit_analysis", version.alliance)  # type: ignore[arg-type]
    try:
        if not form.is_valid():
            raise refused_by(form)
        given = form.cleaned_data
        services.submit_analysis(
            request.user,  # type: ignore[arg-type]
            version.alliance,
            version.settlement.year,
            version.settlement.fund_type,
            given["causes"],
            given["responsibility"],
            given["reasonable_part"],
            stored_files(request, "files", "cause_analysis"),
        )
    except Refused as refusal:
        return statement_page(request, version, refusal, analysis_form=form)
    messages.success(request, "原因分析已提交，待基金复核审定。")
    return redirect("settlement:statement", pk)


@require_POST
def decide_analysis(request: HttpRequest, pk: int, analysis: int, decision: str) -> HttpResponse:
    """Approve or return a cause analysis."""
    version, reason = find_version(request, pk), request.POST.get("reason", "")
    settlement = version.settlement
    row = get_visible(
        CauseAnalysis.objects.filter(alliance=settlement.alliance, year=settlement.year, fund_type=settlement.fund_type)
        .select_related("alliance__county__pooling_area"),
        request.user,
        pk=analysis,
    )
    try:
        if decision == "approve":
            services.approve_analysis(request.user, row, reason)  # type: ignore[arg-type]
        else:
            services.return_analysis(request.user, row, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return statement_page(request, version, refusal, reason=reason)
    messages.success(request, "原因分析已审定，请经办刷新试算。" if decision == "approve" else "原因分析已退回。")
    return redirect("settlement:statement", pk)


@require_POST
def propose_recovery(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose how money comes back."""
    version, form = find_version(request, pk), RecoveryForm(request.POST)
    require(request.user, "settlement.propose_recovery", version.alliance)  # type: ignore[arg-type]
    try:
        if not form.is_valid():
            raise refused_by(form)
        given = form.cleaned_data
        if given["method"] == RecoveryMethod.ORDER:
            services.propose_order(request.user, version, given["count"], given["start"], given["note"])  # type: ignore[arg-type]
        else:
            offsets = _offsets(version, given["start"], given["count"])
            services.propose_offsets(request.user, version, offsets, given["note"])  # type: ignore[arg-type]
    except Refused as refusal:
        return statement_page(request, version, refusal, recovery_form=form)
    messages.success(request, "追回方案已提出，待基金复核批准。")
    return redirect("settlement:statement", pk)


@require_POST
def decide_recovery(request: HttpRequest, pk: int, decision: str) -> HttpResponse:
    """Approve or return a recovery plan."""
    plan = get_visible(RecoveryPlan.objects.select_related("version__settlement__alliance"), request.user, pk=pk)
    reason = request.POST.get("reason", "")
    try:
        if decision == "approve":
            services.approve_recovery(request.user, plan, reason)  # type: ignore[arg-type]
        else:
            services.return_recovery(request.user, plan, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return statement_page(request, find_version(request, plan.version_id), refusal, reason=reason)
    messages.success(request, "追回方案已批准。" if decision == "approve" else "追回方案已退回。")
    return redirect("settlement:statement", plan.version_id)


@require_POST
def record_instalment(request: HttpRequest, pk: int, instalment: int) -> HttpResponse:
    """Record what came back for one instalment: a bank receipt, or an offset its prepayment has made."""
    version, form = find_version(request, pk), ReceiptForm(request.POST, request.FILES)
    part = (
        RecoveryInstalment.objects.filter(plan__version=version, pk=instalment)
        .select_related("plan__version__settlement__alliance__county__pooling_area")
        .first()
    )
    if part is None:
        raise Http404("没有这一期。")
    require(request.user, action_name(Act.RECOVER), version.alliance)  # type: ignore[arg-type]
    try:
        on, reference, receipt = _receipt(request, form)
        if part.plan.method == RecoveryMethod.ORDER:
            services.record_recovery(request.user, part, on, reference, receipt)  # type: ignore[arg-type]
        else:
            services.record_offset(request.user, part, on)  # type: ignore[arg-type]
    except Refused as refusal:
        return statement_page(request, find_version(request, pk), refusal, receipt_form=form)
    messages.success(request, f"第 {part.number} 期已登记。")
    return redirect("settlement:statement", pk)


def refused_by(form: Any) -> Refused:
    """A form's errors as problems, so that page and service speak alike."""
    return Refused(
        [
            Problem(form[name].label if name in form.fields else "", str(form.data.get(name, "")), error)
            for name, errors in form.errors.items()
            for error in errors
        ]
    )


def stored_files(request: Any, name: str, kind: str) -> list[StoredFile]:
    """The uploaded files of a field, kept as evidence; refuses unknown kinds and empty ones."""
    return [store_evidence(upload, kind, request.user) for upload in request.FILES.getlist(name)]


def _receipt(request: Any, form: ReceiptForm) -> tuple[Any, str, StoredFile | None]:
    if not form.is_valid():
        raise refused_by(form)
    on = form.cleaned_data["on"]
    if on is None:
        raise Refused([Problem("回单日期", "", "没有填写日期。", "请填写银行回单上的日期。")])
    upload = form.cleaned_data["receipt"]
    stored = store_evidence(upload, "settlement_receipt", request.user) if upload else None
    return on, form.cleaned_data["bank_reference"], stored


def _offsets(version: SettlementVersion, start: Any, count: int) -> list[tuple[Any, Decimal]]:
    """What is owed, spread from ``start`` over ``count`` months as far as each month's planned prepayment carries."""
    left = -posting.outstanding(version.figures, posting.position(version.settlement))
    months = [start.plus(number) for number in range(count)]
    planned = planned_prepayments(version.settlement, {month.year for month in months})
    offsets = []
    for month in months:
        part = min(left, planned.get(month, Decimal("0.00")))
        if part > 0:
            offsets.append((month, part))
            left -= part
    return offsets
