"""Adding claim rows to a finding: picked from the extract, uploaded, or entered by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from audits import line_files
from audits.forms_base import form_problems
from audits.forms_findings import HandForm, PickFilter, UploadForm
from audits.models import Case, Finding
from audits.reading.findings import claims_held
from audits.reading.lines import masked
from audits.services import findings as findings_services
from audits.services import lines as services
from audits.states import Act
from audits.views.evidence import need_post
from audits.views.findings import find_finding
from claims.reading import search_claims
from core.errors import Problem, Refused
from core.models import County
from core.workbook import XLSX, file_response

PAGE = 50
AMOUNT = "amount-"


@require_http_methods(["GET", "POST"])
def pick(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Claims of the case's party in its span, to be ticked; looking at them is recorded."""
    case, finding = find_finding(request, pk, number)
    need_post(request.user, case, Act.FIND)
    form = PickFilter(request.GET, case=case)
    wanted = form.wanted()
    county = form.counties.get(wanted.get("county") or "") or case.county
    if request.method == "GET":
        return _pick_page(request, case, finding, form, county)
    try:
        count = services.add_lines(request.user, finding, _picked(request, county))  # type: ignore[arg-type]
    except Refused as refusal:
        return _pick_page(request, case, finding, form, county, refusal)
    messages.success(request, f"已加入 {count} 行结算记录。")
    return redirect("audits:finding", pk, number)


def _picked(request: HttpRequest, county: County) -> list[services.Wanted]:
    wanted, problems = [], []
    for key in request.POST.getlist("claim"):
        text = request.POST.get(AMOUNT + key, "").replace(",", "").strip()
        amount: Decimal | None = None
        if text:
            try:
                amount = Decimal(text)
            except InvalidOperation:
                problems.append(Problem(key, text, "认定金额不是数字。", "请填以元为单位的数字，或留空表示全额。"))
        if amount is not None and not amount.is_finite():
            problems.append(Problem(key, text, "认定金额不是数字。", "请填以元为单位的数字，或留空表示全额。"))
        wanted.append(services.Wanted(county, key, amount))
    if problems:
        raise Refused(problems)
    return wanted


def _pick_page(
    request: HttpRequest, case: Case, finding: Finding, form: PickFilter, county: County, refusal: Refused | None = None
) -> HttpResponse:
    user: Any = request.user
    number = _page_number(request)
    wanted = form.wanted()
    bound = services.bound_of(case)
    chosen = {name: wanted.get(name) for name in ("settlement_id", "person", "diagnosis", "visit_type", "fund_type") if wanted.get(name)}
    chosen["institutions"] = bound.institutions
    if bound.person:
        chosen["person"] = bound.person
    said = "；".join(form.said()) or "不限条件"
    findings_services.note_lines_opened(user, case, f"可选的结算行（{county}，{said}，第 {number} 页）")
    span: tuple[date, date] = (case.claims_from, case.claims_to)
    found = search_claims(county, span, chosen, (number - 1) * PAGE, PAGE)
    held = claims_held(case.pooling_area_id, [claim.settlement_id for claim in found.rows])
    ticked = request.POST.getlist("claim") if refusal else []
    rows = [
        {
            "claim": claim,
            "person": f"{claim.person[:8]}…" if claim.person else "",
            "diagnosis": masked(claim.diagnosis_code),
            "held": sum((row.amount for row in held.get(claim.settlement_id, ()) if row.county in (None, county.pk)), Decimal(0)),
            "ticked": claim.settlement_id in ticked,
            "amount": request.POST.get(AMOUNT + claim.settlement_id, "") if refusal else "",
        }
        for claim in found.rows
    ]
    context = {
        "case": case, "finding": finding, "form": form, "county": county, "found": found, "rows": rows,
        "page_obj": Paginator(range(found.total), PAGE).get_page(number),
        "problems": refusal.problems if refusal else [],
    }  # fmt: skip
    return render(request, "audits/lines_pick.html", context, status=refusal.status if refusal else 200)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A workbook or CSV of settlement ids with amounts."""
    case, finding = find_finding(request, pk, number)
    need_post(request.user, case, Act.FIND)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    problems: list[Problem] = []
    status = 200
    if request.method == "POST":
        try:
            if not form.is_valid():
                raise Refused(form_problems(form))
            given = form.cleaned_data["file"]
            if given.size > line_files.LARGEST:
                raise Refused([Problem("file", given.name, "文件超过 20 MB。", "请分批上传。")])
            count = line_files.add_from_file(request.user, finding, given.read(), given.name)  # type: ignore[arg-type]
        except Refused as refusal:
            problems, status = refusal.problems, refusal.status
        else:
            messages.success(request, f"“{given.name}”已加入 {count} 行结算记录。")
            return redirect("audits:finding", pk, number)
    context = {"case": case, "finding": finding, "form": form, "problems": problems}
    return render(request, "audits/lines_upload.html", context, status=status)


@require_GET
def upload_template(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The empty workbook."""
    find_finding(request, pk, number)
    return file_response("认定结算行模板.xlsx", line_files.template(), XLSX)


@require_http_methods(["GET", "POST"])
def by_hand(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One claim of a month without an extract."""
    case, finding = find_finding(request, pk, number)
    need_post(request.user, case, Act.FIND)
    form = HandForm(request.POST, case=case) if request.method == "POST" else HandForm(initial={"county": case.county.code}, case=case)
    problems: list[Problem] = []
    status = 200
    if request.method == "POST":
        try:
            if not form.is_valid():
                raise Refused(form_problems(form))
            given = {**form.cleaned_data, "county": form.counties[form.cleaned_data["county"]]}
            made = services.add_by_hand(request.user, finding, **given)  # type: ignore[arg-type]
        except Refused as refusal:
            problems, status = refusal.problems, refusal.status
        else:
            messages.success(request, f"已登记结算单 {made.settlement_id}。")
            return redirect("audits:finding", pk, number)
    context = {"case": case, "finding": finding, "form": form, "problems": problems}
    return render(request, "audits/line_hand.html", context, status=status)
