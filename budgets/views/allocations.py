"""成员分配: dividing the in-alliance part, submitting and approving the division."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from budgets import services
from budgets.forms import AllocationForm
from budgets.models import AllocationVersion, PackageVersion
from budgets.views.package_page import package_page
from budgets.views.requests import Shown, person
from core.access import require
from core.errors import Problem, Refused
from core.models import Institution
from core.scope import get_visible
from rules.budget import Member, allocate_members
from rules.errors import RuleError
from rules.money import ZERO


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Divide by last year's spending with one press, or type every member's part."""
    version = get_visible(
        PackageVersion.objects.select_related("package__alliance__county__pooling_area"), request.user, pk=pk
    )
    user = person(request)
    require(user, "budgets.prepare_allocation", version.alliance)
    members, weights = services.members_of(version), services.proposed_weights(version)
    problems: list[Problem] = []
    status = 200
    if request.method == "POST":
        by_weight = request.POST.get("act") == "weights"
        form = AllocationForm(request.POST, members=members)
        status = 422
        if by_weight or form.is_valid():
            amounts = None if by_weight else form.amounts()
            try:
                made = services.draft_allocation(user, version, amounts=amounts, note=request.POST.get("note", ""))
            except Refused as refusal:
                problems, status = refusal.problems, refusal.status
            else:
                messages.success(request, f"已保存成员分配第 {made.number} 版，合计 {made.total:,.2f} 元。")
                return redirect(made.get_absolute_url())
    else:
        proposed = _proposed(version, members, weights)
        initial = {f"amount_{pk}": amount for pk, amount in proposed.items()}
        form = AllocationForm(initial=initial, members=members)
    rows = [
        {"member": member, "weight": weights.get(member.pk, ZERO), "field": form[f"amount_{member.pk}"]}
        for member in members
    ]
    context = {
        "version": version,
        "package": version.package,
        "form": form,
        "rows": rows,
        "page_problems": problems,
        "weights_total": sum(weights.values(), ZERO),
    }
    return render(request, "budgets/allocation.html", context, status=status)


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Submit, approve or return an allocation."""
    allocation = get_visible(
        AllocationVersion.objects.select_related("package__alliance__county__pooling_area", "package_version"),
        request.user,
        pk=pk,
    )
    user, reason = person(request), request.POST.get("reason", "")
    acts: dict[str, tuple[Callable[[], AllocationVersion], str]] = {
        "submit": (lambda: services.submit_allocation(user, allocation), "成员分配已报审。"),
        "approve": (lambda: services.approve_allocation(user, allocation), "成员分配已审定。"),
        "return": (lambda: services.return_allocation(user, allocation, reason), "成员分配已退回。"),
    }
    if action not in acts:
        raise Http404("没有这种办理。")
    run, told = acts[action]
    try:
        run()
    except Refused as refusal:
        return package_page(request, allocation.package_id, Shown(f"allocation-{action}", refusal, request.POST.dict()))
    messages.success(request, told)
    return redirect(allocation.get_absolute_url())


def _proposed(version: PackageVersion, members: list[Institution], weights: dict[int, Decimal]) -> dict[int, Decimal]:
    """What dividing by last year's spending gives; nothing where nobody spent."""
    listed = [Member(member.code, member.name, weights.get(member.pk, ZERO), member.is_primary) for member in members]
    try:
        parts = {part.code: part.amount for part in allocate_members(version.in_alliance, listed).parts}
    except RuleError:
        return {}
    return {member.pk: parts[member.code] for member in members}
