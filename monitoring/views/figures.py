"""运行监测: every indicator of a place, fund types apart, beside last year and the peers; the trace behind a figure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.exports import export_workbook
from core.kept import kept
from core.models import FundType
from core.texts import whole
from monitoring import figure_charts as charts
from monitoring import figure_exports as exports
from monitoring.figure_forms import FigureFilter
from monitoring.models import PlaceKind
from monitoring.reading import seen
from monitoring.reading.figures import figures
from monitoring.reading.indicator_text import BETTER, change_text, unit_text, value_text, window_text
from monitoring.reading.peers import sees_peers
from monitoring.reading.places import PlaceRef, place_of
from monitoring.reading.series import Line, Point, sheet, trend
from monitoring.views.default_span import asked_of, part_month
from rules.indicators import INDICATORS, Indicator

KEY_FIGURES = {
    PlaceKind.CITY: ("execution", "pace_gap", "current_balance_rate", "payable_months", "in_county_rate"),
    PlaceKind.COUNTY: ("execution", "pace_gap", "current_balance_rate", "payable_months", "in_county_rate"),
    PlaceKind.ALLIANCE: ("execution", "pace_gap", "primary_share", "referred_out", "prepaid_rate"),
    PlaceKind.INSTITUTION: ("spending_growth", "inpatient_average", "length_of_stay", "drug_share", "own_burden"),
}
GROUPS = list(dict.fromkeys(indicator.group for indicator in INDICATORS))
MOST_CHOICES = 400


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All indicators of the place chosen."""
    user: Any = request.user
    place, form_selects = _chosen(request)
    if place is None:
        return render(request, "monitoring/overview.html", {"place": None, "nothing": _why_nothing(user)})
    asked = asked_of(request, place)
    lines = wanted_lines(request, sheet_of(user, place, asked))
    chosen = {**request.GET.dict(), "fund": asked.fund, "span": str(asked.span), "kind": place.kind, "place": place.key}
    chosen["county"] = str(place.county or "")
    groups = [("", "全部"), *((name, name) for name in GROUPS)]
    selects = [*form_selects, ("span", "期间", seen.span_choices(asked.latest, asked.span)), ("group", "组别", groups)]
    context = {
        "place": place,
        "asked": asked,
        "part_month": part_month(request, asked),
        "form": FigureFilter(chosen, selects),
        "groups": [(name, list(rows)) for name, rows in groupby(shown_lines(lines, asked), key=lambda row: row["group"])],
        "cards": key_cards(lines, asked),
        "data_to": max((line.now.data_to for line in lines if line.now.data_to), default=None),
        "peers_text": next((line.peers.group.text for line in lines if line.peers), ""),
        "bureau": sees_peers(user),
        "nothing": "" if asked.latest else seen.NOTHING_YET,
    }
    return render(request, "monitoring/overview.html", context)


@require_safe
def overview_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the indicators the overview shows."""
    user: Any = request.user
    place, _selects = _chosen(request)
    if place is None:
        raise Http404("没有可导出的地方。")
    asked = asked_of(request, place)
    lines = wanted_lines(request, sheet_of(user, place, asked))
    name = f"{place.name}{asked.span.text}{FundType(asked.fund).label}运行指标.xlsx"
    subject = place_of(user, place.key)
    return export_workbook(user, subject, name, [exports.sheet_of_place(place, asked.fund, asked.span, lines)])


@require_safe
def figure_trace(request: HttpRequest, key: str, indicator: str) -> HttpResponse:
    """The formula behind one figure: inputs, result, clause; loaded into the trace dialog."""
    user: Any = request.user
    place, chosen = seen.seen_place(user, key), seen.indicator_of(indicator)
    if place.kind not in chosen.places:
        raise Http404(f"“{chosen.label}”没有{place.kind_text}一级的数值。")
    asked = seen.asked(request.GET, None)
    figure = figures([place], [asked.span], [chosen.key], [asked.fund])[(place.key, asked.fund, asked.span)][chosen.key]
    funded = FundType(asked.fund).label
    context = {
        "steps": figure.reading.trace,
        "trace_title": f"{place.name} · {funded} · {asked.span.text} · {chosen.label}",
        "rows_url": f"{indicator_url(chosen.key, place.key, asked)}#months",
        "rows_text": figure.missing or f"{len(figure.rows)} 个月的基数",
    }
    return render(request, "components/trace.html", context)


def sheet_of(user: Any, place: PlaceRef, asked: seen.Asked) -> list[Line]:
    """Every indicator of the place; kept in memory for everybody who may know the same of the peers."""
    key = (place, asked.fund, asked.span, sees_peers(user))
    return kept("indicator sheet", key, lambda: sheet(user, place, asked.fund, asked.span))


def trend_of(place: PlaceRef, indicator: Indicator, asked: seen.Asked) -> list[Point]:
    """The 24 months up to the span's end, kept in memory for everybody."""
    key = (place, indicator.key, asked.fund, asked.span.last)
    return kept("indicator trend", key, lambda: trend(place, indicator, asked.fund, asked.span.last))


