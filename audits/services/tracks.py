"""What is done on one of a case's two ways: notice, re-review, legal review, decision, service, performance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Track
from audits.parameters import hearing_thresholds, legal_thresholds
from audits.reading.findings import sums
from audits.reading.penalties import party_of
from audits.services.steps import begin, finish, locked_track, name_of
from audits.services.telling import finance, legal, officers, provider, re_reviewers, reviewers
from audits.states import ENDED_TRACKS, Act, TrackKind, TrackState
from core.errors import Problem
from core.models import StoredFile, User
from rules.money import ZERO
from rules.penalties import Need, needs_hearing, needs_legal_review

WAYS = ("直接送达", "留置送达", "邮寄送达", "电子送达", "委托送达", "公告送达")
NOTICE = {TrackKind.AGREEMENT: "agreement_notice", TrackKind.PENALTY: "penalty_notice"}
DECISION = {TrackKind.AGREEMENT: "agreement_decision", TrackKind.PENALTY: "penalty_decision"}


def hearing_need(track: Track) -> Need:
    """Whether the party must be told of its right to a hearing, by what is proposed now and the thresholds of the place."""
    place, day = track.case.at, timezone.localdate()
    return needs_hearing(*_proposed(track), thresholds=hearing_thresholds(place, day))


def legal_need(track: Track) -> Need:
    """Whether a third person must review the decision in law, likewise."""
    place, day = track.case.at, timezone.localdate()
    return needs_legal_review(*_proposed(track), thresholds=legal_thresholds(place, day))


def notify(
    actor: User, track: Track, *, on: date | None = None, way: str = WAYS[0], files: Sequence[StoredFile] = ()
) -> Track:
    """Serve the notice of what is proposed: from its day on the provider sees the case and its days to state run."""
    from audits.services.documents import make_document

    with transaction.atomic():
        day = on or timezone.localdate()
        now = locked_track(track)
        held, step = begin(actor, now, Act.NOTIFY, also=_service_problems(day, way, _day_of(now.proposed_at)))
        case = held.case
        held.notified_on, held.needs_hearing = day, hearing_need(held).needed
        held.save(update_fields=["notified_on", "needs_hearing"])
        if case.notified_at is None:
            case.notified_at = timezone.now()
            case.save(update_fields=["notified_at"])
        document = make_document(actor, case, NOTICE[TrackKind(held.kind)], track=held)
        right = "，并告知听证权利" if held.needs_hearing else ""
        summary = f"{name_of(held)}告知书 {document.number} 于 {day} {way}{right}。"
        data = {"document": document.pk, "sha256": document.file.sha256, "way": way}
        finish(actor, case, step, summary, track=held, data=data, files=files, tell=provider(case), on=day)
        return held


def put_forward(actor: User, track: Track, reason: str = "") -> Track:
    """The party has spoken or let the days pass: put the track before another reviewer."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.PUT_FORWARD)
        case = held.case
        summary = f"{name_of(held)}提请复审。{reason.strip()}"
        finish(actor, case, step, summary, track=held, reason=reason, tell=re_reviewers(case))
        return held


def pass_re(actor: User, track: Track, reason: str = "") -> Track:
    """The re-review holds; on to the legal review where the limits require one, else to the decision."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.PASS_RE)
        case, need = held.case, legal_need(held)
        if need.needed:
            step = replace(step, target=TrackState.LEGAL, starts=("legal_review",))
        total = sums(case).total
        onward = f"转法制审核（{'；'.join(need.reasons)}）" if need.needed else "待作出决定"
        summary = f"{name_of(held)}复审通过，认定 {total:,.2f} 元，{onward}。{reason.strip()}"
        data = {"amount": str(total), "legal": list(need.reasons)}
        fields = {
            "re_reviewed_by": actor, "re_reviewed_at": timezone.now(), "needs_legal": need.needed, "legal_by": None, "legal_at": None,
        }  # fmt: skip
        tell = legal(case) if need.needed else reviewers(case)
        finish(actor, case, step, summary, track=held, reason=reason, data=data, tell=tell, fields=fields)
        return held


def return_re(actor: User, track: Track, reason: str) -> Track:
    """Back to the officers: the proposal is made and told anew. From before the decision it goes back to the re-review,
    where findings can be reduced and the proposal stands."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.RETURN_RE, reason)
        case, again = held.case, step.target == TrackState.RE_REVIEW
        summary = f"{name_of(held)}{'退回复审' if again else '复审退回'}：{reason.strip()}"
        fields = {} if again else {"proposed_by": None, "proposed_at": None}
        tell = re_reviewers(case) if again else officers(case)
        finish(actor, case, step, summary, track=held, reason=reason, tell=tell, fields=fields)
        return held


def pass_legal(actor: User, track: Track, reason: str = "") -> Track:
    """Lawful: may be decided."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.PASS_LEGAL)
        case = held.case
        summary = f"{name_of(held)}法制审核通过。{reason.strip()}"
        fields = {"legal_by": actor, "legal_at": timezone.now()}
        finish(actor, case, step, summary, track=held, reason=reason, tell=reviewers(case), fields=fields)
        return held


def return_legal(actor: User, track: Track, reason: str) -> Track:
    """Not lawful as it stands: back to the re-review with what is wrong."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.RETURN_LEGAL, reason)
        case = held.case
        summary = f"{name_of(held)}法制审核退回：{reason.strip()}"
        finish(actor, case, step, summary, track=held, reason=reason, tell=re_reviewers(case))
        return held


