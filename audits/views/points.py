"""协议记分: the list with its export, one entry, proposing, deciding, withdrawing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audits.access import reads_audits
from audits.forms_agreements import InstitutionForm, PointFilter, PointForm
from audits.forms_base import county_choices, export, page_of
from audits.models import Physician, PointEntry
from audits.reading import points as reading
from audits.services import points as services
from audits.states import TrackKind
from audits.views.agreement_parts import (
    case_choices,
    decision,
    find_case,
    find_institution,
    institution_choices,
    need_reader,
    together,
)
from core.access import Denied, actions, has_any_role, may, require, require_somewhere
from core.errors import Refused
from core.scope import get_visible
from rules.points import DEFAULT_PROVIDER_SCHEME, STATES

HEADER = ("记分日期", "对象类别", "机构", "人员", "国家医保代码", "情形", "记分", "状态", "条款", "事由", "案件", "提出人", "审定人")


@require_GET
def point_list(request: HttpRequest) -> HttpResponse:
    form, found = _chosen(request)
    context = {
        "form": form, "page_obj": page_of(request, found), "totals": reading.totals(found), "is_bureau": reads_audits(request.user),
        "may_propose": has_any_role(request.user, actions[services.PROPOSE].roles), "scheme": DEFAULT_PROVIDER_SCHEME,
    }  # fmt: skip
    return render(request, "audits/points.html", context)


@require_GET
def point_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the entries of the list as filtered and sorted, with the same totals."""
    form, found = _chosen(request)
    totals = reading.totals(found)
    bureau = reads_audits(request.user)
    rows = [
        [
            row.on, "人员" if row.physician else "机构", row.institution.name, row.physician.name if row.physician else "",
            row.physician.code if row.physician else "", row.severity_text, row.points, row.get_status_display(), row.clause,
            row.reason, row.case.number if row.case else "", str(row.proposed_by) if bureau else "",
            str(row.decided_by or "") if bureau else "",
        ]
        for row in found
    ]  # fmt: skip
    return export(request, "协议记分", HEADER, rows, [*form.said(), f"共 {totals.count} 条，生效记分合计 {totals.points} 分"])


def _chosen(request: HttpRequest) -> tuple[PointFilter, Any]:
    need_reader(request.user)
    form = PointFilter(request.GET, counties=county_choices(request.user))
    return form, reading.chosen(request.user, form.wanted(), request.GET.get("sort", ""))


@require_GET
def point(request: HttpRequest, pk: int) -> HttpResponse:
    return point_page(request, find_point(request, pk))


def find_point(request: HttpRequest, pk: int) -> PointEntry:
    need_reader(request.user)
    rows = PointEntry.objects.select_related(
        "institution__county__pooling_area", "physician__institution", "case", "proposed_by", "decided_by", "withdrawn_by"
    )
    found: PointEntry = get_visible(rows, request.user, pk=pk)
    return found


def point_page(request: HttpRequest, found: PointEntry, refusal: Refused | None = None, opened: str = "") -> HttpResponse:
    user: Any = request.user
    today = timezone.localdate()
    decides: Any = may(user, services.DECIDE, found.institution) if found.status == "proposed" else Denied("")
    if found.status == "proposed" and decides and found.proposed_by_id == user.pk:
        decides = Denied("由您本人提出，须由另一人审定。")
    standing: Any = (
        reading.person_standing(found.physician.code, today)
        if found.physician is not None
        else reading.provider_on(found.institution, max(found.on, min(today, found.on.replace(month=12, day=31))))
    )
    context = {
        "entry": found, "standing": standing, "state": STATES[standing.state] if found.physician is not None else "",
        "may_decide": bool(decides), "denied": decides.reason if found.status == "proposed" and isinstance(decides, Denied) else "",
        "may_withdraw": found.status == "in_force" and bool(may(user, services.WITHDRAW, found.institution)),
        "problems": refusal.problems if refusal else [], "reason": request.POST.get("reason", ""), "opened": opened,
        "is_bureau": reads_audits(user), "scheme": DEFAULT_PROVIDER_SCHEME,
    }  # fmt: skip
    return render(request, "audits/point.html", context, status=refusal.status if refusal else 200)


