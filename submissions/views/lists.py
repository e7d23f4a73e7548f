"""季度报表: what a hospital owes by when; for the bureau every alliance × period of a year, and what is overdue."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.access import Denied, NotAllowed, has_any_role
from core.errors import Problem
from core.exports import export_file, export_workbook
from core.models import Alliance, County
from core.texts import whole
from submissions import exports, owed, tidy
from submissions.forms import ExportForm, ListFilter, MatrixFilter
from submissions.owed import MatrixRow, Owed
from submissions.periods import TablePeriod
from submissions.reading import FigureRow
from submissions.views.finding import BUREAU_VIEW

PAGE = 30
LATE_SHOWN = 12


@require_GET
def submission_list(request: HttpRequest) -> HttpResponse:
    """The matrix for people who look after several alliances, the own assignments for a hospital."""
    if has_any_role(request.user, BUREAU_VIEW):
        return _matrix_page(request)
    form, rows = _own(request)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    next_one = min((row for row in rows if row.is_open), key=lambda row: row.assignment.last_day, default=None)
    context = {"form": form, "page_obj": page, "next_one": next_one}
    return render(request, "submissions/list.html", context)


@require_GET
def list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the own assignments the list shows."""
    form, rows = _own(request)
    name = f"季度报表-{timezone.localdate()}.xlsx"
    return export_workbook(
        request.user, _place(request), name, tidy.list_sheets(rows, form.said()), place=_place(request)  # type: ignore[arg-type]
    )


@require_GET
def matrix_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the matrix as filtered and sorted, and what is overdue in them."""
    form, year, rows = _chosen(request)
    name = f"{year}年季度报表报送情况-{timezone.localdate()}.xlsx"
    sheets = tidy.matrix_sheets(year, rows, form.said())
    return export_workbook(request.user, _place(request), name, sheets, place=_place(request))  # type: ignore[arg-type]


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Any set of periods and alliances as one tidy table; without a format the page to choose them on."""
    alliances = list(Alliance.objects.visible_to(request.user).order_by("code"))
    form = ExportForm(
        request.GET if "format" in request.GET else None,
        periods=[(str(period), f"{period.text}（{period.kind_text}）") for period in owed.accepted_periods(request.user)],
        alliances=[(alliance.code, alliance.name) for alliance in alliances],
    )
    asked, problems = request.GET.get("format", ""), []
    if asked and form.is_valid():
        wanted = form.cleaned_data
        if wanted["periods"]:
            chosen = [one for one in alliances if not wanted["alliances"] or one.code in wanted["alliances"]]
            rows = exports.tidy_rows(request.user, chosen, [TablePeriod.parse(text) for text in wanted["periods"]])
            return _tidy(request, rows, form.said(), asked)
        problems = [Problem("期间", "", "没有选择期间。", "请至少选一个期间，医共体不选为全部。")]
    context = {"form": form, "problems": problems}
    return render(request, "submissions/export.html", context, status=422 if problems else 200)


def _tidy(request: HttpRequest, rows: list[FigureRow], said: list[str], asked: str) -> HttpResponse:
    user: Any = request.user
    name, place = f"季度报表受理数据-{timezone.localdate()}", _place(request)
    if asked == "csv":
        return export_file(user, place, f"{name}.csv", exports.tidy_csv(rows), "text/csv; charset=utf-8", place)
    return export_workbook(user, place, f"{name}.xlsx", [exports.tidy_sheet(rows, said)], place=place)


def _place(request: HttpRequest) -> Any:
    grant = next(iter(request.user.grants_on(timezone.localdate())), None)  # type: ignore[union-attr]
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    return grant.place


def _own(request: HttpRequest) -> tuple[ListFilter, list[Owed]]:
    form = ListFilter(request.GET, years=owed.years(request.user))
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = owed.owed(request.user, wanted.get("year"))
    if wanted.get("state"):
        rows = [row for row in rows if row.state == wanted["state"]]
    if text := (wanted.get("q") or "").replace(" ", ""):
        rows = [row for row in rows if text in _words(row)]
    return form, owed.sorted_list(rows, request.GET.get("sort", ""))


def _words(row: Owed) -> str:
    period = row.assignment.of
    return f"{period.text}{period}{period.kind_text}{row.assignment.alliance}".replace(" ", "")


def _matrix_page(request: HttpRequest) -> HttpResponse:
    form, year, rows = _chosen(request)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    late = owed.overdue_of(rows)
    context = {
        "form": form,
        "year": year,
        "periods": owed.periods_of(year),
        "page_obj": page,
        "counts": _counts(rows),
        "overdue": late[:LATE_SHOWN],
        "overdue_count": len(late),
        "export_url": reverse("submissions:matrix-xlsx"),
    }
    return render(request, "submissions/matrix.html", context)


def _chosen(request: HttpRequest) -> tuple[MatrixFilter, int, list[MatrixRow]]:
    years = owed.years(request.user)
    asked = request.GET.get("year", "")
    year = found if (found := whole(asked)) in years else _default_year(years)
    counties = [(county.code, county.name) for county in County.objects.visible_to(request.user)]
    form = MatrixFilter({**request.GET.dict(), "year": year}, years=years, counties=counties)
    rows = owed.matrix_rows(request.user, year)
    if form.is_valid():
        rows = [row for row in rows if _matches(row, form.cleaned_data)]
    return form, year, owed.sorted_matrix(rows, request.GET.get("sort", ""))


def _default_year(years: list[int]) -> int:
    """The year of the last period that is over: in January to March that is the year before."""
    last = owed.last_period().year
    return last if last in years else years[0]


def _matches(row: MatrixRow, wanted: dict[str, Any]) -> bool:
    if wanted["county"] and row.alliance.county.code != wanted["county"]:
        return False
    if wanted["state"] and not any(cell is not None and cell.state == wanted["state"] for cell in row.cells):
        return False
    text = (wanted["q"] or "").strip()
    return not text or text in row.alliance.name or text.upper() in row.alliance.code


def _counts(rows: list[MatrixRow]) -> list[dict[str, Any]]:
    """Per period: how many are owed, filed or accepted, open, overdue."""
    counts = []
    for at in range(4):
        cells = [cell for row in rows if (cell := row.cells[at]) is not None]
        counts.append(
            {
                "owed": len(cells),
                "accepted": sum(1 for cell in cells if cell.assignment.state == "accepted"),
                "filed": sum(1 for cell in cells if cell.assignment.state == "filed"),
                "overdue": sum(1 for cell in cells if cell.is_overdue),
            }
        )
    return counts
