"""Leads as lists show them: filtered, sorted, counted; who waits for whom; where a lead came from. Scope is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from audits.models import Case, Lead, PartyKind
from audits.models.leads import LeadQuerySet
from audits.reading.sorting import sorted_queryset
from audits.registries import Origin, lead_origins
from audits.states import OPEN_CASES, OPEN_LEADS, LeadState
from core.access import has_any_role
from core.models import Role
from core.scope import scope_of
from core.subjects import subject_of

OPEN, WAITING = "open", "waiting"
"""States of the filter beside those a lead can be in."""
SORTS: dict[str, Sequence[str]] = {
    "number": ("county__code", "pk"), "source": ("source",), "party": ("party_name",), "estimate": ("estimate",),
    "state": ("state",), "due": ("due_on",), "received": ("received_on",),
}  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """How many leads of a selection are in each state; overdue ones, those nobody checks yet, and the yuan in question."""

    states: Mapping[str, int]
    overdue: int
    estimate: Decimal

    @property
    def open(self) -> int:
        return sum(number for state, number in self.states.items() if state in OPEN_LEADS)


def chosen(user: Any, wanted: Mapping[str, Any], sort: str = "") -> LeadQuerySet:
    """The leads of a filter, sorted; open ones with the nearest limit first unless another order is asked for."""
    found: LeadQuerySet = Lead.objects.visible_to(user).with_places()
    state = wanted.get("state") or ""
    if state == OPEN:
        found = found.open()
    elif state == WAITING:
        found = found.filter(waiting_of(user))
    elif state:
        found = found.filter(state=state)
    if wanted.get("source"):
        found = found.filter(source=wanted["source"])
    if wanted.get("county"):
        found = found.filter(county__code=wanted["county"])
    if wanted.get("overdue"):
        found = found.open().filter(due_on__lt=timezone.localdate())
    if wanted.get("mine"):
        found = found.filter(assigned_to=user)
    for word in (wanted.get("q") or "").split():
        found = found.filter(words(word))
    shut = found.annotate(shut=Q(state__in=[state for state in LeadState if state not in OPEN_LEADS]))
    return sorted_queryset(shut.order_by("shut", "due_on", "-pk"), sort, SORTS)  # type: ignore[no-any-return]


def words(word: str) -> Q:
    """Number, cause, party or place."""
    return (
        Q(number__icontains=word)
        | Q(title__icontains=word)
        | Q(party_name__icontains=word)
        | Q(institution__name__icontains=word)
        | Q(county__name__icontains=word)
    )


def waiting_of(user: Any) -> Q:
    """Which leads wait for one of the user's posts: mine to check, new ones to assign, others' proposals to decide."""
    asked = Q(pk__in=[])
    if has_any_role(user, {Role.AUDITOR}):
        asked |= Q(state=LeadState.ASSIGNED, assigned_to=user)
    if has_any_role(user, {Role.AUDIT_REVIEWER}):
        mine = scope_of(user, frozenset({Role.AUDIT_REVIEWER}))
        near = Q(pooling_area__in=mine.pooling_area) | Q(county__in=mine.county)
        asked |= near & (Q(state=LeadState.NEW) | (Q(state=LeadState.PROPOSED) & ~Q(proposed_by=user)))
    return asked


def tally(found: LeadQuerySet) -> Tally:
    """Counts of a selection: two queries."""
    plain = found.order_by()
    states = dict(plain.values_list("state").annotate(number=Count("pk")))
    late = plain.filter(state__in=OPEN_LEADS).aggregate(
        overdue=Count("pk", filter=Q(due_on__lt=timezone.localdate())), estimate=Sum("estimate")
    )
    return Tally(states, late["overdue"], late["estimate"] or Decimal(0))


def origin_of(lead: Lead) -> Origin | None:
    """What the lead came from and its page; a registered origin tells it in its own words."""
    if not lead.origin_key:
        return None
    show = lead_origins.get(lead.origin_type)
    if show is not None:
        return show(lead.origin_key)
    subject = subject_of(lead.origin_type, lead.origin_key)
    return Origin(f"{subject.kind} {subject.label}", subject.url) if subject else None


def merge_targets(user: Any, lead: Lead) -> tuple[list[Lead], list[Case]]:
    """Other open leads and open cases of the same party the user sees."""
    about = _about(lead)
    leads = Lead.objects.visible_to(user).filter(about, state__in=OPEN_LEADS).exclude(pk=lead.pk).order_by("pk")
    cases = Case.objects.visible_to(user).filter(about, state__in=OPEN_CASES).order_by("pk")
    return list(leads[:50]), list(cases[:50])


def _about(lead: Lead) -> Q:
    same = Q(pooling_area=lead.pooling_area_id, party_kind=lead.party_kind)
    if lead.party_kind == PartyKind.PROVIDER:
        return same & Q(institution=lead.institution_id)
    if lead.party_code:
        return same & Q(party_code=lead.party_code)
    return same & Q(institution=lead.institution_id, county=lead.county_id, party_name=lead.party_name)