def decide(actor: User, track: Track, reason: str = "") -> Track:
    """Take the decision: the kept findings' money on the track that holds it, the fine on the penalty track."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.DECIDE)
        case = held.case
        amount = sums(case).total if held.holds_money else ZERO
        told = [f"基金 {amount:,.2f} 元"] if held.holds_money else []
        told += [f"罚款 {held.fine or ZERO:,.2f} 元"] if held.kind == TrackKind.PENALTY else []
        summary = f"{name_of(held)}作出决定：{'、'.join(told) or '协议措施'}。{reason.strip()}"
        data = {"amount": str(amount), "fine": str(held.fine or ZERO)}
        fields = {"decided_by": actor, "decided_on": timezone.localdate(), "decided_amount": amount}
        finish(actor, case, step, summary, track=held, reason=reason, data=data, tell=officers(case), fields=fields)
        return held


def serve(
    actor: User, track: Track, *, on: date | None = None, way: str = WAYS[0], files: Sequence[StoredFile] = ()
) -> Track:
    """Serve the decision: its money takes effect in settlement and ledger, its fine is due."""
    from audits.services.documents import hold_number, make_document
    from audits.services.money import take_effect

    with transaction.atomic():
        day = on or timezone.localdate()
        now = locked_track(track)
        held, step = begin(actor, now, Act.SERVE, also=_service_problems(day, way, now.decided_on))
        case, kind = held.case, DECISION[TrackKind(held.kind)]
        held.served_on, held.service_way = day, way
        held.save(update_fields=["served_on", "service_way"])
        hold_number(case, kind)
        effect = take_effect(actor, held)
        document = make_document(actor, case, kind, track=held)
        summary = f"{name_of(held)}决定书 {document.number} 于 {day} {way}。{effect.text}"
        data = {
            "document": document.pk, "sha256": document.file.sha256, "way": way, "refused": str(effect.refused),
            "recovery": str(effect.recovery),
        }  # fmt: skip
        tell = [*provider(case), *finance(case), *reviewers(case)]
        finish(actor, case, step, summary, track=held, data=data, files=files, tell=tell, on=day)
        return held


def publish(actor: User, track: Track, reason: str) -> Track:
    """The penalty decision was made public; ``reason`` says where."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.PUBLISH, reason)
        case = held.case
        finish(actor, case, step, f"{name_of(held)}决定已公开：{reason.strip()}", track=held, reason=reason)
        return held


def complete(actor: User, track: Track, reason: str = "") -> Track:
    """Everything under the decision was done."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.COMPLETE)
        case = held.case
        summary = f"{name_of(held)}履行完毕。{reason.strip()}"
        fields = {"done_on": timezone.localdate()}
        tell = [*reviewers(case), *provider(case)]
        finish(actor, case, step, summary, track=held, reason=reason, tell=tell, fields=fields)
        return held


def drop(actor: User, track: Track, reason: str) -> Track:
    """Nothing is done on this way. Where it was to decide the money, the other way takes that over."""
    with transaction.atomic():
        now = locked_track(track)
        other = now.case.tracks.exclude(pk=now.pk).exclude(state=TrackState.DROPPED).first()
        held, step = begin(actor, now, Act.DROP, reason, also=_drop_problems(now, other))
        case, fields = held.case, dict[str, Any]()
        if held.holds_money and other is not None:
            Track.objects.filter(pk=held.pk).update(holds_money=False)
            Track.objects.filter(pk=other.pk).update(holds_money=True)
            fields["holds_money"] = False
        summary = f"{name_of(held)}不予处理：{reason.strip()}"
        tell = [*officers(case), *(provider(case) if held.notified_on else [])]
        finish(actor, case, step, summary, track=held, reason=reason, tell=tell, fields=fields)
        return held


def _proposed(track: Track) -> tuple[str, Any, bool, bool]:
    """Party, fine, suspension, termination as proposed now."""
    measures = track.measures
    fine = (track.fine or ZERO) if track.kind == TrackKind.PENALTY else ZERO
    return party_of(track.case), fine, bool(measures.get("suspend_months")), bool(measures.get("terminate"))


def _service_problems(day: date, way: str, first: date | None) -> list[Problem]:
    problems = []
    today = timezone.localdate()
    if day > today:
        problems.append(Problem("on", str(day), f"送达日期 {day} 还没有到。", "请填实际送达的日期。"))
    elif first is not None and day < first:
        problems.append(Problem("on", str(day), f"送达日期 {day} 早于 {first}。", "请填实际送达的日期。"))
    if way not in WAYS:
        problems.append(Problem("way", way, f"没有“{way}”这种送达方式。", f"请选择：{'、'.join(WAYS)}。"))
    return problems


def _drop_problems(track: Track, other: Track | None) -> list[Problem]:
    if not track.holds_money or other is None or other.state not in (TrackState.DECIDED, TrackState.SERVED, *ENDED_TRACKS):
        return []
    label = other.get_kind_display()
    text = f"{label}已经作出决定，基金损失由{track.get_kind_display()}追回，不能不予处理。"
    return [Problem("state", track.get_state_display(), text, "请在本程序继续办理。")]


def _day_of(moment: Any) -> date | None:
    return timezone.localtime(moment).date() if moment is not None else None

