"""What must hold for every sharing, whatever the numbers; and agreement with exact fractions."""

import random
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.brackets import Side
from rules.money import from_fen, round_fen, to_fen
from rules.scheme import Scheme, load_scheme, scheme_names
from rules.sharing import ShareResult

FEN = Decimal("0.01")
packages = st.integers(1, 10**13).map(from_fen)
names = st.sampled_from(scheme_names())
JIANGXI = load_scheme("jiangxi-2022")


def sides(scheme: Scheme) -> list[Side]:
    return [side for side in (scheme.brackets.overrun, scheme.brackets.surplus) if side is not None]


def share_of(scheme: Scheme, side: Side, package: Decimal, difference: Decimal) -> Decimal:
    result = scheme.share(package, package + difference if side.name == "overrun" else package - difference)
    return result.fund_bears if side.name == "overrun" else result.alliance_keeps


@st.composite
def shared(draw: st.DrawFn) -> ShareResult:
    scheme = load_scheme(draw(names))
    side = draw(st.sampled_from(sides(scheme)))
    package = draw(packages)
    difference = from_fen(draw(st.integers(0, to_fen(package))))
    if side.name == "surplus":
        return scheme.share(package, package - difference)
    reasonable = draw(st.one_of(st.none(), st.integers(0, to_fen(difference)).map(from_fen)))
    return scheme.share(package, package + difference, reasonable)


@given(shared())
def test_both_sides_add_up_to_the_fen(result: ShareResult) -> None:
    over = max(result.charged - result.package, Decimal(0))
    under = max(result.package - result.charged, Decimal(0))
    assert result.fund_bears + result.alliance_bears == over
    assert result.alliance_keeps + result.returned_to_fund == under
    divided = result.reasonable if over else result.difference
    assert sum(tier.amount for tier in result.tiers) == divided
    assert all(tier.shared + tier.rest == tier.amount for tier in result.tiers)


@given(shared())
def test_nobody_bears_or_keeps_more_than_there_is(result: ShareResult) -> None:
    parts = (result.fund_bears, result.alliance_bears, result.alliance_keeps, result.returned_to_fund)
    assert all(0 <= part <= result.difference for part in parts)
    assert result.fund_bears <= result.reasonable or not result.fund_bears
    assert all(part == round_fen(part) and part.as_tuple().exponent == -2 for part in parts)


@given(names, packages, st.data())
def test_marginal_sharing_is_continuous_at_every_bound(name: str, package: Decimal, data: st.DataObject) -> None:
    scheme = load_scheme(name)
    side = data.draw(st.sampled_from(sides(scheme)))
    bounds = [round_fen(package * tier.upper) for tier in side.tiers if tier.upper is not None]
    for bound in bounds:
        for difference in (bound, bound + FEN):
            if difference - FEN < 0 or (side.name == "surplus" and difference > package):
                continue
            step = share_of(scheme, side, package, difference) - share_of(scheme, side, package, difference - FEN)
            assert 0 <= step <= FEN


@given(names, packages, st.data())
def test_a_larger_difference_never_gives_a_smaller_share(name: str, package: Decimal, data: st.DataObject) -> None:
    scheme = load_scheme(name)
    side = data.draw(st.sampled_from(sides(scheme)))
    one, other = sorted(data.draw(st.lists(st.integers(0, to_fen(package)), min_size=2, max_size=2)))
    small, large = from_fen(one), from_fen(other)
    before, after = share_of(scheme, side, package, small), share_of(scheme, side, package, large)
    assert before <= after
    assert after - before <= large - small


@given(packages, st.integers(0, 2 * 10**13))
def test_the_exposure_of_the_jiangxi_scheme_is_7_percent_and_the_retention_11_percent(
    package: Decimal, charged: int
) -> None:
    result = JIANGXI.share(package, from_fen(charged))
    assert result.fund_bears <= package * Decimal("0.07") + 2 * FEN
    assert result.alliance_keeps <= package * Decimal("0.11") + 2 * FEN


@given(shared())
@settings(max_examples=50)
def test_the_last_figure_of_the_trace_is_the_other_sides_part(result: ShareResult) -> None:
    rest = result.alliance_bears if result.charged > result.package else result.returned_to_fund
    assert list(result.trace)[-1].value == rest
    assert all(step.clause for step in result.trace)


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def exact_share(side: Side, package: int, difference: int) -> int:
    """Fen of a marginal side, by exact fractions only."""
    total, lower = 0, 0
    for tier in side.tiers:
        upper = difference if tier.upper is None else half_up(package * Fraction(tier.upper))
        part = max(min(difference, upper) - lower, 0)
        total += half_up(part * Fraction(tier.rate))
        lower = max(lower, upper)
    return total if side.cap is None else min(total, half_up(package * Fraction(side.cap)))


@pytest.mark.parametrize("name", scheme_names())
def test_a_thousand_random_cases_agree_with_exact_fractions(name: str) -> None:
    scheme, generator = load_scheme(name), random.Random(f"sharing {name}")
    for side in sides(scheme):
        for _ in range(500):
            package = int(10 ** generator.uniform(0, 13)) + 1
            ratio = generator.choice([0.0002, 0.05, 0.1, 0.15, 0.2, generator.random()])
            difference = min(max(int(package * ratio) + generator.randint(-2, 2), 0), package)
            found = share_of(scheme, side, from_fen(package), from_fen(difference))
            assert to_fen(found) == exact_share(side, package, difference), (package, difference)
