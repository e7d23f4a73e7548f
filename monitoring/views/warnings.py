"""风险预警: the list, one warning with its figures and course, its files, the inquiry letter, raising one by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from core.access import BUREAU_ROLES, Denied, actions, has_any_role, may, require_somewhere, roles_at
from core.errors import Problem, Refused
from core.exports import attachment
from core.models import Alliance, County, Institution, PoolingArea, Role
from core.scope import get_visible
from core.trail import head_hash
from monitoring import exports_warnings
from monitoring.forms_warnings import ManualForm, WarningFilter
from monitoring.models import Warning, WarningAnswer, WarningChange, WatchEntry
from monitoring.parameters import RECOVER_MONTHS, whole
from monitoring.reading import warning_months
from monitoring.reading.places import place_of, ref_of
from monitoring.reading.seen import only_configures
from monitoring.reading.warnings import (
    Tally,
    WarningRow,
    cause_text,
    chosen,
    is_overdue,
    shown_value,
    tally,
    with_figures,
)
from monitoring.registries import warning_actions
from monitoring.services import warnings as services
from monitoring.states import SEEN_BY_HOSPITAL, Act, WarningState
from monitoring.views import warnings_shown as shown
from monitoring.views.warnings_panel import panel_of

PAGE = 30
LEVELS = ("red", "orange", "yellow")
RAISE = services.RAISE_MANUAL
CAUSE_NUMBERS = ("now", "before", "change", "share", "ratio")


@require_GET
def warning_list(request: HttpRequest) -> HttpResponse:
    """Every warning the user sees, open ones and the gravest first; who only configures is sent to the thresholds."""
    if only_configures(request.user):
        return redirect("monitoring:thresholds")
    form, found = _chosen(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    page.object_list = with_figures(page.object_list)
    counted = tally(found)
    context = {
        "form": form,
        "page_obj": page,
        "strips": _strips(counted),
        "is_bureau": _is_bureau(request.user),
        "may_raise": _may_raise(request.user),
    }
    return render(request, "monitoring/warnings.html", context)


@require_GET
def warning_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the list as filtered and sorted."""
    form, found = _chosen(request)
    return exports_warnings.download(request, "风险预警", exports_warnings.warning_sheet(with_figures(found), form.said()))


def _chosen(request: HttpRequest) -> tuple[WarningFilter, Any]:
    user: Any = request.user
    states = None if _is_bureau(user) else [str(state) for state in SEEN_BY_HOSPITAL]
    form = WarningFilter(request.GET, places=place_choices(user), states=states)
    wanted = {}
    if form.is_valid():
        wanted = form.cleaned_data
    else:  # what cannot be chosen chooses nothing, the rest of the filter stays
        wanted = {name: value for name, value in form.cleaned_data.items() if name not in form.errors}
    return form, chosen(user, wanted, request.GET.get("sort", ""))


def place_choices(user: Any) -> list[tuple[str, str]]:
    """Counties and alliances the user sees."""
    counties = County.objects.visible_to(user).order_by("code")
    alliances = Alliance.objects.visible_to(user).order_by("code")
    return [*((f"C{row.pk}", row.name) for row in counties), *((f"A{row.pk}", row.name) for row in alliances)]


def _is_bureau(user: Any) -> bool:
    return has_any_role(user, BUREAU_ROLES | {Role.OBSERVER})


def _may_raise(user: Any) -> bool:
    return has_any_role(user, actions[RAISE].roles)


def _strips(counted: Tally) -> list[list[dict[str, Any]]]:
    levels = [
        {
            "label": f"{label}色（未解除）", "value": counted.levels.get(level, 0), "query": f"level={level}&state=open",
            "bad": level == LEVELS[0] and bool(counted.levels.get(level)),
        }
        for level, label in zip(LEVELS, "红橙黄", strict=True)
    ]  # fmt: skip
    states = [
        {"label": state.label, "value": counted.states.get(state.value, 0), "query": f"state={state.value}", "bad": False}
        for state in WarningState
    ]
    late = {"label": "已逾期", "value": counted.overdue, "query": "overdue=on", "bad": bool(counted.overdue)}
    return [[*levels, late], states]


@require_GET
def warning(request: HttpRequest, pk: int) -> HttpResponse:
    return warning_page(request, find_warning(request, pk))


def find_warning(request: HttpRequest, pk: int) -> Warning:
    found: Warning = get_visible(Warning.objects.with_places(), request.user, pk=pk)
    return found


