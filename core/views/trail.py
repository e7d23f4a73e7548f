"""The trail a user may see, and her own notices."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.models import TrailEvent
from core.notices import mark_all_read
from core.trail import action_text


def trail_list(request: HttpRequest) -> HttpResponse:
    events = TrailEvent.objects.visible_to(request.user)
    text = request.GET.get("q", "").strip()
    if text:
        events = events.filter(summary__icontains=text)
    page = Paginator(events, 50).get_page(request.GET.get("page"))
    rows = [{"event": event, "action": action_text(event.action)} for event in page]
    return render(request, "core/trail.html", {"page": page, "rows": rows, "q": text})


def notice_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(request.user.notices.all(), 50).get_page(request.GET.get("page"))  # type: ignore[union-attr]
    notices = list(page)
    if request.method == "POST":
        mark_all_read(request.user)  # type: ignore[arg-type]
    return render(request, "core/notices.html", {"page": page, "notices": notices})
