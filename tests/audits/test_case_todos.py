"""What cases ask of each post: the home page, the number in the navigation, the search."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from audits import todos_cases
from audits.services import cases, statements
from audits.states import CaseState, TrackKind, TrackState
from tests.audits import ground

AGREEMENT, PENALTY = TrackKind.AGREEMENT, TrackKind.PENALTY


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(ground.NOW)


def asked(user: Any) -> list[str]:
    return [todo.title.split("：")[0] for todo in todos_cases.todos(user)]


def test_each_state_of_a_case_asks_exactly_the_post_whose_turn_it_is(world: Any) -> None:
    people = ground.crew(world)
    for state, officer, reviewer in (
        (CaseState.INVESTIGATING, ["调查取证"], []), (CaseState.FIRST_REVIEW, [], ["初审"]),
        (CaseState.REVIEWED, ["拟定处理意见"], []), (CaseState.CLOSED, [], []), (CaseState.DISMISSED, [], []),
    ):  # fmt: skip
        before = {user: asked(user) for user in (people.officer, people.second)}
        ground.case_in(world, state)
        new = [sorted(set(asked(user)) - set(before[user])) for user in before]
        assert new == [officer, reviewer], state
    assert asked(people.spare) == asked(people.legal) == asked(world.observer) == asked(world.officer) == []


@pytest.mark.parametrize(
    ("kind", "state", "who", "what", "due"),
    [
        (AGREEMENT, TrackState.TO_NOTIFY, "officer", "拟定处理意见", date(2026, 9, 15)),
        (AGREEMENT, TrackState.NOTIFIED, "member", "陈述申辩", date(2026, 9, 8)),
        (PENALTY, TrackState.HEARING, "legal", "举行听证", date(2026, 9, 29)),
        (AGREEMENT, TrackState.RE_REVIEW, "second", "复审", date(2026, 9, 15)),
        (PENALTY, TrackState.LEGAL, "legal", "法制审核", date(2026, 9, 8)),
        (PENALTY, TrackState.TO_DECIDE, "reviewer", "作出决定", date(2026, 11, 30)),
        (PENALTY, TrackState.DECIDED, "partner", "送达决定书", date(2026, 9, 10)),
        (PENALTY, TrackState.SERVED, "officer", "公开处罚决定", date(2026, 9, 10)),
    ],
)
def test_each_state_of_a_track_asks_its_post_with_the_last_day(
    world: Any, kind: str, state: str, who: str, what: str, due: date
) -> None:
    track = ground.track_in(world, kind, state)
    everybody = {**vars(ground.crew(world)), "member": world.member}
    todo = next(one for one in todos_cases.todos(everybody[who]) if one.title.startswith(what))
    assert (todo.due, todo.url, track.case.number in todo.title) == (due, track.case.get_absolute_url(), True)
    assert todos_cases.badge(everybody[who]) == len(todos_cases.todos(everybody[who]))


def test_the_party_is_asked_to_pay_and_its_sister_nothing(world: Any) -> None:
    ground.track_in(world, PENALTY, TrackState.SERVED)
    for user in (world.member, world.hospital):
        assert asked(user) == ["缴纳罚款", "退回基金"]
    assert asked(world.sister_hospital) == [] and todos_cases.badge(world.sister_hospital) == 0


def test_a_party_that_has_spoken_is_asked_no_more_and_the_officer_goes_on(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    assert asked(people.officer) == []
    statements.agree(world.member, track)
    assert asked(world.member) == [] and asked(people.officer) == ["提请复审"]


def test_the_first_reviewer_is_not_asked_for_the_re_review(world: Any) -> None:
    people = ground.crew(world)
    ground.track_in(world, AGREEMENT, TrackState.RE_REVIEW)
    assert asked(people.reviewer) == [] and asked(people.second) == ["复审"]


def test_money_overdue_asks_the_officer_to_press_for_it(world: Any, time_machine: Any) -> None:
    people = ground.crew(world)
    ground.track_in(world, AGREEMENT, TrackState.SERVED)
    assert asked(people.officer) == []
    time_machine.move_to("2026-10-09 09:00:00+08:00")
    assert asked(people.officer) == ["催促履行"]


def test_settled_tracks_ask_the_officer_to_end_them_and_the_reviewer_to_close(world: Any) -> None:
    people, track = ground.crew(world), ground.track_in(world, AGREEMENT, TrackState.SERVED)
    ground.settle(world, track)
    assert asked(people.officer) == ["登记履行完毕"]
    ground.track_in(world, AGREEMENT, TrackState.DONE)
    assert asked(people.second) == ["结案"]


def test_a_suspended_case_asks_nothing_of_the_bureau(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.suspend(people.reviewer, case, ground.REASON)
    assert asked(people.second) == asked(people.officer) == []


def test_escalations_are_told_with_what_is_asked(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.FIRST_REVIEW)
    case.deadlines.filter(key="first_review").update(escalations=2)
    assert "已逾期升级 2 次" in todos_cases.todos(people.second)[0].detail


def test_the_number_of_questions_does_not_grow_with_the_cases(world: Any, django_assert_max_num_queries: Any) -> None:
    people = ground.crew(world)
    for _number in range(3):
        ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE)
        ground.case_in(world, CaseState.INVESTIGATING)
    for user, most in ((people.officer, 10), (people.second, 6), (world.member, 5), (world.observer, 1)):
        fresh = type(user).objects.get(pk=user.pk)
        with django_assert_max_num_queries(most):
            todos_cases.todos(fresh)


def test_the_search_finds_only_cases_one_may_see(world: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.INVESTIGATING)
    assert [hit.url for hit in todos_cases.search(people.county_auditor, "石桥 重复")] == [case.get_absolute_url()]
    assert todos_cases.search(people.officer, case.number)[0].label.endswith("（调查取证）")
    for user in (people.other_county_auditor, world.member, world.stranger_officer, world.nobody):
        assert todos_cases.search(user, "石桥") == []
    assert todos_cases.search(people.officer, " ") == []
