"""中期收支测算: the estimates of the city's and the counties' funds, one of them, preparing and deciding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.access import may, require, require_somewhere
from core.errors import Problem, Refused
from core.exports import export_workbook
from core.models import County, FundType, PoolingArea
from core.models.places import Place
from core.scope import get_visible
from core.templatetags.fund import percent
from core.texts import whole
from core.workbook import Sheet
from monitoring.forms_midterm import MidtermFilter, MidtermForm, initial_of
from monitoring.models import MidtermEstimate, MidtermState
from monitoring.reading.places import place_of, ref_of
from monitoring.services import midterm as services
from monitoring.views.listing import export, local, page_of, sorted_queryset
from rules.midterm import AMOUNTS, ASSUMPTION_LABELS, BASE_LABELS, SCENARIOS
from rules.money import round_fen
from rules.trace import Trace

TONES = {"draft": "run", "returned": "bad", "approved": "ok", "replaced": ""}
FLOORS = {"RES": (Decimal(6), Decimal(3)), "EMP": (Decimal(12), Decimal(6))}
"""Payable months below which a fund is amber and red (domain §5)."""
SORTS = {
    "place": ("place_key",),
    "year": ("base_year",),
    "version": ("version",),
    "state": ("state",),
    "prepared": ("prepared_at",),
}
LOOKS = {"base": "solid", "better": "soft", "worse": "dashed"}
EARLIEST = 2000
ACTS = {"approve": "已审定", "return": "已退回"}


@dataclass(frozen=True)
class Row:
    """One estimate as the list shows it: the end of each scenario."""

    of: MidtermEstimate
    tone: str
    ends: list[tuple[str, Decimal | None, str]]


@require_GET
def midterm_list(request: HttpRequest) -> HttpResponse:
    form, rows = _chosen(request)
    page = page_of(request, rows)
    page.object_list = [_row(row) for row in page.object_list]
    user: Any = request.user
    context = {"form": form, "page_obj": page, "may_prepare": bool(_places(user))}
    return render(request, "monitoring/midterm_list.html", context)


@require_GET
def midterm_list_xlsx(request: HttpRequest) -> HttpResponse:
    form, rows = _chosen(request)
    header = [
        "统筹区、县（区）", "险种", "基期", "测算期", "版本", "状态",
        *(f"{name}期末结余（元）" for name in SCENARIOS.values()), *(f"{name}用完月份" for name in SCENARIOS.values()),
        "编制人", "编制时间", "审定人",
    ]  # fmt: skip
    lines = [
        [
            row.of.place.name, row.of.get_fund_type_display(), row.of.base_year, row.of.span, row.of.version,
            row.of.get_state_display(), *(end[1] for end in row.ends), *(end[2] for end in row.ends),
            str(row.of.prepared_by), local(row.of.prepared_at), str(row.of.decided_by or ""),
        ]
        for row in map(_row, rows)
    ]  # fmt: skip
    return export(request, "中期收支测算", header, lines, form.said(), frozenset({6, 7, 8}))


@require_GET
def estimate(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


def new(request: HttpRequest) -> HttpResponse:
    """The form of a new version: place, fund type and base year by the address, figures delivered and suggested."""
    user: Any = request.user
    require_somewhere(user, services.PREPARE)
    places = _places(user)
    asked = request.POST if request.method == "POST" else request.GET
    place = place_of(user, asked["place"]) if asked.get("place") else (places[0] if places else None)
    if not isinstance(place, PoolingArea | County):
        raise Http404("中期收支测算按统筹区或县（区）编制。")
    require(user, services.PREPARE, place)
    fund = asked.get("fund", "") if asked.get("fund", "") in FundType.values else FundType.RESIDENT.value
    last = timezone.localdate().year - 1
    year = _base_year(asked.get("year", ""), last)
    past = services.past_of(place, fund, year)
    suggested = services.suggestion_of(past)
    delivered = next((row.base for row in past.years if row.base.year == year), None)
    if request.method == "POST":
        form = MidtermForm(request.POST)
    else:
        form = MidtermForm(initial=initial_of(delivered, suggested.scenarios if suggested else {}))
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.prepare_midterm(
                user, place, fund, form.base(year), form.scenarios(), form.cleaned_data["horizon"], form.cleaned_data["basis"]
            )
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"已编制{made}，已通知基金复核审定。")
            return redirect("monitoring:midterm-estimate", made.pk)
    context = {
        "form": form,
        "place": place,
        "place_key": ref_of(place).key,
        "places": [(ref_of(each).key, each.name) for each in places],
        "fund": fund,
        "funds": FundType.choices,
        "year": year,
        "years": [last - back for back in range(3)],
        "past": past,
        "delivered": delivered is not None,
        "suggested": suggested,
        "problems": refusal.problems if refusal else None,
    }
    return _form(request, context, refusal)


def _base_year(text: str, last: int) -> int:
    """The base year of an address: a year that is over, the last one when none is named."""
    if not text:
        return last
    year = whole(text)
    if year is None or not EARLIEST <= year <= last:
        raise Refused([Problem("基准年", text[:20], f"基准年“{text[:20]}”无效。", f"请选 {EARLIEST} 至 {last} 年之间已结束的年度。")])
    return year


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a version that waits for its approval or was returned."""
    user: Any = request.user
    held = _found(request, pk)
    require(user, services.PREPARE, held.place)
    if request.method == "POST":
        form = MidtermForm(request.POST)
    else:
        initial = initial_of(services.base_of(held), services.scenarios_of(held))
        form = MidtermForm(initial={**initial, "horizon": held.horizon, "basis": held.basis})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            services.revise_midterm(
                user, held, form.base(held.base_year), form.scenarios(), form.cleaned_data["horizon"], form.cleaned_data["basis"]
            )
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"已修改{held}，待审定。")
            return redirect("monitoring:midterm-estimate", held.pk)
    past = services.past_of(held.place, held.fund_type, held.base_year)
    context = {
        "form": form,
        "estimate": held,
        "place": held.place,
        "fund": held.fund_type,
        "year": held.base_year,
        "past": past,
        "delivered": any(row.base.year == held.base_year for row in past.years),
        "suggested": services.suggestion_of(past),
        "problems": refusal.problems if refusal else None,
    }
    return _form(request, context, refusal)


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Approve or return a draft."""
    user: Any = request.user
    held = _found(request, pk)
    if action not in ACTS:
        raise Http404("没有这种办理。")
    try:
        if action == "approve":
            services.approve_midterm(user, held)
        else:
            services.return_midterm(user, held, request.POST.get("reason", ""))
    except Refused as refusal:
        return _page(request, held, refusal, action)
    messages.success(request, f"{ACTS[action]}：{held}。")
    return redirect("monitoring:midterm-estimate", pk)


@require_GET
def trace(request: HttpRequest, pk: int, scenario: str) -> HttpResponse:
    """The steps of one scenario, or of the suggestions (``suggested``), loaded into the trace dialog."""
    held = _found(request, pk)
    if scenario == "suggested":
        steps, title = held.suggested.get("trace", []), "建议参数的来历"
    elif scenario in SCENARIOS:
        steps, title = held.scenario(scenario).get("trace", []), f"{SCENARIOS[scenario]}情景"
    else:
        raise Http404("没有这个情景。")
    return render(request, "components/trace.html", {"steps": Trace.from_json(steps), "trace_title": title})


@require_GET
def estimate_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """The tables of the page: each scenario's years, the assumptions, the base year."""
    held = _found(request, pk)
    notes = [str(held), f"状态：{held.get_state_display()}", "测算用于编制预算和预警，不作支付依据。"]
    years: list[list[Any]] = [
        [line["scenario"], line["year"], line["heads"], *(line[name] for name in YEAR_COLUMNS), line["payable_months"]]
        for line in _years(held)
    ]
    header = ["情景", "年度", "参保人数", *(f"{label}（元）" for label in YEAR_COLUMNS.values()), "可支付月数"]
    assumed = [
        [row["label"], *(text for text in row["texts"]), *(text for text in row["suggested"])] for row in _assumptions(held)
    ]
    heads = ["假设", *SCENARIOS.values(), *(f"建议：{name}" for name in SCENARIOS.values())]
    base = [[row["label"], row["value"], row["source"]] for row in _base(held)]
    sheets = [
        Sheet("测算结果", header, years, frozenset(range(3, 3 + len(YEAR_COLUMNS))), notes),
        Sheet("假设", heads, assumed, notes=[*notes, f"依据：{held.basis}"]),
        Sheet("基期", ["项目", "数值（金额为元）", "来源"], base, frozenset({1}), notes),
    ]
    user: Any = request.user
    return export_workbook(user, held, f"{held}.xlsx".replace(" ", ""), sheets, place=held.place)


