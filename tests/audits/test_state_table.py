"""The whole state table: every state × act × post, compared with a listing written out by hand, as data and with people.

A listing line reads ``state: act>target act …`` by post (A 稽核, R 稽核复核, L 法制审核, P the provider's posts, F 基金财务);
an act without ``>`` leaves the state as it is.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from audits.models import Case, Deadline, Lead, Track
from audits.preconditions import PRECONDITIONS
from audits.services.steps import allowed_acts, allowed_lead_acts, allowed_track_acts, begin, carrier
from audits.states import ROWS, Act, CaseState, LeadState, TrackKind, TrackState, action_name, transition
from core.access import Denied, NotAllowed, actions
from core.errors import Refused
from core.models import Role
from tests.audits import ground

POSTS = {
    "A": {Role.AUDITOR}, "R": {Role.AUDIT_REVIEWER}, "L": {Role.LEGAL_REVIEWER}, "F": {Role.FUND_FINANCE},
    "P": {Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION},
}  # fmt: skip
STATES = {"lead": LeadState, "case": CaseState, "track": TrackState}
CASE_ALWAYS = "A: consequence refer"
CASE_OPEN = "R: officers suspend resume extend"
LISTING: dict[str, dict[str, tuple[str, ...]]] = {
    "lead": {
        "new": ("R: assign>assigned merge>merged hand>handed extend_lead",),
        "assigned": ("R: assign merge>merged hand>handed extend_lead", "A: prop_file>proposed prop_refuse>proposed"),
        "proposed": ("R: extend_lead return_lead>assigned file>filed refuse>refused",),
        "filed": (), "merged": (), "refused": (), "handed": (),
    },
    "case": {
        "investigate": (CASE_OPEN, CASE_ALWAYS, "R: dismiss>dismissed", "A: collect find submit>first"),
        "first": (CASE_OPEN, CASE_ALWAYS, "R: dismiss>dismissed trim pass_first>reviewed return_first>investigate"),
        "reviewed": (CASE_OPEN, CASE_ALWAYS, "A: collect follow_up", "R: close>closed"),
        "closed": (CASE_ALWAYS, "A: follow_up"),
        "dismissed": (),
    },
    "track": {
        "to_notify": ("A: propose notify>notified", "R: drop>dropped"),
        "notified": ("P: state ask_hearing>hearing", "A: put_forward>re_review", "R: drop>dropped"),
        "hearing": ("L: announce hold_hearing>re_review",),
        "re_review": ("R: reply trim pass_re>to_decide return_re>to_notify drop>dropped",),
        "legal": ("L: pass_legal>to_decide return_legal>re_review", "R: drop>dropped"),
        "to_decide": ("R: decide>decided return_re>re_review drop>dropped",),
        "decided": ("A: serve>served",),
        "served": ("F: receive take_back", "A: deduct take_back pay_fine remedy publish complete>done"),
        "done": ("F: take_back>served", "A: take_back>served"), "dropped": (),
    },
}  # fmt: skip
CLOCK_ACTS = {
    "lead": {"new", "assigned", "proposed"},
    "case": {"investigate", "first", "reviewed"},
    "track": {"to_notify", "notified", "hearing", "re_review", "legal", "to_decide", "decided", "served"},
}
EVERY_STATE = [(on, state) for on, states in STATES.items() for state in states.values]

OFFICERS, REVIEWERS = ("officer", "partner"), ("reviewer", "second")
PROVIDERS = ("member", "hospital")
WORKING = "officers suspend extend"
PEOPLE_ON_CASES: dict[str, dict[tuple[str, ...], str]] = {
    "investigate": {OFFICERS: "collect find submit consequence refer", REVIEWERS: f"{WORKING} dismiss"},
    "first": {OFFICERS: "consequence refer", REVIEWERS: f"{WORKING} dismiss trim pass_first return_first"},
    "reviewed": {
        OFFICERS: "collect consequence refer follow_up", ("spare", "county_auditor"): "follow_up", REVIEWERS: WORKING,
    },
    "closed": {OFFICERS: "consequence refer follow_up", ("spare", "county_auditor"): "follow_up"},
    "dismissed": {},
}  # fmt: skip
PEOPLE_ON_TRACKS: dict[str, dict[tuple[str, ...], str]] = {
    "to_notify": {OFFICERS: "propose", REVIEWERS: "drop"},
    "notified": {PROVIDERS: "state", REVIEWERS: "drop"},
    "hearing": {("legal",): "announce hold_hearing"},
    "re_review": {("reviewer",): "drop", ("second",): "reply trim pass_re return_re drop"},
    "legal": {("legal",): "pass_legal return_legal", REVIEWERS: "drop"},
    "to_decide": {("reviewer",): "decide drop", ("second",): "decide return_re drop"},
    "decided": {OFFICERS: "serve"},
    "served": {
        OFFICERS: "deduct remedy", ("finance",): "receive",
    },
    "done": {("officer", "partner", "spare", "county_auditor", "finance"): "take_back"}, "dropped": {},
}  # fmt: skip
ON_A_SERVED_PENALTY = "deduct remedy pay_fine publish"
PEOPLE_ON_LEADS: dict[str, dict[tuple[str, ...], str]] = {
    "new": {REVIEWERS: "assign merge hand extend_lead"},
    "assigned": {("officer",): "prop_file prop_refuse", REVIEWERS: "assign merge hand extend_lead"},
    "proposed": {REVIEWERS: "extend_lead return_lead file refuse"},
    "filed": {}, "merged": {}, "refused": {}, "handed": {},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(ground.NOW)


def listed(on: str, state: str, act: str) -> tuple[set[str], str] | None:
    """(posts, target) of a cell by the hand listing; None where the act is not done in the state."""
    found: set[str] = set()
    target = state
    for entry in LISTING[on][state]:
        post, acts = entry.split(": ")
        for one in acts.split():
            name, _arrow, onward = one.partition(">")
            if name == act:
                found |= POSTS[post]
                target = onward or state
    return (found, target) if found else None


def people(world: Any) -> dict[str, Any]:
    """Everybody who is asked: the audit posts, the party, its sister, the fund's posts, leaders, strangers."""
    others = {
        "member": world.member, "hospital": world.hospital, "sister": world.sister_hospital, "fund": world.officer,
        "fund_reviewer": world.reviewer, "observer": world.observer, "admin": world.admin, "stranger": world.stranger_reviewer,
        "nobody": world.nobody,
    }  # fmt: skip
    return {**vars(ground.crew(world)), **others}


