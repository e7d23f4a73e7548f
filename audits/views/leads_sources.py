"""Leads entered with one button where something was noticed: on a warning's page, on claim rows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from audits.access import reads_audits
from audits.forms_base import form_problems
from audits.forms_leads import ClaimLeadForm
from audits.services.lead_sources import (
    held_for_warning,
    lead_from_claims,
    lead_from_warning,
    party_of,
    picked_claims,
)
from audits.services.lead_steps import ENTER
from claims.registries import RowAction
from core.access import actions, has_any_role, require_somewhere, roles_at
from core.errors import Refused
from core.models import County
from core.scope import get_visible
from monitoring.reading.warnings import seen_by
from monitoring.registries import WarningAction
from rules.errors import RuleError
from rules.periods import Month


def lead_from_warning_act(request: HttpRequest, pk: int) -> HttpResponse:
    """POST from a warning's page; a GET after a lost session answers with that page."""
    warning = seen_by(request.user).filter(pk=pk).first()
    if warning is None:
        raise Http404("没有找到这条预警，或者它不在您的管理范围内。")
    if request.method != "POST":
        return redirect(warning.get_absolute_url())
    user: Any = request.user
    require_somewhere(user, ENTER)
    held = held_for_warning(warning)
    try:
        lead = lead_from_warning(user, warning)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(warning.get_absolute_url())
    told = f"这条预警已转为线索 {lead.number}。" if held else f"已转为稽核线索 {lead.number}，立案期限 {lead.due_on}。"
    messages.success(request, told)
    return redirect(lead.get_absolute_url())


def warning_action(user: Any, warning: Any) -> WarningAction | None:
    """The button 转为稽核线索 for who may enter leads; a link to the lead once there is one."""
    if not reads_audits(user) or (warning.institution is None and warning.alliance is None):
        return None
    held = held_for_warning(warning)
    if held is not None:
        return WarningAction("查看稽核线索", held.get_absolute_url())
    if not has_any_role(user, actions[ENTER].roles) or party_of(warning) is None:
        return None
    effect = "按本预警的指标值、涉及金额和机构登记一条稽核线索，由稽核复核分派核查。"
    return WarningAction("转为稽核线索", reverse("audits:lead-from-warning", args=[warning.pk]), effect)


def lead_from_claims_act(request: HttpRequest, county: str, month: str) -> HttpResponse:
    """Ticked claim rows: the first POST shows them and asks what is suspected, the second enters the lead."""
    place = get_visible(County.objects.select_related("pooling_area"), request.user, code=county)
    try:
        period = Month.parse(month)
    except RuleError as error:
        raise Http404("没有这个月份。") from error
    back = reverse("claims:rows", args=[place.code, str(period)])
    if request.method != "POST":
        return redirect(back)
    user: Any = request.user
    require_somewhere(user, ENTER)
    ids = request.POST.getlist("settlement_id")
    try:
        institution, claims = picked_claims(user, place, period, ids)
    except Refused as refusal:
        for problem in refusal.problems:
            messages.error(request, str(problem))
        return redirect(back)
    context = {
        "county": place, "month": period, "institution": institution, "claims": claims, "back": back,
        "total": sum(claim.pooled_fund_paid for claim in claims),
    }  # fmt: skip
    if "title" not in request.POST:
        return render(request, "audits/lead_claims.html", {**context, "form": ClaimLeadForm(), "problems": []})
    form = ClaimLeadForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(form_problems(form))
        lead = lead_from_claims(user, place, period, ids, **form.cleaned_data)
    except Refused as refusal:
        context |= {"form": form, "problems": refusal.problems}
        return render(request, "audits/lead_claims.html", context, status=refusal.status)
    messages.success(request, f"已登记线索 {lead.number}，立案期限 {lead.due_on}。")
    return redirect(lead.get_absolute_url())


def row_action(user: Any, county: Any, month: Month) -> RowAction | None:
    """登记稽核线索 for who may enter leads at the county of the insured."""
    if not roles_at(user, county) & actions[ENTER].roles:
        return None
    return RowAction("用所选记录登记稽核线索", reverse("audits:lead-from-claims", args=[county.code, str(month)]))
