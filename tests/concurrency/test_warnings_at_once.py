"""Two runs, or two people, at the same warning in the same moment: one does it, the other finds it done."""

from collections import Counter

import pytest

from core.errors import Conflict
from monitoring.models import Threshold, Warning, WarningFigure
from monitoring.services import thresholds, warnings
from monitoring.services.escalating import escalate
from monitoring.services.evaluating import evaluate_month
from monitoring.verification_warnings import verify_warnings
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import JULY, REASON, again, live, share_row, trial
from tests.together import at_once
from tests.world import build_world


@pytest.fixture
def world(transactional_db, time_machine):
    time_machine.move_to(ground.NOW)
    return build_world()


def kinds(results):
    return Counter(type(result).__name__ for result in results)


def test_two_runs_of_a_month_raise_one_warning_a_cause(world):
    live(world, fund_type="")
    for fund in ("RES", "EMP"):
        share_row(world.alliance, JULY, 12, fund)
    results = at_once(*[lambda: evaluate_month(world.qingxi, JULY)] * 3)
    assert kinds(results) == {"Outcome": 3} and sum(result.raised for result in results) == 2
    assert (Warning.objects.count(), WarningFigure.objects.count()) == (2, 2)
    assert verify_warnings() == []


def test_warnings_by_hand_in_one_moment_get_numbers_without_gaps(world):
    def one(number):
        return lambda: warnings.raise_manual(world.officer, world.alliance, "RES", f"异常之{number}", "yellow", REASON)

    results = at_once(*[one(number) for number in range(4)])
    assert sorted(w.number[-2:] for w in results) == ["01", "02", "03", "04"]


def test_an_answer_is_accepted_or_returned_but_never_both(world):
    w = ground.answered(world)
    results = at_once(
        lambda: warnings.accept(world.officer, w),
        lambda: warnings.return_answer(world.second_officer, w, REASON),
    )
    assert kinds(results) == {"Warning": 1, "Conflict": 1}
    assert again(w).state in ("accepted", "returned") and verify_warnings() == []


def test_two_clocks_take_one_step_of_an_overdue_warning(world, time_machine):
    w = ground.sent(world)
    time_machine.move_to("2026-08-31 09:00:00+08:00")
    assert sorted(at_once(escalate, escalate)) == [0, 1]
    assert again(w).escalations == 1


def test_two_thresholds_for_the_same_thing_do_not_both_come_into_force(world):
    first, second = trial(world), trial(world, yellow="0.19")
    results = at_once(
        lambda: thresholds.approve(world.reviewer, first), lambda: thresholds.approve(world.second_reviewer, second)
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert Threshold.objects.filter(status="live").count() == 1
