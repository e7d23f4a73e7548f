"""年度清算: every alliance and fund type of a year, drafting one or all of them, and the export of what is shown."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.access import Denied, NotAllowed, may, require_somewhere
from core.errors import Refused
from core.exports import export_workbook
from core.models import Alliance, County, FundType, Job
from core.scope import get_visible
from core.texts import whole
from settlement import exports, reading
from settlement.forms import NOT_DRAFTED, SettlementFilter
from settlement.jobs import YEAR_JOB, enqueue_year
from settlement.reading import YearRow
from settlement.services import draft
from settlement.states import Act, action_name

PAGE = 30


@require_GET
def settlement_list(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_GET
def settlement_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows the list shows, with their totals."""
    form, year, rows = _chosen(request)
    grant = next(iter(request.user.grants_on(timezone.localdate())), None)  # type: ignore[union-attr]
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    name = f"{year}年度清算-{timezone.localdate()}.xlsx"
    sheets = exports.list_sheets(year, rows, form.said())
    return export_workbook(request.user, grant.place, name, sheets, place=grant.place)  # type: ignore[arg-type]


@require_POST
def draft_one(request: HttpRequest) -> HttpResponse:
    """Draft (or refresh) the settlement of one alliance and fund type."""
    alliance = get_visible(
        Alliance.objects.select_related("county__pooling_area"), request.user, code=request.POST.get("alliance")
    )
    year, fund = request.POST.get("year", ""), request.POST.get("fund", "")
    try:
        if whole(year) is None or fund not in FundType.values:
            raise Refused("请选择年度和险种。")
        outcome = draft(request.user, alliance, int(year), fund)  # type: ignore[arg-type]
    except Refused as refusal:
        title = f"{alliance} {year} 年度{FundType(fund).label if fund in FundType.values else ''}清算不能起草"
        return _page(request, refusal, title)
    messages.success(request, f"{outcome.version.settlement}：{outcome.text}。")
    return redirect("settlement:statement", outcome.version.pk)


@require_POST
def draft_year(request: HttpRequest) -> HttpResponse:
    """Draft the whole year as a job, one child per alliance."""
    year = request.POST.get("year", "")
    require_somewhere(request.user, action_name(Act.DRAFT))
    if whole(year) not in reading.years():
        return _page(request, Refused("请选择要起草的年度。"), "没有启动")
    enqueue_year(request.user, int(year))  # type: ignore[arg-type]
    messages.success(request, f"已启动 {year} 年度清算起草，逐个医共体办理，完成后在本页显示结果。")
    return redirect(f"{reverse('settlement:list')}?year={year}")


def _chosen(request: HttpRequest) -> tuple[SettlementFilter, int, list[YearRow]]:
    years = reading.years()
    asked = request.POST if request.method == "POST" else request.GET
    fallback = timezone.localdate().year - 1
    wanted = asked.get("year", "")
    year = found if (found := whole(wanted)) in years else fallback
    counties = [(county.code, county.name) for county in County.objects.visible_to(request.user)]
    form = SettlementFilter({**request.GET.dict(), "year": year}, years=years, counties=counties)
    rows = reading.year_rows(request.user, year)  # type: ignore[arg-type]
    if form.is_valid():
        rows = [row for row in rows if _matches(row, form.cleaned_data)]
    return form, year, reading.sorted_rows(rows, request.GET.get("sort", ""))


def _matches(row: YearRow, wanted: dict[str, Any]) -> bool:
    if wanted["county"] and row.alliance.county.code != wanted["county"]:
        return False
    if wanted["fund"] and row.fund_type != wanted["fund"]:
        return False
    if wanted["state"] and row.state != ("" if wanted["state"] == NOT_DRAFTED else wanted["state"]):
        return False
    text = (wanted["q"] or "").strip()
    number = row.version.settlement.number if row.version is not None else ""
    return not text or text in row.alliance.name or text.upper() == row.alliance.code or text in number


def _page(request: HttpRequest, refusal: Refused | None = None, title: str = "") -> HttpResponse:
    form, year, rows = _chosen(request)
    user: Any = request.user
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    may_draft = {row.alliance.pk: bool(may(user, action_name(Act.DRAFT), row.alliance)) for row in page}
    job = Job.objects.visible_to(user).filter(name=YEAR_JOB, period=str(year), parent=None).order_by("-pk").first()
    context = {
        "form": form,
        "year": year,
        "page_obj": page,
        "rows": [{"row": row, "may_draft": may_draft[row.alliance.pk]} for row in page],
        "totals": exports.totals(rows),
        "may_draft_any": any(may_draft.values()),
        "job": job,
        "children": list(job.children.order_by("pk")) if job is not None else [],
        "problems": refusal.problems if refusal else [],
        "problems_title": title,
    }
    return render(request, "settlement/list.html", context, status=refusal.status if refusal else 200)
