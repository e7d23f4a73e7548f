"""应参保人数: what each county's headcount should be in a year, entered by one person and confirmed by another."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from core.access import has_any_role, may, require_somewhere
from core.errors import Refused
from core.models import County, FundType, Role
from core.scope import get_visible
from monitoring.models.collection import EnrolmentTarget, TargetState
from monitoring.services import collection as services
from monitoring.views.collection import need_collection_reader
from monitoring.views.listing import ListFilter, choices, county_choices, export, local, page_of, sorted_queryset

SORTS = {
    "county": ("county__code",), "year": ("year", "county__code"), "expected": ("expected",), "state": ("state",),
}  # fmt: skip


class TargetFilter(ListFilter):
    year = forms.IntegerField(label="年度", required=False, min_value=2000, max_value=2999)
    county = forms.ChoiceField(label="县（区）", required=False)
    fund = forms.ChoiceField(label="险种", required=False, choices=choices(FundType.choices))
    state = forms.ChoiceField(label="状态", required=False, choices=choices(TargetState.choices))

    def __init__(self, *args: Any, counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = choices(counties)  # type: ignore[attr-defined]


class TargetForm(forms.Form):
    county = forms.ModelChoiceField(label="县（区）", queryset=County.objects.none())
    year = forms.IntegerField(label="年度")
    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices)
    expected = forms.IntegerField(label="应参保人数（人）")
    basis = forms.CharField(label="依据", max_length=300, help_text="例如：统计局 2025 年末常住人口")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].queryset = County.objects.visible_to(user).order_by("code")  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def target_list(request: HttpRequest) -> HttpResponse:
    """The list; a POST enters a new version."""
    user: Any = request.user
    need_collection_reader(request.user)
    if request.method != "POST":
        return _page(request, TargetForm(user=user, initial={"year": timezone.localdate().year}))
    require_somewhere(user, services.ENTER)
    form = TargetForm(request.POST, user=user)
    if not form.is_valid():
        return _page(request, form, status=422)
    wanted = form.cleaned_data
    try:
        made = services.enter_target(
            user, wanted["county"], wanted["year"], wanted["fund_type"], wanted["expected"], wanted["basis"]
        )
    except Refused as refusal:
        return _page(request, form, refusal)
    messages.success(request, f"已填报：{made}，待复核。")
    return redirect(made)


@require_GET
def target_list_xlsx(request: HttpRequest) -> HttpResponse:
    need_collection_reader(request.user)
    form, found = _rows(request)
    rows = [
        [row.year, row.county.name, row.get_fund_type_display(), row.version, row.expected, row.basis,
         row.get_state_display(), str(row.entered_by), local(row.entered_at), str(row.decided_by or ""),
         local(row.decided_at), row.decision_note]
        for row in found
    ]  # fmt: skip
    header = ["年度", "县（区）", "险种", "版本", "应参保人数", "依据", "状态", "填报人", "填报时间", "复核人", "复核时间", "意见"]
    return export(request, "应参保人数", header, rows, form.said())


def target_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """confirm or reject: named in the address."""
    found = get_visible(EnrolmentTarget.objects.with_places(), request.user, pk=pk)
    if act not in ("confirm", "reject"):
        raise Http404("没有这种办理。")
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    try:
        services.decide_target(user, found, confirm=act == "confirm", note=request.POST.get("reason", ""))
    except Refused as refusal:
        need_collection_reader(request.user)
        return _page(request, TargetForm(user=user), refusal, open_act=f"{act}-{found.pk}")
    messages.success(request, "已核定。" if act == "confirm" else "已退回。")
    return redirect(found)


def _rows(request: HttpRequest) -> tuple[TargetFilter, Any]:
    form = TargetFilter(request.GET, counties=county_choices(request.user))
    wanted = form.wanted()
    rows = EnrolmentTarget.objects.visible_to(request.user).with_places()
    for name, path in (("year", "year"), ("county", "county__code"), ("fund", "fund_type"), ("state", "state")):
        if wanted.get(name):
            rows = rows.filter(**{path: wanted[name]})
    return form, sorted_queryset(rows, request.GET.get("sort", ""), SORTS)


def _page(
    request: HttpRequest, entry: TargetForm, refusal: Refused | None = None, status: int = 200, open_act: str = ""
) -> HttpResponse:
    user: Any = request.user
    form, rows = _rows(request)
    page = page_of(request, rows)
    lines = [
        {
            "row": row,
            "may": row.state == TargetState.PROPOSED
            and row.entered_by_id != user.pk
            and bool(may(user, services.DECIDE, row.county)),
            "open": open_act == f"reject-{row.pk}",
        }
        for row in page
    ]
    context = {
        "form": form,
        "entry": entry,
        "page_obj": page,
        "lines": lines,
        "may_enter": has_any_role(user, {Role.FUND_OFFICER}),
        "export_url": reverse("monitoring:targets-xlsx"),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "monitoring/targets.html", context, status=refusal.status if refusal else status)
