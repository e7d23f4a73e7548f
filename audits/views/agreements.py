"""服务协议: the list with its export, one agreement with its changes, applying, proposing and deciding changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audits.access import reads_audits
from audits.forms_agreements import AgreementFilter, AgreementForm, ChangeForm, InstitutionForm, agreement_initial
from audits.forms_base import county_choices, export, page_of
from audits.models import Agreement, AgreementChange
from audits.reading import agreements as reading
from audits.reading.agreement_terms import terms_for
from audits.services import agreements as services
from audits.views.agreement_parts import (
    case_choices,
    decision,
    find_case,
    find_institution,
    institution_choices,
    need_reader,
    together,
)
from core.access import Allowed, Denied, actions, has_any_role, may, require, require_somewhere
from core.errors import Refused
from core.exports import attachment
from core.files import store_evidence, upload_problems
from core.scope import get_visible

FILES = "agreement_change"
HEADER = ("编号", "机构", "县（区）", "年度", "自", "至", "状态", "规定病种结算", "条款版本", "登记人", "审定人", "待审定变更")


@require_GET
def agreement_list(request: HttpRequest) -> HttpResponse:
    form, found = _chosen(request)
    page = page_of(request, found.prefetch_related("changes"))
    context = {
        "form": form, "page_obj": page, "today": timezone.localdate(),
        "may_enter": has_any_role(request.user, actions[services.ENTER].roles), "is_bureau": reads_audits(request.user),
    }  # fmt: skip
    return render(request, "audits/agreements.html", context)


@require_GET
def agreement_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the agreements of the list as filtered and sorted."""
    form, found = _chosen(request)
    bureau = reads_audits(request.user)
    rows = [
        [
            row.number, row.institution.name, row.institution.county.name, row.year, row.valid_from, row.valid_to,
            row.get_state_display(), "是" if row.listed_disease else "", row.version, str(row.prepared_by),
            str(row.approved_by or ""), _waiting(row) if bureau else "",
        ]
        for row in found.select_related("prepared_by", "approved_by").prefetch_related("changes")
    ]  # fmt: skip
    return export(request, "服务协议", HEADER, rows, form.said())


def _waiting(row: Agreement) -> str:
    return "、".join(change.get_kind_display() for change in row.changes.all() if change.status == "proposed")


def _chosen(request: HttpRequest) -> tuple[AgreementFilter, Any]:
    need_reader(request.user)
    form = AgreementFilter(request.GET, counties=county_choices(request.user))
    return form, reading.chosen(request.user, form.wanted(), request.GET.get("sort", ""))


@require_GET
def agreement(request: HttpRequest, pk: int) -> HttpResponse:
    return agreement_page(request, find_agreement(request, pk))


def find_agreement(request: HttpRequest, pk: int) -> Agreement:
    need_reader(request.user)
    rows = Agreement.objects.with_places().select_related("prepared_by", "approved_by")
    found: Agreement = get_visible(rows, request.user, pk=pk)
    return found


def agreement_page(
    request: HttpRequest, found: Agreement, refusal: Refused | None = None, form: ChangeForm | None = None, opened: int = 0
) -> HttpResponse:
    """The page; after a refusal with its problems and what was typed. ``opened``: the change whose decision failed."""
    user: Any = request.user
    rows = AgreementChange.objects.visible_to(user).filter(agreement=found)
    changes = list(rows.select_related("proposed_by", "decided_by", "case", "file").order_by("-pk"))
    answers = services.allowed_changes(user, found) if reads_audits(user) else {}
    offered = [(kind, services.KINDS[kind]) for kind, answer in answers.items() if isinstance(answer, Allowed)]
    context = {
        "agreement": found,
        "changes": [_shown(user, found, change, opened, request) for change in changes],
        "form": form or (change_form(user, found, offered) if offered else None),
        "growth": reading.growth_of(user, found.institution) if any(kind == "supplement" for kind, _label in offered) else [],
        "is_bureau": reads_audits(user),
        "problems": refusal.problems if refusal else [],
        "today": timezone.localdate(),
    }
    return render(request, "audits/agreement.html", context, status=refusal.status if refusal else 200)


