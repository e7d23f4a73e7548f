"""The frame of every act on a lead, a case or a track: lock, right, state, preconditions and reason first; state, limits,
notices and trail last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from audits.models import Case, CaseChange, Lead, Track
from audits.preconditions import PRECONDITIONS, case_of
from audits.services import deadlines
from audits.states import PROVIDER, ROWS, Act, Transition, action_name, roles_of, transition
from core.access import Allowed, Denied, NotAllowed, may, roles_at
from core.errors import REASON_MIN, Conflict, Problem, Refused
from core.models import Role, StoredFile, User
from core.models.places import Place
from core.notices import notify
from core.trail import record

Thing = TypeVar("Thing", Lead, Case, Track)
Answer = Allowed | Denied
TRAILED = ("document", "sha256")
"""Of a change's own data: the document the act made and the hash of its file."""
MONEY_ACTS = (Act.RECEIVE, Act.DEDUCT, Act.TAKE_BACK, Act.PAY_FINE, Act.REMEDY)


def locked_case(case: Case) -> Case:
    """The case as it stands now, locked until the act is over; before any other row of the act."""
    _inside()
    return Case.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=case.pk)


def locked_track(track: Track) -> Track:
    """The track as it stands now, locked after its case; ``track.case`` is the locked one."""
    case = locked_case(track.case)
    held = Track.objects.select_for_update(of=("self",), no_key=True).get(pk=track.pk)
    held.case = case
    return held


def locked_lead(lead: Lead) -> Lead:
    """The lead as it stands now, locked until the act is over."""
    _inside()
    return Lead.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=lead.pk)


def begin(
    actor: User, thing: Thing, act: str, reason: str | None = None, also: Sequence[Problem] = ()
) -> tuple[Thing, Transition]:
    """Check right, state, preconditions and reason of a person's act and lock the lead, case or track it is on.

    Raises ``NotAllowed`` where the post or the person does not fit, ``Conflict`` when the thing moved on, ``Refused`` with
    everything else that stands against it. ``reason`` None: the act has none. ``also``: what the service itself found wrong
    with the input, told together with the rest.
    """
    held = _locked(thing)
    answer = right(actor, held, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)
    row = transition(carrier(held), held.state, act)
    if row is None:
        raise wrong_state(held, act)
    refusals = failing(actor, held, row)
    problems = [Problem(name, "", denied.reason) for name, denied in refusals]
    if row.needs_reason and reason is not None and len(reason.strip()) < REASON_MIN:
        problems.append(Problem("reason", reason.strip(), "没有写明理由。", f"请至少写 {REASON_MIN} 个字，说明原因和要求。"))
    problems += also
    if any(_personal(name) for name, _denied in refusals):
        raise NotAllowed(Denied("".join(str(problem) for problem in problems)))
    if problems:
        raise Refused(problems)
    return held, row


def finish(
    actor: User | None,
    case: Case,
    step: Transition,
    summary: str,
    *,
    track: Track | None = None,
    reason: str = "",
    until: date | None = None,
    data: dict[str, Any] | None = None,
    files: Sequence[StoredFile] = (),
    tell: Iterable[User] = (),
    fields: dict[str, Any] | None = None,
    on: date | None = None,
) -> CaseChange:
    """Write the new state and ``fields`` (of the track where one is given, else of the case), the limits that begin and end
    with the act (``on`` its day, today unless given), the change, the notices to ``tell`` and, last, the trail.

    ``summary`` is Chinese, names no insured person and is what the people told read.
    """
    day = on or timezone.localdate()
    held: Case | Track = case if track is None else track
    held.state = step.target
    for name, given in (fields or {}).items():
        setattr(held, name, given)
    held.save(update_fields=["state", *(fields or {})])
    deadlines.end_limits(case, step.ends, track=track, on=day)
    deadlines.start_limits(case, step.starts, track=track, on=day)
    if track is not None and step.act in MONEY_ACTS:
        deadlines.follow_money(track)
    deadlines.align(case)
    change = CaseChange.objects.create(
        case=case,
        track=track,
        act=step.act,
        source=step.source,
        target=step.target,
        actor=actor,
        at=timezone.now(),
        reason=reason.strip(),
        until=until,
        data=data or {},
    )
    if files:
        change.files.set(files)
    notify(tell, summary, case.get_absolute_url())
    record(actor, action_name(step.act), case, summary, trail_data(change), place=case.at)
    return change


def right(user: User, thing: Lead | Case | Track, act: str) -> Answer:
    """Whether the post allows the act at the place, whatever the state."""
    about = thing if isinstance(thing, Lead) else case_of(thing)
    if roles_of(act) <= PROVIDER:
        held: list[Place] = [place for place in (about.institution, about.alliance) if place is not None]
        places = held or [about.county]
        answers = [may(user, action_name(act), place) for place in places]
        return next((answer for answer in answers if answer), answers[0])
    return may(user, action_name(act), about.at)


