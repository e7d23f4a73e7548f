"""One case: its steps and limits, both tracks, reviews side by side, the cards of every part, what happened, what comes next.

A party opens the same address and sees what it was told, until when it may speak, decisions and money due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audits.access import reads_audits
from audits.models import Case, CaseChange, Track
from audits.reading.case_limits import LimitRow, limit_rows, newest
from audits.reading.cases import PARTY_LIMITS, told_case_state, told_state, told_tracks
from audits.reading.findings import sums
from audits.reading.money import outstanding
from audits.registries import Card, case_cards
from audits.services.deadlines import DECISION
from audits.states import IN_FORCE_TRACKS, Act, TrackState
from audits.views import case_steps
from audits.views.case_panel import anchor_of, panel_of
from core.access import Denied, NotAllowed
from core.errors import Refused
from core.exports import attachment
from core.scope import get_visible
from core.trail import head_hash

FILES = "audit_case"
BESIDE_PANEL = ("money", "measures", "penalty")
BELOW_REVIEWS = ("evidence",)
"""Cards that stand beside the panel, above and below the reviews; the others have the whole width, in their order."""
BAD_ACTS = (
    Act.RETURN_FIRST, Act.RETURN_RE, Act.RETURN_LEGAL, Act.DISMISS, Act.DROP, Act.SUSPEND, Act.ESCALATE, Act.TAKE_BACK,
)  # fmt: skip
PARTY_ACTS = {
    Act.NOTIFY: "告知书送达", Act.STATE: "提出意见", Act.ASK_HEARING: "申请听证", Act.ANNOUNCE: "通知听证",
    Act.HOLD_HEARING: "举行听证", Act.REPLY: "医保局答复意见", Act.SERVE: "决定书送达", Act.RECEIVE: "退回基金",
    Act.DEDUCT: "转清算扣减", Act.PAY_FINE: "罚款缴库", Act.REMEDY: "复议诉讼", Act.COMPLETE: "履行完毕", Act.CLOSE: "结案",
}  # fmt: skip
"""What a party reads of the course of its case: that it happened and when, not what the bureau noted."""


@dataclass(frozen=True)
class Shown:
    """A card of another part with where it stands in the page."""

    anchor: str
    card: Card


@dataclass(frozen=True)
class Review:
    """One review: by whom, when, and what stood after it in yuan; ``less`` than the review before."""

    label: str
    who: str
    when: Any
    amount: Decimal | None
    less: Decimal
    text: str


@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    return case_page(request, find_case(request, pk))


def find_case(request: HttpRequest, pk: int) -> Case:
    rows = Case.objects.with_places().select_related("opened_by", "approved_by", "first_reviewed_by", "closed_by")
    found: Case = get_visible(rows, request.user, pk=pk)
    return found


def case_page(
    request: HttpRequest, case: Case, refusal: Refused | None = None, opened: str = "", form: Any = None
) -> HttpResponse:
    """The page; after a refusal with its problems, the act's form open and what was typed in it."""
    user: Any = request.user
    today, inside = timezone.localdate(), reads_audits(user)
    tracks = list(case.tracks.select_related("proposed_by", "re_reviewed_by", "legal_by", "decided_by").order_by("kind"))
    for track in tracks:
        track.case = case
    changes = list(case.changes.select_related("actor", "track").prefetch_related("files").order_by("pk"))
    limits = limit_rows(case, list(case.deadlines.select_related("track").order_by("pk")), today)
    context: dict[str, Any] = {
        "case": case, "inside": inside, "today": today, "problems": refusal.problems if refusal else [],
        "trail_head": head_hash(case.at),
    }  # fmt: skip
    names = _cards(request, case, opened, form, context)
    seen = tracks if inside else told_tracks(tracks)
    total = sums(case).total
    context |= _inside(case, tracks, changes, limits) if inside else _told(case, seen, changes, limits)
    context["panel"] = panel_of(user, case, seen, total, frozenset(names), opened, form)
    return render(request, "audits/case.html", context, status=refusal.status if refusal else 200)


@require_GET
def change_file(request: HttpRequest, pk: int, change: int, file: int) -> FileResponse:
    """A file that was handed in with an act; the party has its own in its statements and documents."""
    found = find_case(request, pk)
    if not reads_audits(request.user):
        raise NotAllowed(Denied("办理附件只供医保局岗位查看。您提交的材料在“陈述申辩”中，送达的文书在“文书”中。"))
    row = found.changes.filter(pk=change).first()
    return attachment(row.files.filter(pk=file).first() if row is not None else None)


def _cards(request: HttpRequest, case: Case, opened: str, form: Any, context: dict[str, Any]) -> list[str]:
    """Put the cards of every part into the context, by where they stand; their names."""
    beside_panel, below_reviews, wide = list[Shown](), list[Shown](), list[Shown]()
    names = []
    for name, make in case_cards:
        made = make(request, case, opened, form)
        if made is None:
            continue
        names.append(name)
        row = beside_panel if name in BESIDE_PANEL else below_reviews if name in BELOW_REVIEWS else wide
        row.append(Shown(anchor_of(name), made))
    context |= {"cards_panel": beside_panel, "cards_below": below_reviews, "cards_wide": wide}
    return names


