"""Middleware of the whole site: one log line per request, and a session that slides without a write per request."""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

SECONDS_BETWEEN_TOUCHES = 60

_log = structlog.get_logger("site.request")
_QUIET = ("/static/", "/healthz", "/readyz")

_GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLogMiddleware:
    """Method, path, status, milliseconds and user number of each request; never a query string or a name."""

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        if not request.path.startswith(_QUIET):
            _log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000),
                user=getattr(getattr(request, "user", None), "pk", None),
            )
        return response


class SlidingSessionMiddleware:
    """Extends the session of a person at work at most once a minute: a write per request would queue on SQLite.

    A page that only polls the progress of a job sends ``X-Background`` and does not keep an unattended session alive.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        session = request.session
        if session.session_key and not request.headers.get("X-Background"):
            now = int(time.time())
            if now - session.get("seen_at", now if session.is_empty() else 0) >= SECONDS_BETWEEN_TOUCHES:
                session["seen_at"] = now
        return self.get_response(request)
