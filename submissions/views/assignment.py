"""One assignment: where it stands, its template, upload, versions, and the acts on the assignment itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from core.access import may, require
from core.errors import Problem, Refused
from core.models import Job
from core.workbook import XLSX, file_response
from submissions import services, sources
from submissions.checks import CATALOGUE
from submissions.forms import AdmitForm, UploadForm, WaiveForm
from submissions.models import Assignment, Submission, SubmissionChange
from submissions.owed import Owed, last_of, today
from submissions.services.receiving import JOB
from submissions.stages import conclusion, events, stages, tally
from submissions.states import Act, AssignmentState, SubmissionState, action_name
from submissions.views.finding import find_assignment, is_hospital, refused_by, versions_seen

DIALOGS = (Act.NOTHING, Act.ADMIT, Act.REOPEN, Act.CLOSE, Act.WAIVE)
DONE = {
    Act.ADMIT: "已准予迟报",
    Act.REOPEN: "已重新开放报送",
    Act.CLOSE: "已结束重新开放，仍以受理的一版为准",
    Act.WAIVE: "已准予豁免，即时生效，对以后上传的版本同样有效",
}


@require_GET
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    return assignment_page(request, find_assignment(request, pk))


@require_GET
def template(request: HttpRequest, pk: int) -> HttpResponse:
    """The workbook to fill, made for this alliance and period."""
    from submissions.workbook import template_workbook

    found = find_assignment(request, pk)
    period = found.of
    table = services.table_in_force(found.alliance.county.pooling_area, period)
    content = template_workbook(table, sources.prefill_of(found, table))
    return file_response(f"{found.alliance.name}_{period.text.replace(' ', '')}_{table.title}.xlsx", content, XLSX)


def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in a filled workbook; what comes back after a lost session is the page to do it on."""
    found = find_assignment(request, pk)
    if request.method != "POST":
        return redirect("submissions:assignment", pk)
    require(request.user, action_name(Act.UPLOAD), found.alliance)  # type: ignore[arg-type]
    form = UploadForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Refused([Problem("", "", "没有选择文件。", "请选择填好的工作簿（xlsx）后上传。")])
        made = services.receive(request.user, found, form.cleaned_data["file"])  # type: ignore[arg-type]
    except Refused as refusal:
        return assignment_page(request, find_assignment(request, pk), refusal)
    messages.success(request, f"已收到第 {made.number} 版，回执编号 {made.receipt}。上传时间即为报送时效的起算时间。")
    return redirect("submissions:version", made.pk)


def nothing(request: HttpRequest, pk: int) -> HttpResponse:
    """Report that there is nothing to report, with the reason."""
    found = find_assignment(request, pk)
    if request.method != "POST":
        return redirect("submissions:assignment", pk)
    reason = request.POST.get("reason", "")
    try:
        services.report_nothing(request.user, found, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return assignment_page(request, find_assignment(request, pk), refusal, Act.NOTHING)
    messages.success(request, "已作无数据上报，待医保局受理。")
    return redirect("submissions:assignment", pk)


def assignment_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Admit late, open again or take that back, or let a check pass; named in the address."""
    found = find_assignment(request, pk)
    if request.method != "POST":
        return redirect("submissions:assignment", pk)
    acts: dict[str, Callable[[HttpRequest, Assignment], None]] = {
        Act.ADMIT: _admit,
        Act.REOPEN: _reopen,
        Act.CLOSE: _close,
        Act.WAIVE: _waive,
    }
    if act not in acts:
        raise Http404("没有这种办理。")
    require(request.user, action_name(act), found.alliance)  # type: ignore[arg-type]
    try:
        acts[act](request, found)
    except Refused as refusal:
        return assignment_page(request, find_assignment(request, pk), refusal, act)
    messages.success(request, f"{DONE[Act(act)]}。")
    return redirect("submissions:assignment", pk)


def _admit(request: HttpRequest, found: Assignment) -> None:
    form = AdmitForm(request.POST)
    if not form.is_valid():
        raise refused_by(form)
    wanted = form.cleaned_data
    services.admit_late(request.user, found, wanted["until"], wanted["reason"])  # type: ignore[arg-type]


def _reopen(request: HttpRequest, found: Assignment) -> None:
    services.reopen(request.user, found, request.POST.get("reason", ""))  # type: ignore[arg-type]


def _close(request: HttpRequest, found: Assignment) -> None:
    services.close_reopening(request.user, found, request.POST.get("reason", ""))  # type: ignore[arg-type]


def _waive(request: HttpRequest, found: Assignment) -> None:
    form = WaiveForm(request.POST, codes=waivable())
    if not form.is_valid():
        raise refused_by(form)
    wanted = form.cleaned_data
    services.waive(
        request.user,  # type: ignore[arg-type]
        found,
        wanted["code"],
        wanted["fund_type"],
        wanted["row_code"].strip(),
        wanted["institution"].strip(),
        wanted["reason"],
    )


def waivable() -> list[tuple[str, str]]:
    return [(check.code, f"{check.code} {check.title}") for check in CATALOGUE]


def check_job(version: Submission) -> Job | None:
    """The last job that checked a version, or is checking it."""
    return Job.objects.filter(name=JOB, scope=str(version.pk)).order_by("-pk").first()


def assignment_page(
    request: HttpRequest, found: Assignment, refusal: Refused | None = None, dialog: str = ""
) -> HttpResponse:
    """The page; after a refusal with its problems, the dialog that was open, and what was typed in it."""
    user: Any = request.user
    seen = versions_seen(user, found)
    last = seen[0] if seen else None
    filed = next((one for one in seen if one.is_filed), None)
    typed = request.POST if dialog else None
    context: dict[str, Any] = {
        "assignment": found,
        "period": found.of,
        "row": Owed(found, last_of(found, seen), today()),
        "table": services.table_in_force(found.alliance.county.pooling_area, found.of),
        "stages": stages(found, last_of(found, seen), filed),
        "versions": [_version_row(one) for one in seen],
        "last": last,
        "filed": filed,
        "job": check_job(last) if last and last.state == SubmissionState.RECEIVED else None,
        "events": events(_changes(user, found, seen)),
        "waivers": found.waivers.select_related("granted_by"),
        "form": UploadForm(),
        "admit_form": AdmitForm(typed if dialog == Act.ADMIT else None),
        "waive_form": WaiveForm(typed if dialog == Act.WAIVE else None, codes=waivable()),
        "reason": request.POST.get("reason", "") if dialog else "",
        "is_hospital": is_hospital(user, found),
        "may": {act.value: bool(may(user, action_name(act), found.alliance)) for act in (Act.UPLOAD, *DIALOGS)},
        "takes_files": not found.is_closed and found.state != AssignmentState.FILED,
        **{f"open_{act.value}": dialog == act for act in DIALOGS},
        "in_dialog": dialog in (Act.NOTHING, Act.REOPEN, Act.CLOSE),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "submissions/assignment.html", context, status=refusal.status if refusal else 200)


def _version_row(version: Submission) -> dict[str, Any]:
    counted = tally(list(version.findings.all()))
    verdict, tone = conclusion(version, counted)
    return {"version": version, "tally": counted, "verdict": verdict, "tone": tone or version.tone}


def _changes(user: Any, found: Assignment, seen: list[Submission]) -> list[SubmissionChange]:
    """The acts the user may read of: those on the assignment and on versions she sees."""
    known = {one.pk for one in seen}
    rows = found.changes.select_related("actor", "submission").order_by("pk")
    return [row for row in rows if row.submission_id is None or row.submission_id in known]
