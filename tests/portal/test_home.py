"""工作台: each post sees its own work, deadlines in working days, and only what happened at its places."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.accounts import grant_role
from core.jobs import enqueue, run_now
from core.models import FundType, Job, Role, TrailEvent, WorkdayOverride
from core.models.jobs import JobState
from core.notices import notify
from core.registries import Todo, home_todos
from portal.reading import desk
from tests.budgets import ground
from tests.portal.sheets import money, rows_of
from tests.world import PASSWORD

D = Decimal


@pytest.fixture
def deadlines():
    """A source of to-dos with deadlines for everybody, taken out again."""
    due = {
        "超期的事：一": date(2026, 9, 25), "清算确认：甲": date(2026, 9, 29), "清算确认：乙": date(2026, 9, 29),
        "预付审定：九月": date(2026, 10, 9), "远期的事：年底": date(2026, 12, 31),
    }  # fmt: skip

    def source(user):
        rows = [Todo(title, "/x/", due=day, amount=D("12.34"), fund_type="RES") for title, day in due.items()]
        return [*rows, Todo("不限期的事", "/y/", fund_type="EMP", amount=D("1.00"))]

    held = dict(home_todos._entries)
    home_todos._entries.clear()
    home_todos.register("test", source)
    yield
    home_todos._entries.clear()
    home_todos._entries.update(held)


@pytest.fixture
def before_the_holiday():
    with time_machine.travel("2026-09-28 09:00+08:00", tick=False):
        yield


def page_of(client):
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_reviewer_is_asked_to_approve_what_the_officer_has_submitted(world, today, client_of):
    ground.growth(world)
    version = ground.submitted(world)
    assert str(version.total) in page_of(client_of(world.reviewer)).replace(",", "")
    assert "审定" in page_of(client_of(world.reviewer))
    assert "没有等您办理的事项" in page_of(client_of(world.observer))


def test_finance_sees_the_payments_that_wait(world, today, client_of):
    ground.approved(world)
    ground.account(world)
    ground.approved_month(world, "2026-01")
    page = page_of(client_of(world.finance))
    assert "2026-01" in page
    assert "拨付" in page


def test_an_administrator_sees_parameters_and_accounts_but_no_money(world, today, client_of):
    page = page_of(client_of(world.admin))
    assert "待核实参数：澜川市还有" in page
    assert "账号没有岗位：1 个" in page
    assert "无岗" in page
    assert "年末预测" not in page


def test_posts_that_end_soon_are_told_to_the_administrator_of_the_place_alone(world, today):
    until = date(2026, 10, 30)
    grant_role(world.admin, world.nobody, Role.OBSERVER, world.qingxi, date(2026, 1, 1), until)
    titles = {todo.title: todo for todo in desk.desk(world.second_admin, date(2026, 10, 12)).todos}
    assert titles["岗位将到期：无岗"].due == until
    assert not any("岗位" in todo.title for todo in desk.desk(world.officer, date(2026, 10, 12)).todos)


def test_a_hospital_sees_its_own_alliance_and_no_other(filled, client_of):
    page = page_of(client_of(filled.hospital))
    assert "青溪县紧密型县域医共体" in page
    assert "云岭县" not in page
    assert "预计超支" in page
    sister = page_of(client_of(filled.sister_hospital))
    assert "云岭县东部医共体" in sister
    assert "青溪县紧密型县域医共体" not in sister
    assert "还没有" in sister


def test_an_account_without_posts_is_told_whom_to_ask(world, client_of):
    page = page_of(client_of(world.nobody))
    assert "您的账号还没有任何岗位" in page
    assert "系统管理员" in page
    assert "期限日历" not in page


def test_the_estimate_shows_both_funds_apart_with_tier_and_range(filled, client_of):
    page = page_of(client_of(filled.observer))
    assert "200.01" in page  # residents: 12,000.01 less 11,800.00
    assert "预计结余" in page  # employees
    assert "O1" in page
    assert "简单估计" in page
    assert "/overview/alliance/QX/trace/end/?year=2026&amp;fund=RES" in page


def test_holidays_and_shifted_days_are_grey_or_not_as_the_notice_says(world, before_the_holiday, deadlines):
    WorkdayOverride.objects.create(day=date(2026, 10, 10), is_working=True, note="国务院办公厅通知")
    days = {day.day: day for day in desk.desk(world.officer, date(2026, 9, 28)).calendar}
    assert len(days) == desk.CALENDAR_DAYS
    assert days[date(2026, 9, 28)].today
    assert days[date(2026, 10, 1)].off
    assert not days[date(2026, 9, 29)].off
    assert not days[date(2026, 10, 10)].off


def test_deadlines_stand_on_their_day_and_what_is_overdue_on_today(world, before_the_holiday, deadlines):
    found = desk.desk(world.officer, date(2026, 9, 28))
    items = {day.day: [item.label for item in day.items] for day in found.calendar if day.items}
    assert items == {
        date(2026, 9, 28): ["逾期 1 项"],
        date(2026, 9, 29): ["清算确认 2 项"],
        date(2026, 10, 9): ["预付审定"],
    }
    assert (found.overdue, found.soon) == (1, 2)
    assert [todo.title for todo in found.todos][0] == "超期的事：一"
    assert [todo.title for todo in found.todos][-1] == "不限期的事"


def test_the_list_narrows_to_a_fund_or_a_day_and_the_workbook_with_it(world, before_the_holiday, deadlines, client_of):
    client = client_of(world.officer)
    page = client.get("/", {"due": "2026-09-29"}).content.decode()
    assert "清算确认：甲" in page
    assert "远期的事：年底" not in page
    assert "逾期" in page
    rows = rows_of(client.get("/todos.xlsx", {"due": "2026-09-29"}), "我的待办")
    assert [row[0] for row in rows[1:]] == ["清算确认：甲", "清算确认：乙"]
    assert money(rows[1][3]) == D("12.34")
    rows = rows_of(client.get("/todos.xlsx", {"fund": FundType.EMPLOYEE}), "我的待办")
    assert [row[0] for row in rows[1:]] == ["不限期的事"]
    assert "这个筛选下没有待办" in client.get("/", {"due": "2030-01-01"}).content.decode()


def test_working_days_left_are_counted_over_the_holiday(world, before_the_holiday, deadlines, client_of):
    page = client_of(world.officer).get("/", {"due": "2026-10-09"}).content.decode()
    assert "剩 4 个工作日" in page  # 29 and 30 September, 8 and 9 October


def test_changes_are_those_since_the_last_login_at_the_persons_places(today, world):
    ground.growth(world)
    ground.submitted(world)
    told, count, since = desk.news(world.reviewer, timezone.now())
    assert count >= len(told) == desk.NEWS
    assert any("报审" in row.text for row in told)
    assert since.date() == date(2026, 10, 5)  # a week back before the first login
    world.reviewer.previous_login_at = timezone.now() + timedelta(seconds=1)
    assert desk.news(world.reviewer, timezone.now())[:2] == ([], 0)
    assert desk.news(world.stranger_officer, timezone.now())[:2] == ([], 0)


def test_a_hospital_is_told_by_notices_and_never_by_the_bureaus_trail(world, today, client_of):
    ground.growth(world)
    ground.submitted(world)
    assert TrailEvent.objects.filter(alliance=world.alliance).exists()
    before = {row.text for row in desk.news(world.hospital, timezone.now())[0]}
    notify([world.hospital], "清算单已送达，请确认。", "/settlement/")
    told, _count, _since = desk.news(world.hospital, timezone.now())
    assert {row.text for row in told} - before == {"清算单已送达，请确认。"}
    assert not any("起草" in row.text for row in told)


def test_the_month_end_run_is_shown_step_by_step(world, today, client_of):
    ground.approved(world)
    job = run_now(enqueue("month_end", period="2026-09", actor=world.officer, place=world.area))
    children = list(Job.objects.filter(parent=job).order_by("county", "pk"))
    run_now(next(child for child in children if child.alliance == world.alliance))
    seen = desk.month_end(world.reviewer)
    assert (seen.period, seen.total, seen.finished) == ("2026-09", 3, 1)
    step, state = seen.steps[0]
    assert (step.done, state) == (1, "current")
    for child in children:
        run_now(child)
    assert all(state == "done" for _step, state in desk.month_end(world.reviewer).steps)
    assert desk.month_end(world.stranger_officer).total == 1
    assert desk.month_end(world.hospital) is None
    page = page_of(client_of(world.reviewer))
    assert "2026年9月月末处理" in page
    assert "3 / 3 个医共体" in page


def test_a_failed_alliance_of_the_month_end_run_is_named_and_reachable(world, today, client_of):
    job = run_now(enqueue("month_end", period="2026-09", actor=world.officer, place=world.area))
    child = Job.objects.filter(parent=job, alliance=world.east).get()
    Job.objects.filter(pk=child.pk).update(state=JobState.FAILED, outcome="数据缺失")
    seen = desk.month_end(world.officer)
    assert (seen.failed, seen.job.pk) == (1, child.pk)
    assert seen.steps[0][1] == "bad"


def test_ones_own_failed_work_waits_on_the_desk_until_it_is_repeated(world, today):
    made = enqueue("month_end", period="2026-08", actor=world.officer, place=world.area)
    Job.objects.filter(pk=made.pk).update(state=JobState.FAILED, outcome="磁盘已满")
    titles = [todo.title for todo in desk.desk(world.officer, date(2026, 10, 12)).todos]
    assert "任务未完成：月末处理 2026-08" in titles
    run_now(enqueue("month_end", period="2026-08", actor=world.officer, place=world.area))
    titles = [todo.title for todo in desk.desk(world.officer, date(2026, 10, 12)).todos]
    assert "任务未完成：月末处理 2026-08" not in titles


def test_work_under_way_is_shown_with_its_progress(world, today, client_of):
    enqueue("month_end", period="2026-09", actor=world.officer, place=world.area)
    page = page_of(client_of(world.officer))
    assert "排队" in page
    assert "/jobs/" in page


def test_the_home_page_costs_the_same_queries_however_much_happened(filled, client_of):
    client = client_of(filled.officer)
    page_of(client)
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as captured:
            page_of(client)
        counts.append(len(captured))
        notify([filled.officer] * 5, f"第 {number} 轮通知", "/")
    assert counts[0] == counts[1]


def test_signing_in_leads_to_the_home_page(world, client):
    answer = client.post("/login/", {"username": "officer", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