YEAR_COLUMNS = {
    "contributions": "缴费与补助",
    "interest": "利息",
    "transfers_in": "转移及上级补助",
    "income": "收入合计",
    "benefits": "待遇支出",
    "critical_illness": "大病划转",
    "transfers_out": "转移及上解",
    "spending": "支出合计",
    "result": "当期结余",
    "balance": "年末累计结余",
}


def _page(request: HttpRequest, held: MidtermEstimate, refusal: Refused | None = None, action: str = "") -> HttpResponse:
    user: Any = request.user
    waiting = held.state == MidtermState.DRAFT
    same = MidtermEstimate.objects.visible_to(user).filter(
        place_key=held.place_key, fund_type=held.fund_type, base_year=held.base_year
    )
    years = _years(held)
    context = {
        "estimate": held,
        "tone": TONES[held.state],
        "row": _row(held),
        "years": years,
        "columns": YEAR_COLUMNS,
        "assumptions": _assumptions(held),
        "base": _base(held),
        "scenarios": SCENARIOS,
        "balance_chart": _chart(held, "balance"),
        "months_chart": _chart(held, "payable_months"),
        "chart_text": "；".join(f"{line['scenario']} {line['year']} 年末结余 {line['balance']} 元" for line in years),
        "floors": FLOORS[held.fund_type],
        "may_edit": held.state in services.EDITABLE and bool(may(user, services.PREPARE, held.place)),
        "may_decide": waiting and bool(may(user, services.DECIDE, held.place)) and held.prepared_by_id != user.pk,
        "versions": list(same.order_by("-version")),
        "problems": refusal.problems if refusal and action != "return" else None,
        "returning": refusal.problems if refusal and action == "return" else None,
        "typed_reason": request.POST.get("reason", ""),
    }
    return render(request, "monitoring/midterm.html", context, status=refusal.status if refusal else 200)


