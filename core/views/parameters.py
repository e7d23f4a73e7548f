"""Every parameter still 待核实 on one page: entering the official value with its document, and confirming it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import parameters, policies
from core.access import may, require
from core.errors import Refused
from core.files import store_evidence
from core.models import ConfirmationStatus, Parameter, PolicyParameter, PolicyVersion, PoolingArea
from core.models.places import valid_on
from core.scope import get_visible
from rules.specification import SPEC


@require_GET
def parameter_list(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """The official value of one parameter of an adopted scheme, with the document it stands in."""
    user: Any = request.user
    version = get_visible(PolicyVersion.objects.select_related("pooling_area"), user, pk=request.POST.get("version"))
    require(user, "core.enter_policy", version.pooling_area)
    upload = request.FILES.get("document_file")
    try:
        stored = store_evidence(upload, "policy_document", user) if upload else None
        policies.enter_value(
            user,
            version,
            request.POST.get("key", ""),
            request.POST.get("value", "").strip(),
            request.POST.get("document_title", ""),
            stored,
        )
    except Refused as refusal:
        return _page(request, refusal)
    messages.success(request, "已录入，待基金复核核实后生效。")
    return redirect("core:parameters")


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """A reviewer confirms an entered value of a scheme."""
    entered = _entered(request, pk)
    try:
        policies.confirm_value(request.user, entered)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, refusal)
    messages.success(request, f"已核实 {entered.key} = {entered.value}，自即日起按此取值。")
    return redirect("core:parameters")


@require_POST
def confirm_single(request: HttpRequest, pk: int) -> HttpResponse:
    """A reviewer confirms an entered value of a single parameter."""
    areas = PoolingArea.objects.visible_to(request.user)
    entered = Parameter.objects.filter(pooling_area__in=areas, pk=pk).select_related("pooling_area").first()
    if entered is None:
        raise Http404("没有找到这个参数取值，或者它不在您的管理范围内。")
    try:
        parameters.confirm_parameter(request.user, entered)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, refusal)
    messages.success(
        request, f"已核实 {parameters.label_of(entered.key)} = {entered.value}，自 {entered.valid_from} 起按此取值。"
    )
    return redirect("core:parameters")


@require_GET
def document(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The official document behind an entered value."""
    entered = _entered(request, pk)
    stored = entered.document_file
    if stored is None or not stored.path.exists():
        raise Http404("录入时没有附文件。")
    return FileResponse(stored.path.open("rb"), as_attachment=True, filename=stored.name)


def _entered(request: HttpRequest, pk: int) -> PolicyParameter:
    versions = PolicyVersion.objects.visible_to(request.user)
    found = PolicyParameter.objects.filter(policy_version__in=versions, pk=pk)
    entered = found.select_related("policy_version__pooling_area", "document_file").first()
    if entered is None:
        raise Http404("没有找到这个参数取值，或者它不在您的管理范围内。")
    return entered


def _page(request: HttpRequest, refusal: Refused | None = None) -> HttpResponse:
    user: Any = request.user
    today = timezone.localdate()
    versions = PolicyVersion.objects.visible_to(user).approved_on(today).select_related("pooling_area", "entered_by")
    rights = {
        version.pooling_area_id: {
            "enter": bool(may(user, "core.enter_policy", version.pooling_area)),
            "confirm": bool(may(user, "core.confirm_parameter", version.pooling_area)),
        }
        for version in versions
    }
    groups = []
    for version in versions:
        waiting = version.entered_parameters.filter(confirmed_at=None).select_related("entered_by", "document_file")
        entered = {row.key: row for row in waiting.order_by("pk")}
        rows = [
            {"parameter": found, "entered": entered.get(found.key), "choices": _choices(found.key)}
            for found in policies.unconfirmed(version)
        ]
        groups.append({"version": version, "rows": rows, "rights": rights[version.pooling_area_id]})
    context = {
        "groups": groups,
        "singles": _singles(user, rights),
        "problems": refusal.problems if refusal else [],
        "typed": request.POST,
    }
    return render(request, "core/parameters.html", context, status=refusal.status if refusal else 200)


def _choices(key: str) -> list[tuple[str, str]]:
    """What a parameter may be set to, where the scheme offers a choice."""
    kind = SPEC.get(key)
    return list(kind.choices.items()) if kind and kind.kind == "choice" and kind.choices else []


def _singles(user: Any, rights: dict[int, dict[str, bool]]) -> list[dict[str, Any]]:
    """Single parameters that stand on an unconfirmed default or have a value waiting for confirmation."""
    today = timezone.localdate()
    found = Parameter.objects.filter(pooling_area__in=PoolingArea.objects.visible_to(user))
    waiting: dict[str, list[Parameter]] = {}
    for row in found.filter(status=ConfirmationStatus.UNCONFIRMED).select_related(
        "pooling_area", "county", "entered_by"
    ):
        waiting.setdefault(row.key, []).append(row)
    settled = set(found.filter(valid_on(today), status=ConfirmationStatus.CONFIRMED).values_list("key", flat=True))
    rows = []
    for definition in parameters.definitions.values():
        open_default = definition.status == ConfirmationStatus.UNCONFIRMED and definition.key not in settled
        if open_default or definition.key in waiting:
            entered = [
                {
                    "row": row,
                    "confirm_id": f"single-{row.pk}",
                    "may_confirm": rights.get(row.pooling_area_id, {}).get("confirm", False),
                }
                for row in waiting.get(definition.key, [])
            ]
            rows.append({"definition": definition, "entered": entered})
    return rows
