"""Attempts to lose, double or change audited money between cases, settlements and books."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from audits.models import DecidedAmount, FindingLine, Recovered
from audits.reading.findings import sums
from audits.reading.money import outstanding
from audits.reading.penalties import legal_range, penalty_problems
from audits.services import cases, findings, money, proposals, tracks
from audits.services.evidence import withdraw
from audits.states import CaseState, TrackKind, TrackState
from audits.verification_money import verify_money
from core.access import NotAllowed
from core.errors import Conflict, Refused
from settlement.models import Adjustment, AdjustmentState
from settlement.services import withdraw_adjustment
from tests.audits import ground, money_ground
from tests.audits.money_ground import YEAR, D, Row

REASON = ground.REASON
pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(ground.NOW)


def receipt(world, track, amount, reference="YH-1"):
    return money.receive(
        world.finance, track, fund_type="RES", amount=D(amount), on=timezone.localdate(), reference=reference
    )[0]


def recovery(world):
    money_ground.make_final(world, YEAR - 1)
    case = money_ground.case_of(world, [Row("1000.00", year=YEAR - 1)])
    return case, money_ground.served(world, case)[0]


# --- settlement ----------------------------------------------------------------------------------------------------


def test_nobody_withdraws_in_settlement_what_a_served_decision_pushed(world, client_of):
    case = money_ground.case_of(world, [Row("120.00")])
    money_ground.served(world, case)
    pushed = Adjustment.objects.get()
    for user in (world.reviewer, world.auditor):
        with pytest.raises(Refused, match=f"由案件 {case.number}推送"):
            withdraw_adjustment(user, pushed, "误推送，先撤销")
    page = client_of(world.reviewer).get("/settlement/adjustments/").content.decode()
    assert case.number in page and f"withdraw-{pushed.pk}" not in page
    pushed.refresh_from_db()
    assert pushed.state == AdjustmentState.IN_FORCE and verify_money() == []


def test_a_deduction_leaves_its_settlement_only_through_the_case(world):
    case, track = recovery(world)
    row = money.deduct(world.auditor, track, fund_type="RES", reason="机构申请从清算款中扣减")[0]
    pushed = Adjustment.objects.get()
    with pytest.raises(Refused, match="只|由案件"):
        withdraw_adjustment(world.reviewer, pushed, "误推送，先撤销")
    money.take_back(world.auditor, track, row, "改为现金退回")
    pushed.refresh_from_db()
    assert pushed.state == AdjustmentState.WITHDRAWN and outstanding(case) == D("1000.00") and verify_money() == []


def test_a_deduction_is_taken_back_by_an_officer_of_the_case_only(world):
    _case, track = recovery(world)
    row = money.deduct(world.auditor, track, fund_type="RES", reason="机构申请从清算款中扣减")[0]
    with pytest.raises(NotAllowed, match="您不是本案办案人员"):
        money.take_back(ground.crew(world).spare, track, row, "改为现金退回")


def test_an_adjustment_that_no_case_holds_is_withdrawn_as_before(world):
    from settlement.services import push_adjustment

    row = push_adjustment(
        world.auditor, world.alliance, YEAR, "RES", "refused_claims", D("5.00"), "旧系统 1 号", "历史拒付补录"
    )
    assert withdraw_adjustment(world.reviewer, row, "误推送，先撤销").state == AdjustmentState.WITHDRAWN


def test_a_year_final_between_decision_and_service_turns_refusal_into_recovery(world, clock):
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.DECIDED)
    money_ground.make_final(world, 2026)
    tracks.serve(ground.crew(world).officer, track)
    assert set(DecidedAmount.objects.values_list("kind", flat=True)) == {"recovery"}
    assert outstanding(track.case) == money_ground.receivable() == D("1500.00")
    assert not Adjustment.objects.exists() and verify_money() == []


def test_serving_twice_pushes_and_books_once(world, clock):
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED)
    with pytest.raises(Conflict):
        tracks.serve(ground.crew(world).officer, track)
    with transaction.atomic():
        money.take_effect(ground.crew(world).officer, ground.fresh(track))
    assert Adjustment.objects.count() == 1 and verify_money() == []


def test_a_part_of_a_fen_is_no_receipt(world):
    case, track = recovery(world)
    for amount in ("0.005", "-1.00", "0.00", "1000.01"):
        with pytest.raises(Refused):
            receipt(world, track, amount)
    assert not Recovered.objects.exists() and outstanding(case) == D("1000.00")


# --- taking back after the end -------------------------------------------------------------------------------------


def test_a_receipt_taken_back_after_performance_reopens_the_track(world, clock):
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.DONE)
    row = Recovered.objects.get()
    money.take_back(world.finance, track, row, "银行退汇，款项未到账")
    again = ground.fresh(track)
    assert (again.state, again.done_on) == (TrackState.SERVED, None)
    assert outstanding(again.case) == D("500.00") and verify_money() == []
    assert again.deadlines.get(key="repayment").ended_on is None
    with pytest.raises(Refused, match="500.00 元应追回"):
        tracks.complete(ground.crew(world).officer, again)
    money.receive(
        world.finance, again, fund_type="EMP", amount=D("500.00"), on=timezone.localdate(), reference="回单-再次到账"
    )
    assert tracks.complete(ground.crew(world).officer, ground.fresh(again)).state == TrackState.DONE


def test_a_receipt_taken_back_after_closing_brings_the_case_back(world, clock):
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.DONE)
    people = ground.crew(world)
    cases.close(people.second, ground.again(track.case), REASON)
    money.take_back(world.finance, ground.fresh(track), Recovered.objects.get(), "银行退汇，款项未到账")
    case = ground.again(track.case)
    assert (case.state, case.closed_by, case.closed_at) == (CaseState.REVIEWED, None, None)
    assert case.changes.last().data["reopened"] is True and case.changes.last().reason == "银行退汇，款项未到账"
    with pytest.raises(Refused, match="尚未办结的程序"):
        cases.close(people.second, case, REASON)


# --- the penalty after the money was decided -----------------------------------------------------------------------


def penalty_in_re_review(world):
    """The agreement served, the penalty of the same case in its re-review."""
    agreement = ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED, both=True)
    penalty = ground.onward(world, agreement.case.tracks.get(kind=TrackKind.PENALTY), TrackState.RE_REVIEW)
    return agreement, penalty


def test_the_penaltys_re_review_lessens_the_fine_and_not_the_decided_money(world, clock):
    agreement, penalty = penalty_in_re_review(world)
    people, case = ground.crew(world), agreement.case
    before = sums(case).total
    line = FindingLine.objects.order_by("pk").first()
    findings.lower_line(people.second, line, D("400.00"), REASON)
    line.refresh_from_db()
    assert (line.amount, line.penalty_amount) == (D("1000.00"), D("400.00"))
    assert sums(case).total == before == ground.fresh(agreement).decided_amount
    assert legal_range(case).loss == D("900.00") and "900.00" in str(penalty_problems(ground.fresh(penalty))[0])
    with pytest.raises(Refused, match="小于现认定的 400.00 元"):
        findings.lower_line(people.second, line, D("400.00"), REASON)
    findings.drop_lines(people.second, case, [line.pk], REASON)
    assert legal_range(case).loss == D("500.00") and sums(case).spared == D("1000.00")
    findings.drop_finding(people.second, case.findings.get(), REASON)
    assert legal_range(case).range is None and not case.findings.get().dropped
    assert outstanding(case) == D("500.00") and verify_money() == []
    with pytest.raises(Conflict, match="已不计入处罚"):
        findings.drop_finding(people.second, case.findings.get(), REASON)


def test_the_re_reviewer_reads_that_only_the_penalty_is_lessened(world, clock, client_of):
    agreement, _penalty = penalty_in_re_review(world)
    people, case = ground.crew(world), agreement.case
    at = f"/audits/cases/{case.pk}/findings/1/"
    line = FindingLine.objects.order_by("pk").first()
    page = client_of(people.second).get(at).content.decode()
    assert "只减少行政处罚的计算" in page
    assert (
        client_of(people.second).post(f"{at}lines/{line.pk}/lower/", {"amount": "400", "reason": REASON}).status_code
        == 302
    )
    client_of(people.second).post(f"{at}drop/", {"reason": REASON})
    page = client_of(people.second).get(at).content.decode()
    assert "计入处罚 400.00" in page and "不计入处罚" in page and "只减少行政处罚" in page
    assert "计入处罚" not in client_of(world.member).get(at).content.decode()


def test_a_lessened_penalty_is_proposed_and_decided_anew(world, clock):
    agreement, penalty = penalty_in_re_review(world)
    people = ground.crew(world)
    line = FindingLine.objects.order_by("pk").first()
    findings.drop_lines(people.second, agreement.case, [line.pk], REASON)
    with pytest.raises(Refused, match="现在认定为 500.00 元"):
        tracks.pass_re(people.second, penalty)
    tracks.return_re(people.second, penalty, REASON)
    proposals.propose(
        people.officer, ground.fresh(penalty), fine=D("750.00"), grade="ordinary", grade_reason="首次违法，情节一般"
    )
    assert ground.fresh(penalty).fine == D("750.00") and ground.fresh(agreement).decided_amount == D("1500.00")


def test_money_is_frozen_once_the_penalty_was_decided_first(world, clock):
    penalty = ground.track_in(world, TrackKind.PENALTY, TrackState.DECIDED, both=True)
    agreement = ground.onward(world, penalty.case.tracks.get(kind=TrackKind.AGREEMENT), TrackState.RE_REVIEW)
    line = FindingLine.objects.order_by("pk").first()
    with pytest.raises(Conflict, match="行政处罚已作出决定"):
        findings.drop_lines(ground.crew(world).second, agreement.case, [line.pk], REASON)


def test_the_money_track_is_not_dropped_once_the_other_was_decided(world, clock):
    penalty = ground.track_in(world, TrackKind.PENALTY, TrackState.DECIDED, both=True)
    with pytest.raises(Refused, match="不能不予处理"):
        tracks.drop(ground.crew(world).second, penalty.case.tracks.get(kind=TrackKind.AGREEMENT), REASON)


def test_a_dropped_money_track_hands_its_money_over_exactly_once(world, clock):
    waiting = ground.track_in(world, TrackKind.AGREEMENT, TrackState.TO_NOTIFY, both=True)
    tracks.drop(ground.crew(world).second, waiting, REASON)
    penalty = ground.onward(world, waiting.case.tracks.get(kind=TrackKind.PENALTY), TrackState.SERVED)
    assert penalty.holds_money and penalty.decided_amount == Decimal("1500.00")
    assert DecidedAmount.objects.filter(track=penalty).count() == 2 and verify_money() == []


# --- other doors ---------------------------------------------------------------------------------------------------


def test_evidence_is_not_withdrawn_by_somebody_off_the_case(world, clock):
    case = ground.investigated(world)
    with pytest.raises(NotAllowed):
        withdraw(ground.crew(world).spare, case.evidence.get(), "与案件无关")
