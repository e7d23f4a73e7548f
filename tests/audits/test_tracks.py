"""The two ways of a case: notice, re-review by another, legal review by a third, decision, service, performance."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audits.models import Case, CaseChange, CaseDocument, CaseOfficer, DecidedAmount, FindingLine, Track
from audits.parameters import LEGAL_ORGANISATION
from audits.services import cases, proposals, statements, tracks
from audits.services.findings import drop_lines
from audits.states import Act, TrackKind, TrackState
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, Parameter
from core.trail import verify_chains
from ledger.models import Entry
from tests.audits import ground

AGREEMENT, PENALTY = TrackKind.AGREEMENT, TrackKind.PENALTY


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(ground.NOW)


def refused(kind: Any, *given: Any, **named: Any) -> str:
    act, *rest = given
    with pytest.raises(kind) as caught:
        act(*rest, **named)
    return str(caught.value)


def test_a_notice_needs_a_proposal_and_tells_the_party(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    assert "还没有拟定处理意见" in refused(Refused, tracks.notify, people.officer, track)
    ground.propose(world, track)
    tracks.notify(people.partner, track, way="电子送达")
    held = ground.fresh(track)
    assert (held.state, held.notified_on, held.case.notified_at is None) == (TrackState.NOTIFIED, ground.TODAY, False)
    assert CaseDocument.objects.get(track=track).kind == "agreement_notice"
    assert Notice.objects.filter(user=world.hospital, text__contains="告知书").count() == 1


def test_the_day_and_way_of_service_must_be_possible(world: Any, time_machine: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    ground.propose(world, track)
    with pytest.raises(Refused) as caught:
        tracks.notify(people.officer, track, on=date(2026, 9, 2), way="口头")
    assert {problem.field for problem in caught.value.problems} == {"on", "way"}
    assert "早于 2026-09-01" in refused(Refused, tracks.notify, people.officer, track, on=date(2026, 8, 31))
    time_machine.move_to("2026-09-04 09:00:00+08:00")
    tracks.notify(people.officer, track, on=date(2026, 9, 2))
    assert track.deadlines.get(key="statement").due_on == date(2026, 9, 9)


def test_the_case_waits_until_the_party_spoke_or_its_days_are_over(world: Any, time_machine: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    time_machine.move_to("2026-09-08 09:00:00+08:00")
    assert "期限到 2026-09-08，期满前不能提请复审" in refused(Refused, tracks.put_forward, people.officer, track)
    time_machine.move_to("2026-09-09 09:00:00+08:00")
    tracks.put_forward(people.officer, track)
    other = ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    statements.agree(world.member, other)
    tracks.put_forward(people.officer, other)
    assert ground.fresh(other).state == TrackState.RE_REVIEW


def test_an_agreement_to_the_first_notice_does_not_cut_the_second_short(world: Any, time_machine: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.RE_REVIEW)
    time_machine.move_to("2026-09-03 09:00:00+08:00")
    tracks.return_re(people.second, track, "处理意见须写明整改期限")
    assert "还没有拟定处理意见" in refused(Refused, tracks.notify, people.officer, track)
    ground.propose(world, track)
    tracks.notify(people.officer, track)
    assert "期满前不能提请复审" in refused(Refused, tracks.put_forward, people.officer, track)


def test_no_hearing_below_the_threshold_and_none_for_strangers(world: Any) -> None:
    small = ground.track_in(world, PENALTY, TrackState.NOTIFIED)
    assert "没有达到听证标准" in refused(Refused, statements.ask_hearing, world.member, small, "要求听证，有异议")
    big = ground.track_in(world, PENALTY, TrackState.NOTIFIED, big=True)
    assert big.needs_hearing and not small.needs_hearing
    text = refused(NotAllowed, statements.ask_hearing, world.sister_hospital, big, "要求听证，有异议")
    assert "医共体财务" in text
    statements.ask_hearing(world.hospital, big, "要求听证，有异议")


def test_the_first_reviewer_never_re_reviews_and_the_answers_come_first(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    statements.give_statement(world.member, track, text="两行为病情变化后复查，请予核减")
    statements.agree(world.member, track, "其余事实无异议")
    tracks.put_forward(people.officer, track)
    assert "由您本人初审" in refused(NotAllowed, tracks.pass_re, people.reviewer, track)
    assert "第 1 次意见尚未答复" in refused(Refused, tracks.pass_re, people.second, track)
    statements.reply(people.second, track.statements.get(number=1), "refused", "病历没有病情变化记录")
    tracks.pass_re(people.second, track)
    assert ground.fresh(track).re_reviewed_by == people.second


@pytest.mark.parametrize(("big", "target"), [(False, TrackState.TO_DECIDE), (True, TrackState.LEGAL)])
@pytest.mark.parametrize("kind", [AGREEMENT, PENALTY])
def test_the_limits_send_a_grave_decision_to_the_legal_review(world: Any, kind: str, big: bool, target: str) -> None:
    people, track = ground.crew(world), ground.track_in(world, kind, TrackState.RE_REVIEW, big=big)
    tracks.pass_re(people.second, track)
    held = ground.fresh(track)
    assert (held.state, held.needs_legal) == (target, big)
    change = CaseChange.objects.filter(track=track, act=Act.PASS_RE).get()
    assert (change.target, bool(change.data["legal"])) == (target, big)
    keys = set(track.deadlines.filter(ended_on__isnull=True).values_list("key", flat=True))
    assert keys == ({"legal_review"} if big else set())


def test_a_place_may_set_a_lower_threshold_for_the_legal_review(world: Any) -> None:
    track = ground.track_in(world, PENALTY, TrackState.RE_REVIEW)
    Parameter.objects.create(
        key=LEGAL_ORGANISATION, pooling_area=world.area, county=world.qingxi, value="2250", clause="县局规定", status="confirmed",
        valid_from=date(2026, 1, 1), entered_by=world.admin, confirmed_by=world.reviewer,
    )  # fmt: skip
    tracks.pass_re(ground.crew(world).second, track)
    assert ground.fresh(track).state == TrackState.LEGAL


def test_the_legal_review_is_a_third_persons_and_may_send_back(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.LEGAL)
    Track.objects.filter(pk=track.pk).update(re_reviewed_by=people.legal)
    assert "法制审核须由第三人办理" in refused(NotAllowed, tracks.pass_legal, people.legal, track)
    Track.objects.filter(pk=track.pk).update(re_reviewed_by=people.second)
    tracks.return_legal(people.legal, track, "裁量理由不充分")
    assert ground.fresh(track).state == TrackState.RE_REVIEW
    tracks.pass_re(people.second, track)
    tracks.pass_legal(people.legal, track)
    assert (ground.fresh(track).state, ground.fresh(track).legal_by) == (TrackState.TO_DECIDE, people.legal)
    with pytest.raises(IntegrityError), transaction.atomic():
        Track.objects.filter(pk=track.pk).update(legal_by=people.second)


def test_nobody_decides_on_their_own_finding_or_proposal(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.TO_DECIDE)
    CaseOfficer.objects.create(case=track.case, user=people.second, card="赣09", since=date(2026, 8, 1), until=date(2026, 8, 2))
    assert "由您本人参与调查" in refused(NotAllowed, tracks.decide, people.second, track)
    assert "稽核复核岗位" in refused(NotAllowed, tracks.decide, people.officer, track)
    with pytest.raises(IntegrityError), transaction.atomic():
        Track.objects.filter(pk=track.pk).update(decided_by=people.officer)
    tracks.decide(people.reviewer, track)


def test_a_fine_outside_the_range_is_never_proposed_nor_decided(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.TO_NOTIFY)
    with pytest.raises(Refused):
        proposals.propose(people.officer, track, fine=Decimal("9000"), grade="ordinary", grade_reason="情节一般")
    late = ground.track_in(world, PENALTY, TrackState.TO_DECIDE)
    Track.objects.filter(pk=late.pk).update(fine=Decimal("9000"))
    with pytest.raises(Refused) as caught:
        tracks.decide(people.second, late)
    assert [problem.field for problem in caught.value.problems] == ["penalty_in_range"]


def test_lines_dropped_in_the_re_review_make_the_fine_be_proposed_anew(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.RE_REVIEW)
    line = FindingLine.objects.get(finding__case=track.case, fund_type="EMP")
    drop_lines(people.second, track.case, [line.pk], "复查有病情变化记录")
    assert "现在认定为 1000.00 元" in refused(Refused, tracks.pass_re, people.second, track)
    tracks.return_re(people.second, track, "按剔除后的金额重新拟定")
    ground.propose(world, track)
    assert ground.fresh(track).fine == Decimal("1500.00")


def test_a_claim_counted_beyond_what_was_paid_stops_the_decision(world: Any) -> None:
    people = ground.crew(world)
    tracks_held = [ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE) for _number in range(2)]
    for track in tracks_held:
        FindingLine.objects.filter(finding__case=track.case, fund_type="RES").update(settlement_id="S000777")
    text = refused(Refused, tracks.decide, people.second, tracks_held[0])
    assert "S000777" in text and "超过基金支付" in text


def test_a_barred_act_is_not_fined_but_its_loss_recovered(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.TO_DECIDE)
    track.case.findings.update(acted_from=date(2023, 1, 1), acted_to=date(2023, 6, 30))
    text = refused(Refused, tracks.decide, people.second, track)
    assert "处罚时效已于 2025-06-30 届满" in text
    Case.objects.filter(pk=track.case_id).update(harm=True)
    tracks.decide(people.second, ground.fresh(track))


def test_a_served_decision_moves_its_money_and_starts_the_days_to_pay(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.DECIDED)
    assert track.decided_amount == Decimal("1500.00") and not DecidedAmount.objects.exists()
    tracks.serve(people.officer, track, way="留置送达")
    rows = dict(DecidedAmount.objects.filter(track=track).values_list("kind", "amount"))
    assert rows == {"refused": Decimal("1000.00"), "recovery": Decimal("500.00")}
    held = ground.fresh(track)
    assert (held.served_on, held.service_way) == (ground.TODAY, "留置送达")
    assert set(track.deadlines.filter(ended_on__isnull=True).values_list("key", flat=True)) == {"repayment"}
    assert CaseDocument.objects.filter(track=track, kind="agreement_decision").count() == 1
    change = CaseChange.objects.get(track=track, act=Act.SERVE)
    assert (change.data["refused"], change.data["recovery"]) == ("1000.00", "500.00")
    assert Notice.objects.filter(user=people.finance, url=track.case.get_absolute_url()).exists() and verify_chains() == []


def test_serving_twice_moves_the_money_once(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.SERVED)
    entries = Entry.objects.count()
    assert "（赵衡已办理“送达决定书”）" in refused(Conflict, tracks.serve, people.officer, track)
    assert Entry.objects.count() == entries and DecidedAmount.objects.count() == 2


def test_a_failed_service_leaves_nothing_behind(world: Any, monkeypatch: Any) -> None:
    from audits.services import steps

    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.DECIDED)
    documents = CaseDocument.objects.count()

    def broken(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("the trail is gone")

    monkeypatch.setattr(steps, "record", broken)
    with pytest.raises(RuntimeError):
        tracks.serve(people.officer, track)
    monkeypatch.undo()
    assert ground.fresh(track).state == TrackState.DECIDED and not DecidedAmount.objects.exists()
    assert CaseDocument.objects.count() == documents
    tracks.serve(people.officer, track)


def test_only_a_penalty_decision_is_published_and_before_it_is_done(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.SERVED)
    text = refused(Refused, tracks.complete, people.officer, track)
    assert "尚有 500.00 元应追回，处罚决定尚未登记公开" in text
    tracks.publish(people.officer, track, "已在县政府网站公开")
    assert "已登记公开" in refused(Refused, tracks.publish, people.officer, track, "再次公开决定")
    agreement = ground.track_in(world, AGREEMENT, TrackState.SERVED)
    assert "协议处理不公开" in refused(Refused, tracks.publish, people.officer, agreement, "公开协议处理")


def test_a_fine_still_owed_keeps_the_track_open(world: Any) -> None:
    from audits.services import money

    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.SERVED)
    money.receive(people.finance, track, fund_type="EMP", amount=Decimal("500"), on=ground.TODAY, reference="回单-1")
    assert "罚款尚欠 2,250.00 元" in refused(Refused, tracks.complete, people.officer, track)
    done = ground.track_in(world, PENALTY, TrackState.DONE)
    assert done.done_on == ground.TODAY
    assert "没有应缴未缴的罚款" in refused(
        Refused, money.pay_fine, people.officer, ground.track_in(world, AGREEMENT, TrackState.SERVED),
        amount=Decimal("1"), on=ground.TODAY, reference="缴款书-2",
    )  # fmt: skip


def test_dropping_the_track_with_the_money_hands_it_to_the_other(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY, both=True)
    tracks.drop(people.second, track, "协议已解除，只作行政处罚")
    held = {row.kind: (row.state, row.holds_money) for row in track.case.tracks.all()}
    assert held == {AGREEMENT: (TrackState.DROPPED, False), PENALTY: (TrackState.TO_NOTIFY, True)}
    decided = ground.onward(world, track.case.tracks.get(kind=PENALTY), TrackState.SERVED)
    assert sum(row.amount for row in decided.amounts.all()) == Decimal("1500.00")


def test_the_track_with_the_money_stays_once_the_other_was_decided(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.DECIDED, both=True)
    agreement = track.case.tracks.get(kind=AGREEMENT)
    assert "已经作出决定，基金损失由协议处理追回" in refused(Refused, tracks.drop, people.second, agreement, ground.REASON)
    assert track.decided_amount == 0 and agreement.holds_money


def test_money_is_decided_once_where_both_ways_are_taken(world: Any) -> None:
    track = ground.track_in(world, AGREEMENT, TrackState.SERVED, both=True)
    ground.onward(world, track.case.tracks.get(kind=PENALTY), TrackState.SERVED)
    rows = DecidedAmount.objects.filter(track__case=track.case)
    assert sum(row.amount for row in rows) == Decimal("1500.00") and {row.track_id for row in rows} == {track.pk}
    assert not track.case.tracks.get(kind=PENALTY).deadlines.filter(key="repayment").exists()


def test_a_suspended_case_lets_its_party_speak_but_nobody_decide(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    cases.suspend(people.reviewer, track.case, ground.REASON)
    statements.give_statement(world.member, ground.fresh(track), text="请求恢复办理并核减两行")
    assert "起中止办理" in refused(Refused, tracks.put_forward, people.officer, ground.fresh(track))
    assert "起中止办理" in refused(Refused, tracks.drop, people.second, ground.fresh(track), ground.REASON)
