"""Measures, hand-overs and follow-ups from the page of their case: one POST each, through the same services as the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from audits.forms_base import form_problems, values_of
from audits.forms_papers import (
    PARTY,
    FollowUpForm,
    MeasureForm,
    OutcomeForm,
    RecordForm,
    ReferralForm,
    ReplyForm,
    ResultForm,
    SendForm,
    ids_of,
)
from audits.models import Case, FollowUp, Measure, Referral
from audits.serializers_papers import FILES
from audits.services import follow_ups, measures, referrals
from audits.services.steps import right
from audits.states import Act
from audits.views.cards.measures import FOLLOW_UP, MEASURE, REFERRAL
from audits.views.case import find_case
from audits.views.papers import refused
from core.access import Denied, NotAllowed
from core.errors import Problem, Refused
from core.exports import attachment
from core.models import StoredFile
from core.scope import get_visible


def measure_new(request: HttpRequest, pk: int) -> HttpResponse:
    def act(case: Case, given: dict[str, Any]) -> str:
        made = measures.record_measure(
            _user(request), case, kind=given["kind"], on=given["on"], text=given["text"], to_party=given["to"] == PARTY,
            addressee=given["addressee"], due_on=given["due_on"], files=given["files"],
        )  # fmt: skip
        return f"已登记{made.get_kind_display()}。"

    return _do(request, find_case(request, pk), Act.CONSEQUENCE, MEASURE, MeasureForm, act)


def measure_send(request: HttpRequest, pk: int) -> HttpResponse:
    found: Measure = _row(request, Measure, pk)

    def act(_case: Case, given: dict[str, Any]) -> str:
        measures.send_measure(_user(request), found, given["on"])
        return f"{found.get_kind_display()}已送达。"

    return _do(request, found.case, Act.CONSEQUENCE, f"send-{pk}", SendForm, act)


def measure_end(request: HttpRequest, pk: int) -> HttpResponse:
    found: Measure = _row(request, Measure, pk)

    def act(_case: Case, given: dict[str, Any]) -> str:
        measures.end_measure(_user(request), found, outcome=given["outcome"], on=given["on"], files=given["files"])
        return f"已登记{found.get_kind_display()}的结果。"

    return _do(request, found.case, Act.CONSEQUENCE, f"end-{pk}", OutcomeForm, act)


@require_GET
def measure_file(request: HttpRequest, pk: int, file: int) -> HttpResponseBase:
    found: Measure = _row(request, Measure, pk)
    return attachment(found.files.filter(pk=file).first())


def referral_new(request: HttpRequest, pk: int) -> HttpResponse:
    def act(case: Case, given: dict[str, Any]) -> str:
        made = referrals.refer(
            _user(request), case, body=given["body"], body_name=given["body_name"], handed_on=given["handed_on"],
            reason=given["reason"], items=given["items"], received_by=given["received_by"], record=_one(given), due_on=given["due_on"],
        )  # fmt: skip
        return f"已登记移送，文号 {made.number}。"

    return _do(request, find_case(request, pk), Act.REFER, REFERRAL, ReferralForm, act)


def referral_attach(request: HttpRequest, pk: int) -> HttpResponse:
    found: Referral = _row(request, Referral, pk)

    def act(_case: Case, given: dict[str, Any]) -> str:
        record = _one(given)
        if record is None:
            raise Refused([Problem("files", "", "没有选择交接记录。", "请选择双方签字的交接记录。")])
        referrals.attach_record(_user(request), found, record)
        return "已登记交接记录。"

    return _do(request, found.case, Act.REFER, f"record-{pk}", RecordForm, act)


def referral_reply(request: HttpRequest, pk: int) -> HttpResponse:
    found: Referral = _row(request, Referral, pk)

    def act(_case: Case, given: dict[str, Any]) -> str:
        referrals.note_reply(_user(request), found, reply=given["reply"], replied_on=given["replied_on"], file=_one(given))
        return "已登记回复。"

    return _do(request, found.case, Act.REFER, f"reply-{pk}", ReplyForm, act)


@require_GET
def referral_record(request: HttpRequest, pk: int) -> HttpResponseBase:
    return attachment(_row(request, Referral, pk).record)


@require_GET
def referral_reply_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    return attachment(_row(request, Referral, pk).reply_file)


def follow_up_new(request: HttpRequest, pk: int) -> HttpResponse:
    def act(case: Case, given: dict[str, Any]) -> str:
        follow_ups.plan_follow_up(_user(request), case, due_on=given["due_on"], focus=given["focus"])
        return "已安排回头看。"

    return _do(request, find_case(request, pk), Act.FOLLOW_UP, FOLLOW_UP, FollowUpForm, act)


def follow_up_finish(request: HttpRequest, pk: int) -> HttpResponse:
    found: FollowUp = _row(request, FollowUp, pk)

    def act(_case: Case, given: dict[str, Any]) -> str:
        done = follow_ups.finish_follow_up(
            _user(request), found, done_on=given["done_on"], result=given["result"], text=given["text"], next_due=given["next_due"]
        )
        return f"已登记结果，转为新线索 {done.lead.number}。" if done.lead else "已登记结果。"

    return _do(request, found.case, Act.FOLLOW_UP, f"finish-{pk}", ResultForm, act)


def _do(
    request: HttpRequest, case: Case, act: str, opened: str, form_class: Callable[..., Any],
    perform: Callable[[Case, dict[str, Any]], str],
) -> HttpResponse:  # fmt: skip
    """Right, form, service; a refusal shows the case's page with what was typed."""
    if request.method != "POST":
        return redirect(case)
    user = _user(request)
    answer = right(user, case, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)
    form = form_class(request.POST, request.FILES, auto_id=ids_of(opened))
    try:
        said = perform(case, _given(form, user))
    except Refused as refusal:
        return refused(request, case.pk, refusal, opened, form)
    messages.success(request, said)
    return redirect(case)


def _given(form: Any, user: Any) -> dict[str, Any]:
    if "files" in form.fields:
        return values_of(form, user, FILES)
    if not form.is_valid():
        raise Refused(form_problems(form))
    return dict(form.cleaned_data)


def _one(given: dict[str, Any]) -> StoredFile | None:
    """The single file of a form that takes one."""
    files = given["files"]
    if len(files) > 1:
        raise Refused([Problem("files", f"{len(files)} 份", "这里只登记一份文件。", "请合并成一份后上传。")])
    return files[0] if files else None


def _row(request: HttpRequest, model: Any, pk: int) -> Any:
    """A row of a case inside the user's scope, or 404."""
    found = get_visible(model.objects.with_case(), request.user, pk=pk)
    if not Case.objects.visible_to(request.user).filter(pk=found.case_id).exists():
        raise Http404("没有找到这项内容，或者它不在您的管理范围内。")
    return found


def _user(request: HttpRequest) -> Any:
    return request.user
