"""Acts on a version from its page: explain, file, withdraw, return, accept; failures keep everything that was typed.

A lost session leads through the login back to these addresses with a GET: they answer with the page, where the browser
puts back what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.access import require
from core.errors import Refused
from core.texts import whole
from submissions import services
from submissions.models import Submission
from submissions.states import Act, action_name
from submissions.views.finding import find_version
from submissions.views.version import version_page

FIELD = "text-"
DONE = {
    Act.FILE: "已报送，待医保局受理",
    Act.WITHDRAW: "已撤回，可以修改后重新报送",
    Act.RETURN: "已退回医共体",
    Act.ACCEPT: "已受理，并已与系统数据对账",
}


def explain(request: HttpRequest, pk: int) -> HttpResponse:
    """Save every explanation of the page with one button."""
    found = find_version(request, pk)
    if request.method != "POST":
        return redirect("submissions:version", pk)
    require(request.user, action_name(Act.EXPLAIN), found.alliance)  # type: ignore[arg-type]
    texts = typed_texts(request)
    try:
        services.explain(request.user, found, texts)  # type: ignore[arg-type]
    except Refused as refusal:
        return version_page(request, find_version(request, pk), refusal, typed=texts)
    messages.success(request, "说明已保存。")
    return redirect("submissions:version", pk)


def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do one act of the transition table, named in the address. Filing saves what was typed first."""
    found = find_version(request, pk)
    if request.method != "POST":
        return redirect("submissions:version", pk)
    user: Any = request.user
    reason = request.POST.get("reason", "")
    texts = typed_texts(request)
    acts: dict[str, Callable[[], object]] = {
        Act.FILE: lambda: _file(user, found, texts),
        Act.WITHDRAW: lambda: services.withdraw(user, found, reason),
        Act.RETURN: lambda: services.return_submission(user, found, reason),
        Act.ACCEPT: lambda: services.accept(user, found),
    }
    if act not in acts:
        raise Http404("没有这种办理。")
    require(user, action_name(act), found.alliance)
    try:
        acts[act]()
    except Refused as refusal:
        return version_page(request, find_version(request, pk), refusal, act, texts)
    messages.success(request, f"{DONE[Act(act)]}：{found.assignment} 第 {found.number} 版。")
    return redirect("submissions:version", pk)


def _file(user: Any, found: Submission, texts: dict[int, str]) -> None:
    if texts:
        services.explain(user, found, texts)
        found = Submission.objects.with_places().get(pk=found.pk)
    services.file(user, found)


def typed_texts(request: HttpRequest) -> dict[int, str]:
    """The explanations that were posted, by finding."""
    return {
        int(name.removeprefix(FIELD)): request.POST.get(name, "")
        for name in request.POST
        if name.startswith(FIELD) and whole(name.removeprefix(FIELD)) is not None
    }
