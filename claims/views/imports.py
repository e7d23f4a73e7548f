"""Imports of claims extracts: the list, the upload, what the check found, the decision."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from claims import exports, services
from claims.engine.columns import COLUMNS
from claims.forms import ImportFilter, UploadForm
from claims.models import ClaimsImport, ImportState, OpenReject
from claims.reading.coverage import coverage_of
from claims.reading.imports import differences_of, findings_of, stages_of, sums_of
from claims.views.places import VIEW, allowed_at, counties_of
from core.access import may, require
from core.errors import Problem, Refused
from core.exports import export_workbook
from core.scope import get_visible
from core.texts import whole
from core.trail import history

PAGE = 30
SORTS = {"uploaded_at", "period_from", "rows_total", "rows_bad", "bad_pooled", "good_pooled"}


@require_GET
def import_list(request: HttpRequest) -> HttpResponse:
    """What was imported, what waits for somebody, and what is held for the year."""
    counties = counties_of(request.user)
    form, found = _filtered(request, counties)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    year = timezone.localdate().year
    context = {
        "form": form,
        "page_obj": page,
        "export_url": reverse("claims:list-xlsx"),
        "waiting": ClaimsImport.objects.visible_to(request.user)
        .filter(state=ImportState.AWAITING_DECISION, county__in=counties)
        .select_related("county"),
        "open": OpenReject.objects.visible_to(request.user).open().filter(county__in=counties).select_related("county")[:12],
        "year": year,
        "matrix": _matrix(coverage_of(counties, year)),
        "may_import": bool(allowed_at(request.user, "claims.import", counties)),
    }
    return render(request, "claims/list.html", context)


@require_GET
def import_list_xlsx(request: HttpRequest) -> HttpResponse:
    counties = counties_of(request.user)
    form, found = _filtered(request, counties)
    name = f"医保结算明细导入-{timezone.localdate()}.xlsx"
    sheets = exports.import_sheets(found, form.said())
    return export_workbook(request.user, counties[0].pooling_area, name, sheets)  # type: ignore[arg-type]


def upload(request: HttpRequest) -> HttpResponse:
    """Hand in an extract with its declared county and months."""
    counties = counties_of(request.user)
    own = allowed_at(request.user, "claims.import", counties)
    if not own:
        require(request.user, "claims.import", counties[0])  # type: ignore[arg-type]
    if request.method != "POST":
        last = timezone.localdate().replace(day=1)
        month = f"{last.year}-{last.month - 1:02d}" if last.month > 1 else f"{last.year - 1}-12"
        form = UploadForm(counties=own, initial={"period_from": month, "period_to": month})
        return _upload_page(request, form)
    form = UploadForm(request.POST, request.FILES, counties=own)
    if not form.is_valid():
        return _upload_page(request, form, status=422)
    given = form.cleaned_data
    try:
        claims_import = services.receive_upload(
            request.user,  # type: ignore[arg-type]
            given["county"],
            given["period_from"],
            given["period_to"],
            given["file"],
        )
    except Refused as refusal:
        return _upload_page(request, form, refusal.problems, refusal.status)
    return redirect("claims:import", pk=claims_import.pk)


@require_GET
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _import_page(request, _import(request, pk))


@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the difference; past the limit of bad rows with a reason."""
    found = _import(request, pk)
    reason = request.POST.get("reason", "")
    try:
        services.accept_import(request.user, found, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        found.refresh_from_db()
        return _import_page(request, found, "accept", reason, refusal)
    messages.success(request, "已确认接收，正在入库。")
    return redirect("claims:import", pk=pk)


@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the extract back with a reason."""
    found = _import(request, pk)
    reason = request.POST.get("reason", "")
    try:
        services.reject_import(request.user, found, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        found.refresh_from_db()
        return _import_page(request, found, "reject", reason, refusal)
    messages.success(request, "已退回，没有数据入库。")
    return redirect("claims:import", pk=pk)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Start an interrupted import again."""
    found = _import(request, pk)
    services.retry_import(request.user, found)  # type: ignore[arg-type]
    return redirect("claims:import", pk=pk)


@require_POST
def write_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a month's rejected rows as settled outside the system."""
    rejects = get_visible(OpenReject.objects.select_related("county__pooling_area"), request.user, pk=pk)
    require(request.user, VIEW, rejects.county)  # type: ignore[arg-type]
    reason = request.POST.get("reason", "")
    found = _import(request, rejects.claims_import_id)
    try:
        services.write_off_rejects(request.user, rejects, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return _import_page(request, found, f"write-off-{pk}", reason, refusal)
    messages.success(request, f"已核销 {rejects.period} 的退回行。")
    return redirect("claims:import", pk=found.pk)


@require_GET
def rejects_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The report of rejected rows as it was written by the check; the download is logged."""
    found = _import(request, pk)
    require(request.user, "claims.open_rows", found.county)  # type: ignore[arg-type]
    if found.report is None or not found.report.path.exists():
        raise Http404("这份导入没有退回行报告。")
    services.note_rejects_opened(request.user, found)  # type: ignore[arg-type]
    name = f"退回行-第{found.pk}号导入.csv"
    return FileResponse(found.report.path.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


@require_GET
def rejects_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as a workbook with a summary sheet."""
    found = _import(request, pk)
    require(request.user, "claims.open_rows", found.county)  # type: ignore[arg-type]
    if found.report is None or not found.report.path.exists():
        raise Http404("这份导入没有退回行报告。")
    sheets = exports.reject_sheets(found, findings_of(found))
    name = f"退回行-第{found.pk}号导入.xlsx"
    return export_workbook(request.user, found, name, sheets)  # type: ignore[arg-type]


def _filtered(request: HttpRequest, counties: list[Any]) -> tuple[ImportFilter, QuerySet[ClaimsImport]]:
    form = ImportFilter(request.GET, counties=counties)
    found = ClaimsImport.objects.visible_to(request.user).filter(county__in=counties)
    if form.is_valid():
        chosen = form.cleaned_data
        if text := chosen["q"].strip():
            match = Q(file_name__icontains=text) | Q(uploaded_by__full_name__icontains=text)
            found = found.filter(match | Q(pk=whole(text)) if whole(text) is not None else match)
        if chosen["county"]:
            found = found.filter(county__code=chosen["county"])
        if chosen["state"]:
            found = found.filter(state=chosen["state"])
        if chosen["month"]:
            found = found.filter(period_from__lte=chosen["month"].last_day, period_to__gte=chosen["month"].first_day)
    sort = request.GET.get("sort", "")
    order = sort if sort.removeprefix("-") in SORTS else "-pk"
    return form, found.select_related("county", "uploaded_by").order_by(order, "-pk")


def _matrix(cells: list[Any]) -> list[dict[str, Any]]:
    rows: dict[Any, list[Any]] = {}
    for cell in cells:
        rows.setdefault(cell.county, []).append(cell)
    return [{"county": county, "cells": months} for county, months in rows.items()]


def _import(request: HttpRequest, pk: int) -> ClaimsImport:
    related = ("county__pooling_area", "uploaded_by", "decided_by", "job", "report")
    found = get_visible(ClaimsImport.objects.select_related(*related), request.user, pk=pk)
    require(request.user, VIEW, found.county)  # type: ignore[arg-type]
    return found  # type: ignore[no-any-return]


def _upload_page(
    request: HttpRequest, form: UploadForm, problems: list[Problem] | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "problems": problems or [], "columns": [column for column in COLUMNS if column.required]}
    return render(request, "claims/upload.html", context, status=status)


def _rejects(found: ClaimsImport, dialog: str) -> list[OpenReject]:
    """The months' rejected rows, each knowing whether its dialog was open when it was refused."""
    rows = list(OpenReject.objects.filter(claims_import=found).select_related("closed_by", "replaced_by"))
    for row in rows:
        row.dialog = f"write-off-{row.pk}"  # type: ignore[attr-defined]
        row.is_open = dialog == row.dialog  # type: ignore[attr-defined]
    return rows


def _import_page(
    request: HttpRequest,
    found: ClaimsImport,
    dialog: str = "",
    reason: str = "",
    refusal: Refused | None = None,
) -> HttpResponse:
    user: Any = request.user
    context = {
        "found": found,
        "stages": stages_of(found),
        "sums": sums_of(found),
        "findings": findings_of(found),
        "differences": differences_of(found),
        "rejects": _rejects(found, dialog),
        "factsets": found.factsets.order_by("year", "month"),
        "events": history(found).order_by("-pk")[:20],
        "may_decide": bool(may(user, "claims.import", found.county)),
        "may_open": bool(may(user, "claims.open_rows", found.county)),
        "may_write_off": bool(may(user, "claims.write_off", found.county)),
        "interrupted": services.is_interrupted(found),
        "in_dialog": bool(dialog),
        "open_accept": dialog == "accept",
        "open_reject": dialog == "reject",
        "reason": reason,
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "claims/import.html", context, status=refusal.status if refusal else 200)
