"""Refused claims leave S_in, recoveries of other years are D, agreed deductions need a second person, fines never."""

import pytest
from django.db import IntegrityError, transaction

from core.access import NotAllowed
from core.errors import Conflict, Refused
from settlement import services
from settlement.models import Adjustment, AdjustmentState
from tests.settlement import ground
from tests.settlement.ground import YEAR, D


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


CASE = "澜稽〔2026〕12号"


def push(world, kind="refused_claims", amount="230987.63", source=CASE, reason="无指征重复检查", **more):
    return services.push_adjustment(
        more.pop("actor", world.auditor), world.alliance, YEAR, "RES", kind, D(amount), source, reason, **more
    )


def test_refused_claims_of_the_year_leave_s_in_as_if_never_billed(world):
    version = ground.the_draft(world)
    push(world)
    version = services.refresh(world.officer, version).version
    assert version.computation.in_alliance == D("195000000.00") - D("230987.63")
    assert version.computation.inputs["facts_in_alliance"] == "195000000.00"
    assert version.computation.inputs["refused"][0]["source"] == CASE
    assert version.computation.deductions == D("0.00")


def test_recoveries_of_other_years_are_deducted_and_listed_with_their_source(world):
    version = ground.the_draft(world)
    before = version.computation.cash
    push(world, "other_year_recovery", "500000.00")
    version = services.refresh(world.officer, version).version
    assert version.computation.cash == before - D("500000.00")
    assert version.computation.inputs["deductions"][0] | {"id": 0} == {
        "id": 0, "kind": "other_year_recovery", "origin_year": YEAR - 1, "amount": "500000.00", "source": CASE,
        "reason": "无指征重复检查",
    }  # fmt: skip


def test_the_same_push_again_returns_the_held_row_and_another_amount_is_a_conflict(world):
    first = push(world)
    assert push(world).pk == first.pk and Adjustment.objects.count() == 1
    with pytest.raises(Conflict, match="与这次的"):
        push(world, amount="1.00")


@pytest.mark.parametrize("kind", ["fine", "penalty", "罚款"])
def test_fines_are_refused_always(world, kind):
    with pytest.raises(Refused, match="罚款上缴国库"):
        push(world, kind)
    with pytest.raises(Refused, match="罚款上缴国库"):
        push(world, "other_year_recovery", source="行政处罚决定书罚款")
    assert not Adjustment.objects.exists()


def test_everything_wrong_with_a_push_is_told_at_once(world):
    with pytest.raises(Refused) as refused:
        push(world, "refused_claims", "-1.00", " ", "短")
    assert [problem.field for problem in refused.value.problems] == ["amount", "source", "reason"]


def test_a_recovery_of_the_same_year_belongs_to_the_refused_claims(world):
    with pytest.raises(Refused, match="2025 年以前"):
        push(world, "other_year_recovery", origin_year=YEAR)


def test_an_agreed_deduction_counts_only_after_a_reviewer_approved_it(world):
    version = ground.the_draft(world)
    row = services.propose_deduction(
        world.officer, world.alliance, YEAR, "RES", D("300000.00"), YEAR - 1, "澜财社〔2026〕8号", "商财政部门确定的扣减"
    )
    assert services.refresh(world.officer, version).version.computation.deductions == D("0.00")
    with pytest.raises(NotAllowed):
        services.approve_adjustment(world.officer, row)
    services.approve_adjustment(world.reviewer, row)
    assert services.refresh(world.officer, version).version.computation.deductions == D("300000.00")
    with pytest.raises(Conflict, match="何劲松"):
        services.approve_adjustment(world.second_reviewer, row)


def test_the_database_holds_the_four_eyes_of_a_deduction(world):
    row = services.propose_deduction(
        world.officer, world.alliance, YEAR, "RES", D("1.00"), YEAR - 1, "澜财社〔2026〕8号", "商财政部门确定的扣减"
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Adjustment.objects.filter(pk=row.pk).update(state=AdjustmentState.IN_FORCE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Adjustment.objects.filter(pk=row.pk).update(decided_by=world.officer)


def test_a_withdrawn_push_no_longer_counts_and_may_be_pushed_anew(world):
    version = ground.the_draft(world)
    row = push(world)
    services.withdraw_adjustment(world.auditor, row, "复议改判，撤销拒付")
    assert services.refresh(world.officer, version).version.computation.in_alliance == D("195000000.00")
    assert push(world, amount="200000.00").pk != row.pk


def test_an_officer_may_not_push_and_an_auditor_may_not_propose(world):
    with pytest.raises(NotAllowed):
        push(world, actor=world.officer)
    with pytest.raises(NotAllowed):
        services.propose_deduction(world.auditor, world.alliance, YEAR, "RES", D("1.00"), 2024, "文", "商财政部门确定")
