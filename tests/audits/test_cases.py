"""A case as a whole: who may do what to it, what must hold first, everything wrong said at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audits.models import Case, CaseChange, CaseOfficer, Deadline, EvidenceNote, Lead, Track
from audits.services import cases, telling
from audits.services.steps import allowed_acts, locked_case
from audits.states import Act, CaseState, LeadState, TrackKind, TrackState
from core.access import Denied, NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from core.trail import verify_chains
from tests.audits import ground

AGREEMENT, PENALTY = TrackKind.AGREEMENT, TrackKind.PENALTY
OPENED, FIRST, REVIEWED = CaseState.INVESTIGATING, CaseState.FIRST_REVIEW, CaseState.REVIEWED


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(ground.NOW)


def refused(kind: Any, *given: Any, **named: Any) -> str:
    act, *rest = given
    with pytest.raises(kind) as caught:
        act(*rest, **named)
    return str(caught.value)


def test_filing_opens_a_numbered_case_of_the_leads_party_with_its_officers(world: Any) -> None:
    people, case = ground.crew(world), ground.opened(world)
    assert (case.number, case.state, case.alliance, case.institution) == ("青稽〔2026〕1号", OPENED, world.alliance, world.township)
    assert (case.opened_by, case.approved_by, case.filed_on) == (people.officer, people.reviewer, ground.TODAY)
    assert telling.officers(case) == [people.officer, people.partner]
    change = CaseChange.objects.get(case=case)
    assert (change.act, change.source, change.target, change.actor) == (Act.FILE, "", OPENED, people.reviewer)
    assert Notice.objects.filter(user=people.partner, url=case.get_absolute_url()).count() == 1
    assert Lead.objects.get().state == LeadState.FILED and verify_chains() == []


def test_cases_are_numbered_without_gaps_even_when_one_is_undone(world: Any) -> None:
    ground.opened(world)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ground.opened(world)
        1 / 0  # noqa: B018
    assert [ground.opened(world).number, ground.opened(world, institution=world.outsider).number] == [
        "青稽〔2026〕2号", "青稽〔2026〕3号",
    ]  # fmt: skip
    assert ground.opened(world, institution=world.outsider).alliance is None


def test_a_case_is_opened_and_locked_only_inside_an_act(world: Any, monkeypatch: Any) -> None:
    case, lead = ground.opened(world), ground.lead_in(world)
    given: dict[str, Any] = {"kind": "special", "way": "on_site", "title": "重复收费", "officers": []}
    with monkeypatch.context() as outside:
        outside.setattr(transaction.get_connection(), "in_atomic_block", False)
        with pytest.raises(RuntimeError, match="inside"):
            locked_case(case)
        with pytest.raises(RuntimeError, match="inside"):
            cases.open_case(world.audit_reviewer, lead, claims_from=ground.TODAY, claims_to=ground.TODAY, **given)


def test_a_case_goes_from_filing_to_closing_with_its_history(world: Any) -> None:
    case = ground.case_in(world, CaseState.CLOSED)
    acts = list(case.changes.order_by("pk").values_list("act", flat=True))
    assert acts == [Act.FILE, Act.SUBMIT, Act.PASS_FIRST, Act.DROP, Act.CLOSE]
    assert case.closed_by == ground.crew(world).second and case.first_amount == 1500
    assert not Deadline.objects.filter(case=case, ended_on__isnull=True).exists()
    assert set(TrailEvent.objects.filter(subject_type="audits.case").values_list("action", flat=True)) == {
        f"audits.{act}" for act in acts
    }  # fmt: skip
    assert verify_chains() == []


def test_an_empty_case_hears_everything_that_is_missing_at_once(world: Any) -> None:
    people, case = ground.crew(world), ground.opened(world)
    CaseOfficer.objects.filter(case=case, user=people.partner).update(until=ground.TODAY)
    piece = ground.evidence(world, case, registered_until=date(2026, 9, 10))
    Path(piece.file.path).write_bytes(b"something else")
    with pytest.raises(Refused) as caught:
        cases.submit(people.officer, case)
    assert {problem.field for problem in caught.value.problems} == {
        "two_officers", "has_findings", "evidence_intact", "registered_handled",
    }  # fmt: skip
    text = str(caught.value)
    for words in ("不得少于两人", "没有认定的事实", "内容与校验值不符", "先行登记保存的证据尚未处理", "2026-09-10"):
        assert words in text
    answer = allowed_acts(people.officer, case)[Act.SUBMIT]
    assert isinstance(answer, Denied) and answer.reason == "".join(str(problem) for problem in caught.value.problems)


def test_a_finding_stands_on_evidence_that_was_not_withdrawn(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, OPENED)
    ground.finding(world, case)
    assert "事实 2 没有采用的证据" in refused(Refused, cases.submit, people.officer, case)
    EvidenceNote.objects.create(
        evidence=case.evidence.get(), kind="withdrawn", text="来源不合法", by=people.officer, at=timezone.now()
    )
    assert "事实 1、2 没有采用的证据" in refused(Refused, cases.submit, people.officer, case)


def test_evidence_altered_after_registration_stops_review_and_decision(world: Any) -> None:
    from audits.services import tracks

    people, case = ground.crew(world), ground.case_in(world, FIRST)
    file = case.evidence.get().file
    held = Path(file.path).read_bytes()
    Path(file.path).write_bytes(b"altered")
    assert "内容与校验值不符" in refused(Refused, cases.pass_first, people.reviewer, case, [AGREEMENT])
    Path(file.path).write_bytes(held)
    track = ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE)
    Path(track.case.evidence.get().file.path).unlink()
    assert "文件缺失" in refused(Refused, tracks.decide, people.second, track)


def test_nobody_reviews_what_they_investigated_themselves(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST)
    CaseOfficer.objects.create(
        case=case, user=people.reviewer, card="赣09", since=date(2026, 8, 1), until=date(2026, 8, 2)
    )
    text = refused(NotAllowed, cases.pass_first, people.reviewer, case, [AGREEMENT])
    assert "由您本人参与调查" in text and "另一位" in text
    assert people.reviewer not in telling.reviewers(case)
    case.findings.update(made_by=people.second)
    assert "由您本人参与调查" in refused(NotAllowed, cases.pass_first, people.second, case, [AGREEMENT])
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(first_reviewed_by=people.officer)


def test_an_officer_of_another_county_is_told_whose_case_it_is(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, OPENED)
    text = refused(NotAllowed, cases.submit, people.other_county_auditor, case)
    assert "石桥镇中心卫生院的稽核岗位" in text
    assert not Case.objects.visible_to(people.other_county_auditor).filter(pk=case.pk).exists()
    assert "办案人员是赵衡、高文，您不是" in refused(NotAllowed, cases.submit, people.county_auditor, case)


def test_a_refusal_of_the_person_tells_what_else_is_wrong_too(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST)
    cases.suspend(people.reviewer, case, ground.REASON)
    CaseOfficer.objects.create(case=case, user=people.second, card="赣09", since=ground.TODAY)
    text = refused(NotAllowed, cases.return_first, people.second, ground.again(case), "退")
    assert "由您本人参与调查" in text and "起中止办理" in text and "没有写明理由" in text


def test_a_case_that_moved_on_names_who_moved_it(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST)
    cases.pass_first(people.second, case, [AGREEMENT])
    text = refused(Conflict, cases.return_first, people.reviewer, case, ground.REASON)
    assert "现在是“处理中”（赵启明已办理“初审通过”），不能办理“初审退回”" in text


@pytest.mark.parametrize("kinds", [(AGREEMENT,), (PENALTY,), (AGREEMENT, PENALTY)])
def test_the_first_review_opens_the_tracks_it_chose(world: Any, kinds: tuple[str, ...]) -> None:
    case = ground.case_in(world, REVIEWED, kinds=kinds)
    assert set(case.tracks.values_list("kind", flat=True)) == set(kinds)
    assert case.tracks.get(holds_money=True).kind == (AGREEMENT if AGREEMENT in kinds else PENALTY)
    assert Deadline.objects.filter(case=case, key="notify", ended_on__isnull=True).count() == len(kinds)


def test_the_first_review_chooses_known_tracks_and_at_least_one(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST)
    assert "没有选择程序" in refused(Refused, cases.pass_first, people.reviewer, case, [])
    assert "没有“fine”这种程序" in refused(Refused, cases.pass_first, people.reviewer, case, ["fine"])
    assert ground.again(case).state == FIRST and not Track.objects.exists()


@pytest.mark.parametrize(
    ("act", "on", "why"),
    [
        ("agreement_breach", date(2026, 6, 30), "属违约行为，没有行政处罚"),
        ("overcharging", date(2019, 6, 30), "行为日 2019-06-30 没有可适用的罚则"),
    ],
)
def test_no_penalty_track_where_no_finding_can_be_penalised(world: Any, act: str, on: date, why: str) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST, act=act, on=on)
    text = refused(Refused, cases.pass_first, people.reviewer, case, [AGREEMENT, PENALTY])
    assert why in text and "请只选协议处理" in text
    ground.finding(world, case)  # one that can be penalised opens the way
    cases.pass_first(people.reviewer, ground.again(case), [AGREEMENT, PENALTY])
    assert case.tracks.count() == 2


def test_a_review_that_dropped_every_finding_cannot_pass(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST)
    case.findings.update(dropped=True)
    assert "没有认定的事实" in refused(Refused, cases.pass_first, people.reviewer, case, [AGREEMENT])
    cases.dismiss(people.reviewer, case, "经查没有违法违规")
    assert ground.again(case).state == CaseState.DISMISSED


def test_a_returned_case_is_supplemented_and_put_forward_again(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, FIRST)
    assert "没有写明理由" in refused(Refused, cases.return_first, people.reviewer, case, " ")
    cases.return_first(people.reviewer, case, "补充住院病历")
    assert Deadline.objects.get(case=case, ended_on__isnull=True, key="supplement").due_on == date(2026, 9, 15)
    cases.submit(people.partner, ground.again(case))
    assert ground.again(case).submitted_by == people.partner
    assert not Deadline.objects.filter(case=case, ended_on__isnull=True, key="supplement").exists()


def test_officers_are_replaced_and_what_they_were_stays(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, OPENED)
    cases.set_officers(
        people.second, case, [(people.spare, "赣03", True), (people.partner, "赣02", False)], "赵衡回避"
    )
    assert telling.officers(case) == [people.spare, people.partner]
    assert CaseOfficer.objects.get(case=case, user=people.officer).until == ground.TODAY
    assert "您不是本案办案人员" in refused(NotAllowed, cases.submit, people.officer, case)
    cases.submit(people.spare, ground.again(case))


def test_officers_named_wrongly_hear_every_fault_at_once(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, REVIEWED)
    given = [(people.reviewer, "", True), (people.other_county_auditor, "赣09", True)]
    with pytest.raises(Refused) as caught:
        cases.set_officers(people.second, case, given, "")
    text = str(caught.value)
    for words in ("主办人员须为一人", "云稽在石桥镇中心卫生院没有稽核岗位", "没有填写钱理的执法证号", "审核过本案", "没有写明理由"):
        assert words in text
    one = [(people.spare, "赣03", True)]
    assert "不足两人" in refused(Refused, cases.set_officers, people.second, case, one, ground.REASON)


def test_a_suspended_case_is_resumed_before_anything_else(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, OPENED)
    cases.suspend(people.reviewer, case, "等待司法机关结论")
    assert "自 2026-09-01 起中止办理" in refused(Refused, cases.submit, people.officer, case)
    assert "起中止办理" in refused(Refused, cases.suspend, people.reviewer, case, ground.REASON)
    cases.resume(people.second, case, "司法机关已有结论")
    assert "没有中止" in refused(Refused, cases.resume, people.second, case, ground.REASON)
    cases.submit(people.officer, case)


def test_a_dismissed_case_runs_no_limit_and_tells_its_officers(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.DISMISSED)
    assert not Deadline.objects.filter(case=case, ended_on__isnull=True).exists()
    assert Notice.objects.filter(user=people.officer, text__contains="撤案").exists()
    assert not Case.objects.visible_to(world.member).exists()


def test_a_case_with_money_outstanding_or_a_track_under_way_is_not_closed(world: Any) -> None:
    people = ground.crew(world)
    track = ground.track_in(world, AGREEMENT, TrackState.SERVED)
    text = refused(Refused, cases.close, people.second, track.case, ground.REASON)
    assert "尚未办结的程序：协议处理（执行中）" in text and "尚有 500.00 元应追回基金没有退回" in text
    Track.objects.filter(pk=track.pk).update(state=TrackState.DONE)
    assert "尚有 500.00 元" in refused(Refused, cases.close, people.second, track.case, ground.REASON)
    done = ground.track_in(world, AGREEMENT, TrackState.DONE)
    cases.close(people.second, done.case, "已全部履行")
    assert ground.again(done.case).state == CaseState.CLOSED


def test_an_unpaid_fine_keeps_the_case_open(world: Any) -> None:
    from audits.services import money

    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.SERVED)
    owed = {"fund_type": "EMP", "amount": Decimal("500"), "on": ground.TODAY, "reference": "回单-1"}
    money.receive(people.finance, track, **owed)
    Track.objects.filter(pk=track.pk).update(state=TrackState.DONE)
    text = refused(Refused, cases.close, people.second, track.case, ground.REASON)
    assert "罚款或加处罚款尚未缴清，不能结案" in text


def test_the_provider_sees_the_case_only_once_it_was_notified(world: Any) -> None:
    before = ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    after = ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    for user in (world.member, world.hospital):
        assert list(Case.objects.visible_to(user)) == [after.case]
    assert not Case.objects.visible_to(world.sister_hospital).exists()
    assert telling.provider(before.case) == [] and set(telling.provider(ground.again(after.case))) == {world.member, world.hospital}
    assert not Notice.objects.filter(user=world.member, url=before.case.get_absolute_url()).exists()
    assert Notice.objects.filter(user=world.member, url=after.case.get_absolute_url()).count() == 1


def test_a_party_that_lets_its_days_pass_is_not_called_late():
    from audits.reading.case_limits import LimitRow

    def late(key):
        row = Deadline(key=key, starts_on=date(2026, 3, 2), due_on=date(2026, 3, 9), ended_on=date(2026, 3, 10))
        return LimitRow(row, "", "", "", True, date(2026, 3, 12)).late

    assert late("first_review")
    assert not late("statement")
    assert not late("hearing_request")


def test_a_case_about_a_person_names_only_the_kind_of_party(world):
    assert str(Case(number="青稽〔2026〕9号", party_kind="person")) == "青稽〔2026〕9号 参保人员"
