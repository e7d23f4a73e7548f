"""排行: all places of a kind by one indicator."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.exports import export_workbook
from core.kept import kept
from core.models import FundType
from monitoring import figure_charts as charts
from monitoring import figure_exports as exports
from monitoring.figure_forms import FigureFilter
from monitoring.reading import seen
from monitoring.reading.indicator_text import BETTER, window_text
from monitoring.reading.league import LeagueRow, league, ordered
from monitoring.views.figures_indicator import member_row
from monitoring.views.ranking import Chosen, chosen_of, export_place

PAGE = 50


@require_safe
def league_page(request: HttpRequest) -> HttpResponse:
    chosen = chosen_of(request)
    rows, total = _rows(request, chosen)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    asked = chosen.asked
    selects = [*chosen.selects, ("span", "期间", seen.span_choices(asked.latest, asked.span))]
    context = {
        "chosen": chosen,
        "asked": asked,
        "indicator": chosen.indicator,
        "better": BETTER[chosen.indicator.better],
        "window": window_text(chosen.indicator),
        "unit": charts.unit_of(chosen.indicator),
        "form": FigureFilter(chosen.values, selects, "名称、编号"),
        "page_obj": page,
        "rows": [member_row(row, asked) for row in page],
        "total": member_row(total, asked) if total else None,
        "known": sum(1 for row in rows if row.now.value is not None),
        "missing": sum(1 for row in rows if row.now.value is None),
        "export_url": reverse("monitoring:league-xlsx"),
        "nothing": "" if asked.latest else seen.NOTHING_YET,
    }
    return render(request, "monitoring/league.html", context)


@require_safe
def league_xlsx(request: HttpRequest) -> HttpResponse:
    """Every row as filtered and sorted, and the same total."""
    chosen = chosen_of(request)
    rows, total = _rows(request, chosen)
    asked, place = chosen.asked, export_place(request)
    name = f"{chosen.kind_text}{chosen.indicator.label.replace('／', '')}排行{asked.span}{FundType(asked.fund).label}.xlsx"
    user: Any = request.user
    made = exports.league_sheet(chosen.indicator, asked.fund, asked.span, rows, total, chosen.said)
    return export_workbook(user, place, name, [made], place=place)


def _rows(request: HttpRequest, chosen: Chosen) -> tuple[list[LeagueRow], LeagueRow | None]:
    asked = chosen.asked
    key = (tuple(chosen.places), chosen.total, chosen.indicator.key, asked.fund, asked.span)
    rows, total = kept(
        "league", key, lambda: league(chosen.places, chosen.indicator, asked.fund, asked.span, chosen.total)
    )
    return ordered(rows, request.GET.get("sort", "") or "rank"), total
