"""One place: both fund types' key figures, what it is made of, its months with versions and what is missing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.exports import export_workbook
from core.models import Alliance, FundType, PoolingArea
from core.models.places import Place
from monitoring import figure_charts as charts
from monitoring import figure_exports as exports
from monitoring.figure_forms import FigureFilter
from monitoring.models import PlaceKind
from monitoring.reading import seen
from monitoring.reading.figures import figures
from monitoring.reading.indicator_text import indicators_of, value_text
from monitoring.reading.places import PlaceRef, place_of
from monitoring.reading.series import MONTHS, held_months
from monitoring.views.default_span import asked_of, part_month
from monitoring.views.figures import indicator_url, key_cards, place_url, sheet_of, trend_of
from monitoring.views.rows_behind import facts_links
from rules.indicators import BY_KEY
from rules.periods import Month, months_between
from rules.spans import Span

CHARTS = {
    PlaceKind.INSTITUTION: ("inpatient_average", "outpatient_average"),
    PlaceKind.ALLIANCE: ("execution", "in_county_rate"),
    PlaceKind.COUNTY: ("execution", "in_county_rate"),
    PlaceKind.CITY: ("execution", "in_county_rate"),
}
PARTS = {
    PlaceKind.ALLIANCE: ("execution", "inpatient_average", "drug_share", "own_burden"),
    PlaceKind.COUNTY: ("execution", "in_county_rate", "primary_share", "inpatient_average"),
    PlaceKind.INSTITUTION: ("spending_growth", "inpatient_average", "outpatient_average", "length_of_stay"),
}


@require_safe
def place(request: HttpRequest, key: str) -> HttpResponse:
    user: Any = request.user
    ref = seen.seen_place(user, key)
    asked = asked_of(request, ref)
    strips = []
    for fund in FundType.values:
        one = seen.Asked(fund, asked.span, asked.latest)
        strips.append((fund, key_cards(sheet_of(user, ref, one), one)))
    months = _months(asked.span)
    rows = _rows(user, ref, asked.fund, months)
    drawn = []
    for name in CHARTS[PlaceKind(ref.kind)]:
        points = trend_of(ref, BY_KEY[name], asked)
        drawn.append(
            {
                "indicator": BY_KEY[name],
                "data": charts.trend_chart(BY_KEY[name], points, ()),
                "text": charts.describe_trend(BY_KEY[name], points),
                "unit": charts.unit_of(BY_KEY[name]),
                "url": indicator_url(name, ref.key, asked),
                "empty": all(point.now.value is None for point in points),
            }
        )
    parts = seen.children_of(user, ref, asked.span)
    links = facts_links(user, ref, months)
    context = {
        "place": ref,
        "asked": asked,
        "part_month": part_month(request, asked),
        "form": FigureFilter(
            {"fund": asked.fund, "span": str(asked.span)}, [("span", "期间", seen.span_choices(asked.latest, asked.span))]
        ),
        "strips": strips,
        "charts": drawn,
        "months": [(month, row, links.get(month, "")) for month, row in reversed(rows)],
        "parts": _parts(parts, asked),
        "upper": upper_links(user, place_of(user, key), asked),
        "counted": len(indicators_of(ref.kind)),
        "nothing": "" if asked.latest else seen.NOTHING_YET,
    }
    return render(request, "monitoring/place.html", context)


@require_safe
def place_xlsx(request: HttpRequest, key: str) -> HttpResponse:
    """The months of the place as the page lists them."""
    user: Any = request.user
    ref = seen.seen_place(user, key)
    asked = asked_of(request, ref)
    rows = list(reversed(_rows(user, ref, asked.fund, _months(asked.span))))
    name = f"{ref.name}{FundType(asked.fund).label}各月监测数据.xlsx"
    return export_workbook(user, place_of(user, key), name, [exports.month_sheet(ref, asked.fund, rows)])


def _months(span: Span) -> tuple[Month, ...]:
    return months_between(span.last.plus(1 - MONTHS), span.last)


def _rows(user: Any, ref: PlaceRef, fund: str, months: tuple[Month, ...]) -> list[tuple[Month, Any]]:
    held = held_months(user, ref, fund, months)
    return [(month, held.get(month)) for month in months]


def _parts(parts: list[PlaceRef], asked: seen.Asked) -> dict[str, Any]:
    """A few indicators of what the place is made of."""
    if not parts:
        return {}
    keys = PARTS[PlaceKind(parts[0].kind)]
    found = figures(parts, [asked.span], keys, [asked.fund])
    rows = []
    for part in parts:
        cells = [found[(part.key, asked.fund, asked.span)][key] for key in keys]
        rows.append(
            {
                "place": part,
                "cells": [
                    (BY_KEY[cell.indicator.key].label, value_text(cell.indicator, cell.value), cell.missing,
                     indicator_url(cell.indicator.key, part.key, asked))
                    for cell in cells
                ],
            }
        )  # fmt: skip
    return {"heads": [BY_KEY[key] for key in keys], "rows": rows, "kind": parts[0].kind, "kind_text": parts[0].kind_text}


def upper_links(user: Any, place: Place, asked: seen.Asked) -> list[tuple[str, str]]:
    """The places above as breadcrumbs, as far as the person's posts reach."""
    if isinstance(place, PoolingArea):
        return []
    kinds = seen.kinds_seen(user)
    area = place.pooling_area if not hasattr(place, "county") else place.county.pooling_area
    links = []
    if PlaceKind.CITY in kinds:
        links.append((area.name, f"P{area.pk}"))
    county = getattr(place, "county", None)
    if county is not None and PlaceKind.COUNTY in kinds:
        links.append((county.name, f"C{county.pk}"))
    if not isinstance(place, Alliance) and county is not None and PlaceKind.ALLIANCE in kinds:
        day = asked.span.last.last_day
        member = Alliance.objects.visible_to(user).on(day).filter(
            memberships__institution=place.pk, memberships__valid_from__lte=day
        ).exclude(memberships__institution=place.pk, memberships__valid_to__lt=day).first()
        if member is not None:
            links.append((member.name, f"A{member.pk}"))
    return [(name, place_url(key, asked)) for name, key in links]
