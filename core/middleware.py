"""Refusals become pages with their reason; a first login leads to the password page before anything else.

Pages that only read may show figures kept in memory (:mod:`core.kept`).
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from core.access import NotAllowed
from core.errors import Refused
from core.kept import reading
from core.texts import plain


class RefusalMiddleware:
    """``NotAllowed`` → 403 with the reason and who can lift it; an uncaught ``Refused`` → 422/409 with its problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NotAllowed):
            return render(request, "errors/403.html", {"reason": exception.denied.reason}, status=403)
        if isinstance(exception, Refused):
            return render(request, "errors/refused.html", {"problems": exception.problems}, status=exception.status)
        return None


class PasswordChangeMiddleware:
    """Somebody who must change the password sees only the page for it, the logout and static files."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.must_change_password:
            allowed = (reverse("core:password"), reverse("core:logout"), "/static/", "/healthz", "/readyz")
            if request.path.startswith("/api/"):
                return HttpResponse(
                    '{"detail": "首次登录须先在网页修改密码。"}', status=403, content_type="application/json"
                )
            if not request.path.startswith(allowed):
                return redirect("core:password")
        return self.get_response(request)


class PlainTextMiddleware:
    """Takes control characters out of what was typed or asked: no workbook, Word file or PostgreSQL text can hold them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.GET = _plain(request.GET)  # type: ignore[assignment]
        if request.method == "POST":
            request.POST = _plain(request.POST)  # type: ignore[assignment]
        return self.get_response(request)


def _plain(given: QueryDict) -> QueryDict:
    if all(value == plain(value) for _name, values in given.lists() for value in values if isinstance(value, str)):
        return given
    cleaned = given.copy()
    for name, values in given.lists():
        cleaned.setlist(name, [plain(value) if isinstance(value, str) else value for value in values])
    return cleaned


class KeptFiguresMiddleware:
    """Opens :func:`core.kept.reading` around requests that change nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not settings.KEEP_FIGURES:
            return self.get_response(request)
        with reading():
            return self.get_response(request)
