"""Cases and tracks in every state, brought there by the services people use; the people of the audit posts.

The clock stands on 2026-09-01 (a Tuesday) where a test moves it to NOW. The party is Qingxi's township centre, a member of
the alliance; 1,500 yuan are in question (``big``: 150,000, so that a penalty needs a hearing and a legal review).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Case, Evidence, Finding, FindingLine, Hearing, Lead, Track
from audits.services import cases, proposals, statements, tracks
from audits.services.steps import begin, finish
from audits.states import Act, CaseState, LeadState, TrackKind, TrackState
from core.files import store_bytes
from core.models import County, FundType, Institution, PoolingArea, Role, RoleGrant, User
from tests.world import PASSWORD, START, World

NOW = "2026-09-01 09:00:00+08:00"
TODAY = date(2026, 9, 1)
REASON = "核对材料后认为需要如此办理"
TRACK_ROUTE = (TrackState.TO_NOTIFY, TrackState.NOTIFIED, TrackState.RE_REVIEW, TrackState.TO_DECIDE, TrackState.DECIDED, TrackState.SERVED)


@dataclass(frozen=True)
class Crew:
    """Everybody a case needs; ``officer`` leads it, ``partner`` helps."""

    officer: User
    partner: User
    spare: User  # an auditor of the city on no case
    reviewer: User  # approves the filing and reviews first
    second: User  # re-reviews and decides
    legal: User
    county_auditor: User  # of Qingxi
    other_county_auditor: User  # of Yunling
    finance: User


def crew(world: World) -> Crew:
    """The people, made once a test."""
    return Crew(
        officer=world.auditor,
        partner=person("audit_partner", "高文", Role.AUDITOR, world.area),
        spare=person("audit_spare", "马骏", Role.AUDITOR, world.area),
        reviewer=world.audit_reviewer,
        second=person("audit_second", "赵启明", Role.AUDIT_REVIEWER, world.area),
        legal=person("audit_legal", "冯律", Role.LEGAL_REVIEWER, world.area),
        county_auditor=person("qingxi_auditor", "陈立", Role.AUDITOR, world.qingxi),
        other_county_auditor=person("yunling_auditor", "云稽", Role.AUDITOR, world.yunling),
        finance=world.finance,
    )


def person(username: str, full_name: str, role: str, place: Any) -> User:
    """The person of that name, made where there is none."""
    held = User.objects.filter(username=username).first()
    if held is not None:
        return held
    user: User = User.objects.create_user(
        username=username, password=PASSWORD, full_name=full_name, must_change_password=False
    )
    field = {PoolingArea: "pooling_area", County: "county", Institution: "institution"}.get(type(place), "alliance")
    RoleGrant.objects.create(user=user, role=role, valid_from=START, **{field: place})
    return user


def lead_in(world: World, state: str = LeadState.PROPOSED, institution: Any = None, **given: Any) -> Lead:
    """A lead about the township centre, put forward for filing by the officer."""
    people, at = crew(world), institution or world.township
    member = at.memberships.select_related("alliance").first()
    number = Lead.objects.count() + 1
    values: dict[str, Any] = {
        "number": f"试线〔2026〕{number}号", "source": "inspection", "pooling_area": world.area, "county": at.county,
        "alliance": member.alliance if member else None, "institution": at, "party_name": at.name, "title": "重复收费",
        "detail": "同日同项目计费两次", "received_on": timezone.localdate(), "state": state, "due_on": timezone.localdate(),
        "assigned_to": people.officer, "proposal": Act.FILE, "proposed_by": people.officer, "entered_at": timezone.now(), **given,
    }  # fmt: skip
    return Lead.objects.create(**values)


def opened(world: World, *, institution: Any = None, lead: Lead | None = None) -> Case:
    """A case just filed, with two officers and nothing in it."""
    people = crew(world)
    held = lead or lead_in(world, institution=institution)
    with transaction.atomic():
        case = cases.open_case(
            people.reviewer, held, kind="special", way="on_site", title="重复收费", claims_from=date(2025, 7, 1),
            claims_to=date(2026, 6, 30), officers=[(people.officer, "赣01", True), (people.partner, "赣02", False)],
        )  # fmt: skip
    Lead.objects.filter(pk=held.pk).update(state=LeadState.FILED, case=case, decided_by=people.reviewer)
    return again(case)


def evidence(world: World, case: Case, content: bytes = b"record", **given: Any) -> Evidence:
    """One piece taken by both officers; the content should differ from piece to piece."""
    people, number = crew(world), case.evidence.count() + 1
    file = store_bytes(content + str((case.pk, number)).encode(), "现场检查笔录.pdf", "audit_evidence", people.officer)
    values: dict[str, Any] = {
        "case": case, "number": number, "kind": "record", "name": "现场检查笔录", "file": file, "sha256": file.sha256,
        "collected_on": timezone.localdate(), "collected_by": people.officer, "witnessed_by": people.partner,
        "added_by": people.officer, "added_at": timezone.now(), **given,
    }  # fmt: skip
    return Evidence.objects.create(**values)


def finding(
    world: World, case: Case, *, act: str = "overcharging", on: date = date(2026, 6, 30), pieces: Any = (), **given: Any
) -> Finding:
    """A fact without lines; ``on`` its last day."""
    values: dict[str, Any] = {
        "case": case, "number": case.findings.count() + 1, "act": act, "clause": "条例第三十八条第（三）项", "text": "同日同项目计费两次",
        "acted_from": min(on, date(2026, 1, 1)), "acted_to": on, "made_by": crew(world).officer, "made_at": timezone.now(), **given,
    }  # fmt: skip
    made = Finding.objects.create(**values)
    made.evidence.set(pieces)
    return made


def line(made: Finding, amount: Any, *, year: int = 2026, fund: str = FundType.RESIDENT, **given: Any) -> FindingLine:
    """A claim row of an insured person of the case's own alliance, questioned in full."""
    case, number = made.case, FindingLine.objects.count() + 1
    values: dict[str, Any] = {
        "finding": made, "county": case.county, "settlement_id": f"T{number:06d}", "settled_on": date(year, 3, 1), "year": year,
        "fund_type": fund, "visit_type": "inpatient", "alliance": case.alliance, "own": case.alliance is not None,
        "paid": Decimal(amount), "amount": Decimal(amount), **given,
    }  # fmt: skip
    return FindingLine.objects.create(**values)


