"""帮助: written pages, error codes, formulas and glossary."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.reading import handbook as audit_texts
from claims.reading import finding_codes
from core.errors import Refused
from core.models import Alliance, County, Institution, PoolingArea
from core.models.places import pooling_area_of
from core.policies import scheme_in_force
from monitoring.reading.indicator_text import indicator_texts
from portal import handbook
from rules.scheme import Scheme, load_scheme
from submissions.reading.handbook import check_codes, row_texts, table_for


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/help/index.html", {"topics": handbook.TOPICS})


@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    found = handbook.BY_SLUG.get(slug)
    if found is None:
        raise Http404("没有这一页帮助。")
    return render(request, found.template, {"topic": found, "topics": handbook.TOPICS})


@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """Every finding of the claims import and of the quarterly tables, as the rules declare them."""
    context = {
        "codes": finding_codes(),
        "quarterly_codes": check_codes(),
        "topics": handbook.TOPICS,
        "here": "codes",
    }
    return render(request, "portal/help/codes.html", context)


@require_safe
def rows(request: HttpRequest) -> HttpResponse:
    """How to fill each row of the quarterly table in force at the person's place."""
    areas = [pooling_area_of(grant.place) for grant in request.user.grants_on(timezone.localdate())]  # type: ignore[union-attr]
    table = table_for(next((area for area in areas if area is not None), None))
    context = {"table": table, "rows": row_texts(table), "topics": handbook.TOPICS, "here": "rows"}
    return render(request, "portal/help/rows.html", context)


@require_safe
def formulas(request: HttpRequest) -> HttpResponse:
    """Every formula under the scheme in force at the person's place, else the shipped one."""
    scheme, adopted = _scheme(request.user)
    context = {
        "formulas": handbook.formulas(scheme),
        "indicators": indicator_texts(),
        "method": handbook.projection_method(),
        "scheme": scheme,
        "adopted": adopted,
        "parameters": scheme.parameters(),
        "topics": handbook.TOPICS,
        "here": "formulas",
    }
    return render(request, "portal/help/formulas.html", context)


@require_safe
def audits(request: HttpRequest) -> HttpResponse:
    """The state table of leads, cases and tracks, limits and thresholds at the person's place, acts, penalties, points."""
    today = timezone.localdate()
    place = next((grant.place for grant in request.user.grants_on(today)), None)  # type: ignore[union-attr]
    context = {
        "topic": handbook.BY_SLUG["audits"],
        "tables": audit_texts.tables(),
        "limits": audit_texts.limits_at(place, today),
        "thresholds": audit_texts.thresholds_at(place, today),
        "offences": audit_texts.offences(),
        "schemes": audit_texts.schemes(),
        "place": place,
        "topics": handbook.TOPICS,
    }
    return render(request, "portal/help/audits.html", context)


@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    terms = [
        term
        for term in handbook.glossary()
        if not text or text.lower() in f"{term.chinese} {term.identifier} {term.definition}".lower()
    ]
    return render(
        request, "portal/help/glossary.html", {"terms": terms, "q": text, "topics": handbook.TOPICS, "here": "glossary"}
    )


def _scheme(user: Any) -> tuple[Scheme, bool]:
    today = timezone.localdate()
    for grant in user.grants_on(today):
        place: PoolingArea | County | Alliance | Institution = grant.place
        area = pooling_area_of(place)
        if area is not None:
            try:
                return scheme_in_force(area, today).scheme, True
            except Refused:
                continue
    return load_scheme(), False
