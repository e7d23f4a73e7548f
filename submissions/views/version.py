"""One version: what was found in it, its preview, its files; the differences to another one, the receipt, the members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.access import may
from core.errors import Problem, Refused
from core.trail import head_hash
from submissions import members, reading, services
from submissions.declaration import Table
from submissions.figures import Figures
from submissions.models import Finding, Severity, Submission
from submissions.preview import SHEETS, preview, sheet_of, tabs
from submissions.stages import conclusion, tally, version_events
from submissions.states import Act, SubmissionKind, SubmissionState, action_name, transition
from submissions.views.assignment import check_job
from submissions.views.finding import download, find_version, is_hospital, versions_seen

SHOWN_PER_CODE = 20
ACTS = (Act.FILE, Act.WITHDRAW, Act.RETURN, Act.ACCEPT)


@require_GET
def version(request: HttpRequest, pk: int) -> HttpResponse:
    return version_page(request, find_version(request, pk))


@require_GET
def original(request: HttpRequest, pk: int) -> FileResponse:
    """The workbook as it was uploaded, byte by byte."""
    return download(find_version(request, pk).file)


@require_GET
def answer(request: HttpRequest, pk: int) -> FileResponse:
    """The same workbook with its bad cells marked."""
    return download(find_version(request, pk).answer)


@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar of the running check, asked for while the page waits."""
    found = find_version(request, pk)
    job = check_job(found)
    if job is None:
        raise Http404("没有这项检查任务。")
    return render(request, "components/progress.html", {"job": job, "poll_url": request.path})


