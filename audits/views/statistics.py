"""稽核统计: what decisions served in a year found, refused, recovered, left outstanding and fined, in four tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.forms_base import county_choices
from audits.forms_money import StatisticsFilter
from audits.models import Case
from audits.reading.statistics import AMOUNTS, BY, LABELS, READ, Statistics, Sums, statistics, years_of
from core.access import Denied, NotAllowed, require_somewhere
from core.exports import export_workbook
from core.workbook import Sheet
from rules.money import round_fen

MOST_BARS = 12
WAN = 10000
HEADER = ("案件数", *(f"{LABELS[name]}（元）" for name in AMOUNTS))


@dataclass(frozen=True)
class Asked:
    """What the reader chose, and the year as it stands."""

    form: StatisticsFilter
    year: int
    found: Statistics


@require_safe
def statistics_page(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    found = asked.found
    context = {
        "form": asked.form,
        "year": asked.year,
        "found": found,
        "tables": [(by, label, found.tables[by]) for by, label in BY.items()],
        "heads": [LABELS[name] for name in AMOUNTS],
        "said": asked.form.said(),
        "charts": _charts(found) if found.total.cases else [],
        "export_url": reverse("audits:statistics-xlsx"),
        "today": timezone.localdate(),
        "tab": "statistics",
    }
    return render(request, "audits/statistics.html", context)


@require_safe
def statistics_xlsx(request: HttpRequest) -> HttpResponse:
    """The tables of the page, each on a sheet with the same total."""
    asked = _asked(request)
    user: Any = request.user
    grant = next(iter(user.grants_on(timezone.localdate())), None)
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    notes = ("金额单位：元", f"{asked.year} 年送达生效的决定，追回截至 {timezone.localdate()}", *asked.form.said())
    money = frozenset(range(2, 2 + len(AMOUNTS)))
    sheets = [
        Sheet(f"按{label.split('（')[0]}", [label, *HEADER], _lines(asked.found.tables[by], asked.found.total), money, notes)
        for by, label in BY.items()
    ]
    return export_workbook(user, grant.place, f"稽核统计{asked.year}-{timezone.localdate()}.xlsx", sheets, place=grant.place)


def _asked(request: HttpRequest) -> Asked:
    user: Any = request.user
    require_somewhere(user, READ)
    seen = Case.objects.visible_to(user)
    today = timezone.localdate()
    years = years_of(seen) or [today.year]
    form = StatisticsFilter(request.GET, years=years, counties=county_choices(user))
    wanted = form.wanted()
    year = int(wanted.get("year") or years[0])
    return Asked(form, year, statistics(_narrowed(seen, wanted), year))


def _narrowed(cases: QuerySet[Case], wanted: dict[str, Any]) -> QuerySet[Case]:
    if wanted.get("county"):
        cases = cases.filter(county__code=wanted["county"])
    if wanted.get("kind"):
        cases = cases.filter(kind=wanted["kind"])
    text = str(wanted.get("q") or "").strip()
    return cases.filter(Q(party_name__icontains=text) | Q(number__icontains=text)) if text else cases


def _lines(rows: tuple[Sums, ...], total: Sums) -> list[list[Any]]:
    return [[row.label, row.cases, *row.amounts] for row in (*rows, total)]


def _charts(found: Statistics) -> list[dict[str, Any]]:
    """Acts and counties as stacked bars: refused, recovered, outstanding, in 万元; the largest first."""
    charts = []
    for by, title in (("act", "按违规行为"), ("county", "按县（区）")):
        rows = found.tables[by][:MOST_BARS]
        parts = (("拒付", "refused", "solid"), ("已追回", "recovered", "middle"), ("未追回", "outstanding", "soft"))
        series = [
            {"name": name, "look": look, "data": [str(round_fen(getattr(row, key) / WAN)) for row in rows]}
            for name, key, look in parts
        ]
        told = "；".join(f"{row.label} 认定 {row.found:,.2f} 元，未追回 {row.outstanding:,.2f} 元" for row in rows[:5])
        categories = [row.label if len(row.label) <= 10 else f"{row.label[:9]}…" for row in rows]
        charts.append({"id": f"c-{by}", "title": title, "data": {"categories": categories, "series": series}, "told": told})
    return charts