def _shown(user: Any, found: Agreement, change: AgreementChange, opened: int, request: HttpRequest) -> dict[str, Any]:
    """A change with whether this person decides it, or why not where her post is the reason."""
    answer: Any = Denied("")
    if change.status == "proposed":
        answer = may(user, services.deciding(change.kind), found.institution)
        if answer and change.proposed_by_id == user.pk:
            answer = Denied("由您本人提出，须由另一人审定。")
    return {
        "change": change, "may_decide": bool(answer), "open": change.pk == opened,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "reason": request.POST.get("reason", "") if change.pk == opened else "",
    }  # fmt: skip


def change_form(user: Any, found: Agreement, kinds: Any, posted: Any = ()) -> ChangeForm:
    initial = {"from_on": timezone.localdate()}
    return ChangeForm(*posted, kinds=kinds, cases=case_choices(user, found.institution), initial=initial)


def change_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose a change of one agreement."""
    found = find_agreement(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    kind = request.POST.get("kind", "")
    require(user, services.proposing(kind), found.institution)
    form = change_form(user, found, list(services.KINDS.items())[1:], (request.POST, request.FILES))
    try:
        made = proposed(user, found, form)
    except Refused as refusal:
        return agreement_page(request, find_agreement(request, pk), refusal, form)
    messages.success(request, f"已提出{made.get_kind_display()}，待审定。")
    return redirect(found)


def proposed(user: Any, found: Agreement, form: ChangeForm) -> AgreementChange:
    """The service with a form's values; everything wrong with form and file at once."""
    upload = form.files.get("file")
    wrong = upload_problems([upload]) if upload else []
    return together(
        form,
        lambda given: services.propose_change(
            user, found, given["kind"] or "", text=given["text"] or "", from_on=given["from_on"], until=given["until"],
            case=find_case(user, given["case"]),
            file=store_evidence(upload, FILES, user) if upload and not wrong else None,
        ),
        wrong,
    )  # fmt: skip


def change_decide(request: HttpRequest, pk: int, change: int) -> HttpResponse:
    """Approve or return one change, or the application."""
    found = find_agreement(request, pk)
    row = get_visible(AgreementChange.objects.select_related("agreement__institution__county"), request.user, pk=change, agreement=found)
    user: Any = request.user
    return decision(
        request, found.get_absolute_url(), f"{found.number} {row.get_kind_display()}",
        lambda approve, reason: services.decide_change(user, row, approve, reason),
        lambda refusal: agreement_page(request, find_agreement(request, pk), refusal, opened=row.pk),
    )  # fmt: skip


@require_GET
def change_file(request: HttpRequest, pk: int, change: int) -> HttpResponseBase:
    found = find_agreement(request, pk)
    row = get_visible(AgreementChange.objects.select_related("file"), request.user, pk=change, agreement=found)
    return attachment(row.file)


@require_http_methods(["GET", "POST"])
def agreement_new(request: HttpRequest) -> HttpResponse:
    """First the provider, then its terms and indicators."""
    user: Any = request.user
    require_somewhere(user, services.ENTER)
    code = request.GET.get("institution", "")
    if not code:
        context = {"chooser": InstitutionForm(institutions=institution_choices(user))}
        return render(request, "audits/agreement_new.html", context)
    institution = find_institution(user, code)
    require(user, services.ENTER, institution)
    today = timezone.localdate()
    asked = terms_for(institution, today, reading.led_alliance(institution, today) is not None)
    if request.method == "GET":
        form = AgreementForm(asked=asked, initial=agreement_initial(today.year, today))
        return _new_page(request, institution, form)
    form = AgreementForm(request.POST, asked=asked)
    try:
        made = together(form, lambda _given: services.enter(user, institution, form.values()))
    except Refused as refusal:
        return _new_page(request, institution, form, refusal)
    messages.success(request, f"已登记协议申请 {made.number}，待审定。")
    return redirect(made)


def _new_page(request: HttpRequest, institution: Any, form: AgreementForm, refusal: Refused | None = None) -> HttpResponse:
    context = {"institution": institution, "form": form, "problems": refusal.problems if refusal else [], "asked": form.asked}
    return render(request, "audits/agreement_new.html", context, status=refusal.status if refusal else 200)
