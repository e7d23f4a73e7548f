"""医保医师（药师）: the register with its export and import, one person with points, standing and qualification."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audits.access import reads_audits
from audits.forms_agreements import EndForm, MonthsForm, MoveForm, PhysicianFilter, PhysicianForm, PhysicianListForm
from audits.forms_base import county_choices, export, form_problems, page_of
from audits.models import Physician, PointEntry, Qualification
from audits.reading import points as reading
from audits.services import physicians as services
from audits.services import points, qualifications
from audits.services.consequences import due_for
from audits.views.agreement_parts import decision, find_institution, institution_choices, need_reader, together
from core.access import Denied, actions, has_any_role, may, require, require_somewhere
from core.errors import Refused
from core.files import store_upload
from core.models import Institution
from core.scope import get_visible
from core.workbook import Sheet, xlsx_response
from rules.points import ACTIVE, STATES

HEADER = ("国家医保代码", "姓名", "类别", "机构", "县（区）", "科室", "登记", "注销、转出", "本年记分", "记分所至", "支付资格", "至")
SAMPLE = ("H99010100001", "D990101000123", "张三", "医师", "内科", "2026-01-01")


@require_GET
def physician_list(request: HttpRequest) -> HttpResponse:
    form, found = _chosen(request)
    page = page_of(request, found)
    page.object_list = _rows(page.object_list)
    context = {"form": form, "page_obj": page, "may_register": has_any_role(request.user, actions[services.REGISTER].roles)}
    return render(request, "audits/physicians.html", context)


@require_GET
def physician_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the people of the list as filtered and sorted."""
    form, found = _chosen(request)
    rows = [
        [
            one["row"].code, one["row"].name, one["row"].get_kind_display(), one["row"].institution.name,
            one["row"].institution.county.name, one["row"].department, one["row"].valid_from, one["row"].valid_to,
            one["standing"].points, one["state"], one["held"].get_kind_display() if one["held"] else "正常",
            one["held"].until if one["held"] else None,
        ]
        for one in _rows(found)
    ]  # fmt: skip
    return export(request, "医保医师（药师）", HEADER, rows, form.said())


def _rows(found: Any) -> list[dict[str, Any]]:
    """Each person with the standing by points and the decision in effect; the same few queries for any number."""
    people, today = list(found), timezone.localdate()
    codes = {row.code for row in people}
    standings, held = reading.person_standings(codes, today), reading.in_effect(codes, today)
    return [
        {
            "row": row, "standing": standings[row.code], "state": STATES[standings[row.code].state], "held": held.get(row.code),
            "calm": standings[row.code].state == ACTIVE,
        }
        for row in people
    ]  # fmt: skip


def _chosen(request: HttpRequest) -> tuple[PhysicianFilter, Any]:
    need_reader(request.user)
    form = PhysicianFilter(request.GET, counties=county_choices(request.user))
    return form, reading.people(request.user, form.wanted(), timezone.localdate(), request.GET.get("sort", ""))


@require_GET
def physician(request: HttpRequest, pk: int) -> HttpResponse:
    return physician_page(request, find_physician(request, pk))


def find_physician(request: HttpRequest, pk: int) -> Physician:
    need_reader(request.user)
    found: Physician = get_visible(Physician.objects.select_related("institution__county__pooling_area"), request.user, pk=pk)
    return found


def physician_page(
    request: HttpRequest, found: Physician, refusal: Refused | None = None, opened: str = "", form: Any = None
) -> HttpResponse:
    """``opened``: the act whose ``form`` was refused (move, end, months-3, decide-3)."""
    user: Any = request.user
    today = timezone.localdate()
    due, standing = due_for(found.code, today)
    entries = PointEntry.objects.visible_to(user).filter(physician__code=found.code)
    rows = Qualification.objects.visible_to(user).filter(physician__code=found.code)
    registrations = Physician.objects.visible_to(user).filter(code=found.code).select_related("institution")
    may_register = found.valid_to is None and bool(may(user, services.REGISTER, found.institution))
    context = {
        "physician": found, "standing": standing, "state": STATES[standing.state], "calm": standing.state == ACTIVE,
        "held": reading.in_effect([found.code], today).get(found.code), "today": today,
        "entries": list(entries.select_related("institution", "case", "proposed_by", "decided_by").order_by("-on", "-pk")),
        "qualifications": [
            _shown(user, row, due, opened, form, request)
            for row in rows.select_related("physician__institution", "proposed_by", "decided_by").order_by("-pk")
        ],
        "registrations": list(registrations.order_by("-valid_from", "-pk")),
        "move_form": _move_form(user, form, opened) if may_register else None,
        "end_form": (form if opened == "end" else EndForm(initial={"on": today}, auto_id="end-%s")) if may_register else None,
        "may_points": bool(may(user, points.PROPOSE, found.institution)), "opened": opened,
        "problems": refusal.problems if refusal else [], "is_bureau": reads_audits(user),
    }  # fmt: skip
    return render(request, "audits/physician.html", context, status=refusal.status if refusal else 200)


def _move_form(user: Any, form: Any, opened: str) -> Any:
    if opened == "move":
        return form
    return MoveForm(institutions=institution_choices(user), initial={"on": timezone.localdate()}, auto_id="move-%s")


