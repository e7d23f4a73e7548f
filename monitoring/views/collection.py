"""征缴监测: every county's enrolment and collection, and the register of contributions not paid as due."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.access import BUREAU_ROLES, Denied, NotAllowed, has_any_role, may, require_somewhere
from core.errors import Refused
from core.forms import search_field
from core.models import County, FundType, Role
from core.scope import get_visible
from monitoring.models.collection import CollectionFinding, FindingAct, FindingKind, FindingState
from monitoring.reading.collection import CLAUSE, CollectionLine, collection_lines, latest_month
from monitoring.services import collection as services
from monitoring.views.listing import (
    EntryForm,
    ListFilter,
    choices,
    county_choices,
    export,
    local,
    page_of,
    sorted_list,
    sorted_queryset,
)
from rules.periods import Month, PeriodError

EARLIEST, LATEST = 2000, 2099
READERS = BUREAU_ROLES | {Role.OBSERVER}
SORTS = {
    "county": ("county__code",), "payer": ("payer",), "amount": ("amount",), "state": ("state",), "found": ("found_at",),
}  # fmt: skip
LINE_SORTS = {
    "place": lambda line: (line.place.code, line.fund_type),
    "income": lambda line: _key(line.income.value),
    "heads": lambda line: _key(line.heads.value),
    "enrolment": lambda line: _key(line.enrolment.value),
    "hints": lambda line: len(line.hints),
}


class FindingFilter(ListFilter):
    month = forms.CharField(label="指标月份", required=False, widget=forms.TextInput(attrs={"type": "month"}))
    county = forms.ChoiceField(label="县（区）", required=False)
    fund = forms.ChoiceField(label="险种", required=False, choices=choices(FundType.choices))
    kind = forms.ChoiceField(label="类型", required=False, choices=choices(FindingKind.choices))
    state = forms.ChoiceField(label="状态", required=False, choices=choices(FindingState.choices))
    q = search_field("缴费单位")

    def __init__(self, *args: Any, counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = choices(counties)  # type: ignore[attr-defined]

    def clean_month(self) -> str:
        text = str(self.cleaned_data["month"]).strip()
        try:
            month = Month.parse(text) if text else None
        except PeriodError as error:
            raise forms.ValidationError("月份请按“2026-09”填写。") from error
        if month is not None and not EARLIEST <= month.year <= LATEST:
            raise forms.ValidationError(f"月份请选 {EARLIEST} 至 {LATEST} 年之间的。")
        return str(month or "")


class FindingForm(EntryForm):
    needed = ("county", "fund_type", "kind", "payer", "period", "amount", "description")
    county = forms.ModelChoiceField(label="县（区）", queryset=County.objects.none(), required=False)
    fund_type = forms.ChoiceField(label="险种", required=False, choices=choices(FundType.choices, "请选择"))
    kind = forms.ChoiceField(label="类型", required=False, choices=choices(FindingKind.choices, "请选择"))
    payer = forms.CharField(label="缴费单位", required=False, max_length=120, help_text="只写单位名称，不写个人")
    period = forms.CharField(label="所属期间", required=False, max_length=40)
    amount = forms.DecimalField(label="涉及金额（元）", required=False, max_digits=16, decimal_places=2)
    description = forms.CharField(label="情况", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    file = forms.FileField(label="证据文件", required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].queryset = County.objects.visible_to(user).order_by("code")  # type: ignore[attr-defined]


class ActForm(EntryForm):
    needed = ("text",)
    text = forms.CharField(label="内容", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    recovered = forms.DecimalField(label="本次补缴（元）", required=False, max_digits=16, decimal_places=2)


@require_GET
def collection(request: HttpRequest) -> HttpResponse:
    form, month, lines, rows = _chosen(request)
    context = {
        "form": form,
        "month": month,
        "lines": lines,
        "hinted": sum(bool(line.hints) for line in lines),
        "page_obj": page_of(request, rows),
        "clause": CLAUSE,
        "may_find": has_any_role(request.user, {Role.FUND_OFFICER, Role.AUDITOR}),
    }
    return render(request, "monitoring/collection.html", context)


@require_GET
def collection_xlsx(request: HttpRequest) -> HttpResponse:
    """The register as filtered."""
    form, _month, _lines, found = _chosen(request)
    rows = [
        [row.county.name, row.get_kind_display(), row.get_fund_type_display(), row.payer, row.period, row.amount,
         row.recovered, row.get_state_display(), str(row.found_by), local(row.found_at), row.description]
        for row in found
    ]  # fmt: skip
    header = ["县（区）", "类型", "险种", "缴费单位", "所属期间", "涉及金额", "已补缴", "状态", "登记人", "登记时间", "情况"]
    return export(request, "征缴问题", header, rows, form.said(), money=frozenset({5, 6}))


@require_GET
def hints_xlsx(request: HttpRequest) -> HttpResponse:
    """The counties' figures as filtered."""
    form, month, lines, _rows = _chosen(request)
    rows = [
        [line.place.name, line.fund_label, _cell(line.income.value), _cell(line.heads.value), _cell(line.enrolment.value),
         "；".join(line.hints), str(line.data_to or "")]
        for line in lines
    ]  # fmt: skip
    header = ["县（区）", "险种", "征缴收入同比", "参保人数同比", "参保率", "提示", "数据截至"]
    return export(request, f"征缴监测{month or ''}", header, rows, form.said())


