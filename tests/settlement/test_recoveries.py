"""What was ordered back and what came, as the indicators ask it: many alliances, up to a day."""

from datetime import timedelta
from decimal import Decimal

from rules.periods import Month
from settlement import reading, services
from tests.settlement import ground
from tests.settlement.test_money import TODAY

D = Decimal


def asked(world, day):
    return reading.recoveries([world.alliance, world.east], day)


def test_ordered_back_and_come_back_are_told_up_to_a_day(world, django_assert_num_queries):
    version = ground.final(world, ground.recovery_ready(world))
    assert asked(world, TODAY()) == {}
    plan = services.propose_order(world.officer, version, 3, Month.of(TODAY()), "分三个月退回")
    assert asked(world, TODAY()) == {}  # proposed is not ordered
    services.approve_recovery(world.reviewer, plan)
    key = (world.alliance.pk, "RES")
    assert asked(world, TODAY()) == {key: (D("2000000.00"), D("0.00"))}
    services.record_recovery(world.finance, plan.instalments.first(), TODAY(), "YH1")
    with django_assert_num_queries(2):
        assert asked(world, TODAY()) == {key: (D("2000000.00"), D("666666.67"))}
    assert asked(world, TODAY() - timedelta(days=1)) == {}
