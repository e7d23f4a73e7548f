"""Evidence: adding a piece, looking at it (what may be shown stands in the page), dealing with it, its file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from audits.forms_base import form_problems
from audits.forms_findings import EvidenceForm, NoteForm
from audits.models import Case, Evidence
from audits.reading.evidence import check
from audits.reading.lines import is_inside
from audits.services import evidence as services
from audits.services.findings import may_now
from audits.services.steps import right
from audits.states import Act
from audits.views.case import find_case
from core.access import Denied, NotAllowed, may, require
from core.errors import Refused
from core.files import store_evidence, upload_problems
from core.models import User

FILES = "audit_evidence"
IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
PDF = {".pdf": "application/pdf"}
TEXTS = (".txt", ".csv")
MOST_TEXT = 200_000
ACTS = {"handle": ("处理登记保存", "登记保存的处理结果已记录"), "withdraw": ("不再采用", "已记录不再采用该证据")}


def need_post(user: Any, case: Any, act: str) -> None:
    """The post first, the form is judged afterwards; the service asks again with all the rest."""
    answer = right(user, case, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


@require_http_methods(["GET", "POST"])
def evidence_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Register a piece of evidence."""
    case, user = find_case(request, pk), request.user
    need_post(user, case, Act.COLLECT)
    if request.method == "GET":
        first = case.officers.filter(until__isnull=True).order_by("-leads", "pk").first()
        start = {"collected_by": str(first.user_id) if first else "", "place": case.party_name}
        return _new_page(request, case, EvidenceForm(initial=start, case=case))
    form = EvidenceForm(request.POST, request.FILES, case=case)
    try:
        made = services.add_evidence(user, case, **_evidence_values(form, user))  # type: ignore[arg-type]
    except Refused as refusal:
        return _new_page(request, case, form, refusal)
    messages.success(request, f"已登记{made}，校验值 {made.sha256[:16]}。")
    return redirect("audits:evidence", case.pk, made.number)


def _evidence_values(form: EvidenceForm, user: Any) -> dict[str, Any]:
    fine = form.is_valid()
    upload = form.cleaned_data.get("file")
    problems = [*form_problems(form), *(upload_problems([upload]) if upload else [])]
    if problems or not fine:
        raise Refused(problems)
    given = dict(form.cleaned_data)
    for name in ("collected_by", "witnessed_by"):
        given[name] = User.objects.filter(pk=given[name]).first()
    return {**given, "file": store_evidence(upload, FILES, user)}


def _new_page(request: HttpRequest, case: Case, form: Any, refusal: Refused | None = None) -> HttpResponse:
    context = {"case": case, "form": form, "problems": refusal.problems if refusal else []}
    return render(request, "audits/evidence_new.html", context, status=refusal.status if refusal else 200)


@require_GET
def evidence(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One piece with its hash; opening it is recorded."""
    piece = _piece(request, pk, number)
    user: Any = request.user
    require(user, services.OPEN, piece.case.at)
    services.note_opened(user, piece, "查看")
    return _page(request, piece)


def _page(
    request: HttpRequest, piece: Evidence, refusal: Refused | None = None, act: str = "", form: Any = None
) -> HttpResponse:
    suffix = "." + piece.file.name.rsplit(".", 1)[-1].lower()
    row = check(piece)
    may_act = not row.withdrawn and may_now(request.user, piece.case, Act.COLLECT)  # type: ignore[arg-type]
    known = [name for name in ACTS if may_act and (name == "withdraw" or row.waits)]
    context = {
        "case": piece.case,
        "piece": piece,
        "row": row,
        "is_image": suffix in IMAGES and row.state != "missing",
        "is_pdf": suffix in PDF and row.state != "missing",
        "text": _text(piece) if suffix in TEXTS and row.state != "missing" else None,
        "findings": piece.findings.order_by("number"),
        "acts": [
            {
                "name": name, "label": ACTS[name][0], "open": act == name,
                "form": form if act == name else NoteForm(auto_id=f"{name}-%s"),
                "url": reverse("audits:evidence-act", args=[piece.case_id, piece.number, name]),
            }
            for name in known
        ],
        "problems": refusal.problems if refusal else [],
    }  # fmt: skip
    return render(request, "audits/evidence.html", context, status=refusal.status if refusal else 200)


def _text(piece: Evidence) -> str:
    """The beginning of a text file, as far as it can be read."""
    with piece.file.path.open("rb") as source:
        content = source.read(MOST_TEXT)
    for coding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(coding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def evidence_act(request: HttpRequest, pk: int, number: int, act: str) -> HttpResponse:
    """Say how a registered piece was dealt with, or that it is no longer stood on."""
    piece = _piece(request, pk, number)
    if request.method != "POST":
        return redirect("audits:evidence", pk, number)
    if act not in ACTS:
        raise Http404("没有这种办理。")
    need_post(request.user, piece.case, Act.COLLECT)
    form = NoteForm(request.POST, auto_id=f"{act}-%s")
    try:
        if not form.is_valid():
            raise Refused(form_problems(form))
        do = services.handle if act == "handle" else services.withdraw
        do(request.user, piece, form.cleaned_data["text"])  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, _piece(request, pk, number), refusal, act, form)
    messages.success(request, f"{ACTS[act][1]}：{piece}。")
    return redirect("audits:evidence", pk, number)


@require_GET
def evidence_file(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The file as a download; recorded."""
    piece = _piece(request, pk, number)
    services.note_opened(request.user, piece, "下载")  # type: ignore[arg-type]
    return sent(piece, as_attachment=True)


@require_GET
def evidence_shown(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """An image for the page, or a PDF in a window of its own; recorded. Other kinds are only downloaded."""
    piece = _piece(request, pk, number)
    kind = {**IMAGES, **PDF}.get("." + piece.file.name.rsplit(".", 1)[-1].lower())
    if kind is None:
        raise Http404("这种文件不能在页面中显示，请下载。")
    services.note_opened(request.user, piece, "打开")  # type: ignore[arg-type]
    return sent(piece, as_attachment=False, content_type=kind)


def sent(piece: Evidence, **given: Any) -> HttpResponse:
    """The file of a piece; 404 where it is gone."""
    if not piece.file.path.exists():
        raise Http404("证据文件缺失，请系统管理员从备份恢复。")
    response = FileResponse(piece.file.path.open("rb"), filename=piece.file.name, **given)
    response["X-Content-Type-Options"] = "nosniff"
    return response  # type: ignore[return-value]


def _piece(request: HttpRequest, pk: int, number: int) -> Evidence:
    """Evidence is the bureau's: for the provider it does not exist."""
    case = find_case(request, pk)
    if not is_inside(request.user, case):  # type: ignore[arg-type]
        raise Http404("没有这件证据。")
    rows = Evidence.objects.select_related("file", "collected_by", "witnessed_by", "added_by").prefetch_related("notes__by")
    piece = get_object_or_404(rows, case=case, number=number)
    piece.case = case
    return piece


def may_open(user: Any, case: Case) -> bool:
    """Whether the user's post allows opening evidence of the case."""
    return bool(may(user, services.OPEN, case.at))
