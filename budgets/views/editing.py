"""Working a package out: what was typed, the worksheet it gives, and what still stands in its way."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from budgets import services
from budgets.forms import PackageForm
from budgets.models import Package, PackageKind, PackageVersion
from budgets.services.figures import YEARS_BACK
from budgets.views.requests import person
from claims.reading import PackageScope, fund_year, insured_heads
from core.access import require
from core.errors import Problem, Refused
from core.models import Alliance, FundType
from core.scope import get_visible


def new(request: HttpRequest) -> HttpResponse:
    """Draft a package or an adjustment: ``?alliance=QX&year=2026&fund=RES``."""
    asked = request.GET
    alliance = get_visible(
        Alliance.objects.select_related("county__pooling_area"), request.user, code=asked.get("alliance", "")
    )
    year, fund_type = asked.get("year", ""), asked.get("fund", "")
    if not year.isdecimal() or not 2000 <= int(year) <= 2100 or fund_type not in FundType.values:
        raise Http404("请从打包预算列表选择医共体、年度和险种。")
    return _edit(request, alliance, int(year), fund_type, None)


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Revise a draft or returned version."""
    version = get_visible(
        PackageVersion.objects.select_related("package__alliance__county__pooling_area"), request.user, pk=pk
    )
    return _edit(request, version.package.alliance, version.package.year, version.package.fund_type, version)


def _edit(
    request: HttpRequest, alliance: Alliance, year: int, fund_type: str, version: PackageVersion | None
) -> HttpResponse:
    user = person(request)
    require(user, "budgets.prepare_package", alliance)
    former = version or _latest(alliance, year, fund_type)
    problems: list[Problem] = []
    missing: list[Problem] = []
    worked, status = None, 200
    adjusting = version.kind == PackageKind.ADJUSTMENT if version else former is not None
    shape: dict[str, Any] = {"year": year, "fund_type": fund_type, "adjusting": adjusting}
    if request.method == "POST":
        form = PackageForm(request.POST, request.FILES, **shape)
        status = 422
        if form.is_valid():
            try:
                if request.POST.get("act") == "preview":
                    worked, status = services.work_out(alliance, year, fund_type, form.inputs()), 200
                else:
                    evidence = form.cleaned_data["evidence"]
                    if version is None:
                        saved = services.draft_package(user, alliance, year, fund_type, form.inputs(), evidence)
                    else:
                        saved = services.revise_package(user, version, form.inputs(), evidence)
                    messages.success(request, f"已保存第 {saved.number} 版，打包总额 {saved.total:,.2f} 元。")
                    return redirect(saved.get_absolute_url())
            except Refused as refusal:
                problems, status = refusal.problems, refusal.status
    else:
        initial = PackageForm.initial_of(services.inputs_of(former)) if former else {}
        form = PackageForm(initial=initial, **shape)
        worked, missing = _first_look(alliance, year, fund_type, former)
    context = {
        "form": form,
        "alliance": alliance,
        "year": year,
        "fund_type": fund_type,
        "version": version,
        "former": former,
        "adjusting": adjusting,
        "worked": worked,
        "missing": missing,
        "page_problems": problems,
        "facts": _facts(form, alliance, fund_type),
        "heads": insured_heads(alliance, year, fund_type) or insured_heads(alliance, year - 1, fund_type),
    }
    return render(request, "budgets/edit.html", context, status=status)


def _latest(alliance: Alliance, year: int, fund_type: str) -> PackageVersion | None:
    """The version in force, from which an adjustment starts."""
    package = Package.objects.filter(alliance=alliance, year=year, fund_type=fund_type).first()
    return package.versions.approved().order_by("-number").first() if package else None


def _first_look(
    alliance: Alliance, year: int, fund_type: str, former: PackageVersion | None
) -> tuple[services.Worked | None, list[Problem]]:
    """The worksheet before anything was typed, or what it still lacks."""
    given = services.inputs_of(former) if former else services.PackageInputs()
    try:
        return services.work_out(alliance, year, fund_type, given), []
    except Refused as refusal:
        return None, refusal.problems


def _facts(form: PackageForm, alliance: Alliance, fund_type: str) -> list[dict[str, Any]]:
    """The facts of each earlier year beside the boxes that may replace them."""
    rows = form.year_rows()
    assert len(rows) == YEARS_BACK
    return [{**row, "facts": fund_year(alliance, row["year"], fund_type, PackageScope.DEFAULT)} for row in rows]
