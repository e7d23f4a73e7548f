"""预警阈值: the list, one threshold with what it would have done, its form with suggested values, and its acts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from core.access import BUREAU_ROLES, Denied, actions, has_any_role, may, require, require_somewhere
from core.errors import Problem, Refused
from core.models import Alliance, County, PoolingArea, Role
from core.scope import get_visible
from monitoring import exports_warnings
from monitoring.forms_warnings import ThresholdFilter, ThresholdForm, scale_of
from monitoring.models import Level, PlaceMonth, Threshold, ThresholdStatus
from monitoring.reading import thresholds as reading
from monitoring.reading.places import visible_places
from monitoring.reading.seen import only_configures
from monitoring.reading.warnings import against, told
from monitoring.services import thresholds as services
from monitoring.views.warnings import refused_by
from rules.errors import RuleError
from rules.periods import Month

PAGE = 40
SHOWN_BREACHES = 60
TONES = {"draft": "", "trial": "warn", "live": "ok", "ended": ""}
DONE = {"trial": "已开始试运行，只计算不预警", "approve": "已核准启用", "end": "已停用"}
SORTS = {
    "indicator": "indicator", "kind": "kind", "basis": "basis", "status": "status", "from": "valid_from", "fund": "fund_type",
}  # fmt: skip
FIELDS = (
    "indicator", "kind", "fund_type", "basis", "span", "relative", "yellow", "orange", "red", "min_volume", "clause",
    "valid_from", "valid_to", "note",
)  # fmt: skip


READERS = BUREAU_ROLES | {Role.OBSERVER}
"""Posts that see what a threshold would have done; an administrator sees the rules only."""


def _is_bureau(user: Any) -> bool:
    return has_any_role(user, READERS | {Role.ADMINISTRATOR})


def _seen(user: Any) -> QuerySet[Threshold]:
    """All for the bureau; for hospitals what is in force."""
    rows = Threshold.objects.visible_to(user).select_related(
        "pooling_area", "county", "alliance", "entered_by", "decided_by"
    )
    return rows if _is_bureau(user) else rows.filter(status=ThresholdStatus.LIVE)


def _chosen(request: HttpRequest) -> tuple[ThresholdFilter, QuerySet[Threshold]]:
    form, found = ThresholdFilter(request.GET), _seen(request.user)
    form.is_valid()
    wanted = form.cleaned_data
    for name in ("indicator", "kind", "basis", "status"):
        if wanted.get(name):
            found = found.filter(**{name: wanted[name]})
    if wanted.get("fund_type"):
        found = found.filter(fund_type__in=("", wanted["fund_type"]))
    for word in (wanted.get("q") or "").split():
        keys = [key for key, label in form.fields["indicator"].choices if word in str(label)]  # type: ignore[attr-defined]
        found = found.filter(Q(clause__icontains=word) | Q(note__icontains=word) | Q(indicator__in=keys))
    sort = request.GET.get("sort", "")
    if column := SORTS.get(sort.lstrip("-")):
        return form, found.order_by(f"{'-' if sort.startswith('-') else ''}{column}", "pk")
    return form, found.order_by("indicator", "kind", "pk")


@require_GET
def threshold_list(request: HttpRequest) -> HttpResponse:
    form, found = _chosen(request)
    page: Any = Paginator(found, PAGE).get_page(request.GET.get("page"))
    page.object_list = [_row(one) for one in page.object_list]
    area = _area(request.user)
    context = {
        "form": form,
        "page_obj": page,
        "may_enter": has_any_role(request.user, actions[services.ENTER].roles),
        "may_adopt": area is not None
        and bool(may(request.user, services.ENTER, area))  # type: ignore[arg-type]
        and not Threshold.objects.filter(pooling_area=area).exclude(status=ThresholdStatus.ENDED).exists(),
        "is_bureau": _is_bureau(request.user),
        "reads_warnings": not only_configures(request.user),
    }
    return render(request, "monitoring/thresholds.html", context)


@require_GET
def threshold_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the thresholds of the list as filtered and sorted."""
    form, found = _chosen(request)
    return exports_warnings.download(request, "预警阈值", exports_warnings.threshold_sheet(list(found), form.said()))


def _row(one: Threshold) -> dict[str, Any]:
    return {
        "threshold": one,
        "tone": TONES[one.status],
        "where": str(one.alliance or one.county or one.pooling_area),
        "levels": [
            {"level": level, "label": Level(level).label, "text": against(one, value)}
            for level, value in (("yellow", one.yellow), ("orange", one.orange), ("red", one.red))
            if value is not None
        ],
    }


def _area(user: Any) -> PoolingArea | None:
    """The pooling area the user works in: her own, or that of her county."""
    own = PoolingArea.objects.visible_to(user).order_by("code").first()
    if own is not None:
        return own
    county = County.objects.visible_to(user).select_related("pooling_area").order_by("code").first()
    return county.pooling_area if county is not None else None


