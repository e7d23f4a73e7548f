"""分配办法: the alliance's internal distribution plan, filed by the lead hospital, acknowledged by two bodies (R-020)."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from budgets import services
from budgets.forms import PlanForm
from budgets.models import DistributionPlan, PlanSide
from budgets.services.plans import ACTIONS
from budgets.views.requests import Shown, alliances_where, person
from core.access import may, require
from core.errors import Refused
from core.models import Alliance
from core.scope import get_visible


def plans(request: HttpRequest) -> HttpResponse:
    """Filed plans, and the form to file one."""
    if request.method != "POST":
        return _page(request, Shown())
    user = person(request)
    alliances = alliances_where(user, "budgets.file_plan")
    if not alliances.exists():
        seen = Alliance.objects.visible_to(user).first()
        if seen is None:
            raise Http404("您没有任何医共体的岗位。")
        require(user, "budgets.file_plan", seen)
    form = PlanForm(request.POST, request.FILES, alliances=alliances)
    refusal = None
    if form.is_valid():
        try:
            made = services.file_plan(user, **form.cleaned_data)
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"{made}已报送，已抄报县医保局和经办机构。")
            return redirect("budgets:plans")
    return _page(request, Shown("file", refusal, request.POST.dict(), form))


@require_POST
def acknowledge(request: HttpRequest, pk: int, side: str) -> HttpResponse:
    """One of the two bodies confirms receipt."""
    plan = get_visible(DistributionPlan.objects.select_related("alliance__county"), request.user, pk=pk)
    try:
        services.acknowledge_plan(person(request), plan, side, request.POST.get("reason", ""))
    except Refused as refusal:
        return _page(request, Shown(f"acknowledge-{pk}", refusal, request.POST.dict()))
    messages.success(request, f"已签收{plan}。")
    return redirect("budgets:plans")


def _page(request: HttpRequest, shown: Shown) -> HttpResponse:
    user = person(request)
    found = DistributionPlan.objects.visible_to(user).select_related("alliance__county", "file", "uploaded_by")
    page = Paginator(found.prefetch_related("acknowledgements__by").distinct(), 20).get_page(request.GET.get("page"))
    alliances = alliances_where(user, "budgets.file_plan")
    rows = []
    for plan in page:
        held = {mark.side: mark for mark in plan.acknowledgements.all()}
        rows.append(
            {
                "plan": plan,
                "sides": [
                    {
                        "side": side,
                        "dialog_id": f"acknowledge-{side}-{plan.pk}",
                        "mark": held.get(side),
                        "may": side not in held and bool(may(user, ACTIONS[side], plan.alliance)),
                    }
                    for side in PlanSide
                ],
            }
        )
    initial = {"year": timezone.localdate().year, "effective_on": timezone.localdate()}
    context = {
        "page_obj": page,
        "rows": rows,
        "form": shown.form or (PlanForm(initial=initial, alliances=alliances) if alliances.exists() else None),
        "page_problems": shown.problems,
    }
    return render(request, "budgets/plans.html", context, status=shown.status)
