"""Limits of a case: begun and ended by acts, standing still while days do not count, extended with leave.

Days are counted by :mod:`rules.procedure` on the calendar of working days. Every change happens inside the act that causes
it, under the lock of the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from audits.models import AmountKind, Case, Deadline, Track
from audits.parameters import ALL_LIMITS, EXPERT_OPINION, calendar, limit_at
from audits.states import TrackKind, TrackState
from core.errors import Problem
from rules.procedure import UNITS, last_day, with_pauses

DECISION = "decision"
PER_TRACK = frozenset(
    {"notify", "statement", "hearing_request", "hearing_held", "re_review", "legal_review", "service", "fine_payment",
     "repayment", "publication"}
)  # fmt: skip
"""Limits that run on a track; the others run on the case."""
UNDECIDED = frozenset(TrackState) - {TrackState.DECIDED, TrackState.SERVED, TrackState.DONE, TrackState.DROPPED}
Span = tuple[date, date]


def running(case: Case, track: Track | None = None) -> QuerySet[Deadline]:
    """The limits that have not ended: those of a track, or all of the case."""
    rows = Deadline.objects.filter(case=case, ended_on__isnull=True)
    return rows if track is None else rows.filter(track=track)


def start_limits(case: Case, keys: Iterable[str], *, track: Track | None = None, on: date | None = None) -> list[Deadline]:
    """Begin limits with the event of a day (today); one that runs already goes on. Only those that concern the track.

    A limit of tracks begun by an act of the case begins on every track.
    """
    day = on or timezone.localdate()
    made = []
    for key in keys:
        tracks: Sequence[Track | None] = [None] if key not in PER_TRACK else [track] if track else list(case.tracks.all())
        for one in tracks:
            if one is not None and not concerns(key, one):
                continue
            if not running(case).filter(key=key, track=one).exists():
                made.append(_begin(case, one, key, _event_day(key, one, day)))
    return made


def end_limits(case: Case, keys: Iterable[str], *, track: Track | None = None, on: date | None = None) -> int:
    """What the limits are for was done on a day (today). The decision's ends once every track is decided or dropped."""
    day = on or timezone.localdate()
    wanted = set(keys)
    if DECISION in wanted and track is not None and case.tracks.exclude(pk=track.pk).filter(state__in=UNDECIDED).exists():
        wanted.discard(DECISION)
    ended = 0
    for row in running(case).filter(key__in=wanted):
        if track is None or row.track_id in (None, track.pk):
            _wake(row, day)
            row.ended_on = day
            row.save(update_fields=["ended_on", "paused_on", "pauses", "due_on", "extended_to"])
            ended += 1
    return ended


def end_all(case: Case) -> int:
    """The case is over: nothing runs any more."""
    return end_limits(case, set(running(case).values_list("key", flat=True)))


def align(case: Case, on: date | None = None) -> None:
    """Let limits stand still whose days do not count from a day (today) on, and run again those whose days do.

    All of them while the case is suspended; the decision's while a hearing or an expert opinion is under way.
    """
    day = on or timezone.localdate()
    rows = list(running(case))
    if not rows:
        return
    uncounted = any(row.key == EXPERT_OPINION for row in rows) or case.tracks.filter(state=TrackState.HEARING).exists()
    for row in rows:
        stands = case.is_suspended or (row.key == DECISION and uncounted)
        if stands and row.paused_on is None:
            row.paused_on = day
            row.save(update_fields=["paused_on"])
        elif not stands and row.paused_on is not None:
            _wake(row, day)
            row.save(update_fields=["paused_on", "pauses", "due_on", "extended_to"])


def follow_money(track: Track) -> None:
    """End the days to repay or to pay once nothing is owed; let them run again when a receipt was taken back."""
    from audits.reading.money import fine_position, outstanding

    today = timezone.localdate()
    for key in ("repayment", "fine_payment"):
        row = Deadline.objects.filter(track=track, key=key).order_by("-pk").first()
        if row is None:
            continue
        settled = not outstanding(track.case) if key == "repayment" else fine_position(track).settled
        if settled == (row.ended_on is None):
            row.ended_on = today if settled else None
            row.save(update_fields=["ended_on"])


