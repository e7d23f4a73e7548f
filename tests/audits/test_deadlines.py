"""Limits of cases: the 2026 holidays and shifted working days, days that do not count, leave for more time, escalation."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import transaction

from audits.jobs_cases import ESCALATE_JOB, look_for_escalations
from audits.models import Case, CaseChange, Deadline, LeadChange, Track
from audits.parameters import ALL_LIMITS, ESCALATE_DAYS, count_key, extension_key, limit_at, limit_due
from audits.services import cases, deadlines, statements, tracks
from audits.services.escalating import escalate, to_escalate
from audits.states import Act, CaseState, LeadState, TrackKind, TrackState
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.files import store_bytes
from core.jobs import run_now
from core.models import Job, Notice, Parameter, WorkdayOverride
from core.parameters import definitions
from tests.audits import ground

AGREEMENT, PENALTY = TrackKind.AGREEMENT, TrackKind.PENALTY


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(ground.NOW)


def at(time_machine: Any, day: Any) -> None:
    time_machine.move_to(f"{day} 09:00:00+08:00")


def limit(case: Case, key: str) -> Deadline:
    return Deadline.objects.filter(case=case, key=key).latest("pk")


def due(case: Case, key: str) -> str:
    return str(limit(case, key).last_day)


def told(user: Any) -> int:
    return Notice.objects.filter(user=user, text__contains="次升级").count()


def set_parameter(world: Any, key: str, value: str, county: Any = None) -> None:
    Parameter.objects.create(
        key=key, pooling_area=world.area, county=county, value=value, clause="市局通知", status="confirmed",
        valid_from=date(2026, 1, 1), entered_by=world.admin, confirmed_by=world.reviewer,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("start", "key", "last"),
    [
        # Spring Festival 2026: rest 15–23 February, work on Saturday 14 and Saturday 28
        ("2026-02-13", "statement", "2026-02-27"),
        ("2026-02-13", "first_review", "2026-03-05"),
        # Labour Day: rest 1–5 May, work on Saturday 9 May
        ("2026-04-30", "hearing_request", "2026-05-11"),
        # Mid-autumn: rest 25–27 September; National Day: rest 1–7 October; work on Sunday 20 September and Saturday 10 October
        ("2026-09-30", "statement", "2026-10-13"),
        ("2026-09-18", "service", "2026-09-29"),
        # calendar days that end in the holiday go on to the first working day after it
        ("2026-07-03", "decision", "2026-10-08"),
        ("2026-09-17", "fine_payment", "2026-10-08"),
    ],
)
def test_limits_count_the_holidays_and_shifted_days_of_2026(world: Any, start: str, key: str, last: str) -> None:
    assert str(limit_due(key, world.qingxi, date.fromisoformat(start))) == last


def test_an_entered_shift_of_a_working_day_moves_the_last_day(world: Any) -> None:
    before = limit_due("statement", world.qingxi, ground.TODAY)
    WorkdayOverride.objects.create(day=date(2026, 9, 4), is_working=False, note="停电放假")
    assert (str(before), str(limit_due("statement", world.qingxi, ground.TODAY))) == ("2026-09-08", "2026-09-09")


def test_every_limit_is_a_dated_parameter_with_its_clause_and_status(world: Any) -> None:
    for key, rule in ALL_LIMITS.items():
        held = definitions[count_key(key)]
        assert held.default == str(rule.count) and held.clause
        assert (held.status == "confirmed") == rule.source.confirmed
        assert (extension_key(key) in definitions) == bool(rule.extension)
    assert limit_at("statement", world.qingxi, ground.TODAY).source.status == "待核实"


def test_a_county_sets_its_own_days_and_running_limits_stay(world: Any) -> None:
    old = ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    set_parameter(world, count_key("statement"), "10", world.qingxi)
    new = ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    assert (due(old.case, "statement"), due(new.case, "statement")) == ("2026-09-08", "2026-09-15")
    assert limit_due("statement", world.yunling, ground.TODAY) == date(2026, 9, 8)


def test_filing_starts_the_investigation_and_the_ninety_days(world: Any) -> None:
    case = ground.opened(world)
    assert (due(case, "decision"), due(case, "investigation")) == ("2026-11-30", "2026-11-02")
    held = limit(case, "decision")
    assert (held.count, held.unit, held.extension, held.track) == (90, "days", 30, None)


def test_every_act_ends_its_limit_and_starts_the_next(world: Any) -> None:
    track = ground.track_in(world, PENALTY, TrackState.SERVED, big=True)
    rows = {row.key: row.ended_on for row in Deadline.objects.filter(case=track.case)}
    running = {key for key, ended in rows.items() if ended is None}
    assert running == {"fine_payment", "repayment", "publication"}
    assert set(rows) == running | {
        "decision", "investigation", "first_review", "notify", "statement", "hearing_request", "re_review", "legal_review", "service",
    }  # fmt: skip


def test_no_right_to_a_hearing_means_no_days_to_ask_for_it(world: Any) -> None:
    small = ground.track_in(world, PENALTY, TrackState.NOTIFIED)
    big = ground.track_in(world, PENALTY, TrackState.NOTIFIED, big=True)
    assert not small.deadlines.filter(key="hearing_request").exists()
    assert big.deadlines.filter(key="hearing_request").exists()


def test_the_decision_runs_on_until_the_second_track_is_decided(world: Any) -> None:
    first = ground.track_in(world, AGREEMENT, TrackState.DECIDED, both=True)
    assert limit(first.case, "decision").ended_on is None
    tracks.drop(ground.crew(world).second, first.case.tracks.get(kind=PENALTY), ground.REASON)
    assert limit(first.case, "decision").ended_on == ground.TODAY


def test_the_publication_counts_from_the_decision_not_from_its_service(world: Any, time_machine: Any) -> None:
    track = ground.track_in(world, PENALTY, TrackState.DECIDED)
    at(time_machine, "2026-09-08")
    tracks.serve(ground.crew(world).officer, track)
    assert limit(track.case, "publication").starts_on == ground.TODAY
    assert limit(track.case, "fine_payment").starts_on == date(2026, 9, 8)


def test_suspension_stops_every_limit_and_moves_it_by_its_days(world: Any, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    assert (due(case, "first_review"), due(case, "decision")) == ("2026-09-15", "2026-11-30")
    at(time_machine, "2026-09-10")
    cases.suspend(people.reviewer, case, "等待司法机关结论")
    assert {row.paused_on for row in deadlines.running(case)} == {date(2026, 9, 10)}
    at(time_machine, "2026-09-25")  # four working days were left, and count again from the 28th on; 15 days in all
    cases.resume(people.second, case, "司法机关已有结论")
    assert not deadlines.running(case).filter(paused_on__isnull=False).exists()
    assert limit(case, "first_review").pauses == [["2026-09-10", "2026-09-24"]]
    assert (due(case, "first_review"), due(case, "decision")) == ("2026-10-08", "2026-12-15")


def test_resuming_on_the_same_day_moves_nothing(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.suspend(people.reviewer, case, ground.REASON)
    cases.resume(people.reviewer, ground.again(case), ground.REASON)
    assert (due(case, "first_review"), due(case, "decision")) == ("2026-09-15", "2026-11-30")
    assert limit(case, "decision").pauses == []


def test_the_days_of_a_hearing_do_not_count_for_the_decision_alone(world: Any, time_machine: Any) -> None:
    track = ground.track_in(world, PENALTY, TrackState.HEARING)
    assert limit(track.case, "decision").paused_on == ground.TODAY
    assert limit(track.case, "hearing_held").paused_on is None
    at(time_machine, "2026-09-21")
    ground.hearing_held(world, track)
    assert (limit(track.case, "decision").paused_on, due(track.case, "decision")) == (None, "2026-12-21")  # 19 days on is a Saturday


def test_a_suspension_within_a_hearing_keeps_the_decision_standing_until_both_end(world: Any, time_machine: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.HEARING)
    at(time_machine, "2026-09-07")
    cases.suspend(people.reviewer, track.case, ground.REASON)
    at(time_machine, "2026-09-14")
    cases.resume(people.reviewer, ground.again(track.case), ground.REASON)
    assert limit(track.case, "decision").paused_on == ground.TODAY
    assert limit(track.case, "hearing_held").paused_on is None
    at(time_machine, "2026-09-21")
    ground.hearing_held(world, track)
    assert limit(track.case, "decision").pauses == [["2026-09-01", "2026-09-20"]]


def test_an_experts_opinion_stops_the_decision_until_it_is_there(world: Any, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.INVESTIGATING)
    cases.ask_opinion(people.officer, case, "市医学会", date(2026, 9, 30), "鉴定手术指征")
    assert limit(case, "decision").paused_on == ground.TODAY and limit(case, "investigation").paused_on is None
    with pytest.raises(Refused) as refusal:
        cases.ask_opinion(people.officer, case, "", date(2026, 8, 1), "")
    assert {problem.field for problem in refusal.value.problems} == {"expert", "until", "reason"}
    at(time_machine, "2026-09-16")
    cases.end_opinion(people.partner, case, "已出具鉴定意见")
    assert due(case, "decision") == "2026-12-14"
    with pytest.raises(Refused, match="没有正在进行"):
        cases.end_opinion(people.partner, case, "已出具鉴定意见")


def test_leave_extends_a_limit_up_to_what_its_rule_allows(world: Any) -> None:
    people, case = ground.crew(world), ground.opened(world)
    row = limit(case, "decision")
    with pytest.raises(Refused) as refusal:
        cases.extend(people.reviewer, case, row, date(2027, 1, 15), "")
    assert {problem.field for problem in refusal.value.problems} == {"until", "reason"}
    assert "至多延长 30 日，即到 2026-12-30" in str(refusal.value) and "集体讨论" in str(refusal.value)
    cases.extend(people.reviewer, case, row, date(2026, 12, 30), "案情复杂")
    assert due(case, "decision") == "2026-12-30" and limit(case, "decision").extensions == 1
    change = CaseChange.objects.filter(act=Act.EXTEND).latest("pk")
    assert (str(change.until), change.data["before"]) == ("2026-12-30", "2026-11-30")


def test_further_leave_for_the_decision_needs_the_minutes_of_the_group(world: Any) -> None:
    people, case = ground.crew(world), ground.opened(world)
    cases.extend(people.reviewer, case, limit(case, "decision"), date(2026, 12, 30), "案情复杂")
    with pytest.raises(Refused, match="集体讨论"):
        cases.extend(people.reviewer, case, limit(case, "decision"), date(2027, 1, 20), "仍需补充调查")
    minutes = store_bytes(b"minutes", "集体讨论记录.pdf", "audit_minutes", people.reviewer)
    cases.extend(people.reviewer, case, limit(case, "decision"), date(2027, 1, 20), "仍需补充调查", minutes=minutes)
    assert due(case, "decision") == "2027-01-20"
    assert list(CaseChange.objects.filter(act=Act.EXTEND).latest("pk").files.all()) == [minutes]


def test_leave_is_refused_where_the_rule_knows_none_or_the_limit_is_over(world: Any, time_machine: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.DECIDED)
    with pytest.raises(Refused, match="不能延长"):
        cases.extend(people.reviewer, track.case, limit(track.case, "service"), date(2026, 9, 20), ground.REASON)
    with pytest.raises(Conflict, match="已经办结"):
        cases.extend(people.reviewer, track.case, limit(track.case, "re_review"), date(2026, 9, 20), ground.REASON)
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    with pytest.raises(NotAllowed, match="稽核复核"):
        cases.extend(people.officer, case, limit(case, "first_review"), date(2026, 9, 20), ground.REASON)
    at(time_machine, "2026-09-16")
    with pytest.raises(Refused, match="已于 2026-09-15 届满"):
        cases.extend(people.reviewer, case, limit(case, "first_review"), date(2026, 9, 20), ground.REASON)


def test_an_extended_limit_moves_on_when_the_case_stands_still(world: Any, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.extend(people.reviewer, case, limit(case, "first_review"), date(2026, 9, 21), ground.REASON)
    at(time_machine, "2026-09-07")
    cases.suspend(people.reviewer, ground.again(case), ground.REASON)
    at(time_machine, "2026-09-09")
    cases.resume(people.reviewer, ground.again(case), ground.REASON)
    assert due(case, "first_review") == "2026-09-23"


def test_days_to_repay_end_with_the_last_yuan_and_run_again_when_it_is_taken_back(world: Any) -> None:
    from audits.models import Recovered
    from audits.services import money

    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.SERVED)
    ground.settle(world, track)
    assert limit(track.case, "repayment").ended_on == ground.TODAY
    money.take_back(people.finance, ground.fresh(track), Recovered.objects.get(), "回单属于另一案件")
    assert limit(track.case, "repayment").ended_on is None


def test_overdue_goes_to_the_officers_then_the_reviewers_then_the_leaders(world: Any, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.opened(world)
    at(time_machine, "2026-11-02")  # the investigation's last day
    assert to_escalate() == [] and escalate() == 0
    steps = []
    for day in ("2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06", "2026-11-09", "2026-11-13"):
        at(time_machine, day)
        steps.append((escalate(), told(people.officer), told(people.reviewer), told(world.observer)))
    assert steps == [(1, 1, 0, 0), (0, 1, 0, 0), (1, 2, 1, 0), (0, 2, 1, 0), (1, 3, 2, 1), (0, 3, 2, 1)]
    assert [row.data["step"] for row in CaseChange.objects.filter(case=case, act=Act.ESCALATE)] == [1, 2, 3]
    assert Case.objects.get(pk=case.pk).state == CaseState.INVESTIGATING


def test_the_reviewers_late_review_is_told_to_the_reviewers_at_once(world: Any, time_machine: Any) -> None:
    people = ground.crew(world)
    ground.case_in(world, CaseState.FIRST_REVIEW)
    at(time_machine, "2026-09-16")
    assert escalate() == 1
    assert (told(people.reviewer), told(people.second), told(world.observer)) == (1, 1, 0)
    text = Notice.objects.filter(user=people.second).latest("pk").text
    assert "“初审”期限 2026-09-15 已过 1 个工作日（钱理、赵启明），第 1 次升级。" in text


def test_no_step_is_taken_on_a_day_of_rest_or_while_the_case_stands_still(world: Any, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    at(time_machine, "2026-09-19")  # a Saturday
    assert to_escalate() == []
    at(time_machine, "2026-09-20")  # the Sunday that is worked
    assert len(to_escalate()) == 1
    cases.suspend(people.reviewer, case, ground.REASON)
    assert to_escalate() == [] and escalate() == 0


def test_a_right_that_lapses_is_nobodys_delay(world: Any, time_machine: Any) -> None:
    track = ground.track_in(world, PENALTY, TrackState.NOTIFIED, big=True)
    at(time_machine, "2026-09-09")
    assert [one.row.key for one in to_escalate() if isinstance(one.row, Deadline)] == ["statement"]
    assert Track.objects.get(pk=track.pk).state == TrackState.NOTIFIED


def test_more_time_begins_the_steps_anew(world: Any, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    Deadline.objects.filter(case=case, key="first_review").update(escalations=2)
    cases.extend(people.reviewer, case, limit(case, "first_review"), date(2026, 9, 21), ground.REASON)
    assert limit(case, "first_review").escalations == 0


def test_a_place_sets_how_long_until_the_next_step(world: Any, time_machine: Any) -> None:
    ground.case_in(world, CaseState.FIRST_REVIEW)
    set_parameter(world, ESCALATE_DAYS, "5", world.qingxi)
    at(time_machine, "2026-09-16")
    assert escalate() == 1
    at(time_machine, "2026-09-18")
    assert escalate() == 0
    at(time_machine, "2026-09-22")
    assert escalate() == 1


def test_the_clock_starts_one_job_and_a_second_run_finds_nothing(world: Any, time_machine: Any) -> None:
    ground.case_in(world, CaseState.FIRST_REVIEW)
    look_for_escalations()
    assert not Job.objects.filter(name=ESCALATE_JOB).exists()
    at(time_machine, "2026-09-16")
    look_for_escalations()
    look_for_escalations()
    assert run_now(Job.objects.get(name=ESCALATE_JOB)).outcome == "已升级 1 项逾期的期限。"
    look_for_escalations()
    assert Job.objects.filter(name=ESCALATE_JOB).count() == 1


def test_a_run_killed_half_way_goes_on_where_it_stopped(world: Any, time_machine: Any, monkeypatch: Any) -> None:
    for _number in range(3):
        ground.case_in(world, CaseState.FIRST_REVIEW)
    at(time_machine, "2026-09-16")
    from audits.services import escalating

    real, calls = escalating._limit_up, []

    def killed(*given: Any) -> bool:
        calls.append(given)
        if len(calls) == 2:
            with transaction.atomic():
                real(*given)
                raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(escalating, "_limit_up", killed)
    with pytest.raises(KeyboardInterrupt):
        escalate()
    assert CaseChange.objects.filter(act=Act.ESCALATE).count() == 1
    monkeypatch.undo()
    assert (escalate(), escalate()) == (2, 0)
    assert CaseChange.objects.filter(act=Act.ESCALATE).count() == 3


def test_a_lead_nobody_decides_on_goes_up_the_same_way(world: Any, time_machine: Any) -> None:
    people, lead = ground.crew(world), ground.lead_in(world, LeadState.ASSIGNED, due_on=date(2026, 9, 4))
    at(time_machine, "2026-09-07")
    assert (escalate(), told(people.officer), told(people.reviewer)) == (1, 1, 0)
    at(time_machine, "2026-09-09")
    assert (escalate(), told(people.reviewer), told(world.observer)) == (1, 1, 0)
    at(time_machine, "2026-09-11")
    assert (escalate(), escalate(), told(world.observer)) == (1, 0, 1)
    assert LeadChange.objects.filter(lead=lead, act=Act.ESCALATE).count() == 3


def test_looking_for_what_is_due_asks_the_same_few_questions(world: Any, time_machine: Any, django_assert_num_queries: Any) -> None:
    ground.case_in(world, CaseState.FIRST_REVIEW)
    ground.case_in(world, CaseState.INVESTIGATING)
    ground.lead_in(world, due_on=date(2026, 9, 1))
    at(time_machine, "2026-11-10")
    with django_assert_num_queries(4):
        assert len(to_escalate()) == 3


def test_a_hearing_asked_for_after_the_limit_is_refused_with_the_day(world: Any, time_machine: Any) -> None:
    track = ground.track_in(world, PENALTY, TrackState.NOTIFIED, big=True)
    at(time_machine, "2026-09-09")
    with pytest.raises(Refused, match="申请听证的期限已于 2026-09-08 届满"):
        statements.ask_hearing(world.member, track, "要求听证，对金额有异议")
    at(time_machine, "2026-09-08")
    statements.ask_hearing(world.member, track, "要求听证，对金额有异议")
    assert Track.objects.get(pk=track.pk).state == TrackState.HEARING