def wanted_lines(request: HttpRequest, lines: Sequence[Line]) -> list[Line]:
    """The lines of the group asked for (of every group), group by group."""
    group = request.GET.get("group", "")
    wanted = [line for line in lines if group not in GROUPS or line.indicator.group == group]
    return sorted(wanted, key=lambda line: GROUPS.index(line.indicator.group))


@lru_cache(maxsize=4096)
def _address(name: str, *given: str) -> str:
    """An address of this part, worked out once: tables have hundreds of them."""
    return reverse(f"monitoring:{name}", args=given)


def indicator_url(indicator: str, place: str, asked: seen.Asked) -> str:
    return f"{_address('indicator', indicator)}?place={place}&{asked.query}"


def trace_url(indicator: str, place: str, asked: seen.Asked) -> str:
    return f"{_address('figure-trace', place, indicator)}?{asked.query}"


def place_url(place: str, asked: seen.Asked) -> str:
    return f"{_address('place', place)}?{asked.query}"


def shown_lines(lines: Sequence[Line], asked: seen.Asked) -> list[dict[str, Any]]:
    """What the table writes of each indicator."""
    return [_shown(line, asked) for line in lines]


def _shown(line: Line, asked: seen.Asked) -> dict[str, Any]:
    one, place, peers = line.indicator, line.now.place.key, line.peers
    return {
        "group": one.group,
        "label": one.label,
        "about": f"{window_text(one)} · {BETTER[one.better]}{f' · {one.note}' if one.note else ''}",
        "url": indicator_url(one.key, place, asked),
        "value": value_text(one, line.now.value),
        "unit": unit_text(one) if line.now.value is not None else "",
        "trace_url": trace_url(one.key, place, asked) if line.now.value is not None else "",
        "before": value_text(one, line.before.value),
        "change": change_text(one, line.change),
        "median": value_text(one, peers.median) if peers else "—",
        "quartiles": f"{value_text(one, peers.low)} – {value_text(one, peers.high)}" if peers and peers.low is not None else "",
        "rank": f"第 {peers.rank} / {peers.known + 1}" if peers and peers.rank else "",
        "few": peers is not None and peers.median is None,
        "spark": charts.spark(one, line.trend),
        "data_to": line.now.data_to,
        "missing": line.now.missing,
    }


def key_cards(lines: Sequence[Line], asked: seen.Asked) -> list[dict[str, Any]]:
    """The strip above the table: the key figures of the kind of place."""
    by_key = {line.indicator.key: line for line in lines}
    if not lines:
        return []
    wanted = KEY_FIGURES[PlaceKind(lines[0].now.place.kind)]
    cards = []
    for key in wanted:
        line = by_key.get(key)
        if line is None:
            continue
        one = line.indicator
        bad = line.now.value is not None and line.now.value < 0 and key in ("current_balance_rate", "balance_rate")
        shown = _shown(line, asked)
        if line.now.value is None:
            shown["lines"] = [line.now.missing]
        elif line.before.value is None:
            shown["lines"] = ["上年同期没有数据"]
        else:
            shown["lines"] = [f"上年同期 {value_text(one, line.before.value)}", f"变化 {shown['change']}"]
        cards.append({**shown, "tone": "bad" if bad else ""})
    return cards


def _chosen(request: HttpRequest) -> tuple[PlaceRef | None, list[tuple[str, str, Any]]]:
    """The place of the address and the selects that lead to another; a place of another kind gives way to the kind."""
    user: Any = request.user
    given = request.GET.get("place", "")
    place = seen.seen_place(user, given) if given else None
    kind = seen.kind_of(user, request.GET.get("kind", ""), place.kind if place else "")
    if place is not None and place.kind != kind:
        place = None
    kinds = seen.kinds_seen(user)
    selects: list[tuple[str, str, Any]] = [("kind", "层级", [(one.value, one.label) for one in kinds])]
    county = None
    if kind == PlaceKind.INSTITUTION and PlaceKind.COUNTY in kinds:
        counties = seen.seen_places(user, PlaceKind.COUNTY)
        asked_county = whole(request.GET.get("county", ""))
        if asked_county is not None and asked_county not in {one.pk for one in counties}:
            raise Http404("没有找到这个县（区），或者它不在您的管理范围内。")
        county = asked_county or (place.county if place else None) or (counties[0].pk if counties else None)
        if place is not None and place.county != county:
            place = None
        selects.append(("county", "县（区）", [(str(one.pk), one.name) for one in counties]))
    places = seen.seen_places(user, kind, county)
    if place is None and places:
        place = places[0]
    shown = places[:MOST_CHOICES]
    if place is not None and place not in shown:
        shown = [place, *shown]
    selects.append(("place", "对象", seen.names_of(shown)))
    return place, selects


def _why_nothing(user: Any) -> str:
    if not seen.kinds_seen(user):
        return "您还没有岗位，看不到任何地方的指标。请系统管理员授予岗位。"
    return "您的管理范围内还没有这一层级的地方。请换一个层级，或请系统管理员在后台登记。"
