"""The provider's statement finding by finding, agreeing, asking for a hearing; one statement with its answer; the hearing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits.forms_base import form_problems, values_of
from audits.forms_findings import (
    AgreeForm,
    AnnounceForm,
    HearingRequestForm,
    HoldForm,
    ReplyForm,
    StatementForm,
)
from audits.models import Case, Hearing, ProviderStatement, Track
from audits.reading.findings import act_label, sums
from audits.reading.lines import is_inside, shown_findings
from audits.reading.statements import points_of, reply_of
from audits.services import hearings, statements
from audits.services.findings import may_now
from audits.services.steps import right
from audits.states import Act
from audits.views.case import find_case
from core.access import Denied, NotAllowed
from core.errors import Refused
from core.exports import attachment
from core.files import store_evidence, upload_problems

FILES, RECORDS = "audit_statement", "audit_hearing"


def find_track(request: HttpRequest, pk: int, kind: str) -> Track:
    """A track of a case the reader sees; the provider sees it once it was told of it."""
    case = find_case(request, pk)
    track = get_object_or_404(Track, case=case, kind=kind)
    if track.notified_on is None and not is_inside(request.user, case):  # type: ignore[arg-type]
        raise Http404("没有这项程序。")
    track.case = case
    return track


def need_right(user: Any, track: Track, act: str) -> None:
    """The post first, the form is judged afterwards; the service asks again with all the rest."""
    answer = right(user, track, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


@require_http_methods(["GET", "POST"])
def statement_new(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The form of the provider: each finding with what it says of it."""
    track = find_track(request, pk, kind)
    need_right(request.user, track, Act.STATE)
    if request.method == "GET":
        return _state_page(request, track)
    form = StatementForm(request.POST, request.FILES, findings=_findings(request, track.case))
    try:
        given = values_of(form, request.user, FILES)
        made = statements.give_statement(
            request.user, track, text=given["text"], points=form.points(), files=given["files"], kind=given["kind"],  # type: ignore[arg-type]
        )  # fmt: skip
    except Refused as refusal:
        return _state_page(request, track, refusal, form=form)
    messages.success(request, f"意见已提交{'（逾期提出）' if made.is_late else ''}，待医保局答复。")
    return redirect("audits:statement", pk, made.pk)