def agreed_limit(case: Case, key: str, until: date, on: date | None = None) -> Deadline:
    """A limit whose last day was agreed rather than counted."""
    return Deadline.objects.create(case=case, key=key, starts_on=on or timezone.localdate(), due_on=until)


def latest(row: Deadline, times: int = 1) -> date:
    """The last day to which a limit may be extended, pauses counted in; ``times`` the rule's extension."""
    works = calendar(row.starts_on)
    raw = last_day(row.starts_on, row.count + times * row.extension, row.unit, works)
    return with_pauses(raw, _held(row), row.unit, works)


def extension_problems(row: Deadline, until: date | None, today: date, *, by_group: bool) -> list[Problem]:
    """Why a limit cannot be extended to a day; ``by_group``: the decision's, further, by discussion in the group."""
    label, limit = label_of(row.key), ALL_LIMITS.get(row.key)
    if limit is None or not row.extension or not row.count:
        return [Problem("key", row.key, f"“{label}”的期限不能延长。", "请在期限内办理，或中止办案。")]
    if today > row.last_day and row.paused_on is None:
        text = f"“{label}”的期限已于 {row.last_day} 届满，届满后不能延长。"
        return [Problem("key", row.key, text, "请尽快办理；延长须在届满前批准。")]
    if until is None:
        return [Problem("until", "", "没有填写延长到哪一天。", "请填写日期。")]
    if until <= row.last_day:
        text = f"新的期限 {until} 不晚于现在的期限 {row.last_day}。"
        return [Problem("until", str(until), text, "请填更晚的日期。")]
    most = latest(row, 1 + row.extensions if by_group else 1)
    if until > most:
        allowed = f"{row.extension} {UNITS[row.unit]}"
        text = f"“{label}”经批准至多延长 {allowed}，即到 {most}，不能延到 {until}。"
        further = "再延长须经集体讨论，请附讨论记录。" if row.key == DECISION else "请填该日或更早的日期。"
        return [Problem("until", str(until), text, further)]
    return []


def concerns(key: str, track: Track) -> bool:
    """Whether a limit of tracks has anything to do on this one."""
    if key == "hearing_request":
        return track.needs_hearing
    if key == "fine_payment":
        return bool(track.fine)
    if key == "repayment":
        return track.amounts.filter(kind=AmountKind.RECOVERY).exists()
    return key != "publication" or track.kind == TrackKind.PENALTY


def label_of(key: str) -> str:
    """What a limit is called."""
    return "专家（鉴定）意见" if key == EXPERT_OPINION else ALL_LIMITS[key].label


def _event_day(key: str, track: Track | None, day: date) -> date:
    """The publication's days count from the decision, not from its service."""
    return track.decided_on if key == "publication" and track is not None and track.decided_on else day


def _begin(case: Case, track: Track | None, key: str, day: date) -> Deadline:
    limit = limit_at(key, case.at, day)
    works = calendar(day)
    due = with_pauses(last_day(day, limit.count, limit.unit, works), [], limit.unit, works)
    return Deadline.objects.create(
        case=case, track=track, key=key, count=limit.count, unit=limit.unit, extension=limit.extension, starts_on=day, due_on=due
    )  # fmt: skip


def _wake(row: Deadline, day: date) -> None:
    """End a pause the day before ``day`` and move the ends by its days; unsaved."""
    since, row.paused_on = row.paused_on, None
    if since is None or since >= day:
        return
    until = day - timedelta(days=1)
    row.pauses = [*row.pauses, [since.isoformat(), until.isoformat()]]
    works = calendar(row.starts_on)
    if row.extended_to is not None:
        row.extended_to = with_pauses(row.extended_to, [(since, until)], row.unit, works)
    if row.count:
        raw = last_day(row.starts_on, row.count, row.unit, works)
        row.due_on = with_pauses(raw, _held(row), row.unit, works)
    else:
        row.due_on = with_pauses(row.due_on, [(since, until)], row.unit, works)


def _held(row: Deadline) -> list[Span]:
    """The days not counted, from the first that could."""
    first = row.starts_on + timedelta(days=1)
    spans = [(max(date.fromisoformat(one), first), date.fromisoformat(last)) for one, last in row.pauses]
    return [span for span in spans if span[0] <= span[1]]
