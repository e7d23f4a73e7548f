"""What happens when a deadline passes: the reviewer, then the city, by working days, each once."""

import pytest

from core.jobs import run_now
from core.models import Job, Notice
from monitoring.jobs_warnings import ESCALATE_JOB, look_for_escalations
from monitoring.models import WarningChange
from monitoring.services import warnings
from monitoring.services.escalating import escalate, to_escalate
from monitoring.states import Act
from monitoring.verification_warnings import verify_warnings
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import again, reply


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)
    return time_machine


def told(user):
    return [text for text in Notice.objects.filter(user=user).values_list("text", flat=True) if "次升级" in text]


def at(time_machine, day):
    time_machine.move_to(f"{day} 09:00:00+08:00")


def test_nothing_is_escalated_on_the_last_day_itself(world, time_machine):
    w = ground.sent(world)
    at(time_machine, w.due_on)
    assert to_escalate() == [] and escalate() == 0


def test_the_first_working_day_after_tells_the_reviewer_once(world, time_machine):
    w = ground.sent(world)  # due on Friday 2026-08-28
    at(time_machine, "2026-08-29")
    assert escalate() == 0
    at(time_machine, "2026-08-31")
    assert [one.pk for one in to_escalate()] == [w.pk]
    assert (escalate(), escalate()) == (1, 0)
    assert again(w).escalations == 1 and again(w).state == "sent"
    assert len(told(world.reviewer)) == 1 and "未答复（周敏）" in told(world.reviewer)[0]
    assert len(told(world.hospital)) == 1 and told(world.observer) == []
    change = WarningChange.objects.get(act=Act.ESCALATE)
    assert (change.actor, change.data["step"], change.data["days"]) == (None, 1, 1)


def test_two_working_days_later_the_city_hears_and_then_nobody_any_more(world, time_machine):
    w = ground.sent(world)
    at(time_machine, "2026-08-31")
    escalate()
    at(time_machine, "2026-09-01")
    assert escalate() == 0
    at(time_machine, "2026-09-02")
    assert escalate() == 1 and again(w).escalations == 2
    assert len(told(world.observer)) == 1 and "第 2 次升级" in told(world.observer)[0]
    at(time_machine, "2026-09-30")
    assert escalate() == 0
    assert verify_warnings() == []


def test_steps_missed_while_the_clock_stood_still_come_one_by_one(world, time_machine):
    w = ground.sent(world)
    at(time_machine, "2026-09-10")
    assert (escalate(), again(w).escalations) == (1, 1)
    assert (escalate(), again(w).escalations) == (1, 2)


def test_a_new_deadline_starts_the_steps_anew(world, time_machine):
    w = ground.sent(world)
    at(time_machine, "2026-08-31")
    escalate()
    reply(world, w)
    assert again(w).escalations == 0
    w = warnings.return_answer(world.officer, again(w), "措施没有时间表")
    at(time_machine, w.due_on.isoformat())
    assert escalate() == 0
    at(time_machine, "2026-09-08")
    assert escalate() == 1
    assert WarningChange.objects.filter(act=Act.ESCALATE).count() == 2


def test_an_answer_nobody_decides_is_escalated_against_the_bureau(world, time_machine):
    w = ground.answered(world)  # to be decided by Friday 2026-08-21
    at(time_machine, "2026-08-24")
    assert escalate() == 1
    assert "未审定答复（方正）" in told(world.reviewer)[0] and told(world.hospital) == []
    assert again(w).state == "answered"


@pytest.mark.parametrize("state", ["raised", "accepted", "closed"])
def test_who_owes_no_answer_is_not_escalated(world, time_machine, state):
    ground.AT[state](world)
    at(time_machine, "2026-12-31")
    assert to_escalate() == []


def test_the_days_between_the_steps_are_a_parameter(world, time_machine):
    from datetime import date

    from core.parameters import confirm_parameter, enter_parameter

    entered = enter_parameter(world.admin, "monitoring.escalate_days", world.area, "5", "地方规定", date(2026, 1, 1))
    confirm_parameter(world.reviewer, entered)
    ground.sent(world)
    at(time_machine, "2026-08-31")
    escalate()
    at(time_machine, "2026-09-04")
    assert escalate() == 0
    at(time_machine, "2026-09-07")
    assert escalate() == 1


def test_a_holiday_entered_for_the_day_puts_the_step_off(world, time_machine):
    from core.models import WorkdayOverride

    ground.sent(world)
    WorkdayOverride.objects.create(day="2026-08-31", is_working=False)
    at(time_machine, "2026-08-31")
    assert escalate() == 0
    at(time_machine, "2026-09-01")
    assert escalate() == 1


def test_looking_for_overdue_warnings_takes_the_same_queries_for_many(world, time_machine, django_assert_num_queries):
    ground.sent(world)
    for number in range(5):
        w = warnings.raise_manual(world.officer, world.alliance, "RES", f"异常之{number}", "yellow", "现场核查发现")
        warnings.send(world.officer, w)
    at(time_machine, "2026-08-31")
    with django_assert_num_queries(3):
        assert len(to_escalate()) == 6


def test_the_clock_starts_the_job_only_when_something_is_due(world, time_machine):
    ground.sent(world)
    look_for_escalations()
    assert not Job.objects.filter(name=ESCALATE_JOB).exists()
    at(time_machine, "2026-08-31")
    look_for_escalations()
    job = run_now(Job.objects.get(name=ESCALATE_JOB))
    assert (job.state, job.outcome) == ("done", "已升级 1 条逾期的预警。")
