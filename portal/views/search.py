"""The search of the band: what every app offers for a text, grouped by kind."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.reading.search import found_for


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:60]
    groups = found_for(request.user, text) if text else []
    context = {"q": text, "groups": groups, "count": sum(len(hits) for _kind, hits in groups)}
    return render(request, "portal/search.html", context)
