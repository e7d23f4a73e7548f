"""Workbooks that come in whole: the monthly fact table, payables by method, their templates and reconciliation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from claims import exports, services
from claims.forms import TableFilter, TableUploadForm
from claims.models import FactSet, FactSource, PayableTable
from claims.reading.payables import reconciled
from claims.views.places import VIEW, allowed_at, counties_of
from core.access import require
from core.errors import Problem, Refused
from core.exports import export_workbook
from core.models import County
from core.scope import get_visible
from core.workbook import XLSX, file_response

PAGE = 30
LARGEST_WORKBOOK = 40 * 1024 * 1024


def fact_table(request: HttpRequest) -> HttpResponse:
    """The second door for counties that cannot export claims."""
    counties = counties_of(request.user)

    def show(form: TableUploadForm | None, problems: list[Problem], status: int) -> HttpResponse:
        chosen, held = _tables(request, counties)
        context = {
            "form": form,
            "problems": problems,
            "filter": chosen,
            "page_obj": Paginator(held, PAGE).get_page(request.GET.get("page")),
            "export_url": reverse("claims:fact_table-xlsx"),
        }
        return render(request, "claims/fact_table.html", context, status=status)

    return _upload(request, "claims.import", services.import_fact_table, show, "claims:fact_table")


@require_GET
def fact_table_xlsx(request: HttpRequest) -> HttpResponse:
    counties = counties_of(request.user)
    chosen, held = _tables(request, counties)
    sheets = exports.factset_sheets(held, chosen.said())
    name = f"月度事实表-{timezone.localdate()}.xlsx"
    return export_workbook(request.user, counties[0].pooling_area, name, sheets)  # type: ignore[arg-type]


@require_GET
def fact_table_template(request: HttpRequest) -> HttpResponse:
    counties_of(request.user)
    return file_response("月度事实表模板.xlsx", services.fact_table_template(), XLSX)


def payables(request: HttpRequest) -> HttpResponse:
    """What the payment methods owe, month by month."""
    counties = counties_of(request.user)

    def show(form: TableUploadForm | None, problems: list[Problem], status: int) -> HttpResponse:
        chosen, held = _payables(request, counties)
        context = {
            "form": form,
            "problems": problems,
            "filter": chosen,
            "page_obj": Paginator(held, PAGE).get_page(request.GET.get("page")),
            "export_url": reverse("claims:payables-xlsx"),
        }
        return render(request, "claims/payables.html", context, status=status)

    return _upload(request, "claims.import", services.import_payables, show, "claims:payables")


@require_GET
def payables_xlsx(request: HttpRequest) -> HttpResponse:
    counties = counties_of(request.user)
    chosen, held = _payables(request, counties)
    sheets = exports.payable_table_sheets(held, chosen.said())
    name = f"付费方式应付表-{timezone.localdate()}.xlsx"
    return export_workbook(request.user, counties[0].pooling_area, name, sheets)  # type: ignore[arg-type]


@require_GET
def payables_template(request: HttpRequest) -> HttpResponse:
    counties_of(request.user)
    return file_response("付费方式应付表模板.xlsx", services.payables_template(), XLSX)


@require_GET
def payable_table(request: HttpRequest, pk: int) -> HttpResponse:
    """One table beside the facts of its month."""
    table = _table(request, pk)
    lines = reconciled(table)
    context = {
        "table": table,
        "page_obj": Paginator(lines, 100).get_page(request.GET.get("page")),
        "held_billed": sum(line.held_billed for line in lines),
        "difference": sum(line.billed_difference for line in lines),
        "effect": table.payable - table.billed,
        "unmatched": sum(1 for line in lines if line.billed_difference),
    }
    return render(request, "claims/payable_table.html", context)


@require_GET
def payable_table_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    table = _table(request, pk)
    name = f"{table.county}{table.period}付费方式应付对账-第{table.version}版.xlsx"
    return export_workbook(request.user, table, name, exports.payable_sheets("应付对账", reconciled(table)))  # type: ignore[arg-type]


def _tables(request: HttpRequest, counties: list[County]) -> tuple[TableFilter, QuerySet[FactSet]]:
    found = FactSet.objects.filter(county__in=counties, source=FactSource.TABLE)
    form, found = _narrowed(request, counties, found)
    return form, found.select_related("county", "created_by", "file").order_by(*_order(request, ("fund_payable",)))


def _payables(request: HttpRequest, counties: list[County]) -> tuple[TableFilter, QuerySet[PayableTable]]:
    form, found = _narrowed(request, counties, PayableTable.objects.filter(county__in=counties))
    return form, found.select_related("county", "uploaded_by", "file").order_by(*_order(request, ("billed", "payable")))


def _narrowed(request: HttpRequest, counties: list[County], found: Any) -> tuple[TableFilter, Any]:
    form = TableFilter(request.GET, counties=counties)
    if form.is_valid():
        chosen = form.cleaned_data
        if text := chosen["q"].strip():
            found = found.filter(file__name__icontains=text)
        if chosen["county"]:
            found = found.filter(county__code=chosen["county"])
        if chosen["month"]:
            found = found.filter(year=chosen["month"].year, month=chosen["month"].month)
        if not chosen["versions"]:
            found = found.filter(current=True)
    return form, found


def _order(request: HttpRequest, amounts: tuple[str, ...]) -> list[str]:
    """The order asked for among the columns this list has; the newest first otherwise."""
    sort = request.GET.get("sort", "")
    name, sign = sort.removeprefix("-"), "-" if sort.startswith("-") else ""
    if name == "period":
        return [f"{sign}year", f"{sign}month", "-pk"]
    return [f"{sign}{name}", "-pk"] if name in amounts else ["-pk"]


def _table(request: HttpRequest, pk: int) -> PayableTable:
    related = ("county__pooling_area", "uploaded_by", "file")
    table = get_visible(PayableTable.objects.select_related(*related), request.user, pk=pk)
    require(request.user, VIEW, table.county)  # type: ignore[arg-type]
    return table  # type: ignore[no-any-return]


def _upload(
    request: HttpRequest,
    action: str,
    take: Callable[[Any, County, bytes, str], list[Any]],
    show: Callable[[TableUploadForm | None, list[Problem], int], HttpResponse],
    back_to: str,
) -> HttpResponse:
    counties = counties_of(request.user)
    own = allowed_at(request.user, action, counties)
    if request.method != "POST":
        return show(TableUploadForm(counties=own) if own else None, [], 200)
    if not own:
        require(request.user, action, counties[0])  # type: ignore[arg-type]
    form = TableUploadForm(request.POST, request.FILES, counties=own)
    if not form.is_valid():
        return show(form, [], 422)
    upload = form.cleaned_data["file"]
    try:
        if upload.size > LARGEST_WORKBOOK:
            raise Refused([Problem("file", upload.name, "工作簿超过 40 MB。", "请按月份分开上传。")])
        made = take(request.user, form.cleaned_data["county"], upload.read(), upload.name)
    except Refused as refusal:
        return show(form, refusal.problems, refusal.status)
    messages.success(request, f"“{upload.name}”已接收，涉及 {len(made)} 个月份或报表。")
    return redirect(back_to)
