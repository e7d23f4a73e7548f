"""One indicator of one place: formula, 24 months, peers, members, what was known when, the months it is made of."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.errors import Problem, Refused
from core.exports import export_workbook
from core.kept import kept
from core.models import FundType
from monitoring import figure_charts as charts
from monitoring import figure_exports as exports
from monitoring.figure_forms import FigureFilter
from monitoring.models import Basis, PlaceKind
from monitoring.reading import seen
from monitoring.reading.indicator_text import (
    BETTER,
    change_text,
    kinds_text,
    unit_text,
    value_text,
    volume_text,
    window_text,
)
from monitoring.reading.league import LeagueRow, league, ordered
from monitoring.reading.peers import peer_stats, sees_peers
from monitoring.reading.places import PlaceRef, place_of
from monitoring.reading.series import bases_shown, versions
from monitoring.reading.thresholds import threshold_for
from monitoring.views.default_span import asked_of, part_month
from monitoring.views.figures import MOST_CHOICES, indicator_url, place_url, trace_url, trend_of
from monitoring.views.figures_place import upper_links
from monitoring.views.rows_behind import facts_links
from rules.indicators import Indicator


@require_safe
def indicator(request: HttpRequest, key: str) -> HttpResponse:
    user: Any = request.user
    chosen = seen.indicator_of(key)
    place = _place(request, chosen)
    if place is None:
        nowhere = {"indicator": chosen, "place": None, "kinds": kinds_text(chosen), "better": BETTER[chosen.better]}
        return render(request, "monitoring/indicator.html", nowhere)
    asked = asked_of(request, place)
    points = trend_of(place, chosen, asked)
    rules = [
        rule
        for rule in threshold_for(place, asked.fund, chosen.key, asked.span.last.last_day)
        if rule.basis == Basis.ABSOLUTE
    ]
    members, total = _members(user, place, chosen, asked, request.GET.get("sort", ""))
    links = facts_links(user, place, [point.month for point in points])
    bases = bases_shown(chosen)
    context = {
        "indicator": chosen,
        "place": place,
        "asked": asked,
        "part_month": part_month(request, asked),
        "form": _form(user, place, chosen, asked),
        "window": window_text(chosen),
        "better": BETTER[chosen.better],
        "unit": charts.unit_of(chosen),
        "card": _card(user, place, chosen, asked),
        "chart": charts.trend_chart(chosen, points, rules),
        "chart_text": charts.describe_trend(chosen, points),
        "drawn": any(point.now.value is not None for point in points),
        "rules": rules,
        "bureau": sees_peers(user),
        "members": [member_row(row, asked) for row in members],
        "member_total": member_row(total, asked) if total else None,
        "member_kind": members[0].place.kind_text if members else "",
        "member_chart": charts.member_chart(chosen, members),
        "member_text": charts.describe_members(chosen, members),
        "members_drawn": any(row.now.value is not None for row in members),
        "bases": bases,
        "months": [
            {
                "month": point.month,
                "value": value_text(chosen, point.now.value),
                "before": value_text(chosen, point.before.value),
                "change": change_text(chosen, point.change),
                "missing": point.now.missing,
                "cells": [(base, point.row.sums[base.key] if point.row else None) for base in bases],
                "data_to": point.row.data_to if point.row else None,
                "url": links.get(point.month, ""),
            }
            for point in reversed(points)
        ],
        "versions": [
            {
                "version": row,
                "then": value_text(chosen, row.then.value),
                "now": value_text(chosen, row.now.value),
                "missing": row.then.missing,
            }
            for row in versions(user, place, chosen, asked.fund, asked.span)
        ],
        "upper": [*upper_links(user, place_of(user, place.key), asked)],
        "place_url": place_url(place.key, asked),
        "nothing": "" if asked.latest else seen.NOTHING_YET,
    }
    return render(request, "monitoring/indicator.html", context)


@require_safe
def indicator_xlsx(request: HttpRequest, key: str) -> HttpResponse:
    """The months, the members with the place's own row as total, and what was known when, as the page shows them."""
    user: Any = request.user
    chosen = seen.indicator_of(key)
    place = _place(request, chosen)
    if place is None:
        raise Refused([Problem("对象", "", "没有可导出的地方。", "请先选择一个您管理范围内的地方。")])
    asked = asked_of(request, place)
    points = trend_of(place, chosen, asked)
    sheets = [exports.trend_sheet(place, chosen, asked.fund, list(reversed(points)))]
    members, total = _members(user, place, chosen, asked, request.GET.get("sort", ""))
    if members:
        sheets.append(exports.league_sheet(chosen, asked.fund, asked.span, members, total))
    held = versions(user, place, chosen, asked.fund, asked.span)
    if held:
        sheets.append(exports.version_sheet(chosen, asked.span, held))
    name = f"{place.name}{asked.span.text}{FundType(asked.fund).label}{chosen.label.replace('／', '')}.xlsx"
    return export_workbook(user, place_of(user, place.key), name, sheets)