def _inside(
    case: Case, tracks: Sequence[Track], changes: Sequence[CaseChange], limits: Sequence[LimitRow]
) -> dict[str, Any]:
    leads = list(case.leads.order_by("received_on", "pk"))
    officers = list(case.officers.select_related("user").order_by("-leads", "pk"))
    return {
        "state_text": case.get_state_display(), "state_tone": case.tone,
        "steps": case_steps.case_steps(case, leads, tracks, changes, limits),
        "lanes": case_steps.lanes(tracks, changes, limits),
        "decision_limit": newest(limits, DECISION),
        "unconfirmed": any(not one.confirmed for one in limits if one.is_running),
        "limits": limits, "leads": leads,
        "officers": [row for row in officers if row.until is None], "former_officers": [row for row in officers if row.until],
        "reviews": _reviews(case, tracks, changes),
        "events": [_event(change) for change in changes],
    }  # fmt: skip


def _told(case: Case, tracks: Sequence[Track], changes: Sequence[CaseChange], limits: Sequence[LimitRow]) -> dict[str, Any]:
    text, tone = told_case_state(case)
    told = {track.pk for track in tracks}
    return {
        "state_text": text, "state_tone": tone,
        "notices": [_notice(track, changes, limits) for track in tracks],
        "events": [
            {"label": _told_label(one), "state": "done", "when": one.at, "text": ""}
            for one in changes
            if one.act in PARTY_ACTS and (one.track_id is None or one.track_id in told)
        ],
    }  # fmt: skip


def _notice(track: Track, changes: Sequence[CaseChange], limits: Sequence[LimitRow]) -> dict[str, Any]:
    """What the party was told on one way, until when it may speak, what was decided and is due."""
    text, tone = told_state(track)
    notice = case_steps.newest_change(changes, (Act.NOTIFY,), track.pk)
    mine = [one for one in limits if one.row.track_id == track.pk and one.row.key in PARTY_LIMITS]
    speak = [one for one in mine if one.row.key in ("statement", "hearing_request") and track.state == TrackState.NOTIFIED]
    served = track if track.state in IN_FORCE_TRACKS else None
    return {
        "track": track, "text": text, "tone": tone, "way": (notice.data or {}).get("way", "") if notice else "",
        "speak": [one for one in speak if one.is_running],
        "can_speak": track.state == TrackState.NOTIFIED and track.case.is_open,
        "served": served, "owed": outstanding(track.case) if served is not None and track.holds_money else None,
        "due": [one for one in mine if one.row.key in ("repayment", "fine_payment")] if served else [],
        "steps": case_steps.party_steps(track, changes, limits),
    }  # fmt: skip


def _told_label(change: CaseChange) -> str:
    way = f"（{change.track.get_kind_display()}）" if change.track is not None else ""
    return PARTY_ACTS[Act(change.act)] + way


def _reviews(case: Case, tracks: Sequence[Track], changes: Sequence[CaseChange]) -> list[Review]:
    """The first review and, beside it, each track's re-review and legal review that stand."""
    passed = case_steps.newest_change(changes, (Act.PASS_FIRST,))
    if passed is None or case.first_reviewed_by is None:
        return []
    first = case.first_amount
    found = [Review("初审", str(case.first_reviewed_by), case.first_reviewed_at, first, Decimal(0), passed.reason)]
    for track in tracks:
        kind = track.get_kind_display()
        again = case_steps.newest_change(changes, (Act.PASS_RE,), track.pk)
        if again is not None and track.re_reviewed_by is not None:
            amount = Decimal(str((again.data or {}).get("amount", "0")))
            less = (first or Decimal(0)) - amount
            found.append(Review(f"复审（{kind}）", str(track.re_reviewed_by), track.re_reviewed_at, amount, less, again.reason))
        legal = case_steps.newest_change(changes, (Act.PASS_LEGAL,), track.pk)
        if legal is not None and track.legal_by is not None:
            found.append(Review(f"法制审核（{kind}）", str(track.legal_by), track.legal_at, None, Decimal(0), legal.reason))
    return found


def _event(change: CaseChange) -> dict[str, Any]:
    way = f"（{change.track.get_kind_display()}）" if change.track is not None else ""
    until = f"至 {change.until}" if change.until else ""
    text = "；".join(filter(None, [str(change.actor or "系统"), until, change.reason]))
    files = [{"pk": file.pk, "name": file.name} for file in change.files.all()]
    state = "bad" if change.act in BAD_ACTS else "done"
    return {"label": change.get_act_display() + way, "state": state, "when": change.at, "text": text, "change": change.pk, "files": files}
