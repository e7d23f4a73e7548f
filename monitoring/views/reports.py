"""分析报告: the list, one report with figures left and comments right, its downloads; the circular that hospitals see."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.access import may
from core.exports import export_file, export_workbook
from core.models import County, PoolingArea
from core.scope import get_visible
from monitoring.forms_reports import EVERY, OVERDUE, DraftForm, ReportFilter
from monitoring.models import AnalysisReport, ReportChange
from monitoring.models.reports import (
    COMMENT,
    FROZEN,
    OPEN_REPORTS,
    ReportAct,
    ReportState,
    report_action,
    report_step,
)
from monitoring.reading.places import ref_of
from monitoring.services import reports as services
from monitoring.services.reports_tables import Difference, differences
from monitoring.views import listing
from monitoring.views.reports_shown import circular_of, circular_sheets, report_sheets, shown_sections

SORTS = {
    "place": ("county__code", "ends_on"), "span": ("ends_on", "kind"), "kind": ("kind", "ends_on"), "due": ("due_on",),
    "state": ("state", "ends_on"), "made": ("made_at",),
}  # fmt: skip
LISTED = 60
EFFECTS = {
    ReportAct.REFRESH: "按现有数据重新生成各章数字，说明保留。",
    ReportAct.SUBMIT: "提交后数字和说明冻结，由基金复核审定。",
    ReportAct.WITHDRAW: "撤回后可修改，须重新提交。",
    ReportAct.RETURN: "退回经办修改，理由通知经办人。",
    ReportAct.APPROVE: "审定后可印发。",
    ReportAct.ISSUE: "印发后不再改动，只能由新版取代；同时生成 Word。",
    ReportAct.RECALL: "撤回印发，本版保留备查，可起草新版。",
}
PRIMARY = (ReportAct.SUBMIT, ReportAct.APPROVE, ReportAct.ISSUE)


@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    """Reports the user sees, the newest period first."""
    return list_page(request)


def list_page(request: HttpRequest, draft: DraftForm | None = None, problems: Any = (), status: int = 200) -> HttpResponse:
    form, rows = _chosen(request)
    places = places_to_draft(request.user)
    today = timezone.localdate()
    if draft is None and places:
        draft = DraftForm(places=places, today=today)
    seen = AnalysisReport.objects.visible_to(request.user)
    context = {
        "form": form,
        "page_obj": listing.page_of(request, rows),
        "draft": draft,
        "problems": problems,
        "today": today,
        "overdue": seen.filter(state__in=OPEN_REPORTS, due_on__lt=today).count(),
        "waiting": seen.filter(state__in=OPEN_REPORTS).count(),
    }
    return render(request, "monitoring/reports.html", context, status=status)


@require_GET
def report_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the list."""
    form, rows = _chosen(request)
    today = timezone.localdate()
    header = ["编号", "报告", "类别", "地区", "期间", "版本", "状态", "报送期限", "逾期", "数据截至", "起草", "审定", "印发时间"]
    body = [
        [
            row.number, str(row), row.get_kind_display(), str(row.at), row.of.text, row.version, row.get_state_display(), row.due_on,
            "是" if row.is_overdue(today) else "", row.data_to, str(row.prepared_by or "系统"), str(row.approved_by or ""),
            listing.local(row.issued_at),
        ]
        for row in rows
    ]  # fmt: skip
    return listing.export(request, "分析报告", header, body, form.said())


@require_GET
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """One version, whole."""
    return report_page(request, find_report(request.user, pk))


def report_page(
    request: HttpRequest, found: AnalysisReport, problems: Any = (), status: int = 200, typed: dict[str, str] | None = None
) -> HttpResponse:
    """The page; after a refusal with its problems and what was typed."""
    user: Any = request.user
    comments = list(found.comments.select_related("written_by").order_by("pk"))
    versions = list(
        AnalysisReport.objects.visible_to(user).filter(place=found.place, span=found.span).defer("content").order_by("version")
    )
    former = AnalysisReport.objects.filter(place=found.place, span=found.span, version=found.version - 1).first()
    compared = differences(former.content, found.content) if former else []
    moved = services.changed_since(found) if found.state == ReportState.ISSUED else ()
    stale = found.is_editable and bool([one for one in services.submit_problems(found) if one.field == "数据"])
    context = {
        "report": found,
        "sections": _with_typed(shown_sections(found.content, comments), typed or {}),
        "reason": (typed or {}).get("reason", ""),
        "problems": problems,
        "acts": acts_of(user, found),
        "may_comment": found.is_editable and bool(may(user, COMMENT, found.at)),
        "changes": ReportChange.objects.filter(report=found).select_related("actor"),
        "versions": versions,
        "former": former,
        "compared": _rows(compared),
        "compared_count": len(compared),
        "moved": _rows(moved),
        "moved_count": len(moved),
        "stale": stale,
        "overdue": found.is_overdue(timezone.localdate()),
        "may_draft": found.state in FROZEN and found.pk == versions[-1].pk and bool(may(user, report_action(ReportAct.DRAFT), found.at)),
        "signatures": _signatures(found),
    }
    return render(request, "monitoring/report.html", context, status=status)


def _with_typed(sections: list[dict[str, Any]], typed: dict[str, str]) -> list[dict[str, Any]]:
    """The text of each comment's field: what was typed and refused, else the newest comment."""
    for part in sections:
        part["text"] = typed.get(part["key"], part["comment"].text if part["comment"] else "")
    return sections