def investigated(world: World, *, big: bool = False, act: str = "overcharging", on: date = date(2026, 6, 30), **given: Any) -> Case:
    """Under investigation with evidence and one finding: two thirds for the alliance's own residents of 2026 (to be refused),
    one third for Yunling's employees of 2025 (to be recovered)."""
    case = opened(world, **given)
    made = finding(world, case, act=act, on=on, pieces=[evidence(world, case)])
    factor = 100 if big else 1
    line(made, 1000 * factor)
    line(made, 500 * factor, year=2025, fund=FundType.EMPLOYEE, county=world.yunling, alliance=world.east, own=False)
    return again(case)


def case_in(world: World, state: str, *, kinds: tuple[str, ...] = (TrackKind.AGREEMENT,), **given: Any) -> Case:
    """A case in the state; in 处理中 its tracks wait for their proposals."""
    people = crew(world)
    case = investigated(world, **given)
    if state == CaseState.INVESTIGATING:
        return case
    if state == CaseState.DISMISSED:
        return again(cases.dismiss(people.reviewer, case, REASON))
    cases.submit(people.officer, case)
    if state == CaseState.FIRST_REVIEW:
        return again(case)
    cases.pass_first(people.reviewer, case, kinds)
    if state == CaseState.CLOSED:
        for track in case.tracks.all():
            tracks.drop(people.second, track, REASON)
        cases.close(people.second, case, REASON)
    return again(case)


def track_in(world: World, kind: str, state: str, *, big: bool | None = None, both: bool = False, **given: Any) -> Track:
    """The track of a kind in the state, of a case with that track alone (``both``: and the other, waiting)."""
    kinds = tuple(TrackKind.values) if both else (kind,)
    large = state in (TrackState.HEARING, TrackState.LEGAL) if big is None else big
    case = case_in(world, CaseState.REVIEWED, kinds=kinds, big=large, **given)
    return onward(world, case.tracks.get(kind=kind), state)


