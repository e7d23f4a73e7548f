"""Cases as lists show them: filtered, sorted, counted, with what was found and the nearest limit. Scope is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from audits.access import reads_audits
from audits.models import Case, CaseOfficer, Deadline, FindingLine, Lead, Track
from audits.models.cases import CaseQuerySet
from audits.reading.sorting import sorted_queryset
from audits.states import IN_FORCE_TRACKS, OPEN_CASES, CaseState, TrackState
from core.fields import MoneyField

OPEN, WAITING, SUSPENDED = "open", "waiting", "suspended"
"""States of the filter beside those a case can be in."""
PARTY_LIMITS = ("statement", "hearing_request", "repayment", "fine_payment")
"""The limits a party has to keep, and the only ones it sees."""
SORTS: dict[str, Sequence[str]] = {
    "number": ("filed_on", "pk"), "party": ("party_name",), "kind": ("kind",), "county": ("county__code",), "found": ("found",),
    "state": ("state",), "due": ("due",), "filed": ("filed_on",),
}  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """How many cases of a selection are in each state, stand still or are late; the yuan found in the open ones."""

    states: Mapping[str, int]
    suspended: int
    overdue: int
    found: Decimal

    @property
    def open(self) -> int:
        return sum(number for state, number in self.states.items() if state in OPEN_CASES)


def chosen(user: Any, wanted: Mapping[str, Any], sort: str = "") -> CaseQuerySet:
    """The cases of a filter with ``found`` (yuan), ``due`` and ``due_key``; open ones with the nearest limit first."""
    rows: CaseQuerySet = Case.objects.visible_to(user).with_places()
    inside = reads_audits(user)
    state = wanted.get("state") or ""
    if state == OPEN:
        rows = rows.open()
    elif state == WAITING:
        rows = rows.filter(waiting_of(user))
    elif state == SUSPENDED:
        rows = rows.filter(suspended_on__isnull=False)
    elif state:
        rows = rows.filter(state=state)
    if wanted.get("track"):
        rows = rows.filter(Exists(_tracks(wanted["track"])))
    if wanted.get("kind"):
        rows = rows.filter(kind=wanted["kind"])
    if wanted.get("county"):
        rows = rows.filter(county__code=wanted["county"])
    if wanted.get("source") and inside:
        rows = rows.filter(Exists(Lead.objects.filter(case=OuterRef("pk"), source=wanted["source"])))
    if wanted.get("overdue"):
        rows = rows.filter(Exists(late_limits(inside)))
    if wanted.get("mine") and inside:
        rows = rows.filter(pk__in=CaseOfficer.objects.filter(user=user, until__isnull=True).values("case_id"))
    for word in (wanted.get("q") or "").split():
        rows = rows.filter(words(word))
    nearest = _limits(inside).filter(paused_on__isnull=True).order_by("last", "pk")
    rows = rows.annotate(
        found=found_yuan(),
        due=Subquery(nearest.values("last")[:1]),
        due_key=Subquery(nearest.values("key")[:1]),
        shut=~Q(state__in=OPEN_CASES),
    ).order_by("shut", F("due").asc(nulls_last=True), "-filed_on", "-pk")
    return sorted_queryset(rows, sort, SORTS).prefetch_related(  # type: ignore[no-any-return]
        Prefetch("tracks", Track.objects.order_by("kind")),
        Prefetch("officers", CaseOfficer.objects.filter(until__isnull=True).select_related("user").order_by("-leads", "pk")),
        Prefetch("leads", Lead.objects.order_by("received_on", "pk")),
    )


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
    """Which cases ask something of the user's posts, on the case or on one of its tracks."""
    from audits.todos_cases import asks

    asked = Q(pk__in=[])
    for ask in asks(user):
        asked |= Q(pk__in=ask.rows.order_by().values("pk" if ask.rows.model is Case else "case_id"))
    return asked


def tally(rows: CaseQuerySet, inside: bool) -> Tally:
    """Counts of a selection; three queries."""
    plain = Case.objects.filter(pk__in=rows.order_by().values("pk")).order_by()
    states = dict(plain.values_list("state").annotate(number=Count("pk")))
    counted = plain.aggregate(
        suspended=Count("pk", filter=Q(suspended_on__isnull=False)), overdue=Count("pk", filter=Exists(late_limits(inside)))
    )
    lines = FindingLine.objects.kept().filter(finding__case__in=plain.filter(state__in=OPEN_CASES))
    total = lines.aggregate(total=Coalesce(Sum("amount"), 0, output_field=MoneyField()))["total"]
    return Tally(states, counted["suspended"], counted["overdue"], total)


def decided_of(case: Case) -> tuple[Decimal | None, Decimal | None]:
    """(fund yuan, fine) of the decisions in force; None before any. Reads prefetched tracks."""
    tracks = [track for track in case.tracks.all() if track.state in IN_FORCE_TRACKS]
    amounts = [track.decided_amount for track in tracks if track.holds_money and track.decided_amount is not None]
    fines = [track.fine for track in tracks if track.fine is not None]
    return (sum(amounts, Decimal(0)) if amounts else None), (sum(fines, Decimal(0)) if fines else None)


def told_tracks(tracks: Sequence[Track]) -> list[Track]:
    """Those a party was told of."""
    return [track for track in tracks if track.notified_on is not None]


def told_state(track: Track) -> tuple[str, str]:
    """(words, tone) of a track's state as its party may know it: the bureau's own steps are one."""
    if track.state in (TrackState.NOTIFIED, TrackState.HEARING, TrackState.SERVED, TrackState.DONE, TrackState.DROPPED):
        return track.get_state_display(), track.tone
    return ("医保局重新拟定", "run") if track.state == TrackState.TO_NOTIFY else ("医保局审核中", "run")


def told_case_state(case: Case) -> tuple[str, str]:
    """(words, tone) of a case's state as its party may know it."""
    return case.get_state_display() if case.state in (CaseState.CLOSED, CaseState.DISMISSED) else "处理中", case.tone


def found_yuan() -> Coalesce:
    """The kept lines of the outer case added up."""
    lines = FindingLine.objects.kept().filter(finding__case=OuterRef("pk")).order_by()
    total = lines.values("finding__case").annotate(total=Sum("amount")).values("total")
    return Coalesce(Subquery(total, output_field=MoneyField()), 0, output_field=MoneyField())


def late_limits(inside: bool) -> QuerySet[Any]:
    """Running limits of the outer case that passed and do not stand still."""
    return _limits(inside).filter(paused_on__isnull=True, last__lt=timezone.localdate())


def _limits(inside: bool) -> QuerySet[Any]:
    rows = Deadline.objects.filter(case=OuterRef("pk"), ended_on__isnull=True).annotate(last=Coalesce("extended_to", "due_on"))
    return rows if inside else rows.filter(key__in=PARTY_LIMITS)


def _tracks(asked: str) -> QuerySet[Track]:
    """``agreement`` or ``agreement-notified``."""
    kind, _dash, state = asked.partition("-")
    rows = Track.objects.filter(case=OuterRef("pk"), kind=kind)
    return rows.filter(state=state) if state else rows
