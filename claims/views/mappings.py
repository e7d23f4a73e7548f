"""The area's mapping tables, its settings and its group catalogue; edited by the administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from claims import services
from claims.forms import AreaFilter, AreaSettingsForm, MappingForm
from claims.models import FactFundType, FundMapping, GroupCatalogueEntry, VisitType, VisitTypeMapping
from claims.views.places import areas_of
from claims.views.tables import LARGEST_WORKBOOK
from core.access import may
from core.errors import Problem, Refused
from core.models import PoolingArea
from core.scope import get_visible

EDIT = "claims.edit_mappings"


@require_GET
def mappings(request: HttpRequest) -> HttpResponse:
    return _page(request, _area(request, request.GET.get("area", "")))


@require_POST
def set_fund(request: HttpRequest) -> HttpResponse:
    area = _area(request, request.POST.get("area", ""))
    form = MappingForm(request.POST, choices=FactFundType.choices, prefix="fund")

    def save(given: dict[str, Any]) -> None:
        services.set_fund_mapping(request.user, area, given["code"], given["target"], given["note"])  # type: ignore[arg-type]

    return _saved(request, area, form, save, {"fund_form": form})


@require_POST
def set_visit(request: HttpRequest) -> HttpResponse:
    area = _area(request, request.POST.get("area", ""))
    form = MappingForm(request.POST, choices=VisitType.choices, prefix="visit")

    def save(given: dict[str, Any]) -> None:
        services.set_visit_mapping(request.user, area, given["code"], given["target"], given["note"])  # type: ignore[arg-type]

    return _saved(request, area, form, save, {"visit_form": form})


@require_POST
def set_settings(request: HttpRequest) -> HttpResponse:
    area = _area(request, request.POST.get("area", ""))
    form = AreaSettingsForm(request.POST)

    def save(given: dict[str, Any]) -> None:
        services.set_area_settings(request.user, area, given["mutual_aid"], given["settles_by_groups"])  # type: ignore[arg-type]

    return _saved(request, area, form, save, {"settings_form": form})


@require_POST
def remove_fund(request: HttpRequest, pk: int) -> HttpResponse:
    return _remove(request, get_visible(FundMapping.objects.select_related("pooling_area"), request.user, pk=pk))


@require_POST
def remove_visit(request: HttpRequest, pk: int) -> HttpResponse:
    return _remove(request, get_visible(VisitTypeMapping.objects.select_related("pooling_area"), request.user, pk=pk))


@require_POST
def load_groups(request: HttpRequest) -> HttpResponse:
    """Replace the group catalogue by a workbook."""
    area = _area(request, request.POST.get("area", ""))
    upload = request.FILES.get("file")
    try:
        if upload is None:
            raise Refused([Problem("file", "", "没有选择文件。", "请选择分组目录工作簿。")])
        if upload.size and upload.size > LARGEST_WORKBOOK:
            raise Refused([Problem("file", str(upload.name), "工作簿超过 40 MB。", "请删去无关内容。")])
        count = services.load_group_catalogue(request.user, area, upload.read(), str(upload.name))  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, area, {"problems": refusal.problems}, refusal.status)
    messages.success(request, f"已载入 {count} 个分组。")
    return _back(area)


def _saved(
    request: HttpRequest, area: PoolingArea, form: Any, save: Callable[[dict[str, Any]], None], shown: dict[str, Any]
) -> HttpResponse:
    if not form.is_valid():
        return _page(request, area, shown, 422)
    try:
        save(form.cleaned_data)
    except Refused as refusal:
        return _page(request, area, {**shown, "problems": refusal.problems}, refusal.status)
    messages.success(request, "已保存，自下一次导入起按此读取。")
    return _back(area)


def _remove(request: HttpRequest, mapping: FundMapping | VisitTypeMapping) -> HttpResponse:
    area = mapping.pooling_area
    services.remove_mapping(request.user, mapping)  # type: ignore[arg-type]
    messages.success(request, "已删除。")
    return _back(area)


def _area(request: HttpRequest, code: str) -> PoolingArea:
    areas = areas_of(request.user)
    if not code:
        return areas[0]
    for area in areas:
        if area.code == code:
            return area
    raise Http404("没有找到这个统筹区，或者它不在您的管理范围内。")


def _back(area: PoolingArea) -> HttpResponse:
    return redirect(f"{reverse('claims:mappings')}?area={area.code}")


def _page(
    request: HttpRequest, area: PoolingArea, shown: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    settings = services.settings_of(area)
    areas = areas_of(request.user)
    context = {
        "area": area,
        "area_form": AreaFilter({"area": area.code}, areas=areas) if len(areas) > 1 else None,
        "funds": FundMapping.objects.filter(pooling_area=area),
        "visits": VisitTypeMapping.objects.filter(pooling_area=area),
        "groups": GroupCatalogueEntry.objects.filter(pooling_area=area).count(),
        "settings": settings,
        "fund_form": MappingForm(choices=FactFundType.choices, prefix="fund"),
        "visit_form": MappingForm(choices=VisitType.choices, prefix="visit"),
        "settings_form": AreaSettingsForm(
            initial={"mutual_aid": settings.mutual_aid, "settles_by_groups": settings.settles_by_groups}
        ),
        "may_edit": bool(may(request.user, EDIT, area)),  # type: ignore[arg-type]
        "problems": [],
        **(shown or {}),
    }
    return render(request, "claims/mappings.html", context, status=status)