def finding_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require_somewhere(user, services.FIND)
    initial = {name: request.GET.get(name, "") for name in ("county", "fund_type")}
    form = FindingForm(request.POST or None, request.FILES or None, user=user, initial=initial)
    problems, status = [], 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            county = form.cleaned_data["county"]
            if county is None:
                form.add_error("county", "请选择县（区）。")
            else:
                try:
                    made = services.register_finding(user, county, form.cleaned_data, form.cleaned_data["file"])
                except Refused as refusal:
                    problems, status = refusal.problems, refusal.status
                else:
                    messages.success(request, f"已登记：{made}。")
                    return redirect(made)
    context = {"form": form, "problems": problems, "title": "登记征缴问题", "back": reverse("monitoring:collection")}
    return render(request, "monitoring/liaison_form.html", context, status=status)


@require_GET
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


def finding_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One act of the register, named in the address."""
    found = _found(request, pk)
    if act not in services.SOURCE:
        raise Http404("没有这种办理。")
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    form = ActForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=422)
    wanted = form.cleaned_data
    try:
        services.act_on_finding(user, found, act, wanted["text"], wanted["recovered"] or services.ZERO)
    except Refused as refusal:
        return _page(request, pk, refusal, form)
    messages.success(request, f"{FindingAct(act).label}：已办理。")
    return redirect(found)


@require_GET
def finding_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _found(request, pk)
    if found.file is None or not found.file.path.exists():
        raise Http404("没有附文件。")
    return FileResponse(found.file.path.open("rb"), as_attachment=True, filename=found.file.name)


def need_collection_reader(user: Any) -> None:
    """Raise ``NotAllowed`` for who has no post of the bureau."""
    if not has_any_role(user, READERS):
        raise NotAllowed(Denied("征缴监测供医保部门各岗位和领导查看。"))


def _found(request: HttpRequest, pk: int) -> CollectionFinding:
    found: CollectionFinding = get_visible(CollectionFinding.objects.with_places(), request.user, pk=pk)
    need_collection_reader(request.user)
    return found


def _chosen(request: HttpRequest) -> tuple[FindingFilter, Month | None, list[CollectionLine], Any]:
    need_collection_reader(request.user)
    user: Any = request.user
    form = FindingFilter(request.GET, counties=county_choices(user))
    wanted = form.wanted()
    month = Month.parse(wanted["month"]) if wanted.get("month") else latest_month(user)
    lines = collection_lines(user, month) if month else []
    rows = CollectionFinding.objects.visible_to(user).with_places()
    if wanted.get("county"):
        rows = rows.filter(county__code=wanted["county"])
        lines = [line for line in lines if line.place.code == wanted["county"]]
    if wanted.get("fund"):
        rows = rows.filter(fund_type=wanted["fund"])
        lines = [line for line in lines if line.fund_type == wanted["fund"]]
    for name in ("kind", "state"):
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    if text := (wanted.get("q") or "").strip():
        rows = rows.filter(Q(payer__icontains=text))
    asked = request.GET.get("sort", "")
    return form, month, sorted_list(lines, request.GET.get("by", ""), LINE_SORTS), sorted_queryset(rows, asked, SORTS)


def _key(value: Decimal | None) -> tuple[bool, Decimal]:
    return value is None, value if value is not None else Decimal(0)


def _cell(value: Decimal | None) -> Any:
    return value if value is not None else "不计算"


def _page(
    request: HttpRequest, pk: int, refusal: Refused | None = None, form: ActForm | None = None, status: int = 200
) -> HttpResponse:
    user: Any = request.user
    found = _found(request, pk)
    acts = [
        act
        for act, source in services.SOURCE.items()
        if source == found.state and may(user, services.REVIEW if act in services.REVIEWS else services.FIND, found.county)
    ]
    context = {
        "finding": found,
        "acts": acts,
        "form": form or ActForm(),
        "changes": found.changes.select_related("actor"),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "monitoring/finding.html", context, status=refusal.status if refusal else status)
