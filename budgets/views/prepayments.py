"""月度预付: the year's prepayments per alliance and fund beside their caps, the batches, proposing a month."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from budgets import exports, services
from budgets.forms import BatchFilter, BatchStateFilter, ProposeForm, RatioForm
from budgets.models import Prepayment, PrepaymentRatio
from budgets.reading.worklist import FUND_ORDER, PrepaidRow, batches_of, prepaid_rows
from budgets.views.requests import Shown, alliances_where, person, year_of
from core.access import BUREAU_ROLES, actions, has_any_role, may, require
from core.errors import Refused
from core.exports import export_workbook
from core.models import Alliance, PoolingArea, Role
from core.scope import get_visible
from rules.money import ZERO, round_ratio
from rules.periods import Month
from rules.trace import percent

SORTS = {
    "alliance": lambda row: (row.alliance.code, FUND_ORDER[row.fund_type]),
    "decided": lambda row: row.decided,
    "paid": lambda row: row.paid,
    "percent": lambda row: row.percent or ZERO,
    "cash": lambda row: row.projected_cash if row.projected_cash is not None else ZERO,
}


@require_GET
def prepayments(request: HttpRequest) -> HttpResponse:
    return _page(request, Shown())


@require_GET
def prepayments_xlsx(request: HttpRequest) -> HttpResponse:
    year = year_of(request)
    _form, rows = _rows(request, year)
    if not rows:
        raise Http404("没有可导出的内容。")
    area = rows[0].alliance.county.pooling_area
    sheets = [exports.prepaid_sheet(year, rows), exports.batches_sheet(year, list(batches_of(person(request), year)))]
    return export_workbook(person(request), area, f"{year}年月度预付.xlsx", sheets)


@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """Propose a month for the whole area at once, as the month-end job does."""
    user = person(request)
    area = _area(request)
    require(user, "budgets.prepare_prepayment", area)
    form = ProposeForm(request.POST)
    if not form.is_valid():
        return _page(request, Shown("propose", None, request.POST.dict(), form))
    told = services.propose_month(user, area, Month.parse(form.cleaned_data["month"]))
    for line in told:
        messages.info(request, line)
    return redirect(f"{reverse('budgets:prepayments')}?year={form.cleaned_data['month'][:4]}")


@require_POST
def enter_ratio(request: HttpRequest) -> HttpResponse:
    """Enter the monthly ratio of an alliance after its assessment."""
    user = person(request)
    alliances = alliances_where(user, "budgets.enter_ratio")
    if not alliances.exists():
        require(user, "budgets.enter_ratio", _area(request))
    form = RatioForm(request.POST, alliances=alliances)
    refusal = None
    if form.is_valid():
        typed = form.cleaned_data
        try:
            services.enter_ratio(user, typed["alliance"], typed["year"], typed["monthly_ratio"], typed["reason"])
        except Refused as found:
            refusal = found
        else:
            messages.success(request, "已录入，待基金复核审定。")
            return redirect("budgets:prepayments")
    return _page(request, Shown("ratio", refusal, request.POST.dict(), form))


@require_POST
def approve_ratio(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Alliance.objects.visible_to(request.user)
    entered = PrepaymentRatio.objects.select_related("alliance__county__pooling_area").filter(alliance__in=seen, pk=pk)
    found = entered.first()
    if found is None:
        raise Http404("没有找到这项预付比例调整。")
    try:
        services.approve_ratio(person(request), found)
    except Refused as refusal:
        return _page(request, Shown("ratio-approve", refusal, request.POST.dict()))
    messages.success(request, f"已审定{found}。")
    return redirect("budgets:prepayments")


@require_GET
def line_trace(request: HttpRequest, pk: int) -> HttpResponse:
    """How a line's amount, or the projected cash at year end, was computed."""
    line = get_visible(Prepayment.objects.select_related("alliance"), request.user, pk=pk)
    of_cash = request.GET.get("of") == "cash"
    context = {"steps": line.projection if of_cash else line.trace, "trace_title": str(line)}
    return render(request, "components/trace.html", context)


def _area(request: HttpRequest) -> PoolingArea:
    """The pooling area the person stands in; where she has several, the one asked for."""
    places = [grant.place for grant in person(request).grants_on(timezone.localdate())]
    areas: dict[str, PoolingArea] = {}
    for place in places:
        area = (
            place if isinstance(place, PoolingArea) else getattr(getattr(place, "county", place), "pooling_area", None)
        )
        if area is not None:
            areas[area.code] = area
    if not areas:
        raise Http404("您没有任何地区的岗位。")
    asked = request.POST.get("area", "")
    if asked and asked not in areas:
        raise Http404("没有找到这个统筹区，或者它不在您的管理范围内。")
    return areas[asked] if asked else next(iter(areas.values()))


