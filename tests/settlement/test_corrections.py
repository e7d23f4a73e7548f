"""Corrections: the whole target anew, only the difference posted; after the reopening period a line of a later year."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.errors import Conflict, Refused
from ledger.accounts import Account
from ledger.reading import balance, find_book
from rules.periods import Month
from settlement import services
from settlement.models import Adjustment, AdjustmentKind, AdjustmentState, SettlementVersion
from settlement.services.finality import reopening_ends
from settlement.states import VersionState
from settlement.verification import verify_settlements
from tests.settlement import ground
from tests.settlement.ground import YEAR, D

REASON = "跨省迟到结算 1,036 行"
TODAY = timezone.localdate


def held(world, account, year=YEAR):
    return balance(find_book(world.alliance, "RES"), account, alliance=world.alliance, year=year)


def late_rows(world, outside="7600000.00"):
    """December's out-of-county care grows: a smaller surplus, less retained."""
    ground.month_facts(world, Month(YEAR, 12), "16250000.00", outside)


def paid(world):
    version = ground.final(world, ground.surplus_ready(world, months=1))
    services.pay(world.finance, version, TODAY(), "YH2026001")
    return version


def test_a_correction_after_payment_takes_back_exactly_the_difference(world):
    version = paid(world)
    late_rows(world)
    second = services.correct(world.officer, version.settlement, REASON)
    assert isinstance(second, SettlementVersion) and second.number == 2
    assert second.computation.cash == D("191920000.00")  # 80 % of 100,000 less retained
    second = ground.final(world, second)
    assert held(world, Account.RECOVERY_RECEIVABLE) == D("80000.00")
    plan = services.propose_order(world.officer, second, 1, Month.of(TODAY()))
    services.approve_recovery(world.reviewer, plan)
    services.record_recovery(world.finance, plan.instalments.get(), TODAY(), "YH2")
    assert held(world, Account.BENEFITS_PACKAGED) == D("206920000.00")
    assert held(world, Account.TEMPORARY_PAYMENTS) == held(world, Account.RECOVERY_RECEIVABLE) == 0
    version.refresh_from_db()
    second.refresh_from_db()
    assert (version.state, second.state) == (VersionState.PAID, VersionState.RECOVERED)
    assert verify_settlements() == []


def test_a_correction_in_the_alliances_favour_pays_exactly_the_difference(world):
    version = paid(world)
    late_rows(world, "7400000.00")
    second = ground.final(world, services.correct(world.officer, version.settlement, REASON))
    assert held(world, Account.SETTLEMENT_PAYABLE) == D("80000.00")
    assert services.pay(world.finance, second, TODAY(), "YH2").amount == D("80000.00")
    assert held(world, Account.BENEFITS_PACKAGED) == D("207080000.00")
    assert verify_settlements() == []


def test_a_correction_before_payment_replaces_what_is_payable(world):
    version = ground.final(world, ground.surplus_ready(world))
    assert held(world, Account.SETTLEMENT_PAYABLE) == D("207000000.00")
    late_rows(world)
    second = ground.final(world, services.correct(world.officer, version.settlement, REASON))
    assert held(world, Account.SETTLEMENT_PAYABLE) == D("206920000.00") == second.computation.cash
    version.refresh_from_db()
    assert version.state == VersionState.SUPERSEDED
    with pytest.raises(Conflict):
        services.pay(world.finance, version, TODAY(), "YH1")
    assert verify_settlements() == []


def test_a_correction_of_a_pending_recovery_needs_a_new_plan(world):
    version = ground.final(world, ground.recovery_ready(world))
    plan = services.propose_order(world.officer, version, 2, Month.of(TODAY()))
    services.approve_recovery(world.reviewer, plan)
    services.record_recovery(world.finance, plan.instalments.first(), TODAY(), "YH1")
    ground.month_facts(world, Month(YEAR, 12), "83333.33", "23566666.66")
    second = ground.final(world, services.correct(world.officer, version.settlement, REASON))
    assert second.computation.cash == D("-1920000.00")
    assert held(world, Account.RECOVERY_RECEIVABLE) == D("920000.00")
    plan.refresh_from_db()
    assert plan.state == "superseded"
    with pytest.raises((Conflict, Refused)):
        services.record_recovery(world.finance, plan.instalments.last(), TODAY(), "YH2")
    again = services.propose_order(world.officer, second, 1, Month.of(TODAY()))
    services.approve_recovery(world.reviewer, again)
    services.record_recovery(world.finance, again.instalments.get(), TODAY(), "YH3")
    assert held(world, Account.TEMPORARY_PAYMENTS) == held(world, Account.RECOVERY_RECEIVABLE) == 0
    assert verify_settlements() == []


