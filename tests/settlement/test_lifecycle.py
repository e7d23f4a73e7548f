"""The life of a version: the whole transition table, every role, four eyes, reasons, deadlines, and the way back."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.access import NotAllowed, may
from core.errors import Conflict, Refused
from core.models import Notice, Role, TrailEvent
from rules.periods import Month
from settlement import services
from settlement.models import SettlementVersion
from settlement.states import ROLES, TRANSITIONS, Act, VersionState, action_name, acts_from, transition
from tests.settlement import ground
from tests.settlement.ground import YEAR


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


REASON = "请核对县外就医数据"
TODAY = timezone.localdate
ACTS = {
    Act.REFRESH: ("officer", lambda who, version: services.refresh(who, version)),
    Act.RETURN: ("reviewer", lambda who, version: services.return_to_officer(who, version, REASON)),
    Act.REVIEW: ("reviewer", lambda who, version: services.review(who, version)),
    Act.CANCEL: ("officer", lambda who, version: services.cancel(who, version, REASON)),
    Act.SEND: ("officer", lambda who, version: services.send(who, version)),
    Act.WITHDRAW: ("officer", lambda who, version: services.withdraw(who, version, REASON)),
    Act.CONFIRM: ("hospital", lambda who, version: services.confirm(who, version)),
    Act.OBJECT: ("hospital", lambda who, version: services.object_to(who, version, REASON)),
    Act.ACCEPT_OBJECTION: ("officer", lambda who, version: services.accept_objection(who, version, REASON)),
    Act.REJECT_OBJECTION: ("reviewer", lambda who, version: services.reject_objection(who, version, REASON)),
    Act.FINALISE: ("reviewer", lambda who, version: services.finalise(who, version, REASON)),
    Act.REOPEN: ("reviewer", lambda who, version: services.reopen(who, version, REASON)),
    Act.PAY: ("finance", lambda who, version: services.pay(who, version, TODAY(), "YH2026001")),
    Act.CLEAR: ("finance", lambda who, version: services.clear(who, version, TODAY())),
}


def in_state(version, state):
    now = timezone.now()
    SettlementVersion.objects.filter(pk=version.pk).update(
        state=state, reviewed_at=now, confirm_by=TODAY() + timedelta(days=14), finalised_at=now
    )
    return SettlementVersion.objects.with_places().get(pk=version.pk)


@pytest.mark.parametrize("state", VersionState.values)
def test_every_act_is_possible_exactly_where_the_table_says(world, state):
    version = ground.the_draft(world)
    for act, (person, do) in ACTS.items():
        point = transaction.savepoint()
        moved = in_state(version, state)
        step = transition(state, act)
        try:
            do(getattr(world, person), moved)
        except Conflict:
            assert step is None, f"{act} should be possible in {state}"
        except Refused:
            assert step is not None and act == Act.CLEAR  # money is owed, so there is nothing to clear
        else:
            assert step is not None, f"{act} must not be possible in {state}"
            moved.refresh_from_db()
            assert moved.state == step.target
        transaction.savepoint_rollback(point)


def test_the_table_names_every_act_and_state_and_no_pair_twice():
    pairs = [(row.source, row.act) for row in TRANSITIONS]
    assert len(pairs) == len(set(pairs))
    assert {row.act for row in TRANSITIONS} | {Act.DRAFT, Act.CORRECT} == set(Act.values)
    assert set(ROLES) == set(Act.values)
    ends = {VersionState.PAID, VersionState.RECOVERED, VersionState.SUPERSEDED, VersionState.CANCELLED}
    assert {state for state in VersionState.values if not acts_from(state)} == ends


def test_each_act_is_open_to_its_roles_and_closed_to_all_others(world):
    roles = {
        name: {grant.role for grant in user.grants_on(TODAY())} for name, user in world.people().items()
    }
    for act, allowed in ROLES.items():
        for name, user in world.people().items():
            outside = name in ("stranger_officer", "stranger_reviewer", "sister_hospital")
            expected = bool(roles[name] & allowed) and not outside
            assert bool(may(user, action_name(act), world.alliance)) == expected, (act, name)


def test_the_whole_way_to_payment_with_who_and_when(world):
    version = ground.final(world, ground.the_draft(world))
    services.pay(world.finance, version, TODAY(), "YH2026001")
    version.refresh_from_db()
    assert version.state == VersionState.PAID
    assert (version.prepared_by, version.reviewed_by, version.confirmed_by, version.finalised_by) == (
        world.officer, world.reviewer, world.hospital, world.reviewer,
    )  # fmt: skip
    acts = list(version.changes.values_list("act", flat=True))
    assert acts == [Act.DRAFT, Act.REVIEW, Act.SEND, Act.CONFIRM, Act.FINALISE, Act.PAY]
    told = TrailEvent.objects.filter(subject_type="settlement.settlementversion", subject_id=str(version.pk))
    assert told.count() == len(acts)


def test_an_officer_cannot_review_her_own_draft(world):
    version = ground.the_draft(world)
    SettlementVersion.objects.filter(pk=version.pk).update(prepared_by=world.reviewer)
    version.refresh_from_db()
    with pytest.raises(NotAllowed, match="本人"):
        services.review(world.reviewer, version)
    assert services.review(world.second_reviewer, version).state == VersionState.REVIEWED


def test_the_database_itself_refuses_one_pair_of_eyes(world):
    version = ground.the_draft(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        SettlementVersion.objects.filter(pk=version.pk).update(reviewed_by=world.officer)
    with pytest.raises(IntegrityError), transaction.atomic():
        SettlementVersion.objects.filter(pk=version.pk).update(finalised_by=world.officer)


def test_a_second_review_is_told_who_was_first(world):
    version = ground.the_draft(world)
    services.review(world.reviewer, version)
    with pytest.raises(Conflict, match="何劲松"):
        services.review(world.second_reviewer, version)
    assert version.changes.filter(act=Act.REVIEW).count() == 1


def test_the_reviewer_approves_what_she_saw(world):
    version = ground.the_draft(world)
    seen = version.computation_id
    ground.month_facts(world, Month(YEAR, 12), "16000000.00", "7500000.00")
    services.refresh(world.officer, version)
    with pytest.raises(Conflict, match="已重新计算"):
        services.review(world.reviewer, version, seen)


def test_a_draft_whose_data_moved_on_must_be_refreshed_before_its_review(world):
    version = ground.the_draft(world)
    ground.month_facts(world, Month(YEAR, 12), "16000000.00", "7500000.00")
    with pytest.raises(Refused, match="不是最新"):
        services.review(world.reviewer, version)


@pytest.mark.parametrize("reason", ["", "   ", "错了"])
def test_a_return_without_a_reason_is_refused(world, reason):
    version = ground.the_draft(world)
    with pytest.raises(Refused, match="理由"):
        services.return_to_officer(world.reviewer, version, reason)


def test_a_return_keeps_the_reason_and_forgets_the_review(world):
    version = ground.reviewed(world, ground.the_draft(world))
    services.return_to_officer(world.reviewer, version, REASON)
    version.refresh_from_db()
    assert version.state == VersionState.DRAFT and version.reviewed_by is None
    last = version.changes.last()
    assert (last.actor, last.reason, last.source) == (world.reviewer, REASON, VersionState.REVIEWED)
    assert Notice.objects.filter(user=world.officer, text__contains="退回").exists()


def test_sending_gives_ten_working_days_and_tells_the_hospital(world):
    version = ground.sent(world, ground.the_draft(world))
    from core.working_days import working_days_left

    assert working_days_left(TODAY(), version.confirm_by) == 10
    assert version.changes.last().until == version.confirm_by
    assert Notice.objects.filter(user=world.hospital, text__contains="请在").exists()
    assert not Notice.objects.filter(user=world.sister_hospital).exists()


def test_an_objection_carries_its_reason_and_files_and_stops_the_money(world):
    from core.files import store_bytes

    version = ground.sent(world, ground.the_draft(world))
    stored = store_bytes(b"%PDF-1.4 table", "县外明细.pdf", "settlement_objection", world.hospital)
    services.object_to(world.hospital, version, "县外结算中有 36 笔非本医共体参保人", [stored])
    version.refresh_from_db()
    assert version.state == VersionState.OBJECTED
    assert list(version.changes.last().files.all()) == [stored]
    with pytest.raises(Refused, match="理由"):
        services.finalise(world.reviewer, version)


def test_an_objection_after_its_day_is_refused_but_a_confirmation_is_not(world):
    version = ground.sent(world, ground.the_draft(world))
    SettlementVersion.objects.filter(pk=version.pk).update(confirm_by=date(2026, 1, 5))
    version.refresh_from_db()
    with pytest.raises(Refused, match="2026-01-05"):
        services.object_to(world.hospital, version, REASON)
    assert services.confirm(world.hospital, version).state == VersionState.CONFIRMED


def test_an_answered_objection_goes_back_to_the_hospital_with_new_days(world):
    version = ground.sent(world, ground.the_draft(world))
    services.object_to(world.hospital, version, REASON)
    SettlementVersion.objects.filter(pk=version.pk).update(confirm_by=date(2026, 1, 5))
    services.reject_objection(world.reviewer, version, "已逐笔核对，均为本医共体参保人")
    version.refresh_from_db()
    assert version.state == VersionState.SENT and version.confirm_by > TODAY()


def test_an_accepted_objection_is_computed_anew_and_needs_a_new_review(world):
    version = ground.sent(world, ground.the_draft(world))
    services.object_to(world.hospital, version, REASON)
    services.accept_objection(world.officer, version, "剔除 36 笔后重算")
    ground.month_facts(world, Month(YEAR, 12), "16250000.00", "7400000.00")
    refreshed = services.refresh(world.officer, version).version
    assert refreshed.state == VersionState.DRAFT and refreshed.reviewed_by is None
    assert ground.confirmed(world, refreshed).state == VersionState.CONFIRMED


def test_a_withdrawn_statement_disappears_from_the_hospital(world):
    version = ground.sent(world, ground.the_draft(world))
    seen = SettlementVersion.objects.visible_to(world.hospital)
    assert seen.filter(pk=version.pk).exists()
    services.withdraw(world.officer, version, REASON)
    assert not SettlementVersion.objects.visible_to(world.hospital).exists()


def test_only_the_own_alliances_sent_versions_are_seen_by_hospitals(world):
    version = ground.the_draft(world)
    everyone = SettlementVersion.objects
    assert not everyone.visible_to(world.hospital).exists()
    for person in (world.officer, world.reviewer, world.county_officer, world.observer, world.auditor):
        assert everyone.visible_to(person).filter(pk=version.pk).exists()
    ground.sent(world, version)
    assert everyone.visible_to(world.hospital).filter(pk=version.pk).exists()
    for person in (world.sister_hospital, world.member, world.stranger_officer, world.nobody):
        assert not everyone.visible_to(person).exists()


def test_a_hospital_may_not_answer_for_its_sister(world):
    version = ground.sent(world, ground.the_draft(world))
    with pytest.raises(NotAllowed):
        services.confirm(world.sister_hospital, version)


def test_a_cancelled_draft_stays_readable_and_another_may_be_drafted(world):
    version = ground.the_draft(world)
    services.cancel(world.officer, version, "起草有误，重新办理")
    again = ground.drafted(world)
    assert again.pk != version.pk and again.number == 2
    version.refresh_from_db()
    assert version.state == VersionState.CANCELLED and version.computation is not None


def test_the_hospitals_finance_role_is_the_one_that_answers():
    assert ROLES[Act.CONFIRM] == ROLES[Act.OBJECT] == {Role.HOSPITAL_FINANCE}
