"""Acts on a report from its page: one POST each, through the same services as the API; failures keep what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.access import require_somewhere
from core.errors import Problem, Refused
from monitoring.forms_reports import DraftForm
from monitoring.models import AnalysisReport
from monitoring.models.reports import ReportAct, report_action
from monitoring.reading.places import place_of
from monitoring.services import reports as services
from monitoring.views.reports import find_report, list_page, places_to_draft, report_page
from rules.spans import Span

DONE = {
    ReportAct.REFRESH: "已按现有数据刷新",
    ReportAct.SUBMIT: "已提交审定",
    ReportAct.WITHDRAW: "已撤回提交",
    ReportAct.RETURN: "已退回修改",
    ReportAct.APPROVE: "已审定",
    ReportAct.ISSUE: "已印发",
    ReportAct.RECALL: "已撤回印发",
}


@require_POST
def report_draft(request: HttpRequest) -> HttpResponse:
    """Draft or refresh the report of a place and span, then open it."""
    user: Any = request.user
    require_somewhere(user, report_action(ReportAct.DRAFT))
    form = DraftForm(request.POST, places=places_to_draft(user), today=timezone.localdate())
    if not form.is_valid():
        wrong = [
            Problem(str(form[name].label), str(form.data.get(name, "")), str(text))
            for name, texts in form.errors.items()
            for text in texts
        ]
        return list_page(request, form, wrong, 422)
    place = place_of(user, form.cleaned_data["place"])
    try:
        drafted = services.draft_report(user, place, Span.parse(form.cleaned_data["span"]))  # type: ignore[arg-type]
    except Refused as refusal:
        return list_page(request, form, refusal.problems, refusal.status)
    messages.success(request, drafted.text)
    return redirect(drafted.report)


@require_POST
def report_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The next version of an issued or recalled report."""
    found = find_report(request.user, pk)
    try:
        drafted = services.draft_report(request.user, found.at, found.of)  # type: ignore[arg-type]
    except Refused as refusal:
        return report_page(request, found, refusal.problems, refusal.status)
    messages.success(request, drafted.text)
    return redirect(drafted.report)


@require_POST
def report_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act of the table, named in the address."""
    found, reason = find_report(request.user, pk), request.POST.get("reason", "")
    try:
        text = perform(request.user, found, act, reason, request.POST.get("seen", ""), bool(request.POST.get("release")))
    except Refused as refusal:
        return report_page(request, find_report(request.user, pk), refusal.problems, refusal.status, {"reason": reason})
    messages.success(request, text)
    return redirect(found)


def perform(user: Any, found: AnalysisReport, act: str, reason: str, seen: str = "", release: bool = False) -> str:
    """Call the service of an act; returns what to tell."""
    known: dict[str, Callable[[], Any]] = {
        ReportAct.REFRESH: lambda: services.refresh(user, found),
        ReportAct.SUBMIT: lambda: services.submit(user, found, seen),
        ReportAct.WITHDRAW: lambda: services.withdraw(user, found, reason),
        ReportAct.RETURN: lambda: services.return_report(user, found, reason),
        ReportAct.APPROVE: lambda: services.approve(user, found, seen),
        ReportAct.ISSUE: lambda: services.issue(user, found, release, seen),
        ReportAct.RECALL: lambda: services.recall(user, found, reason),
    }
    if act not in known:
        raise Http404("没有这种办理。")
    done = known[act]()
    return done.text if isinstance(done, services.Drafted) else f"{DONE[ReportAct(act)]}：{found}第 {found.version} 版。"


@require_POST
def report_comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what was written beside a section."""
    found = find_report(request.user, pk)
    section, text = request.POST.get("section", ""), request.POST.get("text", "")
    try:
        services.comment(request.user, found, section, text)  # type: ignore[arg-type]
    except Refused as refusal:
        return report_page(request, found, refusal.problems, refusal.status, {section: text})
    messages.success(request, "说明已保存。")
    return redirect(f"{found.get_absolute_url()}#s-{section}")