def find_threshold(request: HttpRequest, pk: int) -> Threshold:
    found: Threshold = get_visible(
        Threshold.objects.select_related("pooling_area", "county__pooling_area", "alliance__county", "entered_by", "decided_by"),
        request.user,
        pk=pk,
    )
    if found.status != ThresholdStatus.LIVE and not _is_bureau(request.user):
        raise Http404("没有找到这条阈值，或者它还没有启用。")
    return found


@require_GET
def threshold(request: HttpRequest, pk: int) -> HttpResponse:
    return threshold_page(request, find_threshold(request, pk))


def threshold_page(
    request: HttpRequest, found: Threshold, refusal: Refused | None = None, act: str = ""
) -> HttpResponse:
    """The page: the rule, what history suggests, what it would do in a month, the acts."""
    user: Any = request.user
    reads = has_any_role(user, READERS)
    month = _month(request, found.pooling_area)
    place = services.place_of(found)
    enters, approves, ends = (may(user, act, place) for act in (services.ENTER, services.APPROVE, services.END))
    own = found.entered_by_id == user.pk
    known = {one.key for one in visible_places(user, found.kind)}
    judges = reads and month is not None and found.status != ThresholdStatus.ENDED
    preview = reading.preview(found, month, known) if judges and month is not None else None
    context: dict[str, Any] = {
        "threshold": found,
        **_row(found),
        "is_bureau": reads,
        "month": month,
        "months": _months(found.pooling_area),
        "preview": preview,
        "breaches": _breaches(found, preview) if preview else [],
        "suggested": _suggested(found, month) if reads else [],
        "reads_warnings": not only_configures(user),
        "may_edit": bool(enters) and found.status in (ThresholdStatus.DRAFT, ThresholdStatus.TRIAL),
        "may_try": bool(enters) and found.status == ThresholdStatus.DRAFT,
        "may_approve": bool(approves) and not own and found.status == ThresholdStatus.TRIAL,
        "may_end": bool(ends if found.status == ThresholdStatus.LIVE else enters) and found.status != ThresholdStatus.ENDED,
        "denied": _denied(found, own, approves),
        "reason": request.POST.get("reason", "") if act else "",
        "everywhere_ok": bool(request.POST.get("everywhere_ok")) if act else False,
        "refused_act": act if refusal else "",
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "monitoring/threshold.html", context, status=refusal.status if refusal else 200)


def _denied(found: Threshold, own: bool, approves: Any) -> str:
    if found.status != ThresholdStatus.TRIAL:
        return ""
    if approves and own:
        return "由您本人设定，须由另一位复核人核准。"
    return approves.reason if isinstance(approves, Denied) else ""


def _months(area: PoolingArea) -> list[Month]:
    """The months with figures, newest first."""
    rows = PlaceMonth.objects.current().filter(pooling_area=area, declared=True)
    return [Month(year, month) for year, month in rows.order_by("-year", "-month").values_list("year", "month").distinct()[:24]]


def _month(request: HttpRequest, area: PoolingArea) -> Month | None:
    months = _months(area)
    try:
        asked = Month.parse(request.GET.get("month", ""))
    except RuleError:
        asked = None
    return asked if asked in months else (months[0] if months else None)


def _breaches(found: Threshold, preview: reading.Preview) -> list[dict[str, Any]]:
    """The places that would be warned, as far as the user sees them."""
    return [
        {
            "place": one.place, "fund": one.fund_type, "level": one.level, "label": Level(one.level).label,
            "value": told(found.indicator, one.figure.value), "compared": told(found.indicator, one.compared),
        }
        for one in preview.breaches[:SHOWN_BREACHES]
    ]  # fmt: skip


def _suggested(found: Threshold, month: Month | None) -> list[dict[str, Any]]:
    """Chosen and suggested levels side by side."""
    if month is None:
        return []
    offer = reading.suggestions(
        found.pooling_area, found.indicator, found.kind, found.fund_type, found.basis, found.span, found.above, month
    )
    rows = []
    for level in Level:
        value = getattr(found, level.value)
        other = getattr(offer, level.value) if offer is not None else None
        rows.append(
            {
                "label": level.label, "level": level.value, "chosen": against(found, value),
                "suggested": against(found, other), "text": offer.text if offer is not None else "",
            }
        )  # fmt: skip
    return rows


