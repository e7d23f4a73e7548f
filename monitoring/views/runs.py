"""月末处理: the months, and of one month every alliance × step, what is missing and who owes it; start, close, reopen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.access import Denied, NotAllowed, has_any_role, may
from core.errors import Refused
from core.forms import search_field
from core.models import Alliance, FundType, PoolingArea
from core.registries import month_end_steps
from core.scope import get_visible
from core.texts import whole
from monitoring.models.periods import Period, PeriodState, RunState
from monitoring.reading import periods as reading
from monitoring.reading.runs import (
    AllianceRun,
    MonthLine,
    alliance_runs,
    areas_of,
    month_lines,
    need_reader,
    reports_of,
    running,
    trial_rows,
)
from monitoring.services import periods
from monitoring.views.listing import ListFilter, choices, county_choices, export, local, page_of, sorted_list
from rules.periods import Month, PeriodError

MONTH_SORTS = {
    "month": lambda line: line.month,
    "done": lambda line: line.percent,
    "failed": lambda line: line.failed,
    "state": lambda line: line.state,
}
RUN_SORTS = {
    "alliance": lambda run: run.alliance.code,
    "county": lambda run: (run.alliance.county.code, run.alliance.code),
    "done": lambda run: (run.done, run.alliance.code),
    "owed": lambda run: (len(run.owed), run.alliance.code),
}


class MonthFilter(ListFilter):
    year = forms.ChoiceField(label="年度", required=False)
    state = forms.ChoiceField(label="结账", required=False, choices=choices(PeriodState.choices))

    def __init__(self, *args: Any, years: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = choices([(year, f"{year} 年") for year in years])  # type: ignore[attr-defined]


class RunFilter(ListFilter):
    county = forms.ChoiceField(label="县（区）", required=False)
    state = forms.ChoiceField(label="状态", required=False, choices=choices(RunState.choices))
    q = search_field("医共体名称或编号")

    def __init__(self, *args: Any, counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = choices(counties)  # type: ignore[attr-defined]


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    form, lines = _months(request)
    return render(request, "monitoring/runs.html", {"form": form, "page_obj": page_of(request, lines)})


@require_GET
def run_list_xlsx(request: HttpRequest) -> HttpResponse:
    form, lines = _months(request)
    rows = [
        [str(line.month), line.alliances, line.done, line.total, line.failed, local(line.started), local(line.finished),
         line.state_text]
        for line in lines
    ]  # fmt: skip
    header = ["月份", "医共体数", "已完成步骤", "全部步骤", "未完成或未执行", "最早开始", "最近结束", "结账"]
    return export(request, "月末处理", header, rows, form.said())


@require_GET
def run(request: HttpRequest, month: str) -> HttpResponse:
    return _page(request, _month(month))


@require_GET
def run_xlsx(request: HttpRequest, month: str) -> HttpResponse:
    """Exactly the alliances and steps shown, one step a line."""
    of = _month(month)
    form, runs = _runs(request, of)
    rows = [
        [run.alliance.code, run.alliance.name, run.alliance.county.name, cell.label, cell.text,
         cell.run.outcome if cell.run else "", cell.run.attempts if cell.run else 0,
         local(cell.run.started_at if cell.run else None), local(cell.run.finished_at if cell.run else None),
         "；".join(one.text for one in run.owed)]
        for run in runs
        for cell in run.cells
    ]  # fmt: skip
    header = ["编号", "医共体", "县（区）", "步骤", "状态", "结果", "运行次数", "开始", "结束", "还缺什么、谁来补"]
    return export(request, f"{of}月末处理", header, rows, form.said())


def start(request: HttpRequest, month: str) -> HttpResponse:
    """All the officer's alliances, or the one whose number is given."""
    of = _month(month)
    if request.method != "POST":
        return redirect("monitoring:run", month)
    user: Any = request.user
    number = request.POST.get("alliance", "")
    alliance = None
    if number:
        alliance = get_visible(Alliance.objects.select_related("county__pooling_area"), user, pk=number)
    elif not has_any_role(user, {"fund_officer"}):
        raise NotAllowed(Denied("启动月末处理需要基金经办岗位，您没有这个岗位，请系统管理员授予。"))
    try:
        job = periods.start_month_end(user, of, alliance)
    except Refused as refusal:
        return _page(request, of, refusal)
    messages.success(request, f"已启动：{job}。关闭页面不影响运行。")
    return redirect("monitoring:run", month)


def close(request: HttpRequest, month: str) -> HttpResponse:
    return _act(request, month, "close")


def reopen(request: HttpRequest, month: str) -> HttpResponse:
    return _act(request, month, "reopen")