def failing(
    user: User, thing: Lead | Case | Track, row: Transition, known: dict[str, Answer] | None = None, *, glance: bool = False
) -> list[tuple[str, Denied]]:
    """Every precondition of the row that does not hold, by name; ``known`` keeps answers between rows of one thing.

    ``glance``: what pages ask on every view, without reading large files or the claims; the act itself asks in full.
    """
    answers = known if known is not None else {}
    found: list[tuple[str, Denied]] = []
    role = _row_role(user, thing, row)
    if isinstance(role, Denied):
        found.append(("role", role))
    for name in row.needs:
        if name not in answers:
            needed = PRECONDITIONS[name]
            answers[name] = needed.glance(user, thing) if glance else needed.check(user, thing)
        answer = answers[name]
        if isinstance(answer, Denied):
            found.append((name, answer))
    return found


def allowed_acts(user: User, case: Case) -> dict[Act, Answer]:
    """Every act of people on the case itself, with whether this one may do it now or every reason why not."""
    return _acts(user, case)


def allowed_track_acts(user: User, track: Track) -> dict[Act, Answer]:
    """The same for one track."""
    return _acts(user, track)


def allowed_lead_acts(user: User, lead: Lead) -> dict[Act, Answer]:
    """The same for a lead."""
    return _acts(user, lead)


def must(on: str, state: str, act: str) -> Transition:
    """The transition of an act of the clock, which there is by construction."""
    row = transition(on, state, act)
    if row is None:
        raise RuntimeError(f"no transition {act} from {on} {state}")
    return row


def carrier(thing: Lead | Case | Track) -> str:
    """What carries the state: ``lead``, ``case`` or ``track``."""
    return "lead" if isinstance(thing, Lead) else "case" if isinstance(thing, Case) else "track"


def name_of(thing: Case | Track) -> str:
    """案件 青稽〔2026〕37号（石桥镇中心卫生院：分解住院）行政处罚."""
    case = case_of(thing)
    words = f"案件 {case.number}（{case.party}：{case.title}）"
    return words if isinstance(thing, Case) else words + thing.get_kind_display()


def wrong_state(thing: Lead | Case | Track, act: str) -> Conflict:
    """The thing is no longer where the act begins; says who moved it."""
    moved = thing.changes.select_related("actor").last()
    who = f"（{moved.actor or '系统'}已办理“{moved.get_act_display()}”）" if moved else ""
    return Conflict([Problem("state", thing.get_state_display(), state_text(thing, act, who), "请刷新页面查看最新状态。")])


def state_text(thing: Lead | Case | Track, act: str, who: str = "") -> str:
    """Why an act cannot be done now."""
    number = thing.number if isinstance(thing, Lead) else case_of(thing).number
    way = f"的{thing.get_kind_display()}" if isinstance(thing, Track) else ""
    kind = "线索" if isinstance(thing, Lead) else "案件"
    return f"{kind} {number} {way}现在是“{thing.get_state_display()}”{who}，不能办理“{Act(act).label}”。"


def _acts(user: User, thing: Lead | Case | Track) -> dict[Act, Answer]:
    on, known = carrier(thing), dict[str, Answer]()
    found: dict[Act, Answer] = {}
    for act in dict.fromkeys(row.act for row in ROWS if row.on == on and row.roles):
        answer = right(user, thing, act)
        row = transition(on, thing.state, act)
        if answer and row is None:
            answer = Denied(state_text(thing, act))
        elif answer and row is not None:
            refusals = failing(user, thing, row, known, glance=True)
            if refusals:
                answer = Denied("".join(denied.reason for _name, denied in refusals))
        found[Act(act)] = answer
    return found


def _row_role(user: User, thing: Lead | Case | Track, row: Transition) -> Answer:
    """An act may be another post's in another state."""
    if roles_of(row.act) == row.roles:
        return Allowed()
    about = thing if isinstance(thing, Lead) else case_of(thing)
    if roles_at(user, about.at) & row.roles:
        return Allowed()
    needed = "、".join(sorted(Role(role).label for role in row.roles))
    return Denied(f"“{Act(row.act).label}”在“{thing.get_state_display()}”时由{needed}办理。")


def _personal(name: str) -> bool:
    """Whether a refusal is about who asks rather than about the thing."""
    return name not in PRECONDITIONS or PRECONDITIONS[name].personal


def _locked(thing: Thing) -> Thing:
    if isinstance(thing, Lead):
        return locked_lead(thing)
    return locked_case(thing) if isinstance(thing, Case) else locked_track(thing)


def _inside() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a case is locked inside the transaction of the act")


def trail_data(change: CaseChange) -> dict[str, Any]:
    """What the trail keeps of a change: enough to find any later change of the row."""
    return {
        "change": change.pk,
        "track": change.track_id,
        "act": str(change.act),
        "from": str(change.source),
        "to": str(change.target),
        "reason": change.reason,
        "until": str(change.until or ""),
        **{name: change.data[name] for name in TRAILED if name in change.data},
    }
