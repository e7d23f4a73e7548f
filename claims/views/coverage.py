"""What is held per county and month, one month's facts, and the claim rows behind them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from claims import exports, services
from claims.forms import FactFilter, YearFilter
from claims.models import FactSet
from claims.reading.coverage import coverage_of
from claims.reading.facts import by_institution, by_location, total_of
from claims.reading.rows import claim_rows
from claims.registries import row_actions
from claims.views.places import counties_of, county_of
from core import parameters
from core.access import may
from core.errors import Refused
from core.exports import export_workbook
from core.models import County, Institution
from core.texts import whole
from rules.errors import RuleError
from rules.periods import Month

PAGE = 50


@require_GET
def coverage(request: HttpRequest) -> HttpResponse:
    """County × month: rows, yuan, rejects, up to which date, by whom, from where, which version."""
    counties, form, year, cells = _cells(request)
    limits = {county: _limit(county) for county in {cell.county for cell in cells}}
    rows: dict[County, list[Any]] = {}
    for cell in cells:
        rows.setdefault(cell.county, []).append((cell, cell.reject_share > limits[cell.county]))
    held = [cell for cell in cells if cell.factset]
    context = {
        "form": form,
        "year": year,
        "rows": list(rows.items()),
        "months": range(1, 13),
        "held": sum(1 for cell in held if cell.declared),
        "data_to": max((cell.data_to for cell in held if cell.data_to), default=None),
        "export_url": reverse("claims:coverage-xlsx"),
    }
    return render(request, "claims/coverage.html", context)


@require_GET
def coverage_xlsx(request: HttpRequest) -> HttpResponse:
    counties, form, year, cells = _cells(request)
    name = f"数据覆盖情况-{year}年-{timezone.localdate()}.xlsx"
    sheets = exports.coverage_sheets(cells, form.said())
    return export_workbook(request.user, counties[0].pooling_area, name, sheets)  # type: ignore[arg-type]


@require_GET
def facts(request: HttpRequest, county: str, month: str) -> HttpResponse:
    """The facts of a county's insured in a month, by place of care and by institution; older versions by number."""
    return _facts_page(request, county, month)


def _facts_page(
    request: HttpRequest, county: str, month: str, reason: str = "", refusal: Refused | None = None
) -> HttpResponse:
    factset, versions = _factset(request, county, month)
    form = FactFilter(request.GET)
    lines = by_institution(factset, form.cleaned_data if form.is_valid() else {}, request.GET.get("sort", "-fund_payable"))
    locations = by_location(factset)
    context = {
        "factset": factset,
        "versions": versions,
        "locations": locations,
        "total_cost": sum(line.total_cost for line in locations),
        "form": form,
        "page_obj": Paginator(lines, PAGE).get_page(request.GET.get("page")),
        "sums": total_of(lines),
        "export_url": reverse("claims:facts-xlsx", args=[county, month]),
        "may_open": bool(may(request.user, "claims.open_rows", factset.county)),  # type: ignore[arg-type]
        "may_refresh": bool(may(request.user, "claims.import", factset.county)),  # type: ignore[arg-type]
        "open_refresh": refusal is not None,
        "reason": reason,
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "claims/facts.html", context, status=refusal.status if refusal else 200)


@require_GET
def facts_xlsx(request: HttpRequest, county: str, month: str) -> HttpResponse:
    factset, _versions = _factset(request, county, month)
    form = FactFilter(request.GET)
    lines = by_institution(factset, form.cleaned_data if form.is_valid() else {}, request.GET.get("sort", "-fund_payable"))
    name = f"{factset.county}{factset.period}机构事实-第{factset.version}版.xlsx"
    sheets = exports.fact_sheets("机构事实", lines, [str(factset)])
    return export_workbook(request.user, factset, name, sheets, place=factset.county)  # type: ignore[arg-type]


@require_POST
def refresh(request: HttpRequest, county: str, month: str) -> HttpResponse:
    """Make the month's facts again under the registers as they stand now."""
    factset, _versions = _factset(request, county, month)
    reason = request.POST.get("reason", "")
    try:
        made, is_new = services.refresh_facts(request.user, factset.county, factset.period, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        return _facts_page(request, county, month, reason, refusal)
    said = f"已形成第 {made.version} 版。" if is_new else "按现行登记重新汇总，没有变化。"
    messages.success(request, said)
    return redirect("claims:facts", county=county, month=month)


@require_GET
def rows(request: HttpRequest, county: str, month: str) -> HttpResponse:
    """Claim rows of one institution (or of all) in a month; looking at them is logged."""
    factset, _versions = _factset(request, county, month)
    if factset.source != "claims":
        raise Http404("这个月的事实不是由结算明细形成的，没有明细行。")
    chosen = {name: request.GET[name] for name in ("institution", "fund_type", "visit_type") if name in request.GET}
    number = _page_number(request)
    if "institution" in chosen:
        code = chosen["institution"]
        institution = Institution.objects.filter(code=code).first()
        what = str(institution or code or "未列机构")
    else:
        what = "全部机构"
    services.note_rows_opened(request.user, factset, f"{what}，第 {number} 页")  # type: ignore[arg-type]
    found = claim_rows(factset.county, factset.period, chosen, (number - 1) * PAGE, PAGE)
    page = Paginator(range(found.total), PAGE).get_page(number)
    offered = [action(request.user, factset.county, factset.period) for _name, action in row_actions if chosen.get("institution")]
    context = {"factset": factset, "found": found, "page_obj": page, "what": what, "actions": [one for one in offered if one]}
    return render(request, "claims/rows.html", context)


def _cells(request: HttpRequest) -> tuple[list[County], YearFilter, int, list[Any]]:
    counties = counties_of(request.user)
    this_year = timezone.localdate().year
    span = FactSet.objects.filter(county__in=counties).aggregate(first=Min("year"), last=Max("year"))
    first, last = min(span["first"] or this_year, this_year), max(span["last"] or this_year, this_year)
    form = YearFilter(request.GET or {"year": this_year}, counties=counties, years=range(last, first - 1, -1))
    chosen = form.cleaned_data if form.is_valid() else {}
    year = chosen.get("year") or this_year
    shown = [county for county in counties if not chosen.get("county") or county.code == chosen["county"]]
    return counties, form, year, coverage_of(shown, year)


def _limit(county: County) -> Any:
    return parameters.value("claims.max_reject_share", county, timezone.localdate()).decimal


def _factset(request: HttpRequest, code: str, text: str) -> tuple[FactSet, list[FactSet]]:
    county = county_of(request.user, code)
    try:
        month = Month.parse(text)
    except RuleError as error:
        raise Http404("没有这个月份。") from error
    versions = list(
        FactSet.objects.filter(county=county, year=month.year, month=month.month)
        .select_related("county__pooling_area", "created_by", "claims_import", "file")
        .order_by("-version")
    )
    wanted = request.GET.get("version", "")
    for factset in versions:
        if str(factset.version) == wanted or (not wanted and factset.current):
            return factset, versions
    raise Http404("这个月没有数据，或没有这个版本。")


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return max(1, whole(text) or 1)
