"""What the search finds beyond each app's own source: places inside the person's scope, and the handbook."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from claims.reading import finding_codes
from core.models import Alliance, County, Institution, Membership
from core.registries import SearchHit, search_sources
from portal import handbook
from portal.reading.access import overview_alliances

PER_KIND = 20


def found_for(user: Any, text: str) -> list[tuple[str, list[SearchHit]]]:
    """Hits by kind in the order of the sources; a source's name stands in where a hit names no kind."""
    groups: dict[str, list[SearchHit]] = {}
    for name, source in search_sources:
        for hit in source(user, text):
            group = groups.setdefault(hit.kind or name, [])
            if len(group) < PER_KIND:
                group.append(hit)
    return list(groups.items())


def places(user: Any, text: str) -> list[SearchHit]:
    """Counties, alliances and their members by name or code, leading to the overview."""
    by_text = Q(name__icontains=text) | Q(code__iexact=text)
    readable = {alliance.pk: alliance for alliance in overview_alliances(user)}
    hits: list[SearchHit] = []
    if readable:
        hits += [
            SearchHit(county.name, reverse("portal:county", args=[county.code]), "县（区）")
            for county in County.objects.visible_to(user).filter(by_text)[:PER_KIND]
        ]
    hits += [
        SearchHit(alliance.name, reverse("portal:alliance", args=[alliance.code]), "医共体")
        for alliance in Alliance.objects.visible_to(user).filter(by_text, pk__in=readable)[:PER_KIND]
    ]
    return hits + _institutions(user, by_text, readable)


def handbook_pages(user: Any, text: str) -> list[SearchHit]:
    """Written pages, error codes, formulas and terms that name the text."""
    wanted = text.lower()
    hits = [
        SearchHit(f"{topic.title}：{topic.summary}", reverse("portal:help-topic", args=[topic.slug]), "帮助")
        for topic in handbook.TOPICS
        if wanted in f"{topic.title}{topic.summary}".lower()
    ]
    hits += [
        SearchHit(f"{code.code} {code.title}", f"{reverse('portal:help-codes')}#{code.code}", "错误代码")
        for code in finding_codes()
        if wanted in f"{code.code}{code.title}".lower()
    ]
    hits += [
        SearchHit(formula.title, f"{reverse('portal:help-formulas')}#{formula.anchor}", "公式与条款")
        for formula in handbook.formulas()
        if wanted in formula.title.lower() or any(wanted in step.clause.lower() for step in formula.trace)
    ]
    hits += [
        SearchHit(f"{term.chinese}（{term.identifier}）", f"{reverse('portal:help-glossary')}?q={text}", "术语")
        for term in handbook.glossary()
        if wanted in term.chinese.lower() or wanted in term.identifier.lower()
    ]
    return hits


def _institutions(user: Any, by_text: Q, readable: dict[int, Alliance]) -> list[SearchHit]:
    """Institutions with the alliance they belong to today; others stand without a link."""
    found = list(Institution.objects.visible_to(user).filter(by_text).select_related("county")[:PER_KIND])
    today = timezone.localdate()
    belongs = dict(
        Membership.objects.on(today).filter(institution__in=found).values_list("institution_id", "alliance_id")
    )
    hits = []
    for institution in found:
        alliance = readable.get(belongs.get(institution.pk, 0))
        url = f"{reverse('portal:alliance', args=[alliance.code])}#members" if alliance else ""
        hits.append(SearchHit(f"{institution.name}（{institution.code}）", url, "机构"))
    return hits
