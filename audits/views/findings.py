"""Findings: making and wording one, its page with all claim rows, the rows under it on the case page, taking out, exports."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits.forms_base import form_problems, page_of
from audits.forms_findings import FindingForm, LowerForm, ReasonForm
from audits.models import Case, Finding, FindingLine
from audits.reading.findings import act_label, lines_of, sums
from audits.reading.lines import (
    HEADER,
    MONEY,
    LineRow,
    dropped_lines_of,
    is_inside,
    kept_lines_of,
    shown_findings,
)
from audits.services import findings as services
from audits.services.findings import may_now
from audits.states import Act, CaseState, TrackState
from audits.views.case import find_case
from audits.views.evidence import need_post
from core.access import require
from core.errors import Refused
from core.exports import export_workbook
from core.workbook import Sheet
from rules.penalties import ACT_BY_KEY

PAGE = 50
FIRST_ROWS = 5


@require_http_methods(["GET", "POST"])
def finding_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what was violated; ``?act=`` fills in the clause of the catalogue."""
    case = find_case(request, pk)
    need_post(request.user, case, Act.FIND)
    if request.method == "GET":
        act = ACT_BY_KEY.get(request.GET.get("act", ""))
        start = {
            "act": act.key if act else "", "clause": act.clause if act else "", "acted_from": case.claims_from,
            "acted_to": case.claims_to,
        }  # fmt: skip
        return _form_page(request, case, FindingForm(initial=start, case=case))
    form = FindingForm(request.POST, case=case)
    try:
        made = services.make_finding(request.user, case, **_values(form))  # type: ignore[arg-type]
    except Refused as refusal:
        return _form_page(request, case, form, refusal)
    messages.success(request, f"已认定事实 {made.number}，请加入结算记录。")
    return redirect("audits:finding", case.pk, made.number)


