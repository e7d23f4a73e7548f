"""基金月报: the list, the form, the workbook."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from claims import exports, services
from claims.forms import ReportFilter, ReportForm, TableUploadForm
from claims.models import FundMonthlyReport
from claims.views.places import VIEW, allowed_at, counties_of
from claims.views.tables import LARGEST_WORKBOOK
from core.access import require
from core.errors import Problem, Refused
from core.exports import export_workbook
from core.models import County
from core.scope import get_visible
from core.texts import whole
from core.workbook import XLSX, file_response

ENTER = "claims.enter_monthly_report"
PAGE = 40
SORTS = {"month", "insured_heads", "balance_accumulated"}


@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    return _list_page(request)


@require_POST
def report_upload(request: HttpRequest) -> HttpResponse:
    """Many months at once in a workbook."""
    counties = counties_of(request.user)
    own = _own(request, counties)
    form = TableUploadForm(request.POST, request.FILES, counties=own)
    if not form.is_valid():
        return _list_page(request, form, status=422)
    upload = form.cleaned_data["file"]
    try:
        if upload.size > LARGEST_WORKBOOK:
            raise Refused([Problem("file", upload.name, "工作簿超过 40 MB。", "请分开上传。")])
        made = services.import_fund_reports(
            request.user, form.cleaned_data["county"], upload.read(), upload.name  # type: ignore[arg-type]
        )
    except Refused as refusal:
        return _list_page(request, form, refusal.problems, refusal.status)
    messages.success(request, f"“{upload.name}”已接收，共 {len(made)} 份基金月报。")
    return redirect("claims:monthly_report")


@require_GET
def report_list_xlsx(request: HttpRequest) -> HttpResponse:
    counties = counties_of(request.user)
    form, found = _filtered(request, counties)
    sheets = exports.report_sheets(found, form.said())
    name = f"基金月报-{timezone.localdate()}.xlsx"
    return export_workbook(request.user, counties[0].pooling_area, name, sheets)  # type: ignore[arg-type]


@require_GET
def report_template(request: HttpRequest) -> HttpResponse:
    counties_of(request.user)
    return file_response("基金月报模板.xlsx", services.report_template(), XLSX)


def report_new(request: HttpRequest) -> HttpResponse:
    """One report by hand. Entering a month that is held makes its next version."""
    counties = counties_of(request.user)
    own = _own(request, counties)
    if request.method != "POST":
        initial: dict[str, Any] = {}
        if whole(request.GET.get("from", "")) is not None:
            held = get_visible(FundMonthlyReport.objects.select_related("county"), request.user, pk=request.GET["from"])
            initial = ReportForm.initial_of(held)
        return render(request, "claims/report_form.html", {"form": ReportForm(counties=own, initial=initial)})
    form = ReportForm(request.POST, counties=own)
    problems: list[Problem] = []
    status = 422
    if form.is_valid():
        given = form.cleaned_data
        try:
            values = services.parse_values(form.typed())
            report = services.enter_fund_report(
                request.user, given["county"], given["fund_type"], given["month"], values, given["note"]  # type: ignore[arg-type]
            )
        except Refused as refusal:
            problems, status = refusal.problems, refusal.status
            for problem in problems:
                if problem.field in form.fields:
                    form.add_error(problem.field, f"{problem.text}{problem.remedy}")
        else:
            messages.success(request, f"已保存：{report}。")
            return redirect("claims:report", pk=report.pk)
    return render(request, "claims/report_form.html", {"form": form, "problems": problems}, status=status)


@require_GET
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """One version beside the one before it."""
    related = ("county__pooling_area", "entered_by", "file")
    found = get_visible(FundMonthlyReport.objects.select_related(*related), request.user, pk=pk)
    require(request.user, VIEW, found.county)  # type: ignore[arg-type]
    same = FundMonthlyReport.objects.filter(
        county=found.county, fund_type=found.fund_type, year=found.year, month=found.month
    )
    context = {
        "report": found,
        "versions": same.select_related("entered_by").order_by("-version"),
        "groups": _values(found, same.filter(version=found.version - 1).first()),
        "may_enter": bool(allowed_at(request.user, ENTER, [found.county])),
    }
    return render(request, "claims/report.html", context)


def _values(found: FundMonthlyReport, before: FundMonthlyReport | None) -> list[dict[str, Any]]:
    from claims.models import REPORT_FIELDS

    groups: dict[str, list[Any]] = {}
    for field in REPORT_FIELDS:
        value = getattr(found, field.name)
        former = getattr(before, field.name) if before else None
        groups.setdefault(field.group, []).append(
            {"label": field.label, "kind": field.kind, "value": value, "former": former, "changed": before is not None and value != former}
        )
    return [{"name": name, "lines": lines} for name, lines in groups.items()]


def _own(request: HttpRequest, counties: list[County]) -> list[County]:
    own = allowed_at(request.user, ENTER, counties)
    if not own:
        require(request.user, ENTER, counties[0])  # type: ignore[arg-type]
    return own


def _filtered(request: HttpRequest, counties: list[County]) -> tuple[ReportFilter, QuerySet[FundMonthlyReport]]:
    this_year = timezone.localdate().year
    span = FundMonthlyReport.objects.filter(county__in=counties).aggregate(first=Min("year"), last=Max("year"))
    years = range(max(span["last"] or this_year, this_year), min(span["first"] or this_year, this_year) - 1, -1)
    form = ReportFilter(request.GET or {"year": this_year}, counties=counties, years=years)
    found = FundMonthlyReport.objects.current().filter(county__in=counties).select_related("county", "entered_by")
    chosen = form.cleaned_data if form.is_valid() else {}
    found = found.filter(year=chosen.get("year") or this_year)
    if chosen.get("county"):
        found = found.filter(county__code=chosen["county"])
    if chosen.get("fund_type"):
        found = found.filter(fund_type=chosen["fund_type"])
    sort = request.GET.get("sort", "")
    order = sort if sort.removeprefix("-") in SORTS else "-month"
    return form, found.order_by(order, "county__code", "fund_type")


def _list_page(
    request: HttpRequest,
    upload: TableUploadForm | None = None,
    problems: list[Problem] | None = None,
    status: int = 200,
) -> HttpResponse:
    counties = counties_of(request.user)
    own = allowed_at(request.user, ENTER, counties)
    form, found = _filtered(request, counties)
    context = {
        "form": form,
        "page_obj": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "export_url": reverse("claims:monthly_report-xlsx"),
        "upload": upload or (TableUploadForm(counties=own) if own else None),
        "problems": problems or [],
    }
    return render(request, "claims/reports.html", context, status=status)