def compared(world: Any, thing: Any, ask: Any, expected: dict[tuple[str, ...], str]) -> None:
    """Everybody's answers against the listing; a refusal always says why, and the act itself refuses the same way."""
    wanted = {name: set(acts.split()) for names, acts in expected.items() for name in names}
    got = {}
    for name, user in people(world).items():
        answers = ask(user, thing)
        got[name] = {str(act) for act, answer in answers.items() if answer}
        for act, answer in answers.items():
            if isinstance(answer, Denied):
                reason = answer.reason
                assert len(reason) > 10 and reason.endswith("。"), (name, act, reason)
                if transition(carrier(thing), thing.state, act) is None:
                    continue
                with pytest.raises((NotAllowed, Refused)) as refusal, transaction.atomic():
                    begin(user, thing, act, ground.REASON)
                assert reason in str(refusal.value)
            else:
                with transaction.atomic():
                    held, row = begin(user, thing, act, ground.REASON)
                assert (held.pk, row.act, row.source) == (thing.pk, act, thing.state)
    assert got == {name: wanted.get(name, set()) for name in got}


@pytest.mark.parametrize(("on", "state"), EVERY_STATE)
def test_every_act_and_post_of_a_state_is_as_listed(on: str, state: str) -> None:
    for act in Act.values:
        row, wanted = transition(on, state, act), listed(on, state, act)
        if act == Act.ESCALATE:
            assert (row is not None) == (state in CLOCK_ACTS[on])
            assert row is None or (row.roles == frozenset() and row.target == state)
            continue
        assert (row is None) == (wanted is None), act
        if row is not None and wanted is not None:
            assert {role: role in row.roles for role in Role.values} == {role: role in wanted[0] for role in Role.values}, act
            assert row.target == wanted[1], act