def point_decide(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_point(request, pk)
    user: Any = request.user
    return decision(
        request, found.get_absolute_url(), f"{services.name_of(found)} {found.points} 分",
        lambda approve, reason: services.decide_points(user, found, approve, reason),
        lambda refusal: point_page(request, find_point(request, pk), refusal, "decide"),
    )  # fmt: skip


def point_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_point(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    try:
        services.withdraw(user, found, request.POST.get("reason", ""))
    except Refused as refusal:
        return point_page(request, find_point(request, pk), refusal, "withdraw")
    messages.success(request, f"已撤销{services.name_of(found)}的 {found.points} 分。")
    return redirect(found)


@require_http_methods(["GET", "POST"])
def point_new(request: HttpRequest) -> HttpResponse:
    """Points of a provider chosen first, or of the case named in the address with what its decision says."""
    user: Any = request.user
    require_somewhere(user, services.PROPOSE)
    case = find_case(user, request.GET.get("case"))
    if case is not None and case.institution is not None:
        institution = case.institution
    elif code := request.GET.get("institution", ""):
        institution = find_institution(user, code)
    else:
        return render(request, "audits/point_new.html", {"chooser": InstitutionForm(institutions=institution_choices(user))})
    require(user, services.PROPOSE, institution)
    people = Physician.objects.visible_to(user).filter(institution=institution).order_by("name", "code")
    options = {
        "people": [(str(row.pk), f"{row.name}（{row.get_kind_display()} {row.code}）") for row in people],
        "cases": case_choices(user, institution, decided=True),
    }  # fmt: skip
    if request.method == "GET":
        return _new_page(request, institution, PointForm(initial=_initial(request, case), **options))
    form = PointForm(request.POST, **options)
    try:
        made = together(form, lambda given: proposed(user, institution, given))
    except Refused as refusal:
        return _new_page(request, institution, form, refusal)
    messages.success(request, f"已提出对{services.name_of(made)}记 {made.points} 分，待审定。")
    return redirect(made)


def proposed(user: Any, institution: Any, given: dict[str, Any]) -> PointEntry:
    """The service with the values of a form or of the API."""
    person = None
    if given.get("physician"):
        person = get_visible(Physician.objects.select_related("institution"), user, pk=given["physician"])
    severity = (given.get("band") if person is not None else given.get("severity")) or ""
    return services.propose(
        user, institution, physician=person, on=given.get("on"), points=given.get("points"), severity=severity,
        clause=given.get("clause") or "", reason=given.get("reason") or "", case=find_case(user, given.get("case")),
    )  # fmt: skip


def _initial(request: HttpRequest, case: Any) -> dict[str, Any]:
    """The decision's own words where the points come from a case."""
    given: dict[str, Any] = {"on": timezone.localdate(), "physician": request.GET.get("physician", "")}
    if case is None:
        return given
    track = case.tracks.filter(kind=TrackKind.AGREEMENT).first()
    measures = track.measures if track is not None else {}
    return {
        **given, "case": str(case.pk), "severity": case.title[:40], "points": measures.get("points") or "",
        "reason": f"案件 {case.number} {case.title}。{measures.get('text', '')}", "on": (track and track.decided_on) or given["on"],
    }  # fmt: skip


def _new_page(request: HttpRequest, institution: Any, form: PointForm, refusal: Refused | None = None) -> HttpResponse:
    context = {
        "institution": institution, "form": form, "problems": refusal.problems if refusal else [],
        "standing": reading.provider_on(institution, timezone.localdate()), "scheme": DEFAULT_PROVIDER_SCHEME,
    }  # fmt: skip
    return render(request, "audits/point_new.html", context, status=refusal.status if refusal else 200)

