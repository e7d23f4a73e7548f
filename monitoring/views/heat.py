"""热力图: place by month, one indicator, coloured by fifths."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.errors import Problem, Refused
from core.exports import export_workbook
from core.kept import kept
from core.models import FundType
from monitoring import figure_charts as charts
from monitoring import figure_exports as exports
from monitoring.figure_forms import FigureFilter
from monitoring.reading import seen
from monitoring.reading.heat import Heat, HeatRow, heat, ordered
from monitoring.reading.indicator_text import BETTER, value_text
from monitoring.views.figures import indicator_url, place_url
from monitoring.views.ranking import Chosen, chosen_of, export_place
from rules.periods import Month
from rules.spans import TO_DATE, Span

PAGE = 50
NUMBERS = {"12": 12, "24": 24}


@require_safe
def heat_page(request: HttpRequest) -> HttpResponse:
    chosen = chosen_of(request)
    found = _heat(request, chosen)
    rows = ordered(found, request.GET.get("sort", ""))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    asked = chosen.asked
    months = [
        (text, label)
        for group, choices in seen.span_choices(asked.latest, Span.month(found.months[-1]))
        for text, label in choices
        if group == "月"
    ]
    values = {**chosen.values, "span": str(found.months[-1]), "months": str(len(found.months))}
    selects = [
        *chosen.selects,
        ("span", "截至", months),
        ("months", "月数", [("12", "12 个月"), ("24", "24 个月")]),
    ]
    context = {
        "chosen": chosen,
        "asked": asked,
        "indicator": chosen.indicator,
        "better": BETTER[chosen.indicator.better],
        "unit": charts.unit_of(chosen.indicator),
        "form": FigureFilter(values, selects, "名称、编号"),
        "found": found,
        "page_obj": page,
        "rows": [_shown(row, chosen) for row in page],
        "total": _shown(found.total, chosen) if found.total else None,
        "keys": [
            (fifth, value_text(chosen.indicator, low), value_text(chosen.indicator, high)) for fifth, low, high in found.bounds
        ],
        "export_url": reverse("monitoring:heat-xlsx"),
        "nothing": "" if asked.latest else seen.NOTHING_YET,
    }
    return render(request, "monitoring/heat.html", context)


@require_safe
def heat_xlsx(request: HttpRequest) -> HttpResponse:
    """Every row of the grid as filtered and sorted."""
    chosen = chosen_of(request)
    found = _heat(request, chosen)
    rows = ordered(found, request.GET.get("sort", ""))
    place, label = export_place(request), FundType(chosen.asked.fund).label
    name = f"{chosen.kind_text}{chosen.indicator.label.replace('／', '')}逐月{found.months[-1]}{label}.xlsx"
    user: Any = request.user
    sheet = exports.heat_sheet(chosen.indicator, chosen.asked.fund, found, rows, chosen.said)
    return export_workbook(user, place, name, [sheet], place=place)


def _heat(request: HttpRequest, chosen: Chosen) -> Heat:
    asked = chosen.asked
    given = request.GET.get("months", "") or "12"
    if given not in NUMBERS:
        raise Refused([Problem("月数", given, f"月数无效：“{given[:20]}”。", "可选 12 或 24。")])
    last = asked.span.last
    if asked.span.kind == TO_DATE and not request.GET.get("span"):
        last = asked.latest or last
    key = (tuple(chosen.places), chosen.total, chosen.indicator.key, asked.fund, last, given)

    def made() -> Heat:
        return heat(chosen.places, chosen.indicator, asked.fund, last, NUMBERS[given], chosen.total)

    return kept("heat", key, made)


def _shown(row: HeatRow, chosen: Chosen) -> dict[str, Any]:
    return {
        "place": row.place,
        "url": place_url(row.place.key, chosen.asked),
        "cells": [_cell(cell.month, cell.fifth, row, chosen, cell.figure) for cell in row.cells],
    }


def _cell(month: Month, fifth: int, row: HeatRow, chosen: Chosen, figure: Any) -> dict[str, Any]:
    asked = seen.Asked(chosen.asked.fund, Span.month(month), None)
    return {
        "fifth": fifth or "none",
        "text": value_text(chosen.indicator, figure.value),
        "missing": figure.missing,
        "url": indicator_url(chosen.indicator.key, row.place.key, asked),
    }
