"""数据提供: what data the bureau gave a hospital or the other way round, and whether it was acknowledged."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.access import may, require_somewhere
from core.errors import Refused
from core.forms import day_field, search_field
from core.models import Alliance
from core.scope import get_visible
from monitoring.models.liaison import DataSupply, Side, SupplyKind, SupplyState
from monitoring.services import liaison
from monitoring.views.liaison import _may_somewhere, download_noted
from monitoring.views.listing import EntryForm, ListFilter, choices, export, local, page_of, sorted_queryset

SORTS = {"sent": ("sent_at",), "alliance": ("alliance__code",), "kind": ("kind",), "state": ("state", "sent_at")}


class SupplyFilter(ListFilter):
    giver = forms.ChoiceField(label="提供方", required=False, choices=choices(Side.choices))
    kind = forms.ChoiceField(label="类别", required=False, choices=choices(SupplyKind.choices))
    state = forms.ChoiceField(label="状态", required=False, choices=choices(SupplyState.choices))
    since = day_field("自")
    until = day_field("至")
    q = search_field("内容、期间、医共体")


class SupplyForm(EntryForm):
    needed = ("alliance", "kind", "title", "period")
    alliance = forms.ModelChoiceField(label="医共体", queryset=Alliance.objects.none(), required=False)
    kind = forms.ChoiceField(label="类别", required=False, choices=choices(SupplyKind.choices, "请选择"))
    title = forms.CharField(label="内容", required=False, max_length=160)
    period = forms.CharField(label="所属期间", required=False, max_length=40, help_text="例如 2026-05、2026Q2")
    file = forms.FileField(label="文件", required=False, help_text="不要上传含参保人姓名、证件号的明细")
    link = forms.CharField(label="链接或取数位置", required=False, max_length=300)
    note = forms.CharField(label="说明", required=False, max_length=300)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = Alliance.objects.visible_to(user).order_by("code")
        self.fields["alliance"].queryset = seen  # type: ignore[attr-defined]


@require_GET
def supply_list(request: HttpRequest) -> HttpResponse:
    form, rows = _rows(request)
    context = {
        "form": form,
        "page_obj": page_of(request, rows),
        "export_url": reverse("monitoring:supplies-xlsx"),
        "may_supply": _may_somewhere(request.user, liaison.SUPPLY),
    }
    return render(request, "monitoring/supplies.html", context)


@require_GET
def supply_list_xlsx(request: HttpRequest) -> HttpResponse:
    form, found = _rows(request)
    rows = [
        [local(row.sent_at), row.alliance.name, row.get_giver_display(), row.get_kind_display(), row.title, row.period,
         row.file.name if row.file else row.link, str(row.sent_by), row.get_state_display(), local(row.received_at),
         str(row.received_by or "")]
        for row in found
    ]  # fmt: skip
    header = ["提供时间", "医共体", "提供方", "类别", "内容", "所属期间", "文件或链接", "提供人", "状态", "签收时间", "签收人"]
    return export(request, "数据提供", header, rows, form.said())


def supply_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require_somewhere(user, liaison.SUPPLY)
    form = SupplyForm(request.POST or None, request.FILES or None, user=user)
    problems, status = [], 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            chosen = form.cleaned_data["alliance"]
            if chosen is None:
                form.add_error("alliance", "请选择医共体。")
            else:
                alliance = get_visible(Alliance.objects.select_related("county__pooling_area"), user, pk=chosen.pk)
                try:
                    made = liaison.supply_data(user, alliance, form.cleaned_data, form.cleaned_data["file"])
                except Refused as refusal:
                    problems, status = refusal.problems, refusal.status
                else:
                    messages.success(request, f"已提供：{made}，待对方签收。")
                    return redirect(made)
    context = {"form": form, "problems": problems, "title": "提供数据", "back": reverse("monitoring:supplies")}
    return render(request, "monitoring/liaison_form.html", context, status=status)


@require_GET
def supply(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


def supply_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """receive or withdraw: named in the address."""
    found = _found(request, pk)
    if act not in ("receive", "withdraw"):
        raise Http404("没有这种办理。")
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    try:
        if act == "receive":
            liaison.receive_data(user, found)
        else:
            liaison.withdraw_data(user, found, request.POST.get("reason", ""))
    except Refused as refusal:
        return _page(request, pk, refusal, act)
    messages.success(request, "已签收。" if act == "receive" else "已撤回。")
    return redirect(found)


@require_GET
def supply_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _found(request, pk)
    need_standing(found)
    return download_noted(request.user, found)


def need_standing(found: DataSupply) -> None:
    """404 for data that were withdrawn."""
    if found.state == SupplyState.WITHDRAWN:
        raise Http404("这份数据已撤回。")


def _found(request: HttpRequest, pk: int) -> DataSupply:
    found: DataSupply = get_visible(DataSupply.objects.with_places(), request.user, pk=pk)
    return found


def _rows(request: HttpRequest) -> tuple[SupplyFilter, Any]:
    form = SupplyFilter(request.GET)
    wanted = form.wanted()
    rows = DataSupply.objects.visible_to(request.user).with_places()
    for name in ("giver", "kind", "state"):
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    if wanted.get("since"):
        rows = rows.filter(sent_at__date__gte=wanted["since"])
    if wanted.get("until"):
        rows = rows.filter(sent_at__date__lte=wanted["until"])
    if text := (wanted.get("q") or "").strip():
        rows = rows.filter(Q(title__icontains=text) | Q(period__icontains=text) | Q(alliance__name__icontains=text))
    return form, sorted_queryset(rows, request.GET.get("sort", ""), SORTS)


def _page(request: HttpRequest, pk: int, refusal: Refused | None = None, act: str = "") -> HttpResponse:
    user: Any = request.user
    found = _found(request, pk)
    side = liaison.side_of(user, found.alliance)
    mine = found.state == SupplyState.SENT and bool(may(user, liaison.SUPPLY, found.alliance))
    context = {
        "supply": found,
        "may_receive": mine and side == found.taker,
        "may_withdraw": mine and side == found.giver,
        "act": act,
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "monitoring/supply.html", context, status=refusal.status if refusal else 200)
