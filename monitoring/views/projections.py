"""趋势预测: every alliance's projected year in a list, and one alliance and fund type with all that stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.exports import export_workbook
from core.forms import search_field
from core.models import FundType
from core.scope import get_visible
from core.templatetags.fund import scale_positions
from core.workbook import Sheet
from monitoring.models import Projection
from monitoring.models.projections import amount_of
from monitoring.reading import projections as reading
from monitoring.views import projection_charts as charts
from monitoring.views import projection_sheets as sheets
from monitoring.views.listing import ListFilter, choices, county_choices, own_place, page_of, sorted_list
from rules.forecast import GROWTH, PROJECTION, RATE, STRAIGHT
from rules.periods import Month
from rules.trace import Trace

TRACES = {"expected": "预计全年发生", "cash": "预计清算现金"}
METHOD_NAMES = {PROJECTION: "趋势预测", STRAIGHT: "按月平均推算", GROWTH: "按上年同期增速", RATE: "按上年全年增速"}
STATES = [("overrun", "预计超支"), ("surplus", "预计结余"), ("none", "未能预测或无打包总额")]
SOURCES = {"own": "本医共体", "pool": "全市合计", "none": "月数不足，按 1"}
PARTS = {"in_alliance": "医共体内", "out_of_county": "医共体外"}
SERVICES = {"inpatient": "住院", "outpatient": "门诊"}
SORTS = {
    "alliance": lambda row: (row.alliance.county.code, row.alliance.code, row.fund_type),
    "package": lambda row: _known(row.package),
    "expected": lambda row: _known(row.expected),
    "ratio": lambda row: _known(row.ratio),
    "cash": lambda row: _known(row.cash),
    "runs_out": lambda row: row.package_runs_out or "9999",
    "prepaid_out": lambda row: row.prepaid_runs_out or "9999",
}


class ProjectionFilter(ListFilter):
    month = forms.ChoiceField(label="截至月", required=False)
    fund = forms.ChoiceField(label="险种", required=False, choices=choices(FundType.choices))
    county = forms.ChoiceField(label="县（区）", required=False)
    state = forms.ChoiceField(label="预计结果", required=False, choices=choices(STATES))
    q = search_field("医共体名称或编号")

    def __init__(self, *args: Any, months: list[Month], counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(str(month), f"{month.year} 年 {month.month} 月") for month in months]
        self.fields["month"].choices = choices(named, "最新一月")  # type: ignore[attr-defined]
        self.fields["county"].choices = choices(counties)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Row:
    """A projection as the list shows it."""

    of: Projection
    scale: dict[str, Any] | None

    @property
    def error(self) -> Decimal | None:
        """The mean error of the method in the same month of earlier years."""
        return error_of(self.of)


@require_GET
def projection_list(request: HttpRequest) -> HttpResponse:
    form, month, rows = _chosen(request)
    page = page_of(request, rows)
    page.object_list = [Row(row, _scale(row)) for row in page.object_list]
    context = {"form": form, "month": month, "page_obj": page, "totals": reading.totals(rows), "count": len(rows)}
    return render(request, "monitoring/projections.html", context)


@require_GET
def projection_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the list as filtered and sorted, and the sums by fund type."""
    form, month, rows = _chosen(request)
    place = own_place(request)
    name = f"趋势预测-{month or '无数据'}.xlsx"
    made = sheets.list_sheets(rows, reading.totals(rows), month, form.said())
    return export_workbook(request.user, place, name, made, place=place)  # type: ignore[arg-type]