def _shown(user: Any, row: Qualification, due: Any, opened: str, form: Any, request: HttpRequest) -> dict[str, Any]:
    """A proposal with the forms of who may name its months or decide it."""
    waits = row.status == "proposed"
    decides: Any = may(user, qualifications.DECIDE, row.physician.institution) if waits else Denied("")
    if waits and decides and row.proposed_by_id == user.pk:
        decides = Denied("由您本人提出，须由另一人审定。")
    named: Any = None
    if waits and row.kind == "suspended" and may(user, qualifications.NAME, row.physician.institution):
        first = due.from_on if due is not None else row.from_on
        initial = {"months": row.months or 1, "from_on": row.from_on if row.months else first, "reason": row.reason if row.months else ""}
        named = form if opened == f"months-{row.pk}" else MonthsForm(initial=initial, auto_id=f"months-{row.pk}-%s")
    mine = opened == f"decide-{row.pk}"
    return {
        "row": row, "months_form": named, "may_decide": bool(decides), "open": mine,
        "denied": decides.reason if waits and isinstance(decides, Denied) else "",
        "reason": request.POST.get("reason", "") if mine else "",
    }  # fmt: skip


@require_http_methods(["GET", "POST"])
def physician_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require_somewhere(user, services.REGISTER)
    choices = {"institutions": institution_choices(user)}
    if request.method == "GET":
        given = {"institution": request.GET.get("institution", ""), "valid_from": timezone.localdate()}
        return _new_page(request, PhysicianForm(initial=given, **choices))
    form = PhysicianForm(request.POST, **choices)
    try:
        form.is_valid()
        if not form.cleaned_data.get("institution"):
            raise Refused(form_problems(form))
        institution = find_institution(user, form.cleaned_data["institution"])
        made = together(form, lambda given: services.enter(user, institution, given))
    except Refused as refusal:
        return _new_page(request, form, refusal)
    messages.success(request, f"已登记{made}。")
    return redirect(made)


def _new_page(request: HttpRequest, form: PhysicianForm, refusal: Refused | None = None, upload: Any = None) -> HttpResponse:
    context = {
        "form": form, "upload": upload or PhysicianListForm(), "problems": refusal.problems if refusal else [],
        "columns": list(services.HEADER),
    }  # fmt: skip
    return render(request, "audits/physician_new.html", context, status=refusal.status if refusal else 200)


def physician_import(request: HttpRequest) -> HttpResponse:
    """Everybody of a workbook or nobody; every fault of every row at once."""
    user: Any = request.user
    require_somewhere(user, services.REGISTER)
    if request.method != "POST":
        return redirect("audits:physician-new")
    upload = PhysicianListForm(request.POST, request.FILES)
    try:
        if not upload.is_valid():
            raise Refused(form_problems(upload))
        file = upload.cleaned_data["file"]
        content = file.read()
        visible = {row.code: row for row in Institution.objects.visible_to(user).select_related("county__pooling_area")}
        made = services.read_list(user, content, file.name, visible)
        store_upload(file, "physician_list", user)
    except Refused as refusal:
        return _new_page(request, PhysicianForm(institutions=institution_choices(user)), refusal, upload)
    messages.success(request, f"已从名单登记 {len(made)} 人。")
    return redirect("audits:physicians")


@require_GET
def physician_template(request: HttpRequest) -> HttpResponse:
    """An empty list with one line that shows how."""
    require_somewhere(request.user, services.REGISTER)
    return xlsx_response("医保医师名单模板.xlsx", [Sheet(services.SHEET, tuple(services.HEADER), [SAMPLE])])


def physician_move(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_physician(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    require(user, services.REGISTER, found.institution)
    form = MoveForm(request.POST, institutions=institution_choices(user), auto_id="move-%s")
    try:
        form.is_valid()
        if not form.cleaned_data.get("to"):
            raise Refused(form_problems(form))
        to = find_institution(user, form.cleaned_data["to"])
        made = together(form, lambda given: services.move(user, found, to, given["on"], given["department"] or ""))
    except Refused as refusal:
        return physician_page(request, find_physician(request, pk), refusal, "move", form)
    messages.success(request, f"已转到{made.institution}。")
    return redirect(made)


def physician_end(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_physician(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    require(user, services.REGISTER, found.institution)
    form = EndForm(request.POST, auto_id="end-%s")
    try:
        together(form, lambda given: services.end(user, found, given["on"], given["reason"] or ""))
    except Refused as refusal:
        return physician_page(request, find_physician(request, pk), refusal, "end", form)
    messages.success(request, f"已注销{found}。")
    return redirect(found)


def qualification_months(request: HttpRequest, pk: int, row: int) -> HttpResponse:
    """Name the months of a suspension."""
    found, held = find_physician(request, pk), find_qualification(request, pk, row)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    require(user, qualifications.NAME, held.physician.institution)
    form = MonthsForm(request.POST, auto_id=f"months-{held.pk}-%s")
    try:
        together(
            form, lambda given: qualifications.name_months(user, held, given["months"], given["from_on"], given["reason"] or "")
        )
    except Refused as refusal:
        return physician_page(request, find_physician(request, pk), refusal, f"months-{held.pk}", form)
    messages.success(request, "已确定暂停月数，待审定。")
    return redirect(found)


def qualification_decide(request: HttpRequest, pk: int, row: int) -> HttpResponse:
    found, held = find_physician(request, pk), find_qualification(request, pk, row)
    user: Any = request.user
    return decision(
        request, found.get_absolute_url(), f"{found.name}{held.get_kind_display()}",
        lambda approve, reason: qualifications.decide_qualification(user, held, approve, reason),
        lambda refusal: physician_page(request, find_physician(request, pk), refusal, f"decide-{held.pk}"),
    )  # fmt: skip


def find_qualification(request: HttpRequest, pk: int, row: int) -> Qualification:
    """One of the same person, at whichever provider it was made."""
    code = find_physician(request, pk).code
    rows = Qualification.objects.select_related("physician__institution__county__pooling_area")
    found: Qualification = get_visible(rows, request.user, pk=row, physician__code=code)
    return found