def _act(request: HttpRequest, month: str, act: str) -> HttpResponse:
    of = _month(month)
    if request.method != "POST":
        return redirect("monitoring:run", month)
    user: Any = request.user
    area = next((one for one in areas_of(user) if one.pk == whole(request.POST.get("area", ""))), None)
    if area is None:
        raise Http404("没有找到这个统筹区，或者它不在您的管理范围内。")
    reason = request.POST.get("reason", "")
    do = periods.close_period if act == "close" else periods.reopen_period
    try:
        period = do(user, area, of, reason)
    except Refused as refusal:
        return _page(request, of, refusal, act=act)
    messages.success(request, f"{period}：{period.get_state_display()}。")
    return redirect("monitoring:run", month)


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except PeriodError as error:
        raise Http404("没有这个月份，请按“2026-09”填写。") from error


def _months(request: HttpRequest) -> tuple[MonthFilter, list[MonthLine]]:
    need_reader(request.user)
    lines = month_lines(request.user)
    form = MonthFilter(request.GET, years=sorted({line.month.year for line in lines}, reverse=True))
    wanted = form.wanted()
    if wanted.get("year"):
        lines = [line for line in lines if line.month.year == int(wanted["year"])]
    if wanted.get("state"):
        lines = [line for line in lines if line.state == wanted["state"]]
    return form, sorted_list(lines, request.GET.get("sort", ""), MONTH_SORTS)


def _runs(request: HttpRequest, month: Month) -> tuple[RunFilter, list[AllianceRun]]:
    need_reader(request.user)
    form = RunFilter(request.GET, counties=county_choices(request.user))
    wanted = form.wanted()
    runs = alliance_runs(request.user, month)
    if wanted.get("county"):
        runs = [run for run in runs if run.alliance.county.code == wanted["county"]]
    if wanted.get("state"):
        runs = [run for run in runs if any(cell.state == wanted["state"] for cell in run.cells)]
    if text := (wanted.get("q") or "").strip():
        runs = [run for run in runs if text in run.alliance.name or text.upper() in run.alliance.code]
    return form, sorted_list(runs, request.GET.get("sort", ""), RUN_SORTS)


def _page(request: HttpRequest, month: Month, refusal: Refused | None = None, act: str = "") -> HttpResponse:
    user: Any = request.user
    form, runs = _runs(request, month)
    context = {
        "month": month,
        "form": form,
        "page_obj": page_of(request, runs),
        "steps": [(name, step.label) for name, step in month_end_steps],
        "jobs": running(user, month),
        "reports": reports_of(user, month),
        "trials": list(trial_rows(user, month)),
        "areas": [_area(user, area, month, refusal, act) for area in areas_of(user)],
        "counts": _counts(runs),
        "may_start": bool(runs) and any(may(user, periods.RUN, run.alliance) for run in runs),
        "startable": {run.alliance.pk for run in runs if may(user, periods.RUN, run.alliance)},
        "quarter_end": month.month % 3 == 0,
        "export_url": reverse("monitoring:run-xlsx", args=[str(month)]),
        "problems": refusal.problems if refusal and not act else [],
        "funds": FundType.choices,
    }
    return render(request, "monitoring/run.html", context, status=refusal.status if refusal else 200)


def _counts(runs: list[AllianceRun]) -> dict[str, int]:
    return {
        "alliances": len(runs),
        "finished": sum(run.state == RunState.DONE for run in runs),
        "failed": sum(run.state in (RunState.FAILED, RunState.SKIPPED) for run in runs),
        "lacking": sum(bool(run.owed) for run in runs),
    }


def _area(user: Any, area: PoolingArea, month: Month, refusal: Refused | None, act: str) -> dict[str, Any]:
    """The closing of one pooling area's month: its state, what may be done, what has changed since."""
    held = Period.objects.filter(pooling_area=area, year=month.year, month=month.month)
    period = held.select_related("pooling_area", "closed_by").first() or Period(
        pooling_area=area, year=month.year, month=month.month
    )
    closed = period.is_closed
    right = periods.REOPEN if closed else periods.CLOSE
    return {
        "area": area,
        "period": period,
        "changes": list(period.changes.select_related("actor")) if period.pk else [],
        "places": reading.changed_places(period, user) if closed else [],
        "facts": reading.changed_facts(period, user) if closed else [],
        "may": bool(may(user, right, area)),
        "undone": [] if closed else periods.undone(area, month),
        "open": refusal is not None and act == ("reopen" if closed else "close"),
        "problems": refusal.problems if refusal else [],
        "hidden": {"area": area.pk},
    }
