"""Prepayment: the cap holds to the fen, holds and true-ups are on record."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import from_fen, round_fen
from rules.periods import Month
from rules.prepayment import PrepaymentError, Terms, hold, plan, propose, terms_of, true_up
from rules.scheme import load_scheme

JIANGXI = load_scheme("jiangxi-2022")
TERMS = terms_of(JIANGXI)
B = Decimal("286543210.37")


@given(st.integers(1, 10**13).map(from_fen), st.lists(st.integers(0, 10**12).map(from_fen), max_size=12))
def test_a_plan_never_pays_more_than_the_cap(package: Decimal, paid: list[Decimal]) -> None:
    planned = plan(package, year=2026, terms=TERMS, paid=paid)
    assert len(planned.instalments) == 12 - len(paid)
    amounts = [instalment.amount for instalment in planned.instalments]
    assert all(amount >= 0 for amount in amounts)
    total = sum(paid, Decimal(0)) + sum(amounts, Decimal(0))
    assert total <= max(planned.cap, sum(paid, Decimal(0)))
    assert planned.cap == round_fen(package * Decimal("0.6"))
    if not planned.stopped and len(paid) < 12:
        assert total == planned.cap
    assert planned.stopped == (sum(paid, Decimal(0)) > planned.cap)


@given(st.integers(1, 10**13).map(from_fen))
def test_the_months_of_an_unchanged_year_differ_only_in_december(package: Decimal) -> None:
    amounts = [instalment.amount for instalment in plan(package, year=2026, terms=TERMS).instalments]
    if package >= 1:
        assert len(set(amounts[:11])) == 1
        assert abs(amounts[11] - amounts[0]) <= Decimal("0.07")


def test_proposals_follow_the_plan_to_the_last_fen() -> None:
    planned = plan(B, year=2026, terms=TERMS)
    paid = Decimal("0.00")
    for number in range(1, 13):
        proposal = propose(planned, Month(2026, number), paid=paid)
        paid = proposal.paid_after
        assert proposal.warnings == ()
    assert proposal.amount == Decimal("14327160.50")
    assert paid == planned.cap
    assert proposal.cap_left == Decimal("0.00")


def test_a_proposal_is_cut_at_the_cap_and_says_why() -> None:
    planned = plan(B, year=2026, terms=TERMS)
    proposal = propose(planned, Month(2026, 12), paid=Decimal("171925926.20"))
    assert proposal.amount == Decimal("0.02")
    assert "受年度上限" in proposal.warnings[0]
    beyond = propose(planned, Month(2026, 12), paid=Decimal("172000000.00"))
    assert beyond.amount == Decimal("0.00")
    assert "停止预付" in beyond.warnings[0]


def test_held_money_is_not_caught_up_by_itself() -> None:
    planned = plan(Decimal("300000000.00"), year=2026, terms=TERMS)
    held = hold(propose(planned, Month(2026, 5), paid=Decimal("60000000.00")), Decimal("5000000.00"), "稽核未结")
    assert (held.amount, held.paid_after, held.held) == (
        Decimal("10000000.00"),
        Decimal("70000000.00"),
        Decimal("5000000.00"),
    )
    assert "稽核未结" in list(held.trace)[-1].expression
    december = propose(planned, Month(2026, 12), paid=Decimal("160000000.00"), held=Decimal("5000000.00"))
    assert december.amount == Decimal("15000000.00")
    assert december.paid_after == Decimal("175000000.00")


def test_a_hold_needs_a_reason_and_an_amount_within_the_proposal() -> None:
    proposal = propose(plan(B, year=2026, terms=TERMS), Month(2026, 1), paid=Decimal("0.00"))
    with pytest.raises(PrepaymentError, match="须写明原因"):
        hold(proposal, Decimal("1.00"), "  ")
    with pytest.raises(PrepaymentError, match="大于本月预付额"):
        hold(proposal, Decimal("14327160.53"), "原因")
    with pytest.raises(ValueError, match="必须大于零"):
        hold(proposal, Decimal("0.00"), "原因")


def test_provisional_months_are_trued_up_after_approval() -> None:
    last_year = plan(Decimal("240000000.00"), year=2026, terms=TERMS, provisional=True)
    january = propose(last_year, Month(2026, 1), paid=Decimal("0.00"))
    assert january.provisional
    assert "暂付" in january.warnings[0]
    approved = plan(Decimal("300000000.00"), year=2026, terms=TERMS)
    march = true_up(approved, Month(2026, 3), paid=Decimal("24000000.00"))
    assert (march.planned, march.true_up, march.amount) == (
        Decimal("15000000.00"),
        Decimal("6000000.00"),
        Decimal("21000000.00"),
    )
    assert march.paid_after == Decimal("45000000.00")
    with pytest.raises(PrepaymentError, match="尚未审定"):
        true_up(last_year, Month(2026, 3), paid=Decimal("24000000.00"))


def test_an_overpaid_provisional_period_is_set_off_and_the_rest_carried() -> None:
    approved = plan(Decimal("100000000.00"), year=2026, terms=TERMS)
    march = true_up(approved, Month(2026, 3), paid=Decimal("24000000.00"))
    assert (march.amount, march.carried) == (Decimal("0.00"), Decimal("9000000.00"))
    april = true_up(approved, Month(2026, 4), paid=march.paid_after)
    assert (april.amount, april.carried) == (Decimal("0.00"), Decimal("4000000.00"))
    may = true_up(approved, Month(2026, 5), paid=april.paid_after)
    assert (may.amount, may.carried) == (Decimal("1000000.00"), Decimal("0.00"))


def test_the_base_may_leave_out_planned_outflow() -> None:
    terms = terms_of(JIANGXI.with_parameter("prepayment.base", "package_less_outflow", clause="本地办法"))
    planned = plan(Decimal("300000000.00"), year=2026, terms=terms, planned_outflow=Decimal("100000000.00"))
    assert (planned.base, planned.cap) == (Decimal("200000000.00"), Decimal("120000000.00"))
    assert planned.instalments[0].amount == Decimal("10000000.00")
    with pytest.raises(PrepaymentError, match="缺少计划县域外支出"):
        plan(Decimal("300000000.00"), year=2026, terms=terms)
    with pytest.raises(PrepaymentError, match="不能达到或超过打包总额"):
        plan(Decimal("300000000.00"), year=2026, terms=terms, planned_outflow=Decimal("300000000.00"))


def test_a_smaller_step_stays_below_the_cap() -> None:
    planned = plan(Decimal("100000000.00"), year=2026, terms=Terms(Decimal("0.6"), Decimal("0.04")))
    assert planned.total == Decimal("48000000.00")
    assert planned.instalments[-1].amount == Decimal("4000000.00")


def test_a_scheme_without_prepayment_terms_is_refused() -> None:
    with pytest.raises(PrepaymentError, match="未规定预付上限"):
        terms_of(load_scheme("ningde-2019"))


def test_a_month_outside_the_plan_is_refused() -> None:
    with pytest.raises(PrepaymentError, match="预付计划不含2027-01"):
        propose(plan(B, year=2026, terms=TERMS), Month(2027, 1), paid=Decimal("0.00"))
    with pytest.raises(PrepaymentError, match="超过12个月"):
        plan(B, year=2026, terms=TERMS, paid=[Decimal("1.00")] * 13)


def test_a_full_year_paid_beyond_a_reduced_cap_is_reported() -> None:
    planned = plan(Decimal("100000000.00"), year=2026, terms=TERMS, paid=[Decimal("6000000.00")] * 12)
    assert planned.instalments == ()
    assert (planned.stopped, planned.excess) == (True, Decimal("12000000.00"))
