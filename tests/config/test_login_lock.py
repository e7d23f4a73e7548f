"""Guessing a password stops after seven tries, for a quarter of an hour."""

import pytest
import time_machine

pytestmark = pytest.mark.django_db

GOOD, WRONG = "correct horse battery", "wrong horse battery"


@pytest.fixture
def person(django_user_model):
    return django_user_model.objects.create_user(username="li.na", password=GOOD)


def log_in(client, password):
    return client.post("/login/", {"username": "li.na", "password": password}).status_code


def test_the_seventh_wrong_password_locks_even_the_right_one_and_says_for_how_long(client, person):
    with time_machine.travel("2026-09-01T09:00:00+08:00", tick=False) as clock:
        assert [log_in(client, WRONG) for _ in range(7)] == [200] * 6 + [429]
        locked = client.post("/login/", {"username": "li.na", "password": GOOD})
        assert locked.status_code == 429
        assert "15 分钟后再试" in locked.content.decode()
        clock.shift(16 * 60)
        assert log_in(client, GOOD) == 302


def test_another_person_at_the_same_address_is_not_locked_out(client, person, django_user_model):
    django_user_model.objects.create_user(username="wang.fang", password=GOOD)
    for _ in range(7):
        log_in(client, WRONG)
    assert client.post("/login/", {"username": "wang.fang", "password": GOOD}).status_code == 302
