"""打包预算: the list of a year, and what may be done to one package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from budgets import exports, services
from budgets.forms import ApprovalForm, RoundForm, YearFilter
from budgets.models import PackageVersion
from budgets.reading.worklist import FUND_ORDER, SORTS, PackageRow, growths_of, package_rows
from budgets.views.package_page import package_page
from budgets.views.requests import Shown, person, year_of
from core.access import actions, has_any_role, require
from core.errors import Refused
from core.exports import export_workbook
from core.scope import get_visible
from rules.money import ZERO

PAGE = 30


@require_GET
def package_list(request: HttpRequest) -> HttpResponse:
    """All alliances × fund types of a year with their state, total, growth against the cap and primary share."""
    user, year = person(request), year_of(request)
    form, rows = _rows(request, year)
    growths = growths_of(user, year)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "year": year,
        "form": form,
        "page_obj": page,
        "rows": page,
        "growths": growths,
        "missing_growth": _missing_growth(growths),
        "strip": _strip(rows),
        "may_draft": has_any_role(user, actions["budgets.prepare_package"].roles),
        "export_url": reverse("budgets:list-xlsx"),
    }
    return render(request, "budgets/list.html", context)


@require_GET
def package_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows the filters show."""
    user, year = person(request), year_of(request)
    _form, rows = _rows(request, year)
    if not rows:
        raise Http404("没有可导出的内容。")
    area = rows[0].alliance.county.pooling_area
    return export_workbook(user, area, f"{year}年打包预算.xlsx", [exports.packages_sheet(year, rows)])


@require_GET
def package(request: HttpRequest, pk: int) -> HttpResponse:
    """One package: worksheet, cap, negotiation, versions, coverage, allocation, what happens next."""
    return package_page(request, pk, Shown())


@require_GET
def package_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    version = _version(request, pk)
    name = (
        f"{version.package.alliance.code}-{version.package.year}-{version.package.fund_type}-第{version.number}版.xlsx"
    )
    return export_workbook(person(request), version, name, exports.package_sheets(version))


@require_GET
def package_trace(request: HttpRequest, pk: int) -> HttpResponse:
    """The steps of a version alone, loaded into the trace dialog."""
    version = _version(request, pk)
    steps = version.primary_trace if request.GET.get("of") == "primary" else version.trace
    return render(request, "components/trace.html", {"steps": steps, "trace_title": str(version)})


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Submit, return or withdraw a version."""
    version = _version(request, pk)
    user, reason = person(request), request.POST.get("reason", "")
    acts: dict[str, tuple[Callable[[], PackageVersion], str]] = {
        "submit": (lambda: services.submit_package(user, version), "已报审，已通知基金复核。"),
        "return": (lambda: services.return_package(user, version, reason), "已退回经办。"),
        "withdraw": (lambda: services.withdraw_package(user, version, reason), "已撤回该版本。"),
    }
    if action not in acts:
        raise Http404("没有这种办理。")
    run, told = acts[action]
    try:
        done = run()
    except Refused as refusal:
        shown = Shown(action, refusal, request.POST.dict())
        return package_page(request, version.package_id, shown, number=version.number)
    messages.success(request, told)
    return redirect(done.get_absolute_url())


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's approval, with the day it was decided."""
    version = _version(request, pk)
    require(person(request), "budgets.approve_package", version.alliance)
    form = ApprovalForm(request.POST)
    refusal = None
    if form.is_valid():
        try:
            done = services.approve_package(
                person(request), version, decided_on=form.cleaned_data["decided_on"], note=form.cleaned_data["note"]
            )
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"已审定，打包总额 {done.total:,.2f} 元已记入备查账。")
            return redirect(done.get_absolute_url())
    shown = Shown("approve", refusal, request.POST.dict(), form)
    return package_page(request, version.package_id, shown, number=version.number)


@require_POST
def add_round(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a round of negotiation."""
    version = _version(request, pk)
    require(person(request), "budgets.prepare_package", version.alliance)
    form = RoundForm(request.POST, request.FILES)
    refusal = None
    if form.is_valid():
        try:
            made = services.record_round(person(request), version, form.inputs(), form.cleaned_data["file"])
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"已登记第 {made.number} 轮协商。")
            return redirect(version.get_absolute_url() + "#rounds")
    shown = Shown("round", refusal, request.POST.dict(), form)
    return package_page(request, version.package_id, shown, number=version.number)


def _version(request: HttpRequest, pk: int) -> PackageVersion:
    found: PackageVersion = get_visible(
        PackageVersion.objects.select_related("package__alliance__county__pooling_area"), request.user, pk=pk
    )
    return found


def _rows(request: HttpRequest, year: int) -> tuple[YearFilter, list[PackageRow]]:
    form = YearFilter({"year": year, **request.GET.dict()})
    wanted: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    rows = package_rows(person(request), year)
    if fund := wanted.get("fund"):
        rows = [row for row in rows if row.fund_type == fund]
    if state := wanted.get("state"):
        rows = [row for row in rows if row.state == state]
    if text := (wanted.get("q") or "").strip():
        rows = [
            row for row in rows if text in row.alliance.name or text in row.county.name or text == row.alliance.code
        ]
    sort = request.GET.get("sort", "alliance")
    key = SORTS.get(sort.lstrip("-"), SORTS["alliance"])
    return form, sorted(rows, key=key, reverse=sort.startswith("-"))


def _strip(rows: list[PackageRow]) -> list[dict[str, Any]]:
    """Totals of each fund; the two are never added."""
    strip = []
    for fund in sorted({row.fund_type for row in rows}, key=FUND_ORDER.__getitem__):
        mine = [row for row in rows if row.fund_type == fund]
        approved = [row.in_force for row in mine if row.in_force]
        strip.append(
            {
                "fund": fund,
                "total": sum((version.total for version in approved), ZERO),
                "outside": sum((version.out_of_county for version in approved), ZERO),
                "approved": len(approved),
                "count_text": f"应编制 {len(mine)} 个",
                "waiting": sum(row.state == "submitted" for row in mine),
                "low": sum(row.primary_low for row in mine),
            }
        )
    return strip


def _missing_growth(growths: list[Any]) -> list[str]:
    held = {growth.fund_type for growth in growths}
    return [fund for fund in FUND_ORDER if fund not in held]
