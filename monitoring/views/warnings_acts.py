"""Acts on a warning from its page: one POST each, through the same services as the API; failures keep what was typed.

A lost session leads through the login back to these addresses with a GET: they answer with the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.access import Denied, NotAllowed
from core.errors import Problem, Refused
from core.files import store_evidence, upload_problems
from core.models import StoredFile
from monitoring.models import Warning
from monitoring.services import warnings as services
from monitoring.states import Act, transition
from monitoring.views.warnings import find_warning, form_problems, warning_page
from monitoring.views.warnings_panel import FORMS, form_of

FILES = "warning_evidence"
DONE = {
    Act.SEND: "已送达",
    Act.ANSWER: "答复已提交，待医保局审定",
    Act.WITHDRAW: "答复已撤回",
    Act.RETURN: "已退回补充",
    Act.ACCEPT: "已采纳，转整改跟踪",
    Act.INQUIRE: "已发函询问，函件可在办理经过中打印",
    Act.TALK: "约谈已记录",
    Act.EXTEND: "期限已延长",
    Act.REPORT: "已上报市医保局",
    Act.CLOSE: "预警已解除",
    Act.REOPEN: "预警已重新打开",
}


def warning_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act of the transition table, named in the address."""
    found = find_warning(request, pk)
    if request.method != "POST":
        return redirect("monitoring:warning", pk)
    if act not in FORMS:
        raise Http404("没有这种办理。")
    need_right(request.user, found, act)
    form = form_of(request, act)
    try:
        perform(request.user, found, act, _wanted(request, form))
    except Refused as refusal:
        return warning_page(request, find_warning(request, pk), refusal, act)
    messages.success(request, f"{DONE[Act(act)]}：{found.number}。")
    return redirect("monitoring:warning", pk)


def need_right(user: Any, found: Warning, act: str) -> None:
    """The right first, where the state knows the act: the form is judged afterwards. The service asks again."""
    answer = services.allowed_acts(user, found).get(Act(act))
    if isinstance(answer, Denied) and transition(found.state, act) is not None:
        raise NotAllowed(answer)


def perform(user: Any, found: Warning, act: str, given: dict[str, Any]) -> object:
    """The service of an act with the form's values; page and API alike."""
    reason = given.get("reason", "")
    files = given.get("files", ())
    acts: dict[str, Callable[[], object]] = {
        Act.SEND: lambda: services.send(user, found, given.get("days")),
        Act.ANSWER: lambda: services.answer(
            user, found, cause=given["cause"], measures=given["measures"], by_date=given["by_date"],
            target=given.get("target", ""), files=files,
        ),
        Act.WITHDRAW: lambda: services.withdraw(user, found, reason),
        Act.RETURN: lambda: services.return_answer(user, found, reason, given.get("days")),
        Act.ACCEPT: lambda: services.accept(user, found, reason),
        Act.INQUIRE: lambda: services.inquire(user, found, reason, given["until"], files),
        Act.TALK: lambda: services.talk(user, found, reason, given["held_on"], given["participants"], files),
        Act.EXTEND: lambda: services.extend(user, found, given["until"], reason),
        Act.REPORT: lambda: services.report(user, found, reason),
        Act.CLOSE: lambda: services.close(user, found, reason),
        Act.REOPEN: lambda: services.reopen(user, found, reason),
    }  # fmt: skip
    return acts[act]()


def _wanted(request: HttpRequest, form: Any) -> dict[str, Any]:
    """The form's values with the files stored; everything wrong with either at once."""
    fine = form.is_valid()
    uploads = form.cleaned_data.get("files") or []
    problems = [] if fine else form_problems(form)
    stored: list[StoredFile] = []
    if fine:
        stored = store_all(uploads, request.user, problems)
    elif uploads:
        problems += upload_problems(uploads)
    if problems:
        raise Refused(problems)
    return {**form.cleaned_data, "files": stored}


def store_all(uploads: Sequence[Any], user: Any, problems: list[Problem]) -> list[StoredFile]:
    """Keep the files, or none of them when one cannot be taken."""
    problems += upload_problems(uploads)
    if problems:
        return []
    return [store_evidence(upload, FILES, user) for upload in uploads]
