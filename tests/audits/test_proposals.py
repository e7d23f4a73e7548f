"""What an officer proposes: measures or a fine within the legal range, frozen with its trace and checked again later."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audits.models import Finding, Lead
from audits.reading.penalties import found_on, legal_range, penalty_problems, range_of
from audits.services.proposals import propose
from audits.states import LeadState, TrackKind, TrackState
from core.access import NotAllowed
from core.errors import Refused
from rules.penalties import ACTS
from tests.audits import money_ground as ground
from tests.audits.money_ground import D, Row

TODAY = timezone.localdate
REASON = "违法事实清楚，配合调查"
pytestmark = pytest.mark.django_db


def penalty(world, rows=None, **more):
    case = ground.case_of(world, rows or [Row("126594.00")], penalty=True, **more)
    return ground.track_of(case, TrackKind.PENALTY)


def fined(world, track, fine="189891.00", grade="ordinary", reason=REASON, **more):
    return propose(world.auditor, track, fine=D(fine), grade=grade, grade_reason=reason, **more)


def test_a_fine_within_the_grades_part_of_the_legal_range_is_frozen_with_its_trace(world):
    track = penalty(world)
    held = fined(world, track)
    held.refresh_from_db()
    frozen = held.penalty
    assert (frozen["loss"], frozen["lower"], frozen["upper"]) == ("126594.00", "126594.00", "253188.00")
    assert (held.fine, held.grade, held.proposed_by) == (D("189891.00"), "ordinary", world.auditor)
    assert frozen["trace"] and frozen["items"][0]["clause"].startswith("条例第三十八条")
    assert held.needs_hearing and held.needs_legal and frozen["hearing"]["reasons"]
    assert penalty_problems(held) == []


def test_a_fine_below_the_thresholds_needs_neither_hearing_nor_legal_review(world):
    held = fined(world, penalty(world, [Row("1000.00")]), fine="1500.00")
    assert not held.needs_hearing and not held.needs_legal


def test_a_fine_outside_the_range_and_without_reason_is_refused_with_all_problems_at_once(world):
    track = penalty(world)
    with pytest.raises(Refused) as refused:
        fined(world, track, fine="253188.01", grade="lighter", reason=" ", suspend_months=3)
    texts = "".join(problem.text for problem in refused.value.problems)
    assert "裁量理由至少 4 个字" in texts and "没有相应情节支持" in texts
    assert "253,188.01 元不在“从轻处罚”的幅度内" in texts and "暂停措施" in texts
    track.refresh_from_db()
    assert track.proposed_at is None and track.penalty == {}


def test_self_found_and_returned_money_supports_a_lighter_fine(world):
    held = fined(world, penalty(world), fine="126594.00", grade="lighter", facts=["self_found_returned"])
    assert held.grade == "lighter" and held.penalty["facts"] == ["self_found_returned"]


def test_a_decided_case_of_the_same_provider_makes_the_new_one_a_repetition(world):
    former = ground.case_of(world, [Row("10.00")])
    ground.served(world, former, decided_on=TODAY() - timedelta(days=300))
    track = penalty(world)
    found = legal_range(track.case)
    assert [one.case_number for one in found.repeats] == [former.number] and found.range.repeat
    other = penalty(world, institution="lead")
    assert legal_range(other.case).repeats == ()
    held = fined(world, track, fine="253188.00", grade="heavier")
    assert held.penalty["repeats"][0]["case"] == former.number


def test_acts_found_after_two_years_are_recovered_but_not_fined(world):
    track = penalty(world)
    case = track.case
    Lead.objects.create(
        number="线-1", source="routine", pooling_area=world.area, county=world.qingxi, party_name="x", title="x", detail="x",
        received_on=TODAY() - timedelta(days=60), state=LeadState.FILED, due_on=TODAY(), entered_at=timezone.now(), case=case,
    )  # fmt: skip
    assert found_on(case) == TODAY() - timedelta(days=60)
    Finding.objects.filter(case=case).update(acted_from=TODAY() - timedelta(days=900), acted_to=TODAY() - timedelta(days=800))
    found = legal_range(case)
    assert found.range is None and len(found.barred) == 1 and "损失仍应追回" in found.barred[0].why
    with pytest.raises(Refused, match="没有可以给予行政处罚的行为"):
        fined(world, track, fine="100.00")
    held = fined(world, track, fine="0.00", grade="none")
    assert held.fine == D("0.00")
    case.harm = True
    case.save()
    assert legal_range(case).range is not None


def test_acts_under_the_agreement_are_left_out_of_the_range(world):
    agreement = next(act.key for act in ACTS if not act.penalised)
    found = legal_range(penalty(world, [Row("100.00"), Row("50.00", act=agreement)]).case)
    assert found.range.loss == D("100.00") and [one.loss for one in found.skipped] == [D("50.00")]


def test_a_range_whose_lines_were_dropped_must_be_made_anew(world):
    track = fined(world, penalty(world, [Row("100000.00"), Row("26594.00")]))
    line = track.case.findings.get().lines.get(amount=D("26594.00"))
    line.dropped_at, line.dropped_by = timezone.now(), world.audit_reviewer
    line.save()
    problems = penalty_problems(ground.track_of(track.case, TrackKind.PENALTY))
    assert [problem.field for problem in problems] == ["penalty"]
    assert "126594.00 元，现在认定为 100000.00 元" in problems[0].text
    again = fined(world, track, fine="150000.00")
    assert penalty_problems(again) == [] and range_of(again).range.loss == D("100000.00")


def test_the_measures_of_an_agreement_are_proposed_with_the_amount_of_the_findings(world):
    track = ground.track_of(ground.case_of(world, [Row("100.00"), Row("20.00", fund="EMP")]))
    held = propose(world.auditor, track, text="拒付违规费用并责令改正", points=6, correct=True, suspend_months=2)
    assert held.measures == {
        "text": "拒付违规费用并责令改正", "points": 6, "correct": True, "suspend_months": 2, "terminate": False,
        "amount": "120.00",
    }  # fmt: skip
    assert held.needs_hearing and held.needs_legal  # a suspension of the service


def test_everything_wrong_with_proposed_measures_is_told_at_once(world):
    track = ground.track_of(ground.case_of(world, [Row("100.00")]))
    with pytest.raises(Refused) as refused:
        propose(world.auditor, track, text="短", points=101, suspend_months=13, terminate=True)
    assert [problem.field for problem in refused.value.problems] == ["text", "points", "suspend_months", "terminate"]


def test_only_officers_of_the_case_propose_and_only_before_the_notice(world):
    track = penalty(world)
    with pytest.raises(NotAllowed):
        propose(world.audit_reviewer, track, fine=D("1.00"), grade="ordinary", grade_reason=REASON)
    track.state = TrackState.NOTIFIED
    track.save()
    with pytest.raises(Refused, match="不能办理“拟定处理意见”"):
        fined(world, track)
