"""A session ends half an hour after the last thing a person did, at the price of one write a minute."""

import pytest
import time_machine
from django.contrib.sessions.models import Session

pytestmark = pytest.mark.django_db

START = "2026-09-01T09:00:00+08:00"


@pytest.fixture
def at_work(client, django_user_model):
    user = django_user_model.objects.create_user(username="li.na", password="correct horse battery")
    user.must_change_password = False
    user.save()
    with time_machine.travel(START, tick=False) as clock:
        client.force_login(user)
        client.get("/api/v1/")
        yield client, clock


def logged_in(client, **headers):
    return client.get("/api/v1/", headers=headers).status_code == 200


def test_work_every_twenty_minutes_keeps_the_session(at_work):
    client, clock = at_work
    for _ in range(4):
        clock.shift(20 * 60)
        assert logged_in(client)


def test_half_an_hour_without_work_ends_the_session(at_work):
    client, clock = at_work
    clock.shift(31 * 60)
    assert not logged_in(client)


def test_a_page_that_only_polls_does_not_keep_an_unattended_session(at_work):
    client, clock = at_work
    for _ in range(3):
        clock.shift(9 * 60)
        assert logged_in(client, x_background="1")
    clock.shift(5 * 60)
    assert not logged_in(client)


def test_requests_within_a_minute_write_the_session_once(at_work, django_assert_max_num_queries):
    client, clock = at_work
    before = Session.objects.get().expire_date
    clock.shift(30)
    assert logged_in(client)
    assert Session.objects.get().expire_date == before
    clock.shift(31)
    assert logged_in(client)
    assert Session.objects.get().expire_date > before