def test_a_correction_takes_back_the_offsets_no_prepayment_has_made_yet(world):
    from budgets import services as budgets
    from budgets.models import PrepaymentBatch, RecoveryOffset
    from tests.budgets import ground as budget_ground

    version = ground.final(world, ground.recovery_ready(world))
    history = {**ground.HISTORY, 2025: budget_ground.entered("185000000.00", "100000000.00")}
    budget_ground.approved(
        world, budget_ground.inputs("300000000.00", years=history), decided_on=TODAY().replace(month=1, day=10),
        ratio="0.10", year=YEAR + 1,
    )  # fmt: skip
    january = Month(YEAR + 1, 1)
    plan = services.propose_offsets(world.officer, version, [(january, D("1500000.00")), (january.next(), D("500000.00"))])
    services.approve_recovery(world.reviewer, plan)
    for month in (january, january.next()):
        budgets.propose(world.alliance, month)
    first = PrepaymentBatch.objects.get(month=str(january))
    budgets.submit_batch(world.officer, first)
    budgets.approve_batch(world.reviewer, first)
    ground.month_facts(world, Month(YEAR, 12), "83333.33", "23566666.66")
    second = services.correct(world.officer, version.settlement, REASON)
    ground.final(world, second)
    assert [offset.month for offset in RecoveryOffset.objects.all()] == [str(january)]
    line = PrepaymentBatch.objects.get(month=str(january.next())).lines.get()
    assert line.offset == 0 and line.payable == line.amount
    assert held(world, Account.RECOVERY_RECEIVABLE) == D("420000.00")
    assert verify_settlements() == []


def test_nothing_changed_means_nothing_to_correct(world):
    version = ground.final(world, ground.surplus_ready(world))
    with pytest.raises(Refused, match="不需要更正"):
        services.correct(world.officer, version.settlement, REASON)


def test_a_year_that_is_not_final_is_refreshed_not_corrected(world):
    version = ground.surplus_ready(world)
    late_rows(world)
    with pytest.raises(Conflict, match="正在办理"):
        services.correct(world.officer, version.settlement, REASON)


def test_one_correction_is_under_way_at_a_time(world):
    version = ground.final(world, ground.surplus_ready(world))
    late_rows(world)
    services.correct(world.officer, version.settlement, REASON)
    with pytest.raises(Conflict, match="正在办理"):
        services.correct(world.second_officer, version.settlement, REASON)


def test_a_cancelled_correction_leaves_the_final_version_in_force(world):
    version = ground.final(world, ground.surplus_ready(world))
    late_rows(world)
    second = services.correct(world.officer, version.settlement, REASON)
    services.cancel(world.officer, second, "数据有误，不再更正")
    assert services.pay(world.finance, version, TODAY(), "YH1").amount == D("207000000.00")
    assert verify_settlements() == []


def test_the_reopening_period_is_twelve_months_from_the_final_approval(world):
    version = ground.final(world, ground.surplus_ready(world))
    day = timezone.localtime(version.finalised_at).date()
    assert reopening_ends(version.settlement) == day.replace(year=day.year + 1)


def test_after_the_reopening_period_the_difference_is_a_line_of_the_next_settlement(world):
    version = paid(world)
    late_rows(world)
    long_ago = timezone.now() - timedelta(days=800)
    SettlementVersion.objects.filter(pk=version.pk).update(finalised_at=long_ago)
    line = services.correct(world.officer, version.settlement, REASON)
    assert isinstance(line, Adjustment) and line.kind == AdjustmentKind.LATE_DIFFERENCE
    assert (line.year, line.origin_year, line.amount) == (YEAR + 1, YEAR, D("80000.00"))
    assert line.state == AdjustmentState.PROPOSED
    services.approve_adjustment(world.reviewer, line)
    with pytest.raises(Refused, match="不需要更正"):
        services.correct(world.officer, version.settlement, REASON)
    assert version.settlement.versions.count() == 1


def test_a_late_difference_in_the_alliances_favour_is_negative(world):
    version = paid(world)
    late_rows(world, "7400000.00")
    SettlementVersion.objects.filter(pk=version.pk).update(finalised_at=timezone.now() - timedelta(days=800))
    line = services.correct(world.officer, version.settlement, REASON)
    assert line.amount == D("-80000.00")
