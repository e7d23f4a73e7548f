"""Kept figures: the same answer from memory while the trail stands still, a fresh one the moment it moves."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from core import kept as module
from core.kept import kept, reading
from core.trail import record
from tests.budgets import ground


@pytest.fixture(autouse=True)
def empty_memory():
    module._values.clear()
    yield
    module._values.clear()


class Counted:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return self.times


def asked(compute, key="x"):
    """What one request that reads is given."""
    with reading():
        return kept("test", key, compute)


def test_a_second_request_is_answered_from_memory(world):
    compute = Counted()
    assert [asked(compute), asked(compute)] == [1, 1]


def test_any_act_in_the_trail_makes_the_next_request_work_it_out_anew(world):
    compute = Counted()
    asked(compute)
    record(world.officer, "core.login", world.officer, "办理了一件事", place=world.area)
    assert asked(compute) == 2


def test_other_keys_and_other_days_are_worked_out_apart(world):
    compute = Counted()
    assert [asked(compute, "x"), asked(compute, "y")] == [1, 2]
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        assert asked(compute, "x") == 3


def test_nothing_is_kept_outside_a_request_that_reads(world):
    compute = Counted()
    assert [kept("test", "x", compute), kept("test", "x", compute)] == [1, 2]


def test_a_value_is_held_for_a_minute_at_most(world, monkeypatch):
    compute, clock = Counted(), [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    asked(compute)
    clock[0] += module.HELD_SECONDS + 1
    assert asked(compute) == 2


def test_the_memory_does_not_grow_without_end(world, monkeypatch):
    monkeypatch.setattr(module, "HELD_VALUES", 3)
    for key in range(10):
        asked(Counted(), key)
    assert len(module._values) == 3


def test_a_page_asks_fewer_questions_again_and_shows_an_approval_at_once(
    world, client_of, settings, django_assert_max_num_queries
):
    settings.KEEP_FIGURES = True
    client = client_of(world.reviewer)

    def shown(address):
        return client.get(address).content.decode().split('<main', 1)[1]

    page, overview = "/budgets/?year=2026", "/overview/alliance/QX/?year=2026"
    empty = shown(page)
    ground.approved(world)
    assert shown(page) != empty
    before = shown(overview)
    with django_assert_max_num_queries(16):
        assert shown(overview) == before
