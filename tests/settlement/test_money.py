"""After the final approval: control accounts, payment, clearing, recovery by order and by offset (A19)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from budgets import services as budgets
from budgets.models import PrepaymentBatch
from core.access import NotAllowed
from core.errors import Conflict, Refused
from ledger.accounts import Account
from ledger.models import Entry
from ledger.reading import balance, find_book, trial_balance
from rules.periods import Month
from settlement import posting, services
from settlement.models import PlanState, RecoveryPlan
from settlement.states import VersionState
from settlement.verification import verify_settlements
from tests.budgets import ground as budget_ground
from tests.settlement import ground
from tests.settlement.ground import YEAR, D

ZERO = D("0.00")
TODAY = timezone.localdate


def held(world, account, year=YEAR):
    return balance(find_book(world.alliance, "RES"), account, alliance=world.alliance, year=year)


def e4(world):
    """45 % outflow: a surplus, and still 18 million to give back (E4)."""
    return ground.surplus_ready(world, "150000000.00", "135000000.00", months=12)


def books_balance(world):
    trial = trial_balance(find_book(world.alliance, "RES"))
    return trial.balanced and not verify_settlements()


def test_before_the_settlement_the_advances_are_exactly_p_and_after_payment_zero(world):
    version = ground.surplus_ready(world, months=2)
    assert held(world, Account.TEMPORARY_PAYMENTS) == version.computation.prepaid == D("30000000.00")
    version = ground.final(world, version)
    assert held(world, Account.SETTLEMENT_PAYABLE) == version.computation.cash == D("177000000.00")
    assert held(world, Account.TEMPORARY_PAYMENTS) == D("30000000.00")
    booking = services.pay(world.finance, version, TODAY(), "YH2026001")
    assert booking.amount == D("177000000.00")
    assert held(world, Account.TEMPORARY_PAYMENTS) == held(world, Account.SETTLEMENT_PAYABLE) == ZERO
    assert held(world, Account.BENEFITS_PACKAGED) == D("207000000.00") == booking.recognised
    assert books_balance(world)


def test_e1_is_paid_with_its_deduction_taken_off_the_other_year(world):
    version = ground.surplus_ready(world, months=12)
    services.push_adjustment(
        world.auditor, world.alliance, YEAR, "RES", "other_year_recovery", D("500000.00"), "澜稽〔2025〕61号", "超标准收费追回"
    )
    version = services.refresh(world.officer, version).version
    assert version.computation.cash == D("26500000.00")
    version = ground.final(world, version)
    services.pay(world.finance, version, TODAY(), "YH2026001")
    assert held(world, Account.BENEFITS_PACKAGED) == D("207000000.00")
    assert held(world, Account.BENEFITS_PACKAGED, YEAR - 1) == D("-500000.00")
    assert held(world, Account.TEMPORARY_PAYMENTS) == ZERO
    assert books_balance(world)


def test_e3_an_overrun_pays_what_is_left_after_the_alliances_part(world):
    version = ground.overrun_ready(world, months=12)
    assert version.computation.cash == D("37400000.00")
    version = ground.final(world, version)
    services.pay(world.finance, version, TODAY(), "YH2026001")
    assert held(world, Account.BENEFITS_PACKAGED) == D("217400000.00")  # B + F − X
    assert books_balance(world)


def test_a_payment_is_made_once(world):
    version = ground.final(world, ground.surplus_ready(world))
    services.pay(world.finance, version, TODAY(), "YH2026001")
    entries = Entry.objects.count()
    with pytest.raises(Conflict, match="已支付"):
        services.pay(world.finance, version, TODAY(), "YH2026001")
    assert Entry.objects.count() == entries


def test_a_second_final_approval_posts_nothing(world):
    version = ground.confirmed(world, ground.surplus_ready(world))
    services.finalise(world.reviewer, version)
    entries = Entry.objects.count()
    with pytest.raises(Conflict):
        services.finalise(world.second_reviewer, version)
    assert Entry.objects.count() == entries


def test_payment_needs_the_banks_number_and_a_possible_date_and_all_is_told_at_once(world):
    version = ground.final(world, ground.surplus_ready(world))
    with pytest.raises(Refused) as refused:
        services.pay(world.finance, version, TODAY() + timedelta(days=1), " ")
    assert [problem.field for problem in refused.value.problems] == ["on", "bank_reference"]
    with pytest.raises(Refused, match="早于审定日"):
        services.pay(world.finance, version, TODAY() - timedelta(days=1), "YH2026001")


def test_only_fund_finance_pays(world):
    version = ground.final(world, ground.surplus_ready(world))
    for person in (world.officer, world.reviewer, world.hospital):
        with pytest.raises(NotAllowed):
            services.pay(person, version, TODAY(), "YH2026001")


def test_the_year_is_closed_by_the_final_approval(world):
    ground.final(world, ground.surplus_ready(world))
    with pytest.raises(Refused):
        budgets.register_payment(
            world.officer, world.alliance, YEAR, "RES", kind="other", amount=D("1000.00"), purpose="月度结算"
        )


def test_other_payments_of_the_year_are_m_and_are_cleared_too(world):
    ground.package(world)
    ground.facts(world, "195000000.00", "90000000.00")
    ground.score(world)
    payment = budgets.register_payment(
        world.officer, world.alliance, YEAR, "RES", kind="monthly_settlement", amount=D("2000000.00"), purpose="三月结算"
    )
    budgets.approve_payment(world.reviewer, payment)
    waiting = ground.drafted(world)
    with pytest.raises(Refused, match="已批未付"):
        services.review(world.reviewer, waiting)
    budgets.receive_payment(world.finance, payment, on=TODAY(), reference="YH1", amount=D("2000000.00"))
    version = services.refresh(world.officer, waiting).version
    assert version.computation.other_payments == D("2000000.00")
    version = ground.final(world, version)
    services.pay(world.finance, version, TODAY(), "YH2")
    assert held(world, Account.TEMPORARY_PAYMENTS) == ZERO
    assert held(world, Account.BENEFITS_PACKAGED) == D("207000000.00")
    assert books_balance(world)


def test_a_prepayment_received_after_the_draft_stops_the_final_approval(world):
    version = ground.confirmed(world, ground.surplus_ready(world, months=1))
    ground.prepaid(world, 1, after=1)
    with pytest.raises(Refused, match="暂付款余额"):
        services.finalise(world.reviewer, version)


def test_nothing_owed_is_cleared_without_money(world):
    ground.package(world)
    ground.facts(world, "15000000.00", "285000000.00")
    ground.prepaid(world, 1)
    version = ground.final(world, ground.drafted(world))
    assert version.computation.cash == ZERO and version.computation.outcome == "balanced"
    with pytest.raises(Refused, match="没有应付款"):
        services.pay(world.finance, version, TODAY(), "YH1")
    services.clear(world.finance, version, TODAY())
    version.refresh_from_db()
    assert version.state == VersionState.PAID
    assert held(world, Account.TEMPORARY_PAYMENTS) == ZERO
    assert held(world, Account.BENEFITS_PACKAGED) == D("15000000.00")
    assert books_balance(world)


def test_e4_is_a_recovery_that_nobody_sets_off_silently(world):
    version = ground.final(world, e4(world))
    assert version.computation.cash == D("-18000000.00")
    assert held(world, Account.RECOVERY_RECEIVABLE) == D("18000000.00")
    assert held(world, Account.SETTLEMENT_PAYABLE) == ZERO
    with pytest.raises(Refused, match="不是应付"):
        services.pay(world.finance, version, TODAY(), "YH1")
    assert books_balance(world)


def test_a_recovery_comes_back_in_three_instalments_that_sum_exactly(world):
    version = ground.final(world, ground.recovery_ready(world))
    plan = services.propose_order(world.officer, version, 3, Month.of(TODAY()), "分三个月退回")
    parts = list(plan.instalments.all())
    assert [part.amount for part in parts] == [D("666666.67"), D("666666.67"), D("666666.66")]
    assert plan.amount == D("2000000.00")
    with pytest.raises(Refused, match="批准"):
        services.record_recovery(world.finance, parts[0], TODAY(), "YH1")
    with pytest.raises(NotAllowed):
        services.approve_recovery(world.officer, plan)
    services.approve_recovery(world.reviewer, plan)
    for number, part in enumerate(parts, start=1):
        services.record_recovery(world.finance, part, TODAY(), f"YH{number}")
        left = sum((later.amount for later in parts[number:]), ZERO)
        assert held(world, Account.RECOVERY_RECEIVABLE) == left == held(world, Account.TEMPORARY_PAYMENTS)
        assert books_balance(world)
    version.refresh_from_db()
    assert version.state == VersionState.RECOVERED
    assert held(world, Account.BENEFITS_PACKAGED) == D("13000000.00")


def test_an_instalment_is_recorded_once(world):
    version = ground.final(world, ground.recovery_ready(world))
    plan = services.propose_order(world.officer, version, 2, Month.of(TODAY()))
    services.approve_recovery(world.reviewer, plan)
    first = plan.instalments.first()
    services.record_recovery(world.finance, first, TODAY(), "YH1")
    entries = Entry.objects.count()
    with pytest.raises(Conflict, match="已经登记"):
        services.record_recovery(world.finance, first, TODAY(), "YH1")
    assert Entry.objects.count() == entries


def test_a_returned_plan_can_be_proposed_anew(world):
    version = ground.final(world, ground.recovery_ready(world))
    plan = services.propose_order(world.officer, version, 12, Month.of(TODAY()))
    with pytest.raises(Conflict, match="已有追回方案"):
        services.propose_order(world.officer, version, 1, Month.of(TODAY()))
    services.return_recovery(world.reviewer, plan, "期限过长，请分三期")
    again = services.propose_order(world.officer, version, 3, Month.of(TODAY()))
    assert again.number == 2
    plan.refresh_from_db()
    assert plan.state == PlanState.RETURNED and plan.decision == "期限过长，请分三期"


def test_offsets_against_next_years_prepayments_by_an_approved_plan(world):
    version = ground.final(world, ground.recovery_ready(world))
    budget_ground.approved(
        world, budget_ground.inputs("300000000.00", years={**ground.HISTORY, 2025: budget_ground.entered("185000000.00", "100000000.00")}),
        decided_on=TODAY().replace(month=1, day=10), ratio="0.10", year=YEAR + 1,
    )  # fmt: skip
    first, second = Month(YEAR + 1, 1), Month(YEAR + 1, 2)
    with pytest.raises(Refused, match="大于当月计划预付额"):
        services.propose_offsets(world.officer, version, [(first, D("15000000.01"))])
    with pytest.raises(Refused, match="相差"):
        services.propose_offsets(world.officer, version, [(first, D("1500000.00")), (second, D("499999.99"))])
    plan = services.propose_offsets(world.officer, version, [(first, D("1500000.00")), (second, D("500000.00"))])
    services.approve_recovery(world.reviewer, plan)
    parts = list(plan.instalments.all())
    with pytest.raises(Refused, match="尚未审定抵扣"):
        services.record_offset(world.finance, parts[0], TODAY())
    for month, part in zip((first, second), parts, strict=True):
        budgets.propose(world.alliance, month)
        batch = PrepaymentBatch.objects.get(month=str(month))
        assert batch.lines.get().offset == part.amount
        budgets.submit_batch(world.officer, batch)
        batch = budgets.approve_batch(world.reviewer, batch)
        if batch.lines.get().payable:
            budget_ground.pay(world, batch)
        assert books_balance(world)
        services.record_offset(world.finance, part, TODAY())
        assert books_balance(world)
    version.refresh_from_db()
    assert version.state == VersionState.RECOVERED
    assert held(world, Account.TEMPORARY_PAYMENTS) == held(world, Account.RECOVERY_RECEIVABLE) == ZERO
    assert held(world, Account.TEMPORARY_PAYMENTS, YEAR + 1) == D("30000000.00")
    assert held(world, Account.BENEFITS_PACKAGED) == D("13000000.00")


def test_the_position_of_an_untouched_settlement_is_nothing(world):
    version = ground.surplus_ready(world)
    where = posting.position(version.settlement)
    assert (where.settled, where.cleared, where.recognised, where.deducted) == (ZERO,) * 4
    assert posting.outstanding(version.computation, where) == version.computation.cash
    assert RecoveryPlan.objects.count() == 0 and isinstance(where.paid, Decimal)
