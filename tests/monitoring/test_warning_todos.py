"""What warnings ask of each post: the home page, the number in the navigation, the search."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from monitoring import todos
from monitoring.models import Warning
from monitoring.services import warnings as services
from monitoring.services import watching
from tests.monitoring import desk_ground as ground

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def titles(user):
    return [row.title for row in todos.todos(user)]


def test_the_hospital_is_asked_to_answer_by_the_day_with_the_money(world):
    w = ground.sent(world)
    row = todos.todos(world.hospital)[0]
    assert row.title == "答复预警：青溪县紧密型县域医共体 基层支出占比低于 16%"
    assert (row.url, row.due, row.amount, row.fund_type) == (w.get_absolute_url(), date(2026, 10, 26), Decimal("884827.39"), "RES")
    assert todos.todos(world.sister_hospital) == [] and todos.badge(world.hospital) == 1


def test_an_unsent_warning_asks_the_officer_and_never_the_hospital(world):
    ground.raised(world)
    assert todos.todos(world.hospital) == [] and todos.badge(world.hospital) == 0
    assert todos.todos(world.county_officer)[0].verb == "送达"


def test_the_countys_own_officer_decides_and_the_city_where_there_is_none(world):
    ground.raised(world)
    ground.raised(world, world.east)
    assert [title.split("：")[1][:2] for title in titles(world.county_officer)] == ["青溪"]
    assert [title.split("：")[1][:2] for title in titles(world.officer)] == ["云岭"]


def test_a_countys_distress_asks_the_county_to_answer_and_the_city_to_decide(world):
    w = ground.distress(world)
    assert [row.verb for row in todos.todos(world.county_officer)] == ["答复"]
    assert todos.todos(world.officer) == []
    services.answer(
        world.county_officer, w, cause="参保人数下降", measures="开展扩面征缴", by_date=date(2026, 12, 31)
    )
    assert todos.todos(world.county_officer) == []
    assert [row.verb for row in todos.todos(world.officer)] == ["审定"]


def test_the_reviewer_is_asked_to_close_only_what_has_recovered(world):
    w = ground.accepted(world)
    assert todos.todos(world.reviewer) == []
    Warning.objects.filter(pk=w.pk).update(recovered=True)
    assert [row.verb for row in todos.todos(world.reviewer)] == ["解除"]


def test_the_reviewer_is_asked_for_watch_entries_and_rules_on_trial(world):
    w = ground.distress(world)
    watching.propose_watch(world.officer, w, world.lead, "watch", "逐月核查次均费用", date(2026, 10, 12))
    ground.threshold(world, status="trial")
    assert [row.verb for row in todos.todos(world.reviewer)] == ["核准", "核准"]
    assert "1 条在试运行" in titles(world.reviewer)[1]
    assert todos.todos(world.observer) == []


def test_escalations_are_told_with_the_todo(world):
    w = ground.sent(world)
    Warning.objects.filter(pk=w.pk).update(escalations=2)
    assert "逾期升级 2 次" in todos.todos(world.hospital)[0].detail


def test_the_home_page_and_the_navigation_show_what_waits(world, client_of):
    w = ground.sent(world)
    text = client_of(world.hospital).get("/").content.decode()
    assert w.get_absolute_url() in text and "风险预警" in text


def test_search_finds_by_number_title_and_place_within_scope(world):
    own, other = ground.sent(world), ground.raised(world, world.east, title="县域内就诊率下降")
    assert [hit.url for hit in todos.search(world.officer, own.number)] == [own.get_absolute_url()]
    assert [hit.url for hit in todos.search(world.officer, "就诊率")] == [other.get_absolute_url()]
    assert [hit.url for hit in todos.search(world.officer, "云岭")] == [other.get_absolute_url()]
    assert todos.search(world.hospital, "云岭") == [] and todos.search(world.sister_hospital, "云岭") == []
    assert todos.search(world.officer, "  ") == []


def test_the_search_page_lists_warnings_with_their_state(world, client_of):
    w = ground.sent(world)
    text = client_of(world.officer).get(reverse("portal:search"), {"q": "基层支出占比低于"}).content.decode()
    assert w.get_absolute_url() in text and "待答复" in text


def test_notices_lead_to_the_page_of_the_warning(world):
    from core.models import Notice

    w = ground.sent(world)
    assert {notice.url for notice in Notice.objects.filter(user=world.hospital)} == {w.get_absolute_url()}


def test_todos_ask_the_same_queries_however_many_wait(world, django_assert_max_num_queries):
    ground.sent(world)
    with django_assert_max_num_queries(12) as few:
        todos.todos(world.hospital)
    for number in range(6):
        ground.sent(world, cause=f"c{number}")
    with django_assert_max_num_queries(len(few)):
        assert len(todos.todos(world.hospital)) == 7
