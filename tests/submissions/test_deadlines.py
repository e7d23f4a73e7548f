"""Assignments come from duties, reminders go out once and only to those who have not filed, the clock is asked by rows."""

from datetime import date

import pytest

from core import jobs
from core.access import NotAllowed
from core.errors import Refused
from core.models import Alliance, Job, Notice, TrailEvent, WorkdayOverride
from submissions import services, todos
from submissions.jobs import ASSIGN_JOB, REMIND_JOB, look_for_assignments, look_for_reminders
from submissions.models import Assignment, Duty
from submissions.owed import owed
from submissions.periods import TablePeriod
from tests.submissions import ground
from tests.submissions.ground import PERIOD, duty


@pytest.fixture
def city(world):
    duty(world)
    return world


def told(user):
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def reminders(user):
    return [text for text in told(user) if "尚未报送" in text]


def run_jobs(name):
    for job in Job.objects.filter(name=name, state="queued"):
        jobs.run_now(job)


def test_every_alliance_of_the_city_owes_the_quarter_fifteen_calendar_days_after_its_end(city):
    assert services.assign_period(PERIOD) == 3
    rows = Assignment.objects.order_by("alliance__code")
    assert [(row.alliance.code, row.due_on, row.state) for row in rows] == [
        (code, date(2026, 10, 15), "due") for code in ("QX", "YL-E", "YL-W")
    ]
    assert told(city.hospital) == ["请于 2026-10-15 前报送青溪县紧密型县域医共体 2026 年 1–9 月基金运行情况表。"]


def test_assigning_a_period_again_changes_nothing(city):
    services.assign_period(PERIOD)
    assert services.assign_period(PERIOD) == 0
    assert Assignment.objects.count() == TrailEvent.objects.filter(action="submissions.assign").count() == 3


def test_an_alliance_founded_after_the_period_owes_nothing_for_it(city):
    Alliance.objects.filter(pk=city.east.pk).update(valid_from=date(2026, 10, 1))
    Alliance.objects.filter(pk=city.west.pk).update(valid_to=date(2026, 9, 29))
    services.assign_period(PERIOD)
    assert [row.alliance for row in Assignment.objects.all()] == [city.alliance]


def test_a_countys_own_duty_goes_before_that_of_the_city(world):
    duty(world)
    duty(world, county=world.yunling, days_after=10)
    services.assign_period(PERIOD)
    assert dict(Assignment.objects.values_list("alliance__code", "due_on")) == {
        "QX": date(2026, 10, 15), "YL-E": date(2026, 10, 10), "YL-W": date(2026, 10, 10),
    }  # fmt: skip


def test_a_duty_for_half_years_asks_nothing_for_the_third_quarter(world):
    duty(world, quarters="24")
    assert services.assign_period(PERIOD) == 0
    assert services.assign_period(TablePeriod.parse("2026Q2")) == 3


def test_a_duty_that_ended_asks_for_no_later_period(world):
    duty(world, valid_to=date(2026, 6, 30))
    assert services.assign_period(PERIOD) == 0
    assert services.assign_period(TablePeriod.parse("2026Q2")) == 3


def test_only_an_administrator_of_the_city_keeps_duties(world):
    for person in (world.officer, world.hospital):
        with pytest.raises(NotAllowed):
            services.save_duty(person, Duty(pooling_area=world.area, valid_from=date(2019, 1, 1)))
    with pytest.raises(NotAllowed):
        services.save_duty(world.admin, Duty(pooling_area=world.foreign_area, valid_from=date(2019, 1, 1)))


def test_a_wrong_duty_is_refused_with_everything_that_is_wrong(world):
    wrong = Duty(
        pooling_area=world.area, county=world.foreign_county, quarters="155", days_after=0, valid_from=date(2026, 1, 1),
        valid_to=date(2025, 1, 1),
    )  # fmt: skip
    with pytest.raises(Refused) as refusal:
        services.save_duty(world.admin, wrong)
    assert {problem.field for problem in refusal.value.problems} == {"county", "quarters", "days_after", "valid_to"}


