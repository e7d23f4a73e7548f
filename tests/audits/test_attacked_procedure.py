"""Attempts to go round the procedure: one person in two posts over time, consent reused, claims gone, evidence changed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from audits.models import CaseDocument, Hearing, Track
from audits.reading import evidence as reading
from audits.reading.claims_now import changed_claims
from audits.reading.evidence import UNREAD, checked, evidence_problems
from audits.services import cases, deadlines, findings, hearings, statements, tracks
from audits.services.evidence import handle, withdraw
from audits.services.numbers import next_number
from audits.services.steps import allowed_acts, allowed_track_acts
from audits.states import Act, CaseState, TrackKind, TrackState
from audits.verification_evidence import verify_evidence
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Role, RoleGrant, StoredFile, TrailEvent
from rules.procedure import UNITS
from tests.audits import findings_ground, ground
from tests.audits.findings_ground import ground as investigation
from tests.claims.extracts import accepted, claim

REASON = ground.REASON
__all__ = ["investigation"]


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(ground.NOW)


def also(user, role, place):
    """A further post of a person, as over the years."""
    RoleGrant.objects.create(user=user, role=role, valid_from=date(2020, 1, 1), pooling_area=place)
    user.__dict__.pop("_scopes", None)
    return type(user).objects.get(pk=user.pk)


# --- one person, two posts -----------------------------------------------------------------------------------------


def test_who_returned_or_trimmed_a_case_never_investigates_it(world, clock):
    people = ground.crew(world)
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.return_first(people.second, case, REASON)
    turned = also(people.second, Role.AUDITOR, world.area)
    named = [(people.officer, "赣01", True), (turned, "赣03", False)]
    with pytest.raises(Refused, match="赵启明审批或审核过本案"):
        cases.set_officers(people.reviewer, ground.again(case), named, REASON)


def test_who_put_the_filing_forward_does_not_review_the_case(world, clock):
    people = ground.crew(world)
    lead = ground.lead_in(world, proposed_by=people.spare, assigned_to=people.spare)
    case = ground.investigated(world, lead=lead)
    cases.submit(people.officer, case)
    turned = also(people.spare, Role.AUDIT_REVIEWER, world.area)
    with pytest.raises(NotAllowed, match="由您本人参与调查"):
        cases.pass_first(turned, ground.again(case), [TrackKind.AGREEMENT])


def test_an_officer_taken_off_the_case_still_never_reviews_it(world, clock):
    people = ground.crew(world)
    case = ground.investigated(world)
    cases.set_officers(people.reviewer, case, [(people.officer, "赣01", True), (people.spare, "赣03", False)], REASON)
    cases.submit(people.officer, ground.again(case))
    turned = also(people.partner, Role.AUDIT_REVIEWER, world.area)
    for act in (
        lambda: cases.pass_first(turned, ground.again(case), [TrackKind.AGREEMENT]),
        lambda: cases.return_first(turned, ground.again(case), REASON),
        lambda: cases.dismiss(turned, ground.again(case), REASON),
    ):
        with pytest.raises(NotAllowed, match="参与调查"):
            act()


def test_who_re_reviewed_once_never_gives_the_legal_review(world, clock):
    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.PENALTY, TrackState.LEGAL)
    tracks.return_legal(people.legal, track, REASON)
    third = ground.person("audit_third", "第三复核", Role.AUDIT_REVIEWER, world.area)
    tracks.pass_re(third, ground.fresh(track))
    turned = also(people.second, Role.LEGAL_REVIEWER, world.area)
    with pytest.raises(NotAllowed, match="法制审核须由第三人"):
        tracks.pass_legal(turned, ground.fresh(track))
    assert tracks.pass_legal(people.legal, ground.fresh(track)).state == TrackState.TO_DECIDE


def test_the_first_reviewer_neither_replies_nor_trims_nor_passes_again(world, clock):
    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.RE_REVIEW)
    line = track.case.findings.get().lines.first()
    for act in (
        lambda: statements.reply(people.reviewer, track.statements.first(), "adopted", "采纳其意见"),
        lambda: findings.drop_lines(people.reviewer, track.case, [line.pk], REASON),
        lambda: tracks.pass_re(people.reviewer, track),
        lambda: tracks.return_re(people.reviewer, track, REASON),
    ):
        with pytest.raises(NotAllowed):
            act()


# --- consent, notice, hearing --------------------------------------------------------------------------------------


def test_consent_to_a_former_notice_of_the_same_day_is_spent(world, clock, time_machine):
    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.RE_REVIEW)
    tracks.return_re(people.second, track, REASON)
    time_machine.move_to("2026-09-01 11:00:00+08:00")
    ground.propose(world, track)
    tracks.notify(people.officer, ground.fresh(track))
    with pytest.raises(Refused, match="期满前不能提请复审"):
        tracks.put_forward(people.officer, ground.fresh(track))
    time_machine.move_to("2026-09-01 12:00:00+08:00")
    statements.agree(world.member, ground.fresh(track))
    with pytest.raises(Conflict, match="不必重复"):
        statements.agree(world.member, ground.fresh(track))
    assert tracks.put_forward(people.officer, ground.fresh(track)).state == TrackState.RE_REVIEW
    notices = CaseDocument.objects.filter(kind="agreement_notice").order_by("version")
    assert [(row.version, row.number) for row in notices] == [(1, notices[0].number), (2, notices[0].number)]


def test_a_second_hearing_keeps_what_the_first_one_found(world, clock):
    people = ground.crew(world)
    track = ground.hearing_held(world, ground.track_in(world, TrackKind.PENALTY, TrackState.HEARING))
    tracks.return_re(people.second, track, REASON)
    ground.propose(world, track)
    tracks.notify(people.officer, ground.fresh(track))
    statements.ask_hearing(world.member, ground.fresh(track), "对新的处罚幅度有异议，要求听证")
    with pytest.raises(Conflict):
        statements.ask_hearing(world.member, ground.fresh(track), "再申请一次听证")
    with pytest.raises(Refused, match="还没有通知当事人"):
        hearings.hold(
            people.legal, ground.fresh(track), held_on=timezone.localdate(), participants="双方", conclusion=REASON,
            record_file=findings_ground.stored(),
        )  # fmt: skip
    day = timezone.localdate() + timedelta(days=17)
    row = hearings.announce(people.legal, ground.fresh(track), held_on=day, place="三楼会议室", host=people.legal)
    assert (row.conclusion, row.record, row.concluded_by) == ("", None, None)
    former = Track.objects.get(pk=track.pk).changes.filter(act=Act.ANNOUNCE).last().data["former"]
    assert former["conclusion"] == REASON and StoredFile.objects.filter(pk=former["record"]).exists()
    assert Hearing.objects.count() == 1


def test_a_statement_after_the_case_was_put_forward_is_refused(world, clock):
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.RE_REVIEW)
    with pytest.raises(Conflict, match="不能办理“陈述申辩”"):
        statements.give_statement(world.member, track, text="补充说明情况")


def test_what_waits_for_its_decision_goes_back_to_the_re_review(world, clock):
    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.TO_DECIDE)
    with pytest.raises(NotAllowed):
        tracks.return_re(people.reviewer, track, REASON)
    held = tracks.return_re(people.second, track, REASON)
    assert held.state == TrackState.RE_REVIEW and held.proposed_by == people.officer
    assert held.deadlines.filter(key="re_review", ended_on__isnull=True).exists()
    assert tracks.pass_re(people.second, ground.fresh(track)).state == TrackState.TO_DECIDE


# --- claims and evidence -------------------------------------------------------------------------------------------


def to_decide(investigation):
    """A case on real claims whose agreement waits for its decision."""
    track = investigation.track("to_decide", proposed_by=investigation.officer, proposed_at=timezone.now())
    return track, track.case


def test_a_claim_reversed_after_its_line_stops_the_decision(investigation):
    findings_ground.claims(investigation.world)
    made = findings_ground.with_lines(investigation, None, None)
    made.evidence.add(findings_ground.piece(investigation))
    track, case = to_decide(investigation)
    assert changed_claims(case) == []
    rows = [claim(n, institution_code=findings_ground.TOWNSHIP, diagnosis_code="J44.100") for n in range(1, 6)]
    back = claim(
        9, institution_code=findings_ground.TOWNSHIP, diagnosis_code="J44.100", reversal_of="S000001", visit_id="V000001",
        person_id="360101197001010001", total_cost="-1000.00", eligible_cost="-900.00", pooled_fund_paid="-600.00",
        cash_paid="-400.00",
    )  # fmt: skip
    accepted(investigation.world, [*rows, back])
    assert "S000001 已由 S000009 冲销" in str(changed_claims(case)[0])
    assert bool(allowed_track_acts(investigation.second, track)[Act.DECIDE])  # the page does not read the extracts
    with pytest.raises(Refused, match="S000001 已由 S000009 冲销"):
        tracks.decide(investigation.second, track)
    tracks.return_re(investigation.second, track, "结算已冲销，退回复审剔除")
    line = case.findings.get().lines.get(settlement_id="S000001")
    findings.drop_lines(investigation.second, case, [line.pk], "结算已经冲销")
    assert changed_claims(case) == []


def test_claims_gone_or_paid_less_are_named_and_months_without_extract_are_not(investigation):
    findings_ground.claims(investigation.world)
    findings_ground.with_lines(investigation, None, None, "100.00")
    changed = {"pooled_fund_paid": "200.00", "cash_paid": "800.00", "eligible_cost": "600.00"}
    rows = [claim(n, institution_code=findings_ground.TOWNSHIP, **(changed if n > 1 else {})) for n in (2, 3)]
    accepted(investigation.world, rows)
    told = [str(problem) for problem in changed_claims(investigation.again())]
    assert len(told) == 2 and "S000001 在现在的结算明细中已没有" in told[0] and "现为 200.00 元" in told[1]
    investigation.case.findings.get().lines.update(settled_on=date(2025, 11, 5))
    assert len(changed_claims(investigation.again())) == 1


def test_a_fact_whose_evidence_was_withdrawn_later_is_not_decided(world, clock):
    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.TO_DECIDE)
    withdraw(people.officer, track.case.evidence.get(), "来源不合法")
    with pytest.raises(Refused, match="事实 1 没有采用的证据"):
        tracks.decide(people.second, track)
    tracks.return_re(people.second, track, REASON)
    with pytest.raises(Refused, match="事实 1 没有采用的证据"):
        tracks.pass_re(people.second, ground.fresh(track))


def test_no_case_ends_over_evidence_registered_before_seizure(world, clock):
    people = ground.crew(world)
    case = ground.investigated(world)
    piece = ground.evidence(world, case, b"ledger", registered_until=date(2026, 9, 10))
    with pytest.raises(Refused, match="先行登记保存的证据尚未处理"):
        cases.dismiss(people.reviewer, case, REASON)
    handle(people.officer, piece, "解除登记保存，退还当事人")
    assert cases.dismiss(people.reviewer, ground.again(case), REASON).state == CaseState.DISMISSED


def tampered(piece):
    piece.file.path.chmod(0o644)
    piece.file.path.write_bytes(b"x" * piece.file.size)


def test_withdrawn_evidence_that_was_changed_is_named_by_the_verification(investigation):
    piece = findings_ground.piece(investigation, b"%PDF-1.4 withdrawn")
    assert verify_evidence() == []
    withdraw(investigation.officer, piece, "来源不合法")
    tampered(piece)
    found = verify_evidence()
    assert [row.where for row in found] == [f"案件 {investigation.case.number} {piece}"]
    assert "内容与校验值不符（已不再采用）" in found[0].text and evidence_problems(investigation.case) == []


def test_large_evidence_is_read_at_the_act_and_not_on_every_page(investigation, monkeypatch, client_of):
    pieces = [findings_ground.piece(investigation, b"%PDF-1.4 " + bytes([65 + n]) * 100) for n in range(2)]
    findings_ground.finding(investigation, evidence=[piece.pk for piece in pieces])
    tampered(pieces[1])
    monkeypatch.setattr(reading, "GLANCE", 150)
    states = [row.state for row in checked(investigation.again(), glance=True)]
    assert states == ["same", UNREAD]
    assert bool(allowed_acts(investigation.officer, investigation.again())[Act.SUBMIT])
    with pytest.raises(Refused, match="内容与校验值不符"):
        cases.submit(investigation.officer, investigation.again())
    page = client_of(investigation.officer).get(f"/audits/cases/{investigation.case.pk}/").content.decode()
    assert "校验 1 / 2 一致" in page and "1 件未在本页校验" in page


# --- limits, numbers, trail ----------------------------------------------------------------------------------------


def test_five_working_days_jump_over_the_spring_festival_of_2026(world, time_machine):
    time_machine.move_to("2026-02-12 09:00:00+08:00")
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    limit = track.deadlines.get(key="statement")
    assert (limit.count, UNITS[limit.unit]) == (5, "个工作日")
    assert limit.due_on == date(2026, 2, 26)  # 13 and 14 work, 15 to 23 are holidays, 24 to 26 follow


def test_suspended_and_resumed_on_one_day_no_limit_moves(world, clock):
    people = ground.crew(world)
    case = ground.investigated(world)
    before = {row.key: row.last_day for row in deadlines.running(case)}
    cases.suspend(people.reviewer, case, REASON)
    cases.resume(people.reviewer, case, REASON)
    rows = list(deadlines.running(case))
    assert {row.key: row.last_day for row in rows} == before and all(
        row.paused_on is None and not row.pauses for row in rows
    )


def test_no_limit_runs_on_in_a_dismissed_case(world, clock):
    people = ground.crew(world)
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.return_first(people.reviewer, case, REASON)
    cases.suspend(people.reviewer, ground.again(case), REASON)
    cases.dismiss(people.reviewer, ground.again(case), REASON)
    assert not deadlines.running(case).exists() and not ground.again(case).is_suspended


def test_numbers_of_an_act_that_failed_are_given_again(world, clock):
    from django.db import transaction

    with pytest.raises(RuntimeError, match="undone"), transaction.atomic():
        assert next_number(world.area, "case-990101", 2026) == 1
        raise RuntimeError("undone")
    with transaction.atomic():
        assert next_number(world.area, "case-990101", 2026) == 1


def test_the_trail_holds_the_hash_of_every_document_an_act_made(world, clock):
    ground.track_in(world, TrackKind.PENALTY, TrackState.SERVED, big=True)
    track = ground.track_in(world, TrackKind.PENALTY, TrackState.HEARING)
    day = timezone.localdate() + timedelta(days=17)
    hearings.announce(ground.crew(world).legal, track, held_on=day, place="三楼会议室", host=ground.crew(world).legal)
    held = {data.get("sha256") for data in TrailEvent.objects.values_list("data", flat=True)}
    made = set(CaseDocument.objects.values_list("file__sha256", flat=True))
    assert len(made) == 4 and made <= held
