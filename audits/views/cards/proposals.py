"""The cards 协议处理意见 and 处罚幅度试算: what is proposed on each track, the legal range, and the form to propose."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from audits.access import reads_audits
from audits.models import Case, Track
from audits.reading.penalties import LegalRange, penalty_problems, range_of
from audits.registries import Card
from audits.states import Act, TrackKind, TrackState
from audits.views.money_panel import act_forms, opened_name
from rules.money import round_rate
from rules.penalties import FACT_BY_KEY, GRADE_BY_KEY


def measures_card(request: Any, case: Case, opened: str, form: Any) -> Card | None:
    """What the agency proposes or decided under the agreement."""
    track = _seen(request, case, TrackKind.AGREEMENT)
    if track is None:
        return None
    acts = act_forms(request.user, track, (Act.PROPOSE,), opened, form)
    if track.proposed_at is None and not acts:
        return None
    return Card("audits/cards/proposals.html", {"proposal_track": track, "proposal": track.measures, "proposal_acts": acts})


def penalty_card(request: Any, case: Case, opened: str, form: Any) -> Card | None:
    """The fine calculator of a case: loss, legal range, what was chosen, what it then needs."""
    track = _seen(request, case, TrackKind.PENALTY)
    if track is None:
        return None
    acts = act_forms(request.user, track, (Act.PROPOSE,), opened, form)
    worker = reads_audits(request.user)
    live = range_of(track) if worker and track.state not in (TrackState.SERVED, TrackState.DONE, TrackState.DROPPED) else None
    if not worker and track.proposed_at is None:
        return None
    frozen = track.penalty
    context = {
        "penalty_track": track,
        "penalty": frozen,
        "penalty_live": live,
        "penalty_loss": _decimal(frozen.get("loss")) if frozen else live.loss if live else None,
        "penalty_span": _span(frozen, live),
        "penalty_multiple": multiple_of(track.fine, _decimal(frozen.get("loss"))),
        "penalty_bounds": _bounds(live),
        "penalty_grade": GRADE_BY_KEY[track.grade].label if track.grade in GRADE_BY_KEY else "",
        "penalty_facts": [FACT_BY_KEY[key].label for key in frozen.get("facts", ()) if key in FACT_BY_KEY],
        "penalty_stale": penalty_problems(track) if worker and live is not None else [],
        "penalty_acts": acts,
        "penalty_target": f"{opened_name(track, Act.PROPOSE)}-fine",
        "penalty_worker": worker,
    }
    return Card("audits/cards/penalty.html", context)


def multiple_of(fine: Decimal | None, loss: Decimal | None) -> Decimal | None:
    """How many times the loss a fine is, to four decimals; None without a loss."""
    return round_rate(fine / loss) if fine is not None and loss else None


def _seen(request: Any, case: Case, kind: str) -> Track | None:
    """The track the reader may see: a party only after its notice was served."""
    track = case.tracks.filter(kind=kind).first()
    if track is None:
        return None
    track.case = case
    told = track.notified_on is not None and track.state != TrackState.TO_NOTIFY
    return track if told or reads_audits(request.user) else None


def _span(frozen: dict[str, Any], live: LegalRange | None) -> tuple[Decimal | None, Decimal | None] | None:
    """The legal bounds as frozen, else as they are now; the upper None: no limit."""
    if frozen:
        return _decimal(frozen.get("lower")), _decimal(frozen.get("upper"))
    return None if live is None or live.range is None else (live.range.lower, live.range.upper)


def _bounds(live: LegalRange | None) -> dict[str, str] | None:
    """For the slider: loss and bounds in fen, where the fine is a multiple of the loss."""
    if live is None or live.range is None or not live.range.loss or live.range.upper is None:
        return None
    span = live.range
    low, high = multiple_of(span.lower, span.loss), multiple_of(span.upper, span.loss)
    return {"low": str(low), "high": str(high), "fen": str(int(span.loss * 100))}


def _decimal(text: Any) -> Decimal | None:
    return Decimal(text) if text not in (None, "") else None
