"""办案步骤 of a case and of each of its tracks: what was done when and by whom, what runs now and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from audits.models import Case, CaseChange, Track
from audits.reading.case_limits import LimitRow, newest
from audits.reading.cases import PARTY_LIMITS
from audits.states import Act, CaseState, TrackKind, TrackState

DONE, CURRENT, AHEAD, REFUSED = "done", "current", "todo", "refused"
CASE_LIMITS = {
    CaseState.INVESTIGATING: ("investigation", "supplement", "expert_opinion"), CaseState.FIRST_REVIEW: ("first_review",),
}  # fmt: skip
TRACK_LIMITS = {
    TrackState.TO_NOTIFY: ("notify",), TrackState.NOTIFIED: ("statement", "hearing_request"), TrackState.HEARING: ("hearing_held",),
    TrackState.RE_REVIEW: ("re_review",), TrackState.LEGAL: ("legal_review",), TrackState.DECIDED: ("service",),
    TrackState.SERVED: ("repayment", "fine_payment", "publication"),
}  # fmt: skip
TRACK_STEPS = (
    (TrackState.TO_NOTIFY, "拟定和告知"), (TrackState.NOTIFIED, "陈述申辩"), (TrackState.HEARING, "听证"),
    (TrackState.RE_REVIEW, "复审"), (TrackState.LEGAL, "法制审核"), (TrackState.TO_DECIDE, "作出决定"),
    (TrackState.DECIDED, "送达决定"), (TrackState.SERVED, "履行"),
)  # fmt: skip
PARTY_STEPS = (
    (TrackState.NOTIFIED, "告知、陈述申辩"), (TrackState.HEARING, "听证"), (TrackState.RE_REVIEW, "医保局审核决定"),
    (TrackState.SERVED, "送达、履行"),
)  # fmt: skip
LEFT_BY = {
    TrackState.TO_NOTIFY: (Act.NOTIFY,), TrackState.NOTIFIED: (Act.PUT_FORWARD, Act.ASK_HEARING),
    TrackState.HEARING: (Act.HOLD_HEARING,), TrackState.RE_REVIEW: (Act.PASS_RE,), TrackState.LEGAL: (Act.PASS_LEGAL,),
    TrackState.TO_DECIDE: (Act.DECIDE,), TrackState.DECIDED: (Act.SERVE,), TrackState.SERVED: (Act.COMPLETE,),
}  # fmt: skip
"""The acts that end a step: their newest change tells when and by whom."""


@dataclass(frozen=True)
class Step:
    """One step; ``limits`` those that run in it now or were kept (or missed) in it."""

    label: str
    state: str
    when: date | None = None
    who: str = ""
    note: str = ""
    limits: tuple[LimitRow, ...] = ()


@dataclass(frozen=True)
class Lane:
    """The steps of one track; ``text`` and ``tone`` of its state."""

    track: Track
    text: str
    tone: str
    steps: tuple[Step, ...] = field(default_factory=tuple)


def case_steps(
    case: Case, leads: Sequence[Any], tracks: Sequence[Track], changes: Sequence[CaseChange], limits: Sequence[LimitRow]
) -> list[Step]:
    """From the lead to the closing, for the bureau."""
    first = leads[0] if leads else None
    order = [CaseState.INVESTIGATING, CaseState.FIRST_REVIEW, CaseState.REVIEWED]
    left = next((change.source for change in reversed(changes) if change.act == Act.DISMISS), None)
    at = order.index(CaseState(case.state)) if case.state in order else len(order)
    at = order.index(CaseState(left)) if left in order else at
    dismissed = case.state == CaseState.DISMISSED
    submitted = newest_change(changes, (Act.SUBMIT,))
    passed = newest_change(changes, (Act.PASS_FIRST,))
    filed = () if first is None else (f"线索期限 {first.due_on}",)
    steps = [
        Step("线索登记", DONE, first.received_on if first else None, first.get_source_display() if first else ""),
        Step("立案", DONE, case.filed_on, str(case.approved_by), "".join(filed)),
        _case_step(case, 0, at, "调查取证", submitted, limits, dismissed),
        _case_step(case, 1, at, "初审", passed, limits, dismissed),
        _case_step(case, 2, at, "、".join(track.get_kind_display() for track in tracks) or "处理", None, limits, dismissed),
    ]
    closed = _day(case.closed_at)
    if dismissed:
        return [*steps[: 3 + at], Step("撤案", REFUSED, closed, str(case.closed_by or ""))]
    state = DONE if case.state == CaseState.CLOSED else AHEAD
    return [*steps, Step("结案", state, closed, str(case.closed_by or ""))]


def lanes(tracks: Sequence[Track], changes: Sequence[CaseChange], limits: Sequence[LimitRow]) -> list[Lane]:
    """Both tracks with their own steps, for the bureau."""
    return [Lane(track, track.get_state_display(), track.tone, tuple(_track_steps(track, changes, limits))) for track in tracks]


def party_steps(track: Track, changes: Sequence[CaseChange], limits: Sequence[LimitRow]) -> list[Step]:
    """What a party was told of a track: its days to speak, that it is being decided, the decision and what is due."""
    asked = newest_change(changes, (Act.ASK_HEARING,), track.pk) is not None
    hears = asked or (track.state == TrackState.NOTIFIED and track.needs_hearing)
    shown = [one for one in PARTY_STEPS if one[0] != TrackState.HEARING or hears]
    order = [state for state, _label in TRACK_STEPS]
    last = order.index(TrackState(track.state)) if track.state in order else len(order)
    if track.state == TrackState.TO_NOTIFY:
        last = order.index(TrackState.RE_REVIEW)
    dropped = track.state == TrackState.DROPPED
    days = {TrackState.NOTIFIED: track.notified_on, TrackState.SERVED: track.served_on if _in_force(track) else None}
    steps = []
    for number, (state, label) in enumerate(shown):
        end = order.index(shown[number + 1][0]) if number + 1 < len(shown) else len(order)
        here = DONE if last >= end else CURRENT if last >= order.index(state) else AHEAD
        kept = tuple(one for one in _limits_of(TRACK_LIMITS.get(state, ()), track, limits) if one.row.key in PARTY_LIMITS)
        steps.append(Step(label, here, days.get(state), limits=kept if here != AHEAD else ()))
    if dropped:
        return [Step(one.label, DONE, one.when) for one in steps[:1]] + [Step("不予处理", REFUSED)]
    return steps


def newest_change(changes: Sequence[CaseChange], acts: Sequence[str], track: int | None = None) -> CaseChange | None:
    """The last change of these acts on a track (None: on the case)."""
    return next((one for one in reversed(changes) if one.act in acts and one.track_id == track), None)


def _case_step(
    case: Case, number: int, at: int, label: str, ended: CaseChange | None, limits: Sequence[LimitRow], dismissed: bool
) -> Step:
    state = DONE if at > number or dismissed else CURRENT if at == number else AHEAD
    keys = CASE_LIMITS.get(list(CaseState)[number], ())
    shown = tuple(one for key in keys if (one := newest(limits, key)) is not None) if state != AHEAD else ()
    if state == DONE and ended is not None:
        return Step(label, state, _day(ended.at), str(ended.actor or ""), limits=shown)
    note = "中止办理" if state == CURRENT and case.is_suspended else ""
    return Step(label, state, note=note, limits=shown)


def _track_steps(track: Track, changes: Sequence[CaseChange], limits: Sequence[LimitRow]) -> list[Step]:
    order = [state for state, _label in TRACK_STEPS]
    dropped = track.state == TrackState.DROPPED
    left = newest_change(changes, (Act.DROP,), track.pk) if dropped else None
    now = left.source if left is not None else track.state
    at = order.index(TrackState(now)) if now in order else len(order)
    steps = []
    for number, (state, label) in enumerate(TRACK_STEPS):
        here = DONE if number < at else CURRENT if number == at else AHEAD
        if _passed_by(track, state, here, changes):
            continue
        if dropped and here != DONE:
            break
        ended = newest_change(changes, LEFT_BY[state], track.pk) if here == DONE else None
        day = _act_day(track, state, ended) if ended is not None else None
        note = _optional(track, state) if here == AHEAD else ""
        shown = _limits_of(TRACK_LIMITS.get(state, ()), track, limits) if here != AHEAD else ()
        steps.append(Step(label, here, day, str(ended.actor or "") if ended is not None else "", note, shown))
    if dropped:
        steps.append(Step("不予处理", REFUSED, _day(left.at) if left else None, str(left.actor or "") if left else ""))
    return steps


def _passed_by(track: Track, state: str, here: str, changes: Sequence[CaseChange]) -> bool:
    """Whether the track never comes to a step: no hearing without a right to it, no legal review below the limits."""
    if state == TrackState.HEARING:
        held = newest_change(changes, (Act.ASK_HEARING,), track.pk) is not None
        return here == DONE and not held or here == AHEAD and track.kind != TrackKind.PENALTY and not track.needs_hearing
    if state == TrackState.LEGAL:
        return here == DONE and not track.needs_legal
    return False


def _optional(track: Track, state: str) -> str:
    if state == TrackState.HEARING:
        return "当事人申请的"
    return "达到标准的必经" if state == TrackState.LEGAL else ""


def _limits_of(keys: Sequence[str], track: Track, limits: Sequence[LimitRow]) -> tuple[LimitRow, ...]:
    return tuple(one for key in keys if (one := newest(limits, key, track.pk)) is not None)


def _act_day(track: Track, state: str, ended: CaseChange) -> date | None:
    """The day of the act itself where the papers name one, else that of its entry."""
    named = {TrackState.TO_NOTIFY: track.notified_on, TrackState.TO_DECIDE: track.decided_on, TrackState.DECIDED: track.served_on}
    return named.get(TrackState(state)) or _day(ended.at)


def _in_force(track: Track) -> bool:
    return track.state in (TrackState.SERVED, TrackState.DONE)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else timezone.localtime(moment).date()