@require_http_methods(["GET", "POST"])
def finding_edit(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Word a finding anew, or stand it on other evidence."""
    case, finding = find_finding(request, pk, number)
    need_post(request.user, case, Act.FIND)
    if request.method == "GET":
        names = ("act", "clause", "acted_from", "acted_to", "text")
        start = {name: getattr(finding, name) for name in names}
        start["evidence"] = [str(piece) for piece in finding.evidence.values_list("pk", flat=True)]
        return _form_page(request, case, FindingForm(initial=start, case=case), finding=finding)
    form = FindingForm(request.POST, case=case)
    try:
        services.amend_finding(request.user, finding, **_values(form))  # type: ignore[arg-type]
    except Refused as refusal:
        return _form_page(request, case, form, refusal, finding)
    messages.success(request, f"事实 {finding.number} 已修改。")
    return redirect("audits:finding", case.pk, finding.number)


def _values(form: FindingForm) -> dict[str, Any]:
    if not form.is_valid():
        raise Refused(form_problems(form))
    return {**form.cleaned_data, "evidence": [int(key) for key in form.cleaned_data["evidence"]]}


def _form_page(
    request: HttpRequest, case: Case, form: Any, refusal: Refused | None = None, finding: Finding | None = None
) -> HttpResponse:
    context = {"case": case, "finding": finding, "form": form, "problems": refusal.problems if refusal else []}
    return render(request, "audits/finding_form.html", context, status=refusal.status if refusal else 200)


@require_GET
def finding(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A finding with all its claim rows, page by page; looking at them is recorded."""
    case, found = find_finding(request, pk, number)
    user: Any = request.user
    services.note_lines_opened(user, case, f"事实 {number} 的结算行，第 {request.GET.get('page') or 1} 页")
    return finding_page(request, case, found)


def finding_page(
    request: HttpRequest, case: Case, found: Finding, refusal: Refused | None = None, opened: str = "", form: Any = None
) -> HttpResponse:
    """The page; after a refusal with its problems, the form open and what was typed in it."""
    user: Any = request.user
    inside = is_inside(user, case)
    page = page_of(request, kept_lines_of(found), PAGE)
    page.object_list = [LineRow(line, inside) for line in page.object_list]
    row = next(one for one in sums(case).rows if one.finding.pk == found.pk)
    may_find = inside and not found.dropped and may_now(user, case, Act.FIND)
    may_trim = inside and not found.dropped and (may_find or may_trim_now(user, case))
    context = {
        "case": case, "finding": found, "row": row, "act": act_label(found.act), "page_obj": page, "inside": inside,
        "evidence": found.evidence.order_by("number") if inside else (),
        "gone": [LineRow(line, inside) for line in dropped_lines_of(found)[:PAGE]] if inside else [],
        "may_find": may_find, "may_trim": may_trim, "opened": opened,
        "only_penalty": may_trim and not may_find and services.money_decided(case),
        "drop_form": form if opened == "drop" else ReasonForm(auto_id="drop-%s"),
        "lines_form": form if opened == "lines" else ReasonForm(auto_id="lines-%s"),
        "chosen": request.POST.getlist("line") if refusal else [],
        "problems": refusal.problems if refusal else [],
    }  # fmt: skip
    return render(request, "audits/finding.html", context, status=refusal.status if refusal else 200)


def may_trim_now(user: Any, case: Case) -> bool:
    """Whether it is this reviewer's turn to take something out."""
    if case.state == CaseState.FIRST_REVIEW:
        return may_now(user, case, Act.TRIM)
    if case.state != CaseState.REVIEWED:
        return False
    tracks = list(case.tracks.filter(state=TrackState.RE_REVIEW))
    return any(may_now(user, track, Act.TRIM) for track in tracks)


@require_GET
def finding_rows(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The first rows of a finding, for the fold on the case page; recorded."""
    case, found = find_finding(request, pk, number)
    user: Any = request.user
    services.note_lines_opened(user, case, f"事实 {number} 的结算行（前 {FIRST_ROWS} 行）")
    inside = is_inside(user, case)
    lines = kept_lines_of(found)
    rows = [LineRow(line, inside) for line in lines[:FIRST_ROWS]]
    context = {"case": case, "finding": found, "rows": rows, "count": lines.count(), "inside": inside}
    return render(request, "audits/finding_rows.html", context)


@require_POST
def finding_drop(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Let a finding fall."""
    case, found = find_finding(request, pk, number)
    services.require_trim(request.user, case)  # type: ignore[arg-type]
    form = ReasonForm(request.POST, auto_id="drop-%s")
    try:
        services.drop_finding(request.user, found, _reason(form))  # type: ignore[arg-type]
    except Refused as refusal:
        return finding_page(request, case, found, refusal, "drop", form)
    messages.success(request, f"事实 {number} 不予认定。")
    return redirect("audits:finding", pk, number)


@require_POST
def lines_drop(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Take the chosen claim rows out of a finding."""
    case, found = find_finding(request, pk, number)
    services.require_trim(request.user, case)  # type: ignore[arg-type]
    form = ReasonForm(request.POST, auto_id="lines-%s")
    try:
        keys = [int(key) for key in request.POST.getlist("line") if key.isascii() and key.isdigit() and len(key) < 19]
        mine = list(FindingLine.objects.filter(finding=found, pk__in=keys).values_list("pk", flat=True))
        count = services.drop_lines(request.user, case, mine, _reason(form))  # type: ignore[arg-type]
    except Refused as refusal:
        return finding_page(request, case, found, refusal, "lines", form)
    messages.success(request, f"已剔除 {count} 行结算记录。")
    return redirect("audits:finding", pk, number)


@require_http_methods(["GET", "POST"])
def line_lower(request: HttpRequest, pk: int, number: int, line: int) -> HttpResponse:
    """Find less money on one claim row."""
    case, found = find_finding(request, pk, number)
    row = get_object_or_404(kept_lines_of(found), pk=line)
    if not is_inside(request.user, case):  # type: ignore[arg-type]
        raise Http404("没有这项内容。")
    if request.method == "GET":
        services.note_lines_opened(request.user, case, f"事实 {number} 结算单 {row.settlement_id}")  # type: ignore[arg-type]
        return _lower_page(request, case, found, row, LowerForm(initial={"amount": row.amount}))
    services.require_trim(request.user, case)  # type: ignore[arg-type]
    form = LowerForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(form_problems(form))
        services.lower_line(request.user, row, form.cleaned_data["amount"], form.cleaned_data["reason"])  # type: ignore[arg-type]
    except Refused as refusal:
        return _lower_page(request, case, found, row, form, refusal)
    messages.success(request, f"结算单 {row.settlement_id} 的认定金额已核减。")
    return redirect("audits:finding", pk, number)


def _lower_page(
    request: HttpRequest, case: Case, found: Finding, row: FindingLine, form: Any, refusal: Refused | None = None
) -> HttpResponse:
    context = {"case": case, "finding": found, "row": LineRow(row, True), "form": form, "problems": refusal.problems if refusal else []}
    return render(request, "audits/line_lower.html", context, status=refusal.status if refusal else 200)


@require_GET
def finding_xlsx(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """All claim rows of one finding, with the total the page shows."""
    case, found = find_finding(request, pk, number)
    user: Any = request.user
    require(user, services.OPEN, case.at)
    inside = is_inside(user, case)
    sheet = _lines_sheet("结算行", [LineRow(line, inside) for line in kept_lines_of(found)])
    return export_workbook(user, case, f"{case.number}-事实{number}-结算行.xlsx", [sheet], place=case.at)


@require_GET
def findings_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """Every finding with its sums, and all claim rows of the case."""
    case = find_case(request, pk)
    user: Any = request.user
    require(user, services.OPEN, case.at)
    inside = is_inside(user, case)
    found = sums(case)
    rows: list[Any] = [
        (row.finding.number, row.act_text, row.finding.clause, row.finding.text, row.lines, row.resident, row.employee, row.total)
        for row in (found.rows if inside else found.kept)
    ]
    rows.append(("合计", "", "", "", found.lines, found.resident, found.employee, found.total))
    header = ("序", "违规行为", "条款", "事实", "结算行", "居民", "职工", "合计")
    notes = (f"案件 {case}", "金额单位：元")
    first = Sheet("认定事实", header, rows, money_columns=frozenset({5, 6, 7}), notes=notes)
    lines = _lines_sheet("结算行", [LineRow(line, inside) for line in lines_of(case)])
    return export_workbook(user, case, f"{case.number}-认定事实.xlsx", [first, lines], place=case.at)


def _lines_sheet(title: str, rows: list[LineRow]) -> Sheet:
    paid = sum((row.line.paid for row in rows), Decimal("0.00"))
    amount = sum((row.line.amount for row in rows), Decimal("0.00"))
    total = ("合计", f"{len(rows)} 行", *[""] * 7, paid, amount, "")
    notes = ("金额单位：元；参保人为化名，诊断只列大类",)
    return Sheet(title, HEADER, [*(row.cells for row in rows), total], money_columns=MONEY, notes=notes)


def find_finding(request: HttpRequest, pk: int, number: int) -> tuple[Case, Finding]:
    """The case and its finding, as far as the reader sees them."""
    case = find_case(request, pk)
    found = get_object_or_404(shown_findings(request.user, case), number=number)  # type: ignore[arg-type]
    found.case = case
    return case, found


def _reason(form: ReasonForm) -> str:
    if not form.is_valid():
        raise Refused(form_problems(form))
    return str(form.cleaned_data["reason"])