def test_no_cell_of_the_table_is_written_twice() -> None:
    cells = [(row.on, row.source, row.act) for row in ROWS]
    assert len(cells) == len(set(cells))


def test_every_name_the_table_uses_is_a_precondition_with_a_label() -> None:
    used = {name for row in ROWS for name in row.needs}
    assert used == set(PRECONDITIONS)
    assert all(PRECONDITIONS[name].label for name in used)


def test_every_act_of_people_is_a_right_with_the_roles_of_its_rows() -> None:
    for act in {row.act for row in ROWS if row.roles}:
        roles = frozenset().union(*(row.roles for row in ROWS if row.act == act))
        assert actions[action_name(act)].roles == roles
    assert action_name(Act.ESCALATE) not in actions


@pytest.mark.parametrize("state", CaseState.values)
def test_everybody_may_do_on_a_case_what_is_listed_and_hears_why_not(world: Any, state: str) -> None:
    case = ground.case_in(world, state)
    compared(world, case, allowed_acts, PEOPLE_ON_CASES[state])


@pytest.mark.parametrize("kind", TrackKind.values)
@pytest.mark.parametrize("state", TrackState.values)
def test_everybody_may_do_on_a_track_what_is_listed_and_hears_why_not(world: Any, kind: str, state: str) -> None:
    track = ground.track_in(world, kind, state)
    expected = dict(PEOPLE_ON_TRACKS[state])
    if kind == TrackKind.PENALTY and state == TrackState.SERVED:
        expected[OFFICERS] = ON_A_SERVED_PENALTY
    compared(world, track, allowed_track_acts, expected)


@pytest.mark.parametrize("state", LeadState.values)
def test_everybody_may_do_on_a_lead_what_is_listed_and_hears_why_not(world: Any, state: str) -> None:
    lead = ground.lead_in(world, state)
    held = Lead.objects.with_places().get(pk=lead.pk)
    compared(world, held, allowed_lead_acts, PEOPLE_ON_LEADS[state])


def test_a_suspended_case_lets_only_resuming_and_measures_through(world: Any) -> None:
    from audits.services import cases

    case = ground.case_in(world, CaseState.INVESTIGATING)
    cases.suspend(ground.crew(world).reviewer, case, ground.REASON)
    expected = {OFFICERS: "consequence refer", REVIEWERS: "resume dismiss"}
    compared(world, ground.again(case), allowed_acts, expected)


def test_money_that_came_back_may_be_taken_back_by_the_posts_that_record_it(world: Any) -> None:
    from audits.services import money

    track, finance = ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED), ground.crew(world).finance
    money.receive(finance, track, fund_type="EMP", amount=Decimal("100"), on=ground.TODAY, reference="回单-1")
    expected = {
        OFFICERS: "deduct take_back remedy", ("spare", "county_auditor"): "take_back", ("finance",): "receive take_back",
    }  # fmt: skip
    compared(world, ground.fresh(track), allowed_track_acts, expected)


def test_a_case_without_any_place_of_a_provider_asks_no_provider(world: Any) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    Case.objects.filter(pk=track.case_id).update(institution=None, alliance=None, party_kind="person", party_code="P1")
    answers = {name: allowed_track_acts(user, ground.fresh(track)) for name, user in people(world).items()}
    assert not any(answers[name][Act.STATE] for name in answers)


def test_the_listing_covers_every_state_there_is() -> None:
    for on, states in STATES.items():
        assert set(LISTING[on]) == set(states.values)
    assert set(PEOPLE_ON_CASES) == set(CaseState.values) and set(PEOPLE_ON_TRACKS) == set(TrackState.values)


@pytest.mark.parametrize("kind", TrackKind.values)
def test_every_waiting_state_of_a_track_has_a_limit_that_runs(world: Any, kind: str) -> None:
    """What nobody would be reminded of would stand still for ever."""
    for state in TrackState.values:
        track = ground.track_in(world, kind, state)
        runs = Deadline.objects.filter(case=track.case, ended_on__isnull=True)
        over = state in (TrackState.DONE, TrackState.DROPPED)
        assert runs.exists() != over, state
        assert Track.objects.get(pk=track.pk).state == state
