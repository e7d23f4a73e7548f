"""The worked examples, to the fen."""

from decimal import Decimal

import pytest

from rules.periods import months_of_year
from rules.prepayment import plan, terms_of
from rules.scheme import load_scheme
from rules.settlement import settle_year
from tests.rules.golden_cases import (
    PrepaymentCase,
    ShareCase,
    YearEndCase,
    prepayment_cases,
    share_cases,
    year_end_cases,
)

SHARES = share_cases()


@pytest.mark.parametrize("case", SHARES, ids=lambda case: case.id)
def test_a_difference_is_shared_as_worked_by_hand(case: ShareCase) -> None:
    result = load_scheme(case.scheme).share(case.package, case.charged, case.reasonable_overrun)
    assert (result.outcome, result.label) == (case.outcome, case.label)
    assert (result.fund_bears, result.alliance_bears) == (case.fund_bears, case.alliance_bears)
    assert (result.alliance_keeps, result.returned_to_fund) == (case.alliance_keeps, case.returned_to_fund)
    holding = [(tier.label, tier.amount, tier.shared) for tier in result.tiers if tier.amount]
    assert holding == [(tier.label, tier.amount, tier.shared) for tier in case.tiers]


@pytest.mark.parametrize("case", [case for case in SHARES if case.fund_bears_if_70 is not None], ids=lambda c: c.id)
def test_an_overrun_gives_the_other_figure_if_the_rate_is_confirmed_at_70_percent(case: ShareCase) -> None:
    scheme = load_scheme(case.scheme).with_parameter("overrun.O1.rate", Decimal("0.70"))
    assert scheme.share(case.package, case.charged).fund_bears == case.fund_bears_if_70


def test_every_overrun_example_shows_the_unconfirmed_rate_until_it_is_confirmed() -> None:
    overruns = [case for case in SHARES if case.scheme == "jiangxi-2022" and case.outcome == "overrun"]
    assert len(overruns) == 12
    confirmed = load_scheme("jiangxi-2022").with_parameter("overrun.O1.rate", Decimal("0.80"))
    for case in overruns:
        result = load_scheme(case.scheme).share(case.package, case.charged, case.reasonable_overrun)
        assert result.unconfirmed == ("overrun.O1.rate",)
        assert confirmed.share(case.package, case.charged, case.reasonable_overrun).unconfirmed == ()


def test_every_example_of_the_domain_is_here() -> None:
    numbers = {case.id for case in SHARES if case.scheme == "jiangxi-2022"}
    expected = {str(number) for number in range(1, 21) if number != 16} | {"16a", "16b", "16c", "R1"}
    assert numbers == expected
    assert {case.id for case in SHARES} - numbers == {"E5a", "E5b", "E6", "E7a", "E7b"}


@pytest.mark.parametrize("case", prepayment_cases(), ids=lambda case: case.id)
def test_a_prepayment_plan_is_as_worked_by_hand(case: PrepaymentCase) -> None:
    planned = plan(case.package, year=2026, terms=terms_of(load_scheme(case.scheme)), paid=case.paid)
    assert planned.cap == case.cap
    assert tuple(instalment.amount for instalment in planned.instalments) == case.months
    assert [instalment.month for instalment in planned.instalments] == list(months_of_year(2026)[len(case.paid) :])
    assert planned.stopped is case.stopped
    assert bool(planned.warnings) is case.stopped


@pytest.mark.parametrize("case", year_end_cases(), ids=lambda case: case.id)
def test_a_year_is_settled_as_worked_by_hand(case: YearEndCase) -> None:
    settled = settle_year(
        load_scheme(case.scheme),
        package=case.package,
        s_in=case.s_in,
        outflow=case.outflow,
        prepaid=case.prepaid,
        deductions=case.deductions,
        score=case.score,
        local_grades=case.local_grades,
    )
    assert settled.cash == case.cash
    assert (settled.retained, settled.forfeited) == (case.retained, case.forfeited)
    assert (settled.fund_bears, settled.alliance_bears) == (case.fund_bears, case.alliance_bears)
    assert all(identity.holds for identity in settled.identities)
    assert settled.recovery == max(-case.cash, Decimal(0))