def _form(request: HttpRequest, context: dict[str, Any], refusal: Refused | None) -> HttpResponse:
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    return render(request, "monitoring/midterm_form.html", context, status=status)


def _found(request: HttpRequest, pk: int) -> MidtermEstimate:
    found: MidtermEstimate = get_visible(MidtermEstimate.objects.with_places(), request.user, pk=pk)
    return found


def _places(user: Any) -> list[Place]:
    """The areas and counties a person may prepare an estimate for."""
    areas = PoolingArea.objects.visible_to(user).order_by("code")
    counties = County.objects.visible_to(user).on(timezone.localdate()).select_related("pooling_area").order_by("code")
    return [place for place in (*areas, *counties) if may(user, services.PREPARE, place)]


def _chosen(request: HttpRequest) -> tuple[MidtermFilter, Any]:
    user: Any = request.user
    seen = MidtermEstimate.objects.visible_to(user).with_places()
    named = {row.place_key: row.place.name for row in seen.order_by("place_key")}
    form = MidtermFilter(request.GET or None, places=sorted(named.items(), reverse=True))
    wanted = form.wanted()
    if wanted.get("fund"):
        seen = seen.filter(fund_type=wanted["fund"])
    if wanted.get("place"):
        seen = seen.filter(place_key=wanted["place"])
    if wanted.get("state"):
        seen = seen.filter(state=wanted["state"])
    return form, sorted_queryset(seen, request.GET.get("sort", ""), SORTS)


def _row(held: MidtermEstimate) -> Row:
    ends = [(name, held.last_balance(key), held.scenario(key).get("runs_out", "")) for key, name in SCENARIOS.items()]
    return Row(held, TONES[held.state], ends)


def _years(held: MidtermEstimate) -> list[dict[str, Any]]:
    """Every year of every scenario with Decimal amounts; the tone of its payable months by domain §5."""
    amber, red = FLOORS[held.fund_type]
    found = []
    for key, name in SCENARIOS.items():
        for line in held.scenario(key).get("years", []):
            months = None if line["payable_months"] is None else Decimal(line["payable_months"])
            tone = "" if months is None or months >= amber else "bad" if months < red else "warn"
            amounts = {column: Decimal(line[column]) for column in YEAR_COLUMNS}
            found.append(
                {"key": key, "scenario": name, "year": int(line["year"]), "heads": int(line["heads"]), **amounts,
                 "amounts": [amounts[column] for column in YEAR_COLUMNS], "payable_months": months, "tone": tone}
            )  # fmt: skip
    return found


def _assumptions(held: MidtermEstimate) -> list[dict[str, Any]]:
    suggested = held.suggested.get("scenarios", {})

    def text(name: str, given: dict[str, str] | None) -> str:
        if not given:
            return "—"
        value = Decimal(given[name])
        return f"{value:,.2f} 元" if name in AMOUNTS else str(percent(value))

    return [
        {
            "label": label,
            "texts": [text(name, held.scenarios.get(key)) for key in SCENARIOS],
            "suggested": [text(name, suggested.get(key)) for key in SCENARIOS],
        }
        for name, label in ASSUMPTION_LABELS.items()
    ]


def _base(held: MidtermEstimate) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "value": int(held.base[name]) if name == "heads" else Decimal(held.base[name]),
            "is_count": name == "heads",
            "source": "人工填写" if name in held.typed else "基金月报与月度数据",
        }
        for name, label in BASE_LABELS.items()
    ]


def _chart(held: MidtermEstimate, column: str) -> dict[str, Any]:
    """A line a scenario; balances in 万元, months as they are."""
    years = [held.base_year, *(held.base_year + step for step in range(1, held.horizon + 1))]
    base = Decimal(held.base["balance"])
    spending = sum(Decimal(held.base[name]) for name in ("benefits", "critical_illness", "transfers_out"))
    first = base if column == "balance" else round_fen(base * 12 / spending)
    series = []
    for key, name in SCENARIOS.items():
        values = [first, *(None if line[column] is None else Decimal(line[column]) for line in held.scenario(key).get("years", []))]
        data = [None if value is None else str(round_fen(value / 10000) if column == "balance" else value) for value in values]
        series.append({"name": name, "look": LOOKS[key], "data": data})
    limits = [{"name": "用完", "value": "0.00", "red": True}] if column == "balance" else [
        {"name": f"{FLOORS[held.fund_type][0]} 个月", "value": str(FLOORS[held.fund_type][0])},
        {"name": f"{FLOORS[held.fund_type][1]} 个月", "value": str(FLOORS[held.fund_type][1]), "red": True},
    ]  # fmt: skip
    return {"categories": [f"{year} 年末" for year in years], "series": series, "limits": limits}