def _rows(request: HttpRequest, year: int) -> tuple[BatchFilter, list[PrepaidRow]]:
    form = BatchFilter({"year": year, **request.GET.dict()})
    wanted: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    rows = prepaid_rows(person(request), year)
    if fund := wanted.get("fund"):
        rows = [row for row in rows if row.fund_type == fund]
    if text := (wanted.get("q") or "").strip():
        rows = [row for row in rows if text in row.alliance.name or text in row.alliance.county.name]
    sort = request.GET.get("sort", "alliance")
    key = SORTS.get(sort.lstrip("-"), SORTS["alliance"])
    return form, sorted(rows, key=key, reverse=sort.startswith("-"))


def _page(request: HttpRequest, shown: Shown) -> HttpResponse:
    user, year = person(request), year_of(request)
    form, rows = _rows(request, year)
    bureau = has_any_role(user, BUREAU_ROLES | {Role.OBSERVER})
    lines = None
    batches = batches_of(user, year) if bureau else None
    state_form = BatchStateFilter({"year": year, **request.GET.dict()})
    if batches is not None and state_form.is_valid() and state_form.cleaned_data["state"]:
        batches = batches.filter(state=state_form.cleaned_data["state"])
    if not bureau:
        found = Prepayment.objects.visible_to(user).filter(year=year).select_related("batch", "alliance")
        lines = found.order_by("-month", "fund_type")
    may_propose = any(
        grant.pooling_area is not None and may(user, "budgets.prepare_prepayment", grant.pooling_area)
        for grant in user.grants_on(timezone.localdate())
    )
    ratios = (
        PrepaymentRatio.objects.filter(alliance__in=Alliance.objects.visible_to(user), year__gte=year)
        .select_related("alliance", "entered_by", "approved_by")
        .order_by("-pk")[:20]
    )
    may_ratio = has_any_role(user, actions["budgets.enter_ratio"].roles)
    context = {
        "year": year,
        "form": form,
        "rows": rows,
        "state_form": state_form,
        "strip": _strip(rows),
        "page_obj": Paginator(batches, 24).get_page(request.GET.get("page")) if batches is not None else None,
        "lines": lines,
        "may_propose": may_propose,
        "propose_form": shown.form
        if shown.name == "propose"
        else ProposeForm(initial={"month": f"{timezone.localdate():%Y-%m}"}),
        "ratios": ratios,
        "ratio_form": _ratio_form(request, shown) if may_ratio else None,
        "may_approve_ratio": has_any_role(user, actions["budgets.approve_ratio"].roles),
        "page_problems": shown.problems,
        "opened": shown.name,
        "export_url": reverse("budgets:prepayments-xlsx"),
    }
    return render(request, "budgets/prepayments.html", context, status=shown.status)


def _ratio_form(request: HttpRequest, shown: Shown) -> RatioForm:
    if shown.name == "ratio":
        return shown.form  # type: ignore[no-any-return]
    alliances = alliances_where(person(request), "budgets.enter_ratio")
    return RatioForm(initial={"year": timezone.localdate().year + 1}, alliances=alliances)


def _strip(rows: list[PrepaidRow]) -> list[dict[str, Any]]:
    strip = []
    for fund in sorted({row.fund_type for row in rows}, key=FUND_ORDER.__getitem__):
        mine = [row for row in rows if row.fund_type == fund]
        total = sum((row.package_total for row in mine if row.package_total), ZERO)
        decided = sum((row.decided for row in mine), ZERO)
        cap = sum((row.cap for row in mine if row.cap is not None), ZERO)
        left = sum((row.cap_left for row in mine if row.cap_left is not None), ZERO)
        strip.append(
            {
                "fund": fund,
                "decided": decided,
                "paid": sum((row.paid for row in mine), ZERO),
                "left": left,
                "percent": decided * 100 / total if total else ZERO,
                "cap_percent": cap * 100 / total if total else ZERO,
                "sub": f"占打包总额 {percent(round_ratio(decided / total))}" if total else "",
                "negative": sum(row.projected_cash is not None and row.projected_cash < 0 for row in mine),
            }
        )
    return strip
