"""The card of what the party said on its notices, what it was answered, and its hearings."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from audits.models import Case, Hearing
from audits.reading.lines import is_inside
from audits.reading.statements import reply_of, statements_of
from audits.registries import Card
from audits.services.findings import may_now
from audits.states import Act, TrackState


def card(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """None before the notice: nobody could have said anything."""
    user: Any = request.user
    if case.notified_at is None:
        return None
    hearings = {row.track_id: row for row in Hearing.objects.filter(track__case=case).select_related("host")}
    tracks = []
    inside = is_inside(user, case)
    for track in case.tracks.all():
        if track.notified_on is None and not inside:
            continue
        track.case = case
        waits = track.state == TrackState.NOTIFIED
        tracks.append(
            {
                "track": track,
                "hearing": hearings.get(track.pk),
                "may_state": waits and may_now(user, track, Act.STATE),
                "shows_hearing": track.pk in hearings or track.state == TrackState.HEARING,
            }
        )
    context = {
        "case": case,
        "tracks": tracks,
        "statements": [{"row": row, "reply": reply_of(row)} for row in statements_of(case)],
    }
    return Card("audits/cards/statements.html", context)