def onward(world: World, track: Track, state: str) -> Track:
    """Bring a track that waits for its notice on to a state."""
    people = crew(world)
    if state == TrackState.DROPPED:
        return fresh(tracks.drop(people.second, track, REASON))
    if state == TrackState.TO_NOTIFY:
        return fresh(track)
    propose(world, track)
    tracks.notify(people.officer, track)
    if state == TrackState.HEARING:
        statements.ask_hearing(world.member, fresh(track), "对处罚幅度有异议，要求听证")
    if state in (TrackState.NOTIFIED, TrackState.HEARING):
        return fresh(track)
    statements.agree(world.member, fresh(track))
    tracks.put_forward(people.officer, track)
    if state == TrackState.RE_REVIEW:
        return fresh(track)
    tracks.pass_re(people.second, track)
    if state == TrackState.LEGAL:
        return fresh(track)
    if fresh(track).state == TrackState.LEGAL:
        tracks.pass_legal(people.legal, track)
    if state == TrackState.TO_DECIDE:
        return fresh(track)
    tracks.decide(people.second, track)
    if state == TrackState.DECIDED:
        return fresh(track)
    tracks.serve(people.officer, track)
    if state == TrackState.DONE:
        settle(world, track)
        tracks.complete(people.officer, track)
    return fresh(track)


def propose(world: World, track: Track) -> Track:
    """An order to correct under the agreement (with a suspension where the sum is big), or one and a half times the loss."""
    people, held = crew(world), fresh(track)
    if held.kind == TrackKind.AGREEMENT:
        months = 3 if _loss(held.case) >= 100_000 else None
        return fresh(proposals.propose(people.officer, held, text="责令改正并追回基金损失", correct=True, suspend_months=months))
    fine = _loss(held.case) * Decimal("1.5")
    return fresh(proposals.propose(people.officer, held, fine=fine, grade="ordinary", grade_reason="首次违法，情节一般"))


def settle(world: World, track: Track) -> None:
    """Everything a served decision asks for: money back, fine paid, decision published."""
    from audits.reading.money import case_money, fine_position
    from audits.services import money

    people, held = crew(world), fresh(track)
    for row in case_money(held.case).rows if held.holds_money else ():
        if row.outstanding:
            money.receive(
                people.finance, held, fund_type=row.fund_type, amount=row.outstanding, on=timezone.localdate(),
                reference=f"回单-{held.pk}-{row.fund_type}",
            )  # fmt: skip
    if held.kind == TrackKind.PENALTY:
        owed = fine_position(held).outstanding
        money.pay_fine(people.officer, held, amount=owed, on=timezone.localdate(), reference=f"缴款书-{held.pk}")
        tracks.publish(people.officer, held, "已在县政府网站公开")


def hearing_held(world: World, track: Track) -> Track:
    """End a hearing without its paperwork: by the frame of the act alone."""
    people = crew(world)
    with transaction.atomic():
        held, step = begin(people.legal, track, Act.HOLD_HEARING, REASON)
        record = store_bytes(b"hearing", "听证笔录.pdf", "audit_hearing", people.legal)
        Hearing.objects.create(
            track=held, announced_on=timezone.localdate(), held_on=timezone.localdate(), host=people.legal,
            announced_by=people.legal, place="二楼会议室", participants="当事人、办案人员", conclusion=REASON, record=record,
            concluded_by=people.legal,
        )  # fmt: skip
        finish(people.legal, held.case, step, "举行听证", track=held, reason=REASON)
    return fresh(track)


def again(case: Case) -> Case:
    return Case.objects.with_places().get(pk=case.pk)


def fresh(track: Track) -> Track:
    rows = Track.objects.select_related("case__county__pooling_area", "case__alliance__county", "case__institution__county")
    return rows.get(pk=track.pk)


def _loss(case: Case) -> Decimal:
    lines = FindingLine.objects.kept().filter(finding__case=case)
    return sum((row.amount for row in lines), Decimal("0.00"))
