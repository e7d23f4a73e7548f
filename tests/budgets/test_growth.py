"""The growth of the revenue budget: entered with evidence, approved by another person, one in force at a time."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from budgets import services
from budgets.models import RevenueGrowth
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from tests.budgets.ground import growth, pdf


def enter(world, **changes):
    given = {
        "growth": Decimal("0.05"), "like_for_like": "口径无变化", "document_title": "市医保基金预算", "evidence": pdf(),
        **changes,
    }  # fmt: skip
    return services.enter_growth(world.officer, world.area, "RES", 2026, **given)


def test_an_entered_growth_counts_only_after_a_second_person_approved_it(world):
    entered = enter(world)
    assert entered.state == "submitted"
    services.approve_growth(world.reviewer, entered)
    assert RevenueGrowth.objects.get(pk=entered.pk).state == "approved"
    assert TrailEvent.objects.filter(action="budgets.approve_growth", actor=world.reviewer).exists()
    assert Notice.objects.filter(user=world.officer, text__contains="已审定").exists()


def test_a_new_growth_replaces_the_approved_one_of_the_same_fund_and_year(world):
    first, second = growth(world), growth(world, ratio="0.04")
    first.refresh_from_db()
    assert (first.state, second.state) == ("superseded", "approved")


def test_an_officer_cannot_approve_a_growth(world):
    with pytest.raises(NotAllowed):
        services.approve_growth(world.officer, enter(world))


def test_the_database_refuses_one_person_in_both_posts_of_a_growth(world):
    entered = enter(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        RevenueGrowth.objects.filter(pk=entered.pk).update(decided_by=world.officer)


def test_a_second_reviewer_is_told_that_the_growth_was_decided(world):
    entered = enter(world)
    services.approve_growth(world.reviewer, entered)
    with pytest.raises(Conflict, match="何劲松"):
        services.return_growth(world.second_reviewer, entered, "依据不足")


def test_everything_missing_is_told_at_once(world):
    with pytest.raises(Refused) as refusal:
        enter(world, like_for_like="", document_title=" ", evidence=None)
    assert {problem.field for problem in refusal.value.problems} == {"同口径说明", "依据文件", "依据附件"}


def test_a_negative_growth_needs_both_incomes_to_prove_it(world):
    with pytest.raises(Refused, match="负数"):
        enter(world, growth=Decimal("-0.02"))
    proven = enter(
        world,
        growth=Decimal("-0.02"),
        previous_income=Decimal("100000000.00"),
        budgeted_income=Decimal("98000000.00"),
    )
    assert proven.growth == Decimal("-0.020000")


def test_incomes_that_give_another_growth_are_refused(world):
    with pytest.raises(Refused, match="不符"):
        enter(world, previous_income=Decimal("100.00"), budgeted_income=Decimal("104.00"))


@pytest.mark.parametrize("ratio", ["-1", "-1.5", "1", "5"])
def test_a_growth_written_as_percent_instead_of_a_ratio_is_refused(world, ratio):
    with pytest.raises(Refused, match="100%"):
        enter(world, growth=Decimal(ratio))


def test_a_returned_growth_names_its_reason_and_can_be_entered_again(world):
    entered = services.return_growth(world.reviewer, enter(world), "附件不是批复")
    assert (entered.state, entered.return_reason) == ("returned", "附件不是批复")
    assert enter(world).state == "submitted"