def acts_of(user: Any, found: AnalysisReport) -> list[dict[str, Any]]:
    """Buttons of the acts the state allows, or why the user has none; her own first."""
    rows = []
    for act, answer in services.allowed_acts(user, found).items():
        step = report_step(found.state, act)
        rows.append({
            "act": str(act), "label": ReportAct(act).label, "allowed": bool(answer), "denied": getattr(answer, "reason", ""),
            "needs_reason": bool(step and step.needs_reason), "effect": EFFECTS[ReportAct(act)], "primary": act in PRIMARY,
        })  # fmt: skip
    return sorted(rows, key=lambda one: (not one["allowed"], not one["primary"]))


@require_GET
def report_word(request: HttpRequest, pk: int) -> HttpResponse:
    """The issued file as it was stored; before that the draft as it stands."""
    from monitoring.documents.word import DOCX, report_document

    found = find_report(request.user, pk)
    content = found.word.path.read_bytes() if found.word else report_document(found)
    name = found.word.name if found.word else f"{found}（{found.get_state_display()}）.docx"
    return export_file(request.user, found, name, content, DOCX, found.at)  # type: ignore[arg-type]


@require_GET
def report_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """Every table of the page, with the same figures."""
    found = find_report(request.user, pk)
    sheets = report_sheets(found, found.comments.order_by("pk"))
    return export_workbook(request.user, found, f"{found}.xlsx", sheets, place=found.at)  # type: ignore[arg-type]


@require_GET
def circular_list(request: HttpRequest) -> HttpResponse:
    """Circulars the user may read: for a hospital those that were released to it."""
    rows = AnalysisReport.objects.circulars_for(request.user).with_places().defer("content").order_by("-ends_on", "place", "kind")
    return render(request, "monitoring/circulars.html", {"page_obj": listing.page_of(request, rows)})


@require_GET
def circular(request: HttpRequest, pk: int) -> HttpResponse:
    """The circular alone: the table of hospitals, nothing else of the report."""
    found = find_circular(request.user, pk)
    context = {"report": found, "part": circular_of(found), "own": _own_hospitals(request.user)}
    return render(request, "monitoring/circular.html", context)


@require_GET
def circular_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_circular(request.user, pk)
    name = f"{found.at}{found.of.text.replace(' ', '')}医疗机构运行通报.xlsx"
    return export_workbook(request.user, found, name, circular_sheets(found), place=listing.own_place(request))  # type: ignore[arg-type]


def find_report(user: Any, pk: int) -> AnalysisReport:
    people = ("prepared_by", "submitted_by", "approved_by", "issued_by", "word")
    found: AnalysisReport = get_visible(AnalysisReport.objects.with_places().select_related(*people), user, pk=pk)
    return found


def find_circular(user: Any, pk: int) -> AnalysisReport:
    from django.shortcuts import get_object_or_404

    return get_object_or_404(AnalysisReport.objects.circulars_for(user).with_places(), pk=pk)


def _own_hospitals(user: Any) -> list[str]:
    from core.models import Institution

    return list(Institution.objects.visible_to(user).filter(grade__gte=2).values_list("name", flat=True)) if _is_hospital(user) else []


def _is_hospital(user: Any) -> bool:
    from core.access import HOSPITAL_ROLES, has_any_role

    return has_any_role(user, HOSPITAL_ROLES)


def _rows(found: Any) -> list[Difference]:
    return list(found)[:LISTED]


def _signatures(found: AnalysisReport) -> list[dict[str, Any]]:
    from core.templatetags.fund import day

    rows = (
        ("起草", found.prepared_by or "系统", found.prepared_at), ("提交", found.submitted_by, found.submitted_at),
        ("审定", found.approved_by, found.approved_at), ("印发", found.issued_by, found.issued_at),
    )  # fmt: skip
    return [
        {"role": role, "name": str(who), "when": day(when, "time")} if who else {"role": role, "pending": "待办"}
        for role, who, when in rows
    ]


def places_to_draft(user: Any) -> list[tuple[str, str]]:
    """City and counties at which the user may draft."""
    places: list[Any] = [*PoolingArea.objects.visible_to(user), *County.objects.visible_to(user).select_related("pooling_area")]
    action = report_action(ReportAct.DRAFT)
    return [(ref_of(place).key, str(place)) for place in places if may(user, action, place)]


def _chosen(request: HttpRequest) -> tuple[ReportFilter, Any]:
    seen = AnalysisReport.objects.visible_to(request.user)
    held = list(seen.order_by().values_list("place", "pooling_area__name", "county__name", "ends_on").distinct())
    years = sorted({ends_on.year for *_names, ends_on in held}, reverse=True)
    places = sorted({(place, county or area) for place, area, county, _ends_on in held})
    form = ReportFilter(request.GET, years=years, places=places)
    wanted = form.wanted()
    rows = seen.with_places().select_related("prepared_by", "approved_by").defer("content")
    if wanted.get("year"):
        rows = rows.filter(ends_on__year=wanted["year"])
    for name in ("kind", "place"):
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    state, today = wanted.get("state"), timezone.localdate()
    if state == OVERDUE:
        rows = rows.filter(state__in=OPEN_REPORTS, due_on__lt=today)
    elif not state:
        rows = rows.exclude(state=ReportState.SUPERSEDED)
    elif state != EVERY:
        rows = rows.filter(state=state)
    for word in (wanted.get("q") or "").split():
        rows = rows.filter(
            Q(number__icontains=word) | Q(span__istartswith=word) | Q(county__name__icontains=word)
            | Q(county=None, pooling_area__name__icontains=word)
        )  # fmt: skip
    asked = request.GET.get("sort", "")
    if asked.removeprefix("-") == "due":
        due = F("due_on")
        ordered = due.desc(nulls_last=True) if asked.startswith("-") else due.asc(nulls_last=True)
        return form, rows.order_by(ordered, "pk")
    return form, listing.sorted_queryset(rows, asked, SORTS)

