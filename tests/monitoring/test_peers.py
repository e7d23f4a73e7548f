"""A place beside its peers: medians, quartiles, ranks, and who may know them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.reading.peers import group_values, groups_of, peer_medians, peer_stats, quantile
from monitoring.reading.places import ref_of
from rules.periods import Month
from rules.spans import Span
from tests.monitoring.pages_ground import months, township
from tests.world import World

D = Decimal
SEPTEMBER = Month(2026, 9)
SPAN = Span.month(SEPTEMBER)
KEY = "inpatient_average"


@pytest.fixture
def townships(world: World) -> list:
    """Six township centres: 250 stays each; their averages are 4000, 5000, 6000, 7000, 8000 and 9000 yuan."""
    made = [world.township, *(township(world, number) for number in range(1, 6))]
    for place, cost in zip(made, (1_000_000, 1_250_000, 1_500_000, 1_750_000, 2_000_000, 2_250_000), strict=True):
        months(place, wanted=[SEPTEMBER], inpatient_cost=D(cost))
    return made


def test_the_median_and_quartiles_are_those_of_the_other_places(world: World, townships: list) -> None:
    found = peer_stats(world.officer, ref_of(townships[0]), SPAN, [KEY], "RES")[KEY]
    # the others: 5000 6000 7000 8000 9000
    assert (found.low, found.median, found.high) == (D("6000.00"), D("7000.00"), D("8000.00"))
    assert found.known == 5
    assert found.rank == 1  # lower is better and it is the lowest


def test_an_even_number_of_values_has_its_median_between_the_two_in_the_middle() -> None:
    assert quantile(KEY, [D(10), D(20), D(30), D(40)], 2) == D("25.00")
    assert quantile(KEY, [D(10), D(20), D(30), D(40)], 1) == D("17.50")
    assert quantile("execution", [D("0.1"), D("0.2"), D("0.2"), D("0.3")], 3) == D("0.225")


def test_a_hospital_learns_nothing_of_fewer_than_five_peers(world: World, townships: list) -> None:
    for place in townships[:5]:
        months(place, "EMP", wanted=[SEPTEMBER])
    seen = peer_stats(world.hospital, ref_of(townships[0]), SPAN, [KEY], "RES")[KEY]
    assert seen.median == D("7000.00")
    hidden = peer_stats(world.hospital, ref_of(townships[0]), SPAN, [KEY], "EMP")[KEY]  # four peers only
    assert (hidden.median, hidden.low, hidden.high, hidden.rank) == (None, None, None, None)
    shown = peer_stats(world.officer, ref_of(townships[0]), SPAN, [KEY], "EMP")[KEY]
    assert shown.median == D("8000.00")


def test_other_kinds_and_other_cities_are_no_peers(world: World, townships: list) -> None:
    months(world.lead, wanted=[SEPTEMBER], inpatient_cost=D(90_000_000))
    months(world.village, wanted=[SEPTEMBER], inpatient_cost=D(1))
    group = groups_of([ref_of(townships[0])])[f"I{townships[0].pk}"]
    assert set(group_values(group, SPAN, [KEY], "RES")[KEY]) == {f"I{place.pk}" for place in townships}


def test_medians_of_many_places_are_none_from_fewer_than_three_values(world: World, townships: list) -> None:
    for place in (world.alliance, world.east, world.west):
        months(place, wanted=[SEPTEMBER])
    refs = [ref_of(world.alliance), ref_of(townships[0])]
    found = peer_medians(refs, SPAN, [KEY], ["RES", "EMP"])
    assert found[(refs[0].key, "RES", KEY)] is None  # two others only
    assert found[(refs[1].key, "RES", KEY)] == D("7000.00")
    assert found[(refs[1].key, "EMP", KEY)] is None


def test_medians_take_the_same_number_of_queries_however_many_places(world: World, townships: list) -> None:
    refs = [ref_of(place) for place in townships]
    with CaptureQueriesContext(connection) as one:
        peer_medians(refs[:1], SPAN, [KEY], ["RES"])
    with CaptureQueriesContext(connection) as many:
        peer_medians(refs, SPAN, [KEY], ["RES"])
    assert len(one) == len(many)
