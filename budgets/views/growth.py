"""收入预算增幅: the growth that caps packages, entered and approved."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from budgets import services
from budgets.forms import GrowthForm
from budgets.models import RevenueGrowth
from budgets.views.requests import Shown, person
from core.access import may, require
from core.errors import Refused
from core.models import PoolingArea
from core.scope import get_visible


def growth(request: HttpRequest) -> HttpResponse:
    """The growth figures of the areas the person sees, and the form to enter one."""
    if request.method != "POST":
        return _page(request, Shown())
    user = person(request)
    area = _area(request)
    require(user, "budgets.enter_growth", area)
    form = GrowthForm(request.POST, request.FILES)
    refusal = None
    if form.is_valid():
        try:
            services.enter_growth(user, area, **form.cleaned_data)
        except Refused as found:
            refusal = found
        else:
            messages.success(request, "已录入，已通知基金复核审定。")
            return redirect("budgets:growth")
    return _page(request, Shown("enter", refusal, request.POST.dict(), form))


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Approve or return an entered growth."""
    entered = get_visible(RevenueGrowth.objects.select_related("pooling_area"), request.user, pk=pk)
    user = person(request)
    try:
        if action == "approve":
            services.approve_growth(user, entered)
            messages.success(request, f"已审定{entered}。")
        elif action == "return":
            services.return_growth(user, entered, request.POST.get("reason", ""))
            messages.success(request, f"已退回{entered}。")
        else:
            raise Http404("没有这种办理。")
    except Refused as refusal:
        return _page(request, Shown(f"{action}-{pk}", refusal, request.POST.dict()))
    return redirect("budgets:growth")


def _area(request: HttpRequest) -> PoolingArea:
    """The person's area, one where she may enter growth if there is; the service says who may where she may not."""
    user, areas = person(request), _areas(request)
    if not areas:
        raise Http404("您没有任何地区的岗位。")
    return next((area for area in areas if may(user, "budgets.enter_growth", area)), areas[0])


def _areas(request: HttpRequest) -> list[PoolingArea]:
    user = person(request)
    found = {}
    for grant in user.grants_on(timezone.localdate()):
        place = grant.place
        area = (
            place if isinstance(place, PoolingArea) else getattr(getattr(place, "county", place), "pooling_area", None)
        )
        if area is not None:
            found[area.pk] = area
    return list(found.values())


def _page(request: HttpRequest, shown: Shown) -> HttpResponse:
    user = person(request)
    rows = RevenueGrowth.objects.visible_to(user).select_related("pooling_area", "entered_by", "decided_by", "evidence")
    page = Paginator(rows, 30).get_page(request.GET.get("page"))
    areas = _areas(request)
    may_enter = any(may(user, "budgets.enter_growth", area) for area in areas)
    may_approve = {area.pk for area in areas if may(user, "budgets.approve_growth", area)}
    context = {
        "page_obj": page,
        "rows": [
            {
                "growth": found,
                "may_decide": found.state == "submitted"
                and found.pooling_area_id in may_approve
                and found.entered_by_id != user.pk,
                "approve_id": f"growth-approve-{found.pk}",
                "return_id": f"growth-return-{found.pk}",
                "returning": shown if shown.name == f"return-{found.pk}" else None,
            }
            for found in page
        ],
        "form": shown.form or GrowthForm(initial={"year": timezone.localdate().year}),
        "may_enter": may_enter,
        "page_problems": shown.problems if not shown.name.startswith("return-") else [],
    }
    return render(request, "budgets/growth.html", context, status=shown.status)