@require_POST
def statement_agree(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Nothing is objected to."""
    track = find_track(request, pk, kind)
    need_right(request.user, track, Act.STATE)
    form = AgreeForm(request.POST, request.FILES, auto_id="agree-%s")
    try:
        given = values_of(form, request.user, FILES)
        statements.agree(request.user, track, given["text"], given["files"])  # type: ignore[arg-type]
    except Refused as refusal:
        return _state_page(request, track, refusal, agree=form)
    messages.success(request, "已表示无异议。")
    return redirect("audits:case", pk)


@require_POST
def hearing_ask(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The provider wants to be heard."""
    track = find_track(request, pk, kind)
    need_right(request.user, track, Act.ASK_HEARING)
    form = HearingRequestForm(request.POST, request.FILES, auto_id="ask-%s")
    try:
        given = values_of(form, request.user, FILES)
        statements.ask_hearing(request.user, track, given["text"], given["files"])  # type: ignore[arg-type]
    except Refused as refusal:
        return _state_page(request, track, refusal, ask=form)
    messages.success(request, "听证申请已提交，时间、地点将另行通知。")
    return redirect("audits:case", pk)


def _findings(request: HttpRequest, case: Case) -> list[Any]:
    return list(shown_findings(request.user, case).filter(dropped=False))  # type: ignore[arg-type]


def _state_page(
    request: HttpRequest, track: Track, refusal: Refused | None = None, form: Any = None, agree: Any = None, ask: Any = None
) -> HttpResponse:
    found = _findings(request, track.case)
    user: Any = request.user
    form = form or StatementForm(initial={"kind": "statement"}, findings=found)
    amounts = {row.finding.pk: row for row in sums(track.case).rows}
    rows = [{**row, "sum": amounts[row["finding"].pk], "act": act_label(row["finding"].act)} for row in form.rows]
    context = {
        "case": track.case, "track": track, "form": form, "rows": rows,
        "agree": agree or AgreeForm(auto_id="agree-%s"), "agree_open": agree is not None,
        "ask": ask or HearingRequestForm(auto_id="ask-%s"), "ask_open": ask is not None,
        "may_ask": may_now(user, track, Act.ASK_HEARING),
        "limit": track.deadlines.filter(key="statement").order_by("-pk").first(),
        "problems": refusal.problems if refusal else [],
    }  # fmt: skip
    return render(request, "audits/statement_new.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def statement(request: HttpRequest, pk: int, statement: int) -> HttpResponse:
    """One statement with what it says of each finding, its files and the answer; the reviewer answers here."""
    case, found = _statement(request, pk, statement)
    if request.method == "GET":
        return _statement_page(request, case, found)
    need_right(request.user, found.track, Act.REPLY)
    form = ReplyForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(form_problems(form))
        statements.reply(request.user, found, form.cleaned_data["outcome"], form.cleaned_data["text"])  # type: ignore[arg-type]
    except Refused as refusal:
        return _statement_page(request, case, found, refusal, form)
    messages.success(request, f"已答复第 {found.number} 份意见。")
    return redirect("audits:statement", pk, statement)


def _statement_page(
    request: HttpRequest, case: Case, found: ProviderStatement, refusal: Refused | None = None, form: Any = None
) -> HttpResponse:
    numbers = {row.pk: row for row in shown_findings(request.user, case)}  # type: ignore[arg-type]
    said = points_of(found)
    reply = reply_of(found)
    context = {
        "case": case, "statement": found, "reply": reply, "problems": refusal.problems if refusal else [],
        "points": [{"finding": row, "act": act_label(row.act), **said[pk]} for pk, row in numbers.items() if pk in said],
        "form": form or ReplyForm(),
        "may_reply": reply is None and may_now(request.user, found.track, Act.REPLY),  # type: ignore[arg-type]
    }  # fmt: skip
    return render(request, "audits/statement.html", context, status=refusal.status if refusal else 200)


@require_GET
def statement_file(request: HttpRequest, pk: int, statement: int, file: int) -> FileResponse:
    """A file the provider handed in."""
    _case, found = _statement(request, pk, statement)
    return attachment(found.files.filter(pk=file).first())


def _statement(request: HttpRequest, pk: int, number: int) -> tuple[Case, ProviderStatement]:
    case = find_case(request, pk)
    rows = ProviderStatement.objects.select_related("track", "given_by", "reply__by").prefetch_related("files")
    found = get_object_or_404(rows, track__case=case, pk=number)
    found.track.case = case
    return case, found


@require_GET
def hearing(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The hearing of a track: when and where, its host, what it found; announcing and closing it."""
    return _hearing_page(request, find_track(request, pk, kind))


@require_http_methods(["GET", "POST"])
def hearing_act(request: HttpRequest, pk: int, kind: str, act: str) -> HttpResponse:
    """Announce the hearing, or keep its result."""
    track = find_track(request, pk, kind)
    if request.method != "POST":
        return redirect("audits:hearing", pk, kind)
    announcing = AnnounceForm(request.POST, case=track.case, auto_id="announce-%s")
    holding = HoldForm(request.POST, request.FILES, auto_id="hold-%s")
    acts: dict[str, tuple[str, Any, Callable[[HttpRequest, Track, Any], None]]] = {
        "announce": (Act.ANNOUNCE, announcing, _announce),
        "hold": (Act.HOLD_HEARING, holding, _hold),
    }
    if act not in acts:
        raise Http404("没有这种办理。")
    name, form, do = acts[act]
    need_right(request.user, track, name)
    try:
        do(request, track, form)
    except Refused as refusal:
        return _hearing_page(request, track, refusal, act, form)
    messages.success(request, "听证已通知当事人。" if act == "announce" else "听证结论已登记，转复审。")
    return redirect("audits:hearing", pk, kind)


def _announce(request: HttpRequest, track: Track, form: AnnounceForm) -> None:
    if not form.is_valid():
        raise Refused(form_problems(form))
    given = form.cleaned_data
    user: Any = request.user
    hearings.announce(user, track, held_on=given["held_on"], place=given["place"], host=form.people[given["host"]])


def _hold(request: HttpRequest, track: Track, form: HoldForm) -> None:
    fine = form.is_valid()
    upload = form.cleaned_data.get("file")
    problems = [*form_problems(form), *(upload_problems([upload]) if upload else [])]
    if problems or not fine:
        raise Refused(problems)
    given = form.cleaned_data
    user: Any = request.user
    hearings.hold(
        user, track, held_on=given["held_on"], participants=given["participants"], conclusion=given["conclusion"],
        record_file=store_evidence(upload, RECORDS, user),
    )  # fmt: skip


def _hearing_page(
    request: HttpRequest, track: Track, refusal: Refused | None = None, act: str = "", form: Any = None
) -> HttpResponse:
    user: Any = request.user
    row = Hearing.objects.filter(track=track).select_related("host", "announced_by", "concluded_by", "record").first()
    forms = []
    if may_now(user, track, Act.ANNOUNCE):
        start = {"held_on": row.held_on, "place": row.place, "host": str(row.host_id)} if row else {}
        made = form if act == "announce" else AnnounceForm(initial=start, case=track.case, auto_id="announce-%s")
        forms.append(("announce", "改期" if row else "通知听证", made))
    if row is not None and may_now(user, track, Act.HOLD_HEARING):
        made = form if act == "hold" else HoldForm(initial={"held_on": row.held_on}, auto_id="hold-%s")
        forms.append(("hold", "登记听证结论", made))
    context = {
        "case": track.case, "track": track, "hearing": row, "inside": is_inside(user, track.case),
        "problems": refusal.problems if refusal else [],
        "request_of": track.statements.filter(kind="hearing").order_by("-pk").first(),
        "forms": [
            {"label": label, "form": one, "url": reverse("audits:hearing-act", args=[track.case_id, track.kind, name])}
            for name, label, one in forms
        ],
    }  # fmt: skip
    return render(request, "audits/hearing.html", context, status=refusal.status if refusal else 200)


@require_GET
def hearing_record(request: HttpRequest, pk: int, kind: str) -> FileResponse:
    """The record of the hearing: both sides have signed it."""
    track = find_track(request, pk, kind)
    row = Hearing.objects.filter(track=track).select_related("record").first()
    return attachment(row.record if row else None)
