"""基金总览 of a city, a county and an alliance: package, prepaid, charged, estimate and tier, fund types apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from claims import reading as claims
from core.access import may, require
from core.exports import export_workbook
from core.kept import kept
from core.models import Alliance, County, FundType, PoolingArea
from core.models.places import valid_on
from core.scope import get_visible
from monitoring.reading import warnings
from monitoring.reading.places import ref_of
from portal import charts, exports, traces
from portal.figures import TRACES, FundCard, FundTotal, full_card, full_cards, fund_totals
from portal.reading.access import ACTION, own_level
from portal.reading.members import MemberTable, member_table
from portal.reading.outlook import FundOutlook, default_year, outlooks
from rules.projection import HISTORY_YEARS

EARLIEST, LATEST = 2000, 2099
SHOWN_WARNINGS = 6
TRACED = ("package", "prepaid", "charged", "expected")


@dataclass(frozen=True)
class Asked:
    """What the address asks for; ``years`` are those to choose from."""

    year: int
    fund: str
    sort: str
    years: list[int]


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """To the person's own level; who has none is told whom to ask."""
    user: Any = request.user
    place = own_level(user)
    if isinstance(place, PoolingArea):
        return redirect("portal:city", code=place.code)
    if isinstance(place, County):
        return redirect("portal:county", code=place.code)
    if isinstance(place, Alliance):
        return redirect("portal:alliance", code=place.code)
    return render(request, "portal/overview_none.html", {"has_posts": bool(user.grants_on(timezone.localdate()))})


@require_safe
def city(request: HttpRequest, code: str) -> HttpResponse:
    return _group_page(request, _city(request, code))


@require_safe
def county(request: HttpRequest, code: str) -> HttpResponse:
    return _group_page(request, _county(request, code))


@require_safe
def city_xlsx(request: HttpRequest, code: str) -> HttpResponse:
    return _group_xlsx(request, _city(request, code))


@require_safe
def county_xlsx(request: HttpRequest, code: str) -> HttpResponse:
    return _group_xlsx(request, _county(request, code))


@require_safe
def alliance(request: HttpRequest, code: str) -> HttpResponse:
    place = _alliance(request, code)
    asked = _asked(request, [place])
    key = (place.pk, asked.year, asked.fund, asked.sort)
    context = {
        **kept("alliance page", key, lambda: _alliance_figures(place, asked)),
        "place": place,
        "asked": asked,
        "history_years": HISTORY_YEARS,
        "upper": _upper_links(request, place),
        "warned": _warned(request, place, asked.fund),
    }
    return render(request, "portal/alliance.html", context)


def _warned(request: HttpRequest, place: Any, fund: str) -> dict[str, Any]:
    """The gravest open warnings that this person sees at a place and below it; four queries."""
    key = ref_of(place).key
    found = warnings.chosen(request.user, {"state": warnings.OPEN, "place": key, "fund_type": fund})
    count = found.order_by().count()
    rows = warnings.with_figures(found.with_places()[:SHOWN_WARNINGS]) if count else []
    return {"rows": rows, "count": count, "more": count - len(rows), "place": key}


def _alliance_figures(place: Alliance, asked: Asked) -> dict[str, Any]:
    """What the alliance's page shows besides the person's own links."""
    today = timezone.localdate()
    cards = full_cards(outlooks([place], asked.year), place)
    card = next(card for card in cards if card.fund == asked.fund)
    day = min(today, card.outlook.months[-1].month.last_day) if card.outlook.months else today
    heads = {fund: claims.insured_heads(place, asked.year, fund) for fund in FundType.values}
    gap = charts.gap_chart(card.outlook)
    return {
        "cards": cards,
        "card": card,
        "outlook": card.outlook,
        "table": member_table(card.outlook, asked.sort),
        "monthly": charts.monthly_chart(card.outlook),
        "gap": gap,
        "gap_kind": gap.pop("kind") if gap else "",
        "chart_text": charts.describe(card.outlook),
        "gap_text": charts.describe_gap(card.outlook),
        "heads": [(FundType(fund).label, found) for fund, found in heads.items() if found],
        "lead": place.lead_hospital(day),
        "siblings": place.county.alliances.filter(valid_on(today)).exclude(pk=place.pk).exists(),
        "unconfirmed": _unconfirmed(cards),
    }