@require_GET
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt, for the screen and for paper."""
    found = find_version(request, pk)
    context = {
        "version": found,
        "assignment": found.assignment,
        "period": found.assignment.of,
        "in_time": not services.is_late(found),
        "tally": tally(list(found.findings.all())),
        "lead": found.alliance.lead_hospital(found.uploaded_at.date()),
        "trail_head": head_hash(found.alliance),
    }
    return render(request, "submissions/receipt.html", context)


@require_GET
def diff(request: HttpRequest, pk: int) -> HttpResponse:
    """Two versions cell by cell; the other one is the version before, or the one that was chosen."""
    newer = find_version(request, pk)
    others = [one for one in versions_seen(request.user, newer.assignment) if one.pk != pk and one.cells_read]
    asked = request.GET.get("with", "")
    older = next((one for one in others if str(one.number) == asked), None)
    older = older or next((one for one in others if one.number < newer.number), None) or (others[0] if others else None)
    rows: list[Any] = []
    if older is not None:
        older = find_version(request, older.pk)
        first, second = sorted((older, newer), key=lambda one: one.number)
        rows = reading.differences(first, second)
        older, newer = first, second
    context = {
        "version": find_version(request, pk),
        "assignment": newer.assignment,
        "period": newer.assignment.of,
        "older": older,
        "newer": newer,
        "others": others,
        "compared": [older, newer] if older is not None else [],
        "rows": rows,
    }
    return render(request, "submissions/diff.html", context)


@require_GET
def member_summary(request: HttpRequest, pk: int) -> HttpResponse:
    """Every member with average costs, drug share, budget execution and signals."""
    found = find_version(request, pk)
    context = {
        "version": found,
        "assignment": found.assignment,
        "period": found.assignment.of,
        "groups": members.summary(
            Figures.from_json(found.figures), found.assignment.of, found.findings.filter(waiver=None)
        ),
    }
    return render(request, "submissions/members.html", context)


def version_page(
    request: HttpRequest,
    found: Submission,
    refusal: Refused | None = None,
    dialog: str = "",
    typed: dict[int, str] | None = None,
) -> HttpResponse:
    """The page; after a refusal with its problems and everything that was typed."""
    user: Any = request.user
    assignment = found.assignment
    seen = versions_seen(user, assignment)
    findings = list(found.findings.select_related("waiver__granted_by", "explained_by"))
    counted = tally(findings)
    verdict, tone = conclusion(found, counted)
    hospital = is_hospital(user, assignment)
    may_explain = found.state == SubmissionState.CHECKED and hospital
    context: dict[str, Any] = {
        "version": found,
        "assignment": assignment,
        "period": assignment.of,
        "is_nothing": found.kind == SubmissionKind.NOTHING,
        "tally": counted,
        "verdict": verdict,
        "verdict_tone": tone,
        "in_time": not services.is_late(found),
        "job": check_job(found) if found.state == SubmissionState.RECEIVED else None,
        "refusals": [one for one in findings if one.severity == Severity.REFUSAL],
        "waived": [one for one in findings if one.waiver_id is not None],
        "remarks": [one for one in findings if one.severity == Severity.NOTE],
        "is_hospital": hospital,
        "may_explain": may_explain,
        "acts": _acts(user, found, counted),
        "events": version_events(assignment, seen, found),
        "newest": seen[0] if seen else None,
        "next_number": (seen[0].number if seen else found.number) + 1,
        "takes_files": hospital and not assignment.is_closed and assignment.state != "filed",
        "former": next((one for one in seen if one.number < found.number and one.cells_read), None),
        "has_reconciliation": hasattr(found, "reconciliation"),
        "reason": request.POST.get("reason", "") if dialog else "",
        **{f"open_{act.value}": dialog == act for act in ACTS},
        "in_dialog": dialog in (Act.WITHDRAW, Act.RETURN),
        "problems": [_plain(one) for one in refusal.problems] if refusal else [],
        **_workbook(request, found, findings, typed or {}),
    }
    return render(request, "submissions/version.html", context, status=refusal.status if refusal else 200)


def _plain(problem: Problem) -> Problem:
    """Without the text that stands in its field anyway."""
    return replace(problem, field="", value="") if problem.field.startswith("explanation") else problem


def _workbook(
    request: HttpRequest, found: Submission, findings: list[Finding], typed: dict[int, str]
) -> dict[str, Any]:
    """Findings with their places, and the preview of the chosen sheet."""
    table = table_of_version(found)
    if table is None:
        hard = [one for one in findings if one.is_blocking and one.severity == Severity.HARD]
        return {"hard": _grouped(hard, None), "soft": [], "table": None, "preview": None}
    hard = [one for one in findings if one.is_blocking and one.severity == Severity.HARD]
    soft = [one for one in findings if one.severity == Severity.SOFT and one.waiver_id is None]
    shown = request.GET.get("sheet", "")
    key = shown if shown in SHEETS else _first_sheet([*hard, *soft], table)
    marked = [*hard, *soft]
    return {
        "table": table,
        "hard": _grouped(hard, table),
        "soft": [_placed(one, table) | {"typed": typed.get(one.pk, one.explanation)} for one in soft],
        "tabs": tabs(table, marked),
        "preview": preview(table, found.assignment.of, Figures.from_json(found.figures), marked, key),
    }


def table_of_version(found: Submission) -> Table | None:
    """The declaration a version was read with; None before it was read."""
    if not found.table_version or not found.figures:
        return None
    area = found.alliance.county.pooling_area
    return services.table_of(area, found.assignment.table, found.table_version)


def _first_sheet(marked: list[Finding], table: Table) -> str:
    return next((key for one in marked if (key := sheet_of(one, table))), SHEETS[0])


def _placed(finding: Finding, table: Table | None) -> dict[str, Any]:
    key = sheet_of(finding, table) if table else ""
    return {"finding": finding, "sheet": key}


def _grouped(findings: list[Finding], table: Table | None) -> list[dict[str, Any]]:
    """Hard findings in order, at most so many of one code; the last of a code says how many more there are."""
    seen: dict[str, int] = {}
    total: dict[str, int] = {}
    for one in findings:
        total[one.code] = total.get(one.code, 0) + 1
    rows = []
    for one in findings:
        seen[one.code] = seen.get(one.code, 0) + 1
        if seen[one.code] <= SHOWN_PER_CODE:
            more = total[one.code] - SHOWN_PER_CODE if seen[one.code] == SHOWN_PER_CODE else 0
            rows.append(_placed(one, table) | {"more": max(more, 0)})
    return rows


def _acts(user: Any, found: Submission, counted: Any) -> dict[str, Any]:
    """What the user may do with the version now, and in words what is missing for filing."""
    acts: dict[str, Any] = {}
    for act in ACTS:
        if transition(found.state, act) is not None and may(user, action_name(act), found.alliance):
            acts[act.value] = True
    if acts.get(Act.FILE):
        missing = []
        if counted.blocking:
            missing.append(f"还有 {counted.blocking} 项硬性错误，改正后重新上传")
        if counted.open_questions:
            missing.append(f"还有 {counted.open_questions} 项需说明没有写说明")
        acts["missing"] = missing
        acts["only_questions"] = not counted.blocking
    own = user.pk in (found.uploaded_by_id, found.filed_by_id)
    acts["own"] = own
    return acts
