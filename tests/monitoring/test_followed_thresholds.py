"""A warning is followed by the threshold it was raised under, also when that was ended or replaced since; a closed one
until it has recovered."""

import pytest

from monitoring.models import Warning
from monitoring.reading.judging import judge_all
from monitoring.services import thresholds, warnings
from monitoring.services.evaluating import evaluate_month
from monitoring.verification_warnings import verify_warnings
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import AUGUST, REASON, again, live, share_row

SEPTEMBER, OCTOBER = AUGUST.plus(1), AUGUST.plus(2)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def month(world, when, percent):
    share_row(world.alliance, when, percent)
    return evaluate_month(world.qingxi, when)


def ended(world, percent="17.5"):
    """A warning whose threshold was taken out of force on the day it was raised."""
    w = ground.raised(world, percent)
    thresholds.end(world.reviewer, w.threshold, "口径调整，另行设定")
    return w


def test_a_warning_goes_on_under_its_threshold_when_that_has_ended(world):
    w = ended(world)
    assert month(world, AUGUST, "17.4").updated == 1
    figure = again(w).figures.latest("pk")
    assert (figure.level, figure.data["threshold"], figure.month) == ("yellow", w.threshold_id, 8)
    assert "按触发时的阈值" in w.changes.latest("pk").reason
    assert verify_warnings() == []


def test_a_warning_under_an_ended_threshold_still_worsens_and_recovers(world):
    w = ended(world)
    assert month(world, AUGUST, "15").worsened == 1
    month(world, SEPTEMBER, "19")
    month(world, OCTOBER, "19")
    month(world, OCTOBER.plus(1), "19")
    w = again(w)
    assert (w.level, w.recovered) == ("red", True)


def test_a_laxer_threshold_in_its_place_does_not_hide_the_breach(world):
    w = ended(world)
    newer = live(world, yellow="0.12", orange="0.11", red="0.10", valid_from=AUGUST.first_day)
    month(world, AUGUST, "17.4")
    assert again(w).figures.latest("pk").level == "yellow"
    month(world, SEPTEMBER, "11.5")  # now graver by the old one (red) than by the new one (yellow)
    w = again(w)
    assert (w.level, w.threshold_id) == ("red", w.figures.first().data["threshold"]) and w.threshold_id != newer.pk


def test_a_stricter_threshold_in_its_place_takes_the_warning_over(world):
    w = ended(world)
    newer = live(world, yellow="0.25", orange="0.22", red="0.20", valid_from=AUGUST.first_day)
    month(world, AUGUST, "17.4")
    w = again(w)
    assert (w.level, w.threshold_id) == ("red", newer.pk)


def closed_under_an_ended_one(world):
    w = ended(world)
    warnings.close(world.reviewer, w, REASON)
    return w


def test_a_closed_warning_is_followed_by_its_ended_threshold_until_it_has_recovered(world):
    w = closed_under_an_ended_one(world)
    for when in (AUGUST, SEPTEMBER, OCTOBER):
        month(world, when, "19")
    w = again(w)
    assert (w.state, w.recovered, w.figures.count()) == ("closed", True, 3)  # July, then two months within
    assert verify_warnings() == []
    live(world, valid_from=OCTOBER.plus(1).first_day)
    assert month(world, OCTOBER.plus(1), "15").raised == 1  # what had recovered no longer holds back a new one


def test_an_ended_threshold_raises_no_second_warning_beside_a_closed_one(world):
    w = closed_under_an_ended_one(world)
    outcome = month(world, AUGUST, "15")  # graver than the closed one
    assert (outcome.raised, outcome.updated, outcome.worsened) == (0, 1, 0)
    assert (again(w).level, again(w).recovered, Warning.objects.count()) == ("yellow", False, 1)


def test_a_closed_warning_is_left_to_the_threshold_of_its_indicator_that_is_in_force(world):
    w = closed_under_an_ended_one(world)
    live(world, yellow="0.12", orange="0.11", red="0.10", valid_from=AUGUST.first_day)
    month(world, AUGUST, "15")  # red by the ended one, within by the one in force
    assert again(w).figures.latest("pk").level == ""
    month(world, SEPTEMBER, "15")
    assert again(w).recovered
    assert month(world, OCTOBER, "11.5").raised == 1


def test_a_warning_closed_while_the_month_is_judged_is_not_raised_anew_by_an_ended_threshold(world, monkeypatch):
    from monitoring.services import evaluating

    w = ended(world)

    def closing(*given):
        warnings.close(world.reviewer, w, REASON)
        return judge_all(*given)

    monkeypatch.setattr(evaluating, "judge_all", closing)
    assert month(world, AUGUST, "15").raised == 0 and Warning.objects.count() == 1


def test_a_place_without_a_warning_is_not_warned_by_an_ended_threshold(world):
    ended(world)
    share_row(world.east, AUGUST, "15")
    assert evaluate_month(world.yunling, AUGUST).raised == 0


def test_a_corrected_earlier_month_does_not_stand_as_the_newest_figure(world, client_of):
    from monitoring.reading.warnings import newest_figures

    w = ground.raised(world, "17.5")
    month(world, AUGUST, "17.2")
    share_row(world.alliance, AUGUST.previous(), "16.9")
    assert evaluate_month(world.qingxi, AUGUST).restated == 1
    last = w.figures.latest("pk")
    assert last.month == 7  # noted last, yet of the month before
    assert newest_figures([w])[w.pk].month == 8
    assert client_of(world.officer).get(w.get_absolute_url()).context["figure"].month == 8
