"""The adopted scheme documents of a pooling area: what they say, who entered and who approved them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import policies
from core.access import may
from core.errors import Refused
from core.models import PolicyVersion
from core.scope import get_visible
from core.trail import history


@require_GET
def policy_list(request: HttpRequest) -> HttpResponse:
    versions = PolicyVersion.objects.visible_to(request.user).select_related(
        "pooling_area", "entered_by", "approved_by"
    )
    in_force = set(versions.approved_on(timezone.localdate()).values_list("pk", flat=True))
    rows = [{"version": version, "in_force": version.pk in in_force} for version in versions]
    return render(request, "core/policies.html", {"rows": rows})


@require_GET
def policy_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _version(request, pk))


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """A reviewer puts an entered version in force."""
    version = _version(request, pk)
    try:
        policies.approve_version(request.user, version)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, version, refusal)
    messages.success(request, f"已审定“{version}”，自 {version.valid_from} 起执行。")
    return redirect(version)


def _version(request: HttpRequest, pk: int) -> PolicyVersion:
    related = ("pooling_area", "entered_by", "approved_by")
    found: PolicyVersion = get_visible(PolicyVersion.objects.select_related(*related), request.user, pk=pk)
    return found


def _page(request: HttpRequest, version: PolicyVersion, refusal: Refused | None = None) -> HttpResponse:
    user: Any = request.user
    effective = policies.effective(version)
    context = {
        "version": version,
        "parameters": effective.scheme.parameters(),
        "confirmed": effective.confirmed,
        "unconfirmed": len(effective.scheme.unconfirmed()),
        "may_approve": version.approved_at is None and bool(may(user, "core.approve_policy", version.pooling_area)),
        "events": history(version),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "core/policy.html", context, status=refusal.status if refusal else 200)