def warning_page(
    request: HttpRequest, found: Warning, refusal: Refused | None = None, act: str = "", watch_form: Any = None
) -> HttpResponse:
    """The page; after a refusal with its problems, the act's form open and what was typed in it."""
    user: Any = request.user
    today = timezone.localdate()
    figures = list(found.figures.order_by("pk"))
    newest = max(figures, key=lambda one: (one.year, one.month, one.pk), default=None)
    known = next((one for one in reversed(figures) if one.value is not None), newest)
    course = warning_months.course_of(found, known)
    changes = list(found.changes.select_related("actor").prefetch_related("files").order_by("pk"))
    answers = list(found.answers.select_related("answered_by").prefetch_related("files").order_by("number"))
    parts = warning_months.parts_of(user, found, known)
    month = parts.span.last if parts else None
    bureau = bool(roles_at(user, found.at) & (BUREAU_ROLES | {Role.OBSERVER}))
    context: dict[str, Any] = {
        "warning": found,
        "row": WarningRow(found, newest, today),
        "cause": cause_text(found),
        "is_overdue": is_overdue(found, today),
        "figure": newest,
        "figures": list(reversed(figures)),
        "figure_rows": [_figure_row(found, one) for one in reversed(figures)],
        "course": course,
        "facts": shown.facts(course, found, known),
        "stale": _stale(known, newest),
        "events": shown.events(found, changes, answers, today, _recover_months(found)),
        "answer": answers[-1] if answers else None,
        "former_answers": list(reversed(answers[:-1])),
        "parts": parts,
        "part_rows": [{"part": part, **shown.change_text(part)} for part in parts.rows] if parts else [],
        "part_total": shown.change_text(parts.total) if parts else None,
        "parts_month": month,
        "causes": _causes(known),
        "causes_missing": (known.data or {}).get("causes_missing", "") if known is not None else "",
        "panel": panel_of(request, found, answers[-1] if answers else None, act if refusal else ""),
        "is_bureau": bureau,
        "trail_head": head_hash(found.at),
        "problems": refusal.problems if refusal else [],
        "other_actions": [one for _name, action in warning_actions if (one := action(user, found)) is not None],
        **_watch(request, found, bureau, watch_form),
    }
    if course is not None:
        context.update(
            chart=shown.chart(course),
            chart_unit=shown.chart_unit(course),
            chart_text=shown.describe(course),
            month_heads=shown.month_heads(course),
            month_lines=shown.month_table(course),
            missing=shown.missing_months(course),
            scenarios=shown.scenarios(course),
            trace=_trace(course, known),
            is_money=course.is_money,
            rows_text=f"{course.whole.place} {course.span.text}，{len(course.whole.rows)} 个月的月度数据",
        )
    else:
        context["trace"] = known.trace if known else []
    return render(request, "monitoring/warning.html", context, status=refusal.status if refusal else 200)


def _trace(course: warning_months.Course, newest: Any) -> Any:
    """The trace the warning noted, with level and money, as long as the figure still stands as it was."""
    now = course.whole.reading.trace.as_json()
    if newest is not None and newest.trace and (not now or newest.value == course.whole.value):
        return newest.trace
    return now


def _stale(known: Any, newest: Any) -> str:
    """That the figures shown are those of an earlier month, because the newest month could not be judged."""
    if newest is None or known.pk == newest.pk:
        return ""
    shown_month, last = f"{known.year} 年 {known.month} 月", f"{newest.year} 年 {newest.month} 月"
    return f"{last}的数据还不能判断，以下按最近能判断的 {shown_month}列出；数据齐全后自动更新。"


def _figure_row(found: Warning, one: Any) -> dict[str, Any]:
    return {"figure": one, "value": shown_value(found, one.value), "compared": shown_value(found, one.compared)}


def _recover_months(found: Warning) -> int:
    return whole(RECOVER_MONTHS, found.at, timezone.localdate())


def _causes(newest: Any) -> list[dict[str, Any]]:
    """The causes of a distress as the judging wrote them; ``share`` is yuan, ``ratio`` its part of the worsening."""
    held = newest.data.get("causes") if newest is not None and isinstance(newest.data, dict) else None
    return [
        {**row, "is_persons": row.get("unit") == "人次", **{name: _number(row.get(name)) for name in CAUSE_NUMBERS}}
        for row in held or []
    ]


def _number(text: Any) -> Decimal | None:
    return Decimal(str(text)) if text not in (None, "") else None