def test_two_duties_of_one_place_may_not_overlap(city):
    with pytest.raises(Refused, match="重叠"):
        duty(city, valid_from=date(2026, 1, 1))


def test_a_person_assigns_only_where_her_post_allows(city):
    with pytest.raises(NotAllowed):
        services.assign_period(PERIOD, city.county_officer)
    assert Assignment.objects.exclude(alliance=city.alliance).count() == 0
    services.assign_period(PERIOD, city.officer)
    assert Assignment.objects.count() == 3


def test_the_clock_assigns_the_period_that_has_ended_once(city, time_machine):
    time_machine.move_to("2026-10-01 00:10:00+08:00")
    look_for_assignments()
    look_for_assignments()
    run_jobs(ASSIGN_JOB)
    look_for_assignments()
    assert Job.objects.filter(name=ASSIGN_JOB).count() == 1
    assert Job.objects.get(name=ASSIGN_JOB).outcome == "已下达 3 个医共体2026 年 1–9 月的填报任务。"
    assert set(Assignment.objects.values_list("period", flat=True)) == {"2026Q3"}


def test_without_a_duty_the_clock_assigns_nothing(world, time_machine):
    time_machine.move_to("2026-10-01 00:10:00+08:00")
    look_for_assignments()
    assert not Job.objects.filter(name=ASSIGN_JOB).exists()


# October 2026: the holiday ends on the 7th, Saturday the 10th is worked, the 15th is a Thursday.
def test_reminders_go_out_five_and_one_working_days_ahead_and_once_each(city, time_machine):
    WorkdayOverride.objects.create(day=date(2026, 10, 10), is_working=True)
    services.assign_period(PERIOD)
    seen = {}
    for day in range(5, 20):
        for _twice in range(2):
            time_machine.move_to(f"2026-10-{day:02}T09:00:00+08:00")
            services.remind()
        for text in reminders(city.hospital)[len(seen) :]:
            seen[day] = text.removeprefix("青溪县紧密型县域医共体 2026 年 1–9 月基金运行情况表")
    assert seen == {
        9: "尚未报送，期限 2026-10-15，还有 5 个工作日。",
        14: "尚未报送，期限 2026-10-15，还有 1 个工作日。",
        16: "期限 2026-10-15 已过，尚未报送（待报）。",
    }
    assert len(reminders(city.county_officer)) == len(reminders(city.observer)) / 3 == 1


def test_the_escalation_waits_for_the_first_working_day(city, time_machine):
    duty_of_17 = Duty.objects.get()
    duty_of_17.days_after = 16  # due on Friday the 16th
    services.save_duty(city.admin, duty_of_17)
    services.assign_period(PERIOD)
    time_machine.move_to("2026-10-17 09:00:00+08:00")
    services.remind()
    assert reminders(city.officer) == reminders(city.observer) == []
    time_machine.move_to("2026-10-19 09:00:00+08:00")
    services.remind()
    services.remind()
    for person in (city.officer, city.observer, city.county_officer):
        assert len([text for text in reminders(person) if "青溪" in text]) == 1
    assert "2026-10-16 已过" in reminders(city.hospital)[-1]
    assert not [text for text in reminders(city.county_officer) if "云岭" in text]


def test_nobody_who_has_filed_is_reminded(city, time_machine):
    services.assign_period(PERIOD)
    time_machine.move_to("2026-10-12 09:00:00+08:00")
    for state in ("filed", "accepted"):
        Assignment.objects.filter(alliance=city.alliance).update(state=state)
        Assignment.objects.update(reminded="")
        services.remind()
    assert reminders(city.hospital) == []
    assert reminders(city.sister_hospital) != []


def test_a_granted_later_day_is_reminded_of_anew(city, time_machine):
    services.assign_period(PERIOD)
    time_machine.move_to("2026-10-16 09:00:00+08:00")
    services.remind()
    found = Assignment.objects.with_places().get(alliance=city.alliance)
    services.admit_late(city.officer, found, date(2026, 10, 30), "系统停机两日")
    before = len(reminders(city.hospital))
    services.remind()
    assert len(reminders(city.hospital)) == before
    time_machine.move_to("2026-10-29 09:00:00+08:00")
    services.remind()
    assert "期限 2026-10-30，还有 1 个工作日" in reminders(city.hospital)[-1]


