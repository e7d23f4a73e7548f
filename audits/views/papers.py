"""Documents of a case: looked at beforehand, made, replaced, read and downloaded. One POST each, as over the API."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from audits.access import reads_audits
from audits.documents.kinds import label_of
from audits.documents.word import DOCX
from audits.forms_base import form_problems
from audits.forms_papers import MakeForm, RenewForm, ids_of
from audits.models import Case, CaseDocument
from audits.reading.documents import Target, papers, target_of, targets
from audits.services import documents as services
from audits.views.cards.documents import MAKE, RENEW
from audits.views.case import case_page, find_case
from core.access import Denied, NotAllowed
from core.errors import Problem, Refused
from core.exports import export_file
from core.scope import get_visible


def document_make(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the document the form names, or show it beforehand."""
    found = find_case(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    _need(user, found)
    made = [paper.newest for paper in papers(user, found)]
    form = MakeForm(request.POST, targets=[(one.key, one.label) for one in targets(found, made)], auto_id=ids_of(MAKE))
    try:
        target = _target(found, form)
        if request.POST.get("look"):
            query = QueryDict(mutable=True)
            query["what"] = target.key
            return redirect(f"{reverse('audits:document-preview', args=[found.pk])}?{query.urlencode()}")
        done = services.write_document(user, found, target.kind, target.track, target.serves)
    except Refused as refusal:
        return refused(request, pk, refusal, MAKE, form)
    messages.success(request, f"已制作{label_of(done.kind)}：{done.number}。")
    return redirect("audits:document", done.pk)


def document_renew(request: HttpRequest, pk: int) -> HttpResponse:
    """A new version of the document the form names."""
    found = find_case(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    _need(user, found)
    held = {str(paper.newest.pk): paper.newest for paper in papers(user, found)}
    choices = [(key, f"{label_of(one.kind)} {one.number}") for key, one in held.items()]
    form = RenewForm(request.POST, documents=choices, auto_id=ids_of(RENEW))
    try:
        if not form.is_valid():
            raise Refused(form_problems(form))
        done = services.renew_document(user, held[form.cleaned_data["document"]], form.cleaned_data["reason"])
    except Refused as refusal:
        return refused(request, pk, refusal, RENEW, form)
    messages.success(request, f"已换版：{label_of(done.kind)} {done.number} 第 {done.version} 版。")
    return redirect("audits:document", done.pk)


@require_GET
def document_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What a document would say now, without a number."""
    found = find_case(request, pk)
    user: Any = request.user
    _need(user, found)
    target = target_of(found, request.GET.get("what", ""))
    if target is None or not _previewable(found, target):
        raise Http404("没有这种文书。")
    content = services.preview(found, target.kind, target.track, target.serves)
    return render(request, "audits/document.html", {"case": found, "content": content, "inside": True})


@require_GET
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """A made version as it was frozen."""
    user: Any = request.user
    found = find_document(user, pk)
    versions = CaseDocument.objects.visible_to(user).filter(case=found.case, number=found.number).defer("content")
    context = {
        "case": found.case,
        "document": found,
        "content": found.content,
        "inside": reads_audits(user),
        "versions": versions.order_by("-version"),
    }
    return render(request, "audits/document.html", context)


@require_GET
def document_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The stored Word file; who took it is noted."""
    user: Any = request.user
    return file_of(user, find_document(user, pk))


def file_of(user: Any, found: CaseDocument) -> HttpResponse:
    """The download of a made version, for page and API."""
    if not found.file.path.exists():
        raise Http404("文书文件缺失，请系统管理员从备份恢复。")
    return export_file(user, found, found.file.name, found.file.path.read_bytes(), DOCX, found.case.at)


def find_document(user: Any, pk: int) -> CaseDocument:
    rows = CaseDocument.objects.with_case().select_related("file", "made_by", "track", "measure")
    found: CaseDocument = get_visible(rows, user, pk=pk)
    return found


def refused(request: HttpRequest, pk: int, refusal: Refused, opened: str, form: Any) -> HttpResponse:
    """The case's page with everything wrong at its head and what was typed in its form."""
    return case_page(request, find_case(request, pk), refusal, opened, form)


def _need(user: Any, case: Case) -> None:
    """The right first; the form is judged afterwards."""
    answer = services.may_make(user, case)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def _target(case: Case, form: MakeForm) -> Target:
    if not form.is_valid():
        raise Refused(form_problems(form))
    found = target_of(case, form.cleaned_data["what"])
    if found is None:
        raise Refused([Problem("what", form.cleaned_data["what"], "没有这种文书。", "请从清单中选择。")])
    return found


def _previewable(case: Case, target: Target) -> bool:
    return target.key in {one.key for one in targets(case, case.documents.select_related("track"))}