def _watch(request: HttpRequest, found: Warning, bureau: bool, typed: Any) -> dict[str, Any]:
    """The watch list of a distress: candidates, entries, and the form for who may propose."""
    if not bureau or found.cause != "distress" or found.county is None:
        return {}
    from monitoring.reading.watching import candidates
    from monitoring.services.watching import DECIDE, END, PROPOSE
    from monitoring.views.watch import entry_rows, form_for

    user: Any = request.user
    entries = WatchEntry.objects.visible_to(user).filter(warning=found)
    entries = entries.select_related("county__pooling_area", "institution", "warning", "proposed_by", "decided_by")
    may_propose = may(user, PROPOSE, found.county)
    return {
        "shows_watch": True,
        "candidates": candidates(user, found),
        "entries": entry_rows(user, list(entries), DECIDE, END),
        "may_propose": bool(may_propose) and found.is_open,
        "why_not_propose": may_propose.reason if isinstance(may_propose, Denied) else "",
        "watch_form": typed or form_for(user, found, None),
        "watch_open": typed is not None,
    }


@require_GET
def answer_file(request: HttpRequest, pk: int, answer: int, file: int) -> FileResponse:
    """A file of an answer to a warning the user sees."""
    row = WarningAnswer.objects.filter(warning=find_warning(request, pk), pk=answer).first()
    return attachment(row.files.filter(pk=file).first() if row is not None else None)


@require_GET
def change_file(request: HttpRequest, pk: int, change: int, file: int) -> FileResponse:
    """A file that was handed in with an act on a warning the user sees."""
    row = WarningChange.objects.filter(warning=find_warning(request, pk), pk=change).first()
    return attachment(row.files.filter(pk=file).first() if row is not None else None)


@require_GET
def letter(request: HttpRequest, pk: int, change: int) -> HttpResponse:
    """The inquiry letter of one inquiry, to be printed."""
    found = find_warning(request, pk)
    asked = get_object_or_404(
        WarningChange.objects.select_related("actor").prefetch_related(Prefetch("files")), warning=found, pk=change, act=Act.INQUIRE
    )
    figures = found.figures.order_by("-year", "-month", "-pk")
    newest = figures.filter(noted_at__lte=asked.at).first() or figures.first()
    number = found.changes.filter(act=Act.INQUIRE, pk__lte=asked.pk).count()
    context = {
        "warning": found, "row": WarningRow(found, newest, timezone.localdate()), "change": asked, "number": number,
        "figure": newest, "cause": cause_text(found), "area": found.pooling_area, "trail_head": head_hash(found.at),
        "lead": found.alliance.lead_hospital(asked.at.date()) if found.alliance else None,
    }  # fmt: skip
    return render(request, "monitoring/warning_letter.html", context)


@require_http_methods(["GET", "POST"])
def warning_new(request: HttpRequest) -> HttpResponse:
    """Raise a warning by hand."""
    user: Any = request.user
    require_somewhere(user, RAISE)
    places = _manual_places(user)
    if request.method == "GET":
        given = {name: request.GET[name] for name in ("place", "fund_type", "indicator") if name in request.GET}
        return _manual_page(request, ManualForm(initial=given, places=places))
    form = ManualForm(request.POST, places=places)
    try:
        if not form.is_valid():
            raise refused_by(form)
        wanted = form.cleaned_data
        made = services.raise_manual(
            user, place_of(user, wanted["place"]), wanted["fund_type"], wanted["title"], wanted["level"], wanted["reason"],
            wanted["indicator"],
        )  # fmt: skip
    except Refused as refusal:
        return _manual_page(request, form, refusal)
    messages.success(request, f"已形成预警 {made.number}，尚未送达。")
    return redirect(made.get_absolute_url())


def _manual_page(request: HttpRequest, form: ManualForm, refusal: Refused | None = None) -> HttpResponse:
    context = {"form": form, "problems": refusal.problems if refusal else []}
    return render(request, "monitoring/warning_new.html", context, status=refusal.status if refusal else 200)


def _manual_places(user: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """County, alliance and institution the user sees, in groups; villages stand under their alliance."""
    areas = PoolingArea.objects.visible_to(user)
    counties = County.objects.visible_to(user).select_related("pooling_area").order_by("code")
    alliances = Alliance.objects.visible_to(user).select_related("county").order_by("code")
    institutions = Institution.objects.visible_to(user).exclude(kind="village").select_related("county").order_by("code")
    groups: list[tuple[str, Any]] = [("统筹区", areas), ("县（区）", counties), ("医共体", alliances), ("机构", institutions)]
    return [(label, [(ref_of(row).key, row.name) for row in rows]) for label, rows in groups if rows]


def refused_by(form: Any) -> Refused:
    """A form's errors as problems, so that page and service speak alike."""
    return Refused(form_problems(form))


def form_problems(form: Any) -> list[Problem]:
    return [
        Problem(str(form[name].label) if name in form.fields else "", str(form.data.get(form.add_prefix(name), ""))[:60], str(error))
        for name, errors in form.errors.items()
        for error in errors
    ]