@require_safe
def members_xlsx(request: HttpRequest, code: str) -> HttpResponse:
    """The member table as the page shows it: same fund type, order, lines and totals."""
    place = _alliance(request, code)
    asked = _asked(request, [place])
    outlook = outlooks([place], asked.year)[(place.pk, asked.fund)]
    sheet = exports.member_sheet(outlook, member_table(outlook, asked.sort))
    name = f"{place.name}{asked.year}年{FundType(asked.fund).label}成员单位执行.xlsx"
    return export_workbook(request.user, place, name, [sheet])  # type: ignore[arg-type]


@require_safe
def figure_trace(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """The formula behind one key figure of a fund type, loaded into the trace dialog."""
    place = _alliance(request, code)
    if name not in TRACES:
        raise Http404("没有这个数字。")
    asked = _asked(request, [place])
    card = full_card(outlooks([place], asked.year)[(place.pk, asked.fund)])
    on_worksheet = name == "package" and card.package_url
    context = {
        "steps": card.trace_of(name),
        "trace_title": TRACES[name],
        "rows_url": card.package_url if on_worksheet else "" if name == "prepaid" else card.rows_url,
        "rows_text": "测算表与各版本" if on_worksheet else "基金账银行回单" if name == "prepaid" else card.rows_text,
    }
    return render(request, "components/trace.html", context)


@require_safe
def member_trace(request: HttpRequest, code: str) -> HttpResponse:
    """The formula behind one line of the member table, loaded into the trace dialog."""
    place = _alliance(request, code)
    asked = _asked(request, [place])
    outlook = outlooks([place], asked.year)[(place.pk, asked.fund)]
    wanted = request.GET.get("row", "")
    table: MemberTable = member_table(outlook)
    row = next((row for row in table.lines if wanted and wanted in (row.code, row.level)), None)
    if row is None:
        raise Http404("没有这一行。")
    context = {
        "steps": traces.member_trace(row, outlook),
        "trace_title": row.name,
        "rows_url": f"{reverse('portal:months', args=[place.code])}?year={asked.year}&fund={asked.fund}",
        "rows_text": f"{row.settlements:,} 人次结算",
    }
    return render(request, "components/trace.html", context)


@require_safe
def months(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind the overview's figures: each delivered month by where care was given."""
    place = _alliance(request, code)
    asked = _asked(request, [place])
    outlook = outlooks([place], asked.year)[(place.pk, asked.fund)]
    sheet = exports.month_sheet(outlook)
    context = {
        "place": place,
        "asked": asked,
        "outlook": outlook,
        "rows": list(outlook.months),
        "totals": list(sheet.rows)[-1][1:8] if outlook.months else None,
        "missing": outlook.facts.months_missing,
        "opens_facts": bool(may(request.user, "claims.view", place.county)),  # type: ignore[arg-type]
    }
    return render(request, "portal/months.html", context)


@require_safe
def months_xlsx(request: HttpRequest, code: str) -> HttpResponse:
    place = _alliance(request, code)
    asked = _asked(request, [place])
    outlook = outlooks([place], asked.year)[(place.pk, asked.fund)]
    name = f"{place.name}{asked.year}年{FundType(asked.fund).label}月度发生.xlsx"
    return export_workbook(request.user, place, name, [exports.month_sheet(outlook)])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Group:
    """A city or a county with its alliances in force."""

    place: PoolingArea | County
    alliances: list[Alliance]
    url: str
    xlsx: str


def _city(request: HttpRequest, code: str) -> Group:
    area = get_visible(PoolingArea.objects.all(), request.user, code=code)
    require(request.user, ACTION, area)  # type: ignore[arg-type]
    found = Alliance.objects.filter(valid_on(timezone.localdate()), county__pooling_area=area)
    return Group(area, _listed(found), reverse("portal:city", args=[code]), reverse("portal:city-xlsx", args=[code]))


def _county(request: HttpRequest, code: str) -> Group:
    place = get_visible(County.objects.select_related("pooling_area"), request.user, code=code)
    require(request.user, ACTION, place)  # type: ignore[arg-type]
    found = place.alliances.filter(valid_on(timezone.localdate()))
    return Group(
        place, _listed(found), reverse("portal:county", args=[code]), reverse("portal:county-xlsx", args=[code])
    )


def _listed(found: Any) -> list[Alliance]:
    return list(found.select_related("county__pooling_area").order_by("county__code", "code"))


def _group_page(request: HttpRequest, group: Group) -> HttpResponse:
    asked = _asked(request, group.alliances)
    totals = _totals(group, asked.year)
    total = next(total for total in totals if total.fund == asked.fund)
    context = {
        "group": group,
        "asked": asked,
        "totals": totals,
        "total": total,
        "rows": _ordered(total, asked.sort),
        "is_city": isinstance(group.place, PoolingArea),
        "upper": _upper_links(request, group.place),
        "kpis": [_group_kpis(total) for total in totals],
        "warned": _warned(request, group.place, asked.fund),
    }
    return render(request, "portal/group.html", context)


def _totals(group: Group, year: int) -> list[FundTotal]:
    def totals() -> list[FundTotal]:
        return fund_totals(outlooks(group.alliances, year), group.alliances)

    return kept("fund totals", (tuple(alliance.pk for alliance in group.alliances), year), totals)


def _group_xlsx(request: HttpRequest, group: Group) -> HttpResponse:
    asked = _asked(request, group.alliances)
    totals = _totals(group, asked.year)
    name = f"{group.place.name}{asked.year}年基金总览.xlsx"
    sheets = exports.alliance_sheets(totals)
    return export_workbook(request.user, group.place, name, sheets)  # type: ignore[arg-type]


def _group_kpis(total: FundTotal) -> dict[str, Any]:
    return {
        "total": total,
        "traces": {name: total.trace_of(name) for name in ("package", "prepaid", "charged", "expected")},
    }


SORTS = {
    "package": lambda row: row.total or 0,
    "charged": lambda row: row.charged,
    "execution": lambda row: row.execution or 0,
    "difference": lambda row: row.difference or 0,
    "outflow": lambda row: row.outflow_share or 0,
}


def _ordered(total: FundTotal, sort: str) -> list[dict[str, Any]]:
    key = SORTS.get(sort.removeprefix("-"))
    rows: list[FundOutlook] = list(total.rows)
    if key is not None:
        rows.sort(key=key, reverse=sort.startswith("-"))
    return [
        {
            "outlook": row,
            "state": exports.state_of(row),
            "bar": None if row.execution is None else row.execution * 100,
            "mark": None if row.pace is None else row.pace * 100,
        }
        for row in rows
    ]


def _alliance(request: HttpRequest, code: str) -> Alliance:
    place: Alliance = get_visible(Alliance.objects.select_related("county__pooling_area"), request.user, code=code)
    require(request.user, ACTION, place)  # type: ignore[arg-type]
    return place


def _asked(request: HttpRequest, alliances: list[Alliance]) -> Asked:
    today = timezone.localdate()
    known = default_year(alliances, today)
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and EARLIEST <= int(text) <= LATEST else known
    fund = request.GET.get("fund", "")
    years = sorted({year, *range(max(known, today.year), known - HISTORY_YEARS - 1, -1)}, reverse=True)
    return Asked(year, fund if fund in FundType.values else FundType.RESIDENT.value, request.GET.get("sort", ""), years)


def _upper_links(request: HttpRequest, place: Alliance | County | PoolingArea) -> list[tuple[str, str]]:
    """The places above as breadcrumbs, as far as the person's posts reach."""
    user: Any = request.user
    own = own_level(user)
    area = (
        place.pooling_area
        if isinstance(place, County)
        else place.county.pooling_area
        if isinstance(place, Alliance)
        else None
    )
    links = []
    if area is not None and isinstance(own, PoolingArea):
        links.append((area.name, reverse("portal:city", args=[area.code])))
    if isinstance(place, Alliance) and isinstance(own, PoolingArea | County):
        links.append((place.county.name, reverse("portal:county", args=[place.county.code])))
    return links


def _unconfirmed(cards: list[FundCard]) -> list[Any]:
    """The unconfirmed parameters behind the estimates shown, each once."""
    return list({parameter["key"]: parameter for card in cards for parameter in card.unconfirmed}.values())