def member_row(row: LeagueRow, asked: seen.Asked) -> dict[str, Any]:
    """What a table writes of one place by one indicator."""
    one = row.now.indicator
    return {
        "place": row.place,
        "place_url": place_url(row.place.key, asked),
        "url": indicator_url(one.key, row.place.key, asked),
        "value": value_text(one, row.now.value),
        "trace_url": trace_url(one.key, row.place.key, asked) if row.now.value is not None else "",
        "before": value_text(one, row.before.value),
        "change": change_text(one, row.change),
        "rank": row.rank,
        "volume": volume_text(one, row.now.reading.volume),
        "level": row.level,
        "level_text": row.level_text,
        "data_to": row.now.data_to,
        "missing": row.now.missing,
    }


def _place(request: HttpRequest, chosen: Indicator) -> PlaceRef | None:
    """The place asked for, else the first of the widest kind the indicator has and the person sees."""
    user: Any = request.user
    given = request.GET.get("place", "")
    if given:
        place = seen.seen_place(user, given)
        if place.kind not in chosen.places:
            text = f"“{chosen.label}”没有{place.kind_text}一级的数值。"
            raise Refused([Problem("对象", place.name, text, f"该指标适用于：{kinds_text(chosen)}。请改选对象。")])
        return place
    for kind in seen.kinds_seen(user):
        places = seen.seen_places(user, kind) if kind in chosen.places else []
        if places:
            return places[0]
    return None


def _form(user: Any, place: PlaceRef, chosen: Indicator, asked: seen.Asked) -> FigureFilter:
    county = place.county if place.kind == PlaceKind.INSTITUTION else None
    places = seen.seen_places(user, place.kind, county)[:MOST_CHOICES]
    if place not in places:
        places.insert(0, place)
    selects: list[tuple[str, str, Any]] = [
        ("place", place.kind_text, seen.names_of(places)),
        ("span", "期间", seen.span_choices(asked.latest, asked.span)),
    ]
    return FigureFilter({"fund": asked.fund, "span": str(asked.span), "place": place.key}, selects)


def _members(
    user: Any, place: PlaceRef, chosen: Indicator, asked: seen.Asked, sort: str
) -> tuple[list[LeagueRow], LeagueRow | None]:
    """What the place is made of by this indicator, and the place's own row as their total."""
    parts = seen.children_of(user, place, asked.span)
    if not parts or parts[0].kind not in chosen.places:
        return [], None
    key = (tuple(parts), chosen.key, asked.fund, asked.span, place)
    rows, total = kept("indicator members", key, lambda: league(parts, chosen, asked.fund, asked.span, place))
    return ordered(rows, sort or "-value"), total


def _card(user: Any, place: PlaceRef, chosen: Indicator, asked: seen.Asked) -> dict[str, Any]:
    """The figure of the span, last year's, and where it stands among its peers."""
    key = (place, chosen.key, asked.fund, asked.span)
    row = kept("indicator card", key, lambda: league([place], chosen, asked.fund, asked.span))[0][0]
    now, then = row.now, row.before
    stats = peer_stats(user, place, asked.span, [chosen.key], asked.fund).get(chosen.key)
    few = "本人岗位只能看同类中位数，且同类须不少于 5 个" if not sees_peers(user) else "同类有数的不足 3 个"
    return {
        "value": value_text(chosen, now.value),
        "unit": unit_text(chosen) if now.value is not None else "",
        "trace_url": trace_url(chosen.key, place.key, asked) if now.value is not None else "",
        "missing": now.missing,
        "before": value_text(chosen, then.value),
        "before_missing": then.missing,
        "before_span": asked.span.year_before().text,
        "change": change_text(chosen, row.change),
        "level": row.level,
        "level_text": row.level_text,
        "stats": stats,
        "median": value_text(chosen, stats.median) if stats else "—",
        "quartiles": f"{value_text(chosen, stats.low)} – {value_text(chosen, stats.high)}"
        if stats and stats.low is not None
        else "",
        "few": few if stats and stats.median is None else "",
        "volume": volume_text(chosen, now.reading.volume),
        "data_to": now.data_to,
        "affected": now.reading.affected,
    }