def test_the_overdue_list_holds_who_has_not_filed_and_was_granted_no_later_day(city, time_machine):
    services.assign_period(PERIOD)
    Assignment.objects.filter(alliance=city.west).update(state="filed")
    found = Assignment.objects.with_places().get(alliance=city.east)
    time_machine.move_to("2026-10-20 09:00:00+08:00")
    services.admit_late(city.officer, found, date(2026, 10, 25), "系统停机两日")
    overdue = Assignment.objects.overdue
    assert [row.alliance for row in overdue(date(2026, 10, 15))] == []
    assert [row.alliance for row in overdue(date(2026, 10, 20))] == [city.alliance]
    assert {row.alliance for row in overdue(date(2026, 10, 26))} == {city.alliance, city.east}
    Assignment.objects.filter(alliance=city.alliance).update(state="uploaded", reopened=True)
    assert [row.alliance for row in overdue(date(2026, 10, 20))] == []


def test_a_table_returned_after_the_last_day_is_overdue_nowhere(city, time_machine):
    time_machine.move_to(ground.IN_TIME)
    services.assign_period(PERIOD)
    mine = Assignment.objects.with_places().get(alliance=city.alliance)
    filed = ground.filed(city, mine)
    time_machine.move_to("2026-10-16 08:00:00+08:00")
    services.return_submission(city.officer, filed, "成员表与总表口径不一致，请核对后重报")
    draft = ground.checked(city, mine, ground.moved(121))
    for state in ("uploaded", "returned"):
        Assignment.objects.filter(pk=mine.pk).update(state=state)
        today = date(2026, 10, 16)
        assert not services.is_late(draft)
        assert not Assignment.objects.get(pk=mine.pk).is_overdue(today)
        assert {row.alliance for row in Assignment.objects.overdue(today)} == {city.east, city.west}
        row = next(row for row in owed(city.officer) if row.assignment == mine)
        assert (row.is_overdue, row.is_excused, row.late) == (False, True, False)
        assert [todo.due for todo in todos.todos(city.hospital)] == [None]
    services.remind()
    assert reminders(city.hospital) == []
    assert "已过，尚未报送" in reminders(city.sister_hospital)[-1]
    services.file(city.hospital, ground.explained(city, draft))
    row = next(row for row in owed(city.officer) if row.assignment == mine)
    assert row.last == draft and not row.late


def test_a_table_withdrawn_by_its_hospital_is_overdue_after_the_last_day(city, time_machine):
    time_machine.move_to(ground.IN_TIME)
    services.assign_period(PERIOD)
    mine = Assignment.objects.with_places().get(alliance=city.alliance)
    filed = ground.filed(city, mine)
    time_machine.move_to("2026-10-16 08:00:00+08:00")
    services.withdraw(city.hospital, filed, "发现成员表有误")
    today = date(2026, 10, 16)
    assert Assignment.objects.get(pk=mine.pk).is_overdue(today)
    assert mine in Assignment.objects.overdue(today)
    assert next(row for row in owed(city.hospital) if row.assignment == mine).is_overdue


def test_the_clock_reminds_by_one_job_a_day_and_rests_when_nothing_is_due(city, time_machine):
    services.assign_period(PERIOD)
    time_machine.move_to("2026-09-30 09:00:00+08:00")
    look_for_reminders()
    assert not Job.objects.filter(name=REMIND_JOB).exists()
    time_machine.move_to("2026-10-16 09:00:00+08:00")
    look_for_reminders()
    run_jobs(REMIND_JOB)
    look_for_reminders()
    assert [job.outcome for job in Job.objects.filter(name=REMIND_JOB)] == ["已提醒 3 个未报送的医共体。"]


def test_looking_for_reminders_takes_as_many_queries_for_one_as_for_many(city, time_machine, django_assert_num_queries):
    from submissions.services.deadlines import to_remind

    services.assign_period(PERIOD)
    time_machine.move_to("2026-10-16 09:00:00+08:00")
    with django_assert_num_queries(2):
        assert len(to_remind()) == 3
