"""Where people and providers stand by their points on a day; the entries a person sees (R-101, R-104).

A person's points follow the national code, so that whoever moved to another provider keeps them. A provider's points are
those entered without a person; the two never mix.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, Sum

from audits.models import Case, Physician, PointEntry, Qualification
from audits.reading.sorting import sorted_queryset
from core.models import Institution
from core.models.places import valid_on
from rules.points import (
    ChosenSuspension,
    PersonnelEntry,
    ProviderEntry,
    ProviderStanding,
    Standing,
    provider_standing,
    standing,
)

COUNTING = ("in_force", "withdrawn")
PERSON, PROVIDER = "person", "provider"
SORTS = {
    "on": ("on",), "institution": ("institution__code",), "points": ("points",), "status": ("status",),
    "subject": ("physician__name", "institution__code"),
}  # fmt: skip
PEOPLE_SORTS = {"code": ("code",), "name": ("name", "code"), "institution": ("institution__code", "code"), "since": ("valid_from",)}


@dataclass(frozen=True)
class Totals:
    """How many entries a list holds and what those in force add up to."""

    count: int
    points: int


def person_standing(code: str, on: date) -> Standing:
    """A person's standing on a day by the national code, over every provider she was at."""
    return person_standings([code], on)[code]


def person_standings(codes: Collection[str], on: date) -> dict[str, Standing]:
    """The standings of many people in three queries."""
    entries: dict[str, list[PersonnelEntry]] = defaultdict(list)
    rows = PointEntry.objects.filter(physician__code__in=codes, status__in=COUNTING).order_by("on", "pk")
    for pk, code, day, points, status in rows.values_list("pk", "physician__code", "on", "points", "status"):
        entries[code].append(PersonnelEntry(day, points, str(pk), status == "withdrawn"))
    suspensions: dict[str, list[ChosenSuspension]] = defaultdict(list)
    decided = Qualification.objects.filter(physician__code__in=codes, kind="suspended", status="approved")
    decided = decided.exclude(lifted_by__status="approved").order_by("from_on", "pk")
    for code, day, months in decided.values_list("physician__code", "from_on", "months"):
        if months is not None:
            suspensions[code].append(ChosenSuspension(day, months))
    registered: dict[str, list[date]] = defaultdict(list)
    for code, day in Physician.objects.filter(code__in=codes).values_list("code", "valid_from"):
        registered[code].append(day)
    return {
        code: standing(
            entries[code], on, suspensions[code], _registered_again(entries[code], suspensions[code], registered[code])
        )
        for code in codes
    }  # fmt: skip


def provider_on(institution: Institution, on: date) -> ProviderStanding:
    """A provider's standing on a day by its own points of that year."""
    return providers_on([institution.pk], on)[institution.pk]


def providers_on(institutions: Collection[int], on: date) -> dict[int, ProviderStanding]:
    """The standings of many providers in one query."""
    entries: dict[int, list[ProviderEntry]] = defaultdict(list)
    rows = PointEntry.objects.filter(
        institution__in=institutions, physician=None, status__in=COUNTING, on__year=on.year
    ).order_by("on", "pk")
    for pk, institution, day, points, status in rows.values_list("pk", "institution", "on", "points", "status"):
        entries[institution].append(ProviderEntry(day, points, str(pk), status == "withdrawn"))
    return {institution: provider_standing(entries[institution], on) for institution in institutions}


def in_effect(codes: Collection[str], on: date) -> dict[str, Qualification]:
    """The decided suspension or end that holds on a day, by the person's code; the later day of return wins."""
    rows = Qualification.objects.filter(
        Q(until__isnull=True) | Q(until__gte=on), physician__code__in=codes, kind__in=["suspended", "ended"], status="approved",
        from_on__lte=on,
    ).exclude(lifted_by__status="approved")  # fmt: skip
    return {row.physician.code: row for row in rows.select_related("physician").order_by("until", "pk")}


def chosen(user: Any, wanted: Mapping[str, Any], sort: str = "") -> Any:
    """The entries of a filter the person sees, newest first."""
    rows = PointEntry.objects.visible_to(user).select_related("institution__county", "physician", "case", "proposed_by", "decided_by")
    if wanted.get("subject") in (PERSON, PROVIDER):
        rows = rows.filter(physician__isnull=wanted["subject"] == PROVIDER)
    if wanted.get("county"):
        rows = rows.filter(institution__county__code=wanted["county"])
    if wanted.get("year"):
        rows = rows.filter(on__year=wanted["year"])
    if wanted.get("status"):
        rows = rows.filter(status=wanted["status"])
    for word in str(wanted.get("q") or "").split():
        rows = rows.filter(
            Q(institution__name__icontains=word) | Q(physician__name__icontains=word) | Q(physician__code__icontains=word)
            | Q(severity__icontains=word) | Q(case__number__icontains=word)
        )  # fmt: skip
    return sorted_queryset(rows, sort, SORTS)


def totals(rows: Any) -> Totals:
    """Of a filtered list: its length and the points in force."""
    told = rows.order_by().filter(status="in_force").aggregate(points=Sum("points"))
    return Totals(rows.count(), told["points"] or 0)


def people(user: Any, wanted: Mapping[str, Any], on: date, sort: str = "") -> Any:
    """The people of a filter the person sees, those registered today first unless others are asked for."""
    rows = Physician.objects.visible_to(user).select_related("institution__county__pooling_area")
    if wanted.get("county"):
        rows = rows.filter(institution__county__code=wanted["county"])
    if wanted.get("kind"):
        rows = rows.filter(kind=wanted["kind"])
    if wanted.get("held") == "ended":
        rows = rows.filter(valid_to__lt=on)
    elif wanted.get("held") != "all":
        rows = rows.filter(valid_on(on))
    if wanted.get("qualification"):
        held = Qualification.objects.filter(
            Q(until__isnull=True) | Q(until__gte=on), kind=wanted["qualification"], status="approved", from_on__lte=on
        ).exclude(lifted_by__status="approved")
        rows = rows.filter(code__in=held.values("physician__code"))
    for word in str(wanted.get("q") or "").split():
        rows = rows.filter(Q(name__icontains=word) | Q(code__icontains=word) | Q(institution__name__icontains=word))
    return sorted_queryset(rows, sort, PEOPLE_SORTS)


def of_case(user: Any, case: Case) -> list[PointEntry]:
    """The entries made from a case that the person sees."""
    rows = PointEntry.objects.visible_to(user).filter(case=case)
    return list(rows.select_related("institution", "physician", "proposed_by", "decided_by").order_by("pk"))


def _registered_again(
    entries: Sequence[PersonnelEntry], suspensions: Sequence[ChosenSuspension], days: Sequence[date]
) -> date | None:
    """The newest registration that lawfully began a new time after an end; a mere move is none."""
    if not entries:
        return None
    for day in sorted(days, reverse=True):
        again = standing(entries, day - timedelta(days=1), suspensions).may_register_from
        if again is not None and day >= again:
            return day
    return None
