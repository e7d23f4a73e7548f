"""稽核案件: the list for the bureau and, narrower, for a party; the same rows as a workbook."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audits.access import reads_audits
from audits.forms_base import county_choices, export, page_of
from audits.forms_cases import CaseFilter
from audits.models import Case
from audits.reading.cases import Tally, chosen, decided_of, tally, told_case_state, told_state, told_tracks
from audits.services.deadlines import label_of
from audits.states import CaseState

COLUMNS = (
    "案号", "案由", "对象", "县（区）", "稽核类型", "状态", "程序", "认定金额（元）", "生效金额（元）", "罚款（元）", "期限", "期限事项",
    "立案日期",
)  # fmt: skip
MONEY = frozenset({7, 8, 9})
INSIDE = ("来源", "办案人员", "中止日期")
PAGE_STATES = (CaseState.INVESTIGATING, CaseState.FIRST_REVIEW, CaseState.REVIEWED)


@require_GET
def case_list(request: HttpRequest) -> HttpResponse:
    """Every case the user sees, open ones with the nearest limit first."""
    form, found, inside = _chosen(request)
    page = page_of(request, found)
    context = {
        "form": form, "page_obj": page, "rows": [_row(case, inside) for case in page], "strip": _strip(tally(found, inside), inside),
        "inside": inside, "today": timezone.localdate(),
    }  # fmt: skip
    return render(request, "audits/cases.html", context)


@require_GET
def case_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the rows of the list as filtered and sorted."""
    form, found, inside = _chosen(request)
    rows = []
    for case in found:
        row = _row(case, inside)
        cells = [
            case.number, case.title, case.party, str(case.county), case.get_kind_display(), row["text"],
            "；".join(f"{one['kind']}：{one['text']}" for one in row["tracks"]), case.found, row["decided"], row["fine"],
            case.due, row["due_label"], case.filed_on,
        ]  # fmt: skip
        rows.append([*cells, row["sources"], row["officers"], case.suspended_on] if inside else cells)
    header = (*COLUMNS, *INSIDE) if inside else COLUMNS
    if rows:
        rows.append(["合计", *(_added(rows, place) if place in MONEY else "" for place in range(1, len(header)))])
    return export(request, "稽核案件", header, rows, form.said(), money=MONEY)


def _chosen(request: HttpRequest) -> tuple[CaseFilter, Any, bool]:
    inside = reads_audits(request.user)
    form = CaseFilter(request.GET, counties=county_choices(request.user), inside=inside)
    return form, chosen(request.user, form.wanted(), request.GET.get("sort", "")), inside


def _row(case: Case, inside: bool) -> dict[str, Any]:
    """What the list shows of a case; reads what was prefetched."""
    tracks = list(case.tracks.all())
    seen = tracks if inside else told_tracks(tracks)
    text, tone = (case.get_state_display(), case.tone) if inside else told_case_state(case)
    decided, fine = decided_of(case)
    shown = [
        {"kind": track.get_kind_display(), "text": words, "tone": colour}
        for track in seen
        for words, colour in [(track.get_state_display(), track.tone) if inside else told_state(track)]
    ]
    key = case.due_key  # type: ignore[attr-defined]
    return {
        "case": case, "text": text, "tone": tone, "tracks": shown, "decided": decided, "fine": fine,
        "due_label": label_of(key) if key else "",
        "sources": "、".join(dict.fromkeys(lead.get_source_display() for lead in case.leads.all())),
        "officers": "、".join(str(row.user) for row in case.officers.all()),
    }  # fmt: skip


def _added(rows: list[list[Any]], place: int) -> Decimal:
    return sum((row[place] for row in rows if row[place] is not None), Decimal(0))


def _strip(counted: Tally, inside: bool) -> list[dict[str, Any]]:
    found = [{"label": "未办结", "value": counted.open, "query": "state=open", "bad": False}]
    if inside:
        found += [
            {"label": state.label, "value": counted.states.get(state.value, 0), "query": f"state={state.value}", "bad": False}
            for state in PAGE_STATES
        ]
        found.append({"label": "中止", "value": counted.suspended, "query": "state=suspended", "bad": False})
    else:
        closed = CaseState.CLOSED
        found.append({"label": closed.label, "value": counted.states.get(closed.value, 0), "query": f"state={closed.value}", "bad": False})
    found.append({"label": "已逾期", "value": counted.overdue, "query": "overdue=on", "bad": bool(counted.overdue)})
    return [*found, {"label": "未办结认定金额", "money": counted.found}]
