"""Every parameter still 待核实 on one page: entering the official value with its document, and confirming it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from core import policies
from core.access import may
from core.errors import Refused
from core.files import store_evidence
from core.models import PolicyParameter, PolicyVersion
from core.parameters import definitions
from core.scope import get_visible


def parameter_list(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    version = get_visible(PolicyVersion.objects.all(), request.user, pk=request.POST.get("version"))
    upload = request.FILES.get("document_file")
    try:
        stored = store_evidence(upload, "policy_document", request.user) if upload else None  # type: ignore[arg-type]
        policies.enter_value(
            request.user,  # type: ignore[arg-type]
            version,
            request.POST.get("key", ""),
            request.POST.get("value", "").strip(),
            request.POST.get("document_title", ""),
            stored,
        )
    except Refused as refusal:
        return _page(request, refusal, status=refusal.status)
    messages.success(request, "已录入，待基金复核核实后生效。")
    return redirect("core:parameters")


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    versions = PolicyVersion.objects.visible_to(request.user)
    entered = PolicyParameter.objects.filter(policy_version__in=versions).filter(pk=pk).first()
    if entered is None:
        return render(request, "errors/404.html", status=404)
    try:
        policies.confirm_value(request.user, entered)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, refusal, status=refusal.status)
    messages.success(request, f"已核实 {entered.key} = {entered.value}，自即日起按此取值。")
    return redirect("core:parameters")


def _page(request: HttpRequest, refusal: Refused | None = None, status: int = 200) -> HttpResponse:
    user: Any = request.user
    versions = PolicyVersion.objects.visible_to(user).select_related("pooling_area", "entered_by")
    rows: list[dict[str, Any]] = []
    for version in versions.approved_on(timezone.localdate()):
        waiting = version.entered_parameters.filter(confirmed_at=None).select_related("entered_by")
        entered = {row.key: row for row in waiting}
        rows.extend(
            {
                "version": version,
                "parameter": parameter,
                "entered": entered.get(parameter.key),
                "may_enter": bool(may(user, "core.enter_policy", version.pooling_area)),
                "may_confirm": bool(may(user, "core.confirm_parameter", version.pooling_area)),
            }
            for parameter in policies.unconfirmed(version)
        )
    context = {
        "rows": rows,
        "singles": [d for d in definitions.values() if d.status != "confirmed"],
        "problems": refusal.problems if refusal else [],
        "typed": request.POST,
    }
    return render(request, "core/parameters.html", context, status=status)
