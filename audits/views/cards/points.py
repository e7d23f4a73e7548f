"""The card 协议记分 of a case's page: what was proposed and approved from it, and proposing more once it is decided."""

from __future__ import annotations

from typing import Any

from audits.models import Case
from audits.reading import points as reading
from audits.registries import Card
from audits.services.points import DECIDED_TRACKS, PROPOSE
from audits.states import TrackKind
from core.access import may


def points_card(request: Any, case: Case, opened: str, form: Any) -> Card | None:
    """None for a party that is no provider, and while there is nothing to show or do."""
    if case.institution is None:
        return None
    entries = reading.of_case(request.user, case)
    track = case.tracks.filter(kind=TrackKind.AGREEMENT, state__in=DECIDED_TRACKS).first()
    may_propose = track is not None and bool(may(request.user, PROPOSE, case.institution))
    if not entries and not may_propose:
        return None
    context = {
        "entries": entries, "may_propose": may_propose, "decided_points": (track.measures.get("points") or 0) if track else 0,
        "given": sum(entry.points for entry in entries if entry.status in ("proposed", "in_force")),
    }  # fmt: skip
    return Card("audits/cards/points.html", context)