@require_GET
def projection(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    lines = reading.month_lines(found)
    held = reading.course(found)
    parts = change_parts(found)
    versions = reading.versions(found)
    gap = charts.gap_chart(found, lines)
    context = {
        "projection": found,
        "place": found.alliance,
        "scale": _scale(found),
        "lines": lines,
        "months_chart": charts.months_chart(lines),
        "gap_chart": gap,
        "gap_kind": gap.pop("kind") if gap else "",
        "chart_text": charts.describe(found, lines),
        "parts": parts,
        "change": sum((amount for _label, amount in parts), Decimal("0.00")) if parts else None,
        "before": amount_of(found.changes[0]["amount"]) if found.changes else None,
        "change_chart": charts.change_chart(parts),
        "past": reading.against_what_came(found, held[:-1]),
        "factors": _factors(found),
        "errors": error_lines(found),
        "error": error_of(found),
        "coverage": _ratio(found.methods.get("same_month", {}).get("coverage")),
        "course": held,
        "versions": versions,
        "newer": next((row for row in versions if row.current and row.pk != found.pk), None),
        "traces": {name: reverse("monitoring:projection-trace", args=[found.pk, name]) for name in TRACES},
        "shared": shared_lines(found),
        "tier_text": tier_text(found),
        "cash_tone": "neg" if found.cash is not None and found.cash < 0 else "",
    }
    return render(request, "monitoring/projection.html", context)


@require_GET
def projection_trace(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The formula behind the projected year or its cash, loaded into the trace dialog."""
    found = _found(request, pk)
    if name not in TRACES:
        raise Http404("没有这个数字。")
    steps: Trace = found.steps if name == "expected" else found.cash_steps
    context = {"steps": steps, "trace_title": TRACES[name]}
    return render(request, "components/trace.html", context)


@require_GET
def projection_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """The page's tables: summary, months, change, factors, errors, former projections."""
    found = _found(request, pk)
    lines = reading.month_lines(found)
    past = reading.against_what_came(found, reading.course(found)[:-1])
    made: list[Sheet] = sheets.page_sheets(found, lines, change_parts(found), _factors(found), error_lines(found), past)
    name = f"{found.alliance.name}{found.get_fund_type_display()}{found.period}趋势预测.xlsx"
    return export_workbook(request.user, found.alliance, name, made)  # type: ignore[arg-type]


def error_of(found: Projection) -> Decimal | None:
    """Mean absolute error of the method in the same month of earlier years, as a fraction; None without replays."""
    return _ratio(found.methods.get("same_month", {}).get("errors", {}).get(PROJECTION))


def error_lines(found: Projection) -> list[dict[str, Any]]:
    """The replayed errors as a table: label, cases, one error a method, coverage."""
    told = found.methods
    rows = [told.get("own"), told.get("same_month"), *told.get("months", [])]
    return [
        {
            "label": row["label"],
            "cases": row["cases"],
            "errors": [(METHOD_NAMES[name], _ratio(row["errors"].get(name))) for name in METHOD_NAMES],
            "coverage": _ratio(row["coverage"]),
            "ranged": row["ranged"],
        }
        for row in rows
        if row and row["cases"]
    ]


def change_parts(found: Projection) -> list[tuple[str, Decimal]]:
    """The parts of the change to last month's projection; what could not be split only where there is some."""
    parts = [(row["label"], Decimal(row["amount"])) for row in found.changes if row["key"] == "part"]
    return [(label, amount) for label, amount in parts if amount or label != "未能区分"]


def shared_lines(found: Projection) -> list[tuple[str, Decimal]]:
    """What both sides would bear or keep."""
    if not found.tier or not found.difference:
        return []
    if found.is_overrun:
        pairs = [("基金分担", found.fund_bears), ("医共体承担", found.alliance_bears)]
    else:
        pairs = [("医共体留用", found.retained), ("返还统筹基金", found.returned)]
    return [(label, amount) for label, amount in pairs if amount is not None]


def tier_text(found: Projection) -> str:
    """The tier, and the ones the ends of the range would reach."""
    others = [label for label in (found.tier_low, found.tier_high) if label and label != found.tier]
    return f"{found.tier} · 区间触及 {'、'.join(dict.fromkeys(others))}" if others else found.tier


def _found(request: HttpRequest, pk: int) -> Projection:
    found: Projection = get_visible(Projection.objects.with_places(), request.user, pk=pk)
    return found


def _chosen(request: HttpRequest) -> tuple[ProjectionFilter, Month | None, list[Projection]]:
    user: Any = request.user
    months = reading.months_held(user)
    form = ProjectionFilter(request.GET or None, months=months, counties=county_choices(user))
    wanted = form.wanted()
    month = Month.parse(wanted["month"]) if wanted.get("month") else (months[0] if months else None)
    rows = reading.month_rows(user, month) if month else []
    if wanted.get("fund"):
        rows = [row for row in rows if row.fund_type == wanted["fund"]]
    if wanted.get("county"):
        rows = [row for row in rows if row.alliance.county.code == wanted["county"]]
    if wanted.get("state"):
        rows = [row for row in rows if _state(row) == wanted["state"]]
    if wanted.get("q"):
        text = wanted["q"].strip()
        rows = [row for row in rows if text in row.alliance.name or text.upper() in row.alliance.code.upper()]
    return form, month, sorted_list(rows, request.GET.get("sort", ""), SORTS)


def _state(row: Projection) -> str:
    if row.difference is None:
        return "none"
    return "overrun" if row.is_overrun else "surplus"


def _scale(row: Projection) -> dict[str, Any] | None:
    if not row.tiers or row.ratio is None:
        return None
    return scale_positions(row.tiers, row.ratio, row.low_ratio, row.high_ratio, "预计")


def _factors(found: Projection) -> list[dict[str, Any]]:
    return [
        {
            "label": f"{PARTS.get(row['part'], row['part'])}{SERVICES.get(row['service'], row['service'])}",
            "cells": [
                (Decimal(factor), Decimal(share), count, SOURCES.get(source, source))
                for factor, share, count, source in zip(
                    row["factors"], row["shares"], row["months"], row["sources"], strict=True
                )
            ],
        }
        for row in found.factors
    ]


def _ratio(text: Any) -> Decimal | None:
    return amount_of(text)


def _known(amount: Decimal | None) -> Decimal:
    return Decimal("-1E+18") if amount is None else amount