def threshold_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Start the trial, approve or end; named in the address."""
    found = find_threshold(request, pk)
    if request.method != "POST":
        return redirect("monitoring:threshold", pk)
    if act not in DONE:
        raise Http404("没有这种办理。")
    user: Any = request.user
    reason = request.POST.get("reason", "")
    live = found.status == ThresholdStatus.LIVE
    rights = {"approve": services.APPROVE, "trial": services.ENTER, "end": services.END if live else services.ENTER}
    require(user, rights[act], services.place_of(found))
    try:
        if act == "trial":
            services.start_trial(user, found)
        elif act == "approve":
            services.approve(user, found, bool(request.POST.get("everywhere_ok")), reason)
        else:
            services.end(user, found, reason)
    except Refused as refusal:
        return threshold_page(request, find_threshold(request, pk), refusal, act)
    messages.success(request, f"{DONE[act]}：{found}。")
    return redirect("monitoring:threshold", pk)


def thresholds_adopt(request: HttpRequest) -> HttpResponse:
    """Take over the shipped defaults, all on trial."""
    if request.method != "POST":
        return redirect("monitoring:thresholds")
    require_somewhere(request.user, services.ENTER)
    area = _area(request.user)
    if area is None:
        raise Http404("阈值由统筹区设定。")
    require(request.user, services.ENTER, area)  # type: ignore[arg-type]
    made = services.adopt_defaults(request.user, area)  # type: ignore[arg-type]
    messages.success(request, f"已采用 {made} 条默认阈值，处于试运行；看过预演后由复核人逐条核准。")
    return redirect("monitoring:thresholds")


@require_http_methods(["GET", "POST"])
def threshold_new(request: HttpRequest) -> HttpResponse:
    require_somewhere(request.user, services.ENTER)
    area = _area(request.user)
    if area is None:
        raise Http404("阈值由统筹区设定。")
    return _edit(request, area, None)


@require_http_methods(["GET", "POST"])
def threshold_edit(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_threshold(request, pk)
    require(request.user, services.ENTER, services.place_of(found))  # type: ignore[arg-type]
    return _edit(request, found.pooling_area, found)


def _edit(request: HttpRequest, area: PoolingArea, found: Threshold | None) -> HttpResponse:
    places = _places(request.user, area)
    if request.method == "GET":
        return _form_page(request, ThresholdForm(initial=_initial(found), places=places), area, found)
    form = ThresholdForm(request.POST, places=places)
    if "suggest" in request.POST:
        form.is_valid()
        return _form_page(request, form, area, found)
    try:
        if not form.is_valid():
            raise refused_by(form)
        saved = services.save_threshold(request.user, area, _values(request, form), found)  # type: ignore[arg-type]
    except Refused as refusal:
        return _form_page(request, form, area, found, refusal)
    messages.success(request, f"已保存：{saved}。")
    return redirect(saved.get_absolute_url())


def _values(request: HttpRequest, form: ThresholdForm) -> dict[str, Any]:
    """The form's values by the model's field names; the place as objects the user sees."""
    given = form.cleaned_data
    values = {name: given[name] for name in FIELDS}
    place = given["place"]
    county, alliance = None, None
    if place[:1] == "C":
        county = County.objects.visible_to(request.user).filter(pk=int(place[1:])).first()
    elif place[:1] == "A":
        alliance = Alliance.objects.visible_to(request.user).filter(pk=int(place[1:])).first()
    if place and county is None and alliance is None:
        raise Refused([Problem("适用范围", place, "没有这个地方。", "请从名单中选择。")])
    return {**values, "above": given["above"], "county": county, "alliance": alliance}


def _initial(found: Threshold | None) -> dict[str, Any]:
    if found is None:
        return {}
    factor = scale_of(found.indicator, found.basis, found.relative)
    place = f"A{found.alliance_id}" if found.alliance_id else f"C{found.county_id}" if found.county_id else ""
    held = {name: getattr(found, name) for name in FIELDS}
    for name in ("yellow", "orange", "red"):
        held[name] = _plain(held[name] * factor) if held[name] is not None else None
    return {**held, "above": "1" if found.above else "0", "place": place}


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _places(user: Any, area: PoolingArea) -> list[tuple[str, str]]:
    counties = County.objects.visible_to(user).filter(pooling_area=area).order_by("code")
    alliances = Alliance.objects.visible_to(user).filter(county__pooling_area=area).order_by("code")
    whole = [("", "全统筹区")] if may(user, services.ENTER, area) else []
    return [*whole, *((f"C{row.pk}", row.name) for row in counties), *((f"A{row.pk}", row.name) for row in alliances)]


def _form_page(
    request: HttpRequest, form: ThresholdForm, area: PoolingArea, found: Threshold | None, refusal: Refused | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "threshold": found,
        "area": area,
        "offer": _offer(form, area),
        "asked": "suggest" in request.POST,
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "monitoring/threshold_form.html", context, status=refusal.status if refusal else 200)


def _offer(form: ThresholdForm, area: PoolingArea) -> dict[str, Any] | None:
    """What history suggests for the chosen indicator, in the unit the levels are typed in."""
    known = {name: form[name].value() or "" for name in ("indicator", "kind", "fund_type", "basis", "span", "above")}
    months = _months(area)
    if not known["indicator"] or not months or any(name in form.errors for name in ("indicator", "kind", "basis", "span")):
        return None
    offer = reading.suggestions(
        area, known["indicator"], known["kind"], known["fund_type"], known["basis"], known["span"],
        str(known["above"]) != "0", months[0],
    )  # fmt: skip
    if offer is None:
        return {"text": "近 24 个月可用的值不足 20 个，无法给出参考值。", "levels": {}}
    factor = scale_of(known["indicator"], known["basis"], bool(form["relative"].value()))
    levels = {level.value: _plain(getattr(offer, level.value) * factor) for level in Level}
    return {"text": offer.text, "levels": levels, "unit": "%" if factor == 100 else ""}
