"""What /healthz and /readyz promise to a supervisor or a load balancer."""

import pytest
from django.core.management import call_command

from core.registries import readiness_checks

pytestmark = pytest.mark.django_db


def parts(response):
    return {part["name"]: part for part in response.json()["parts"]}


def test_a_living_process_answers_without_login_or_database_work(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_a_sound_installation_is_ready_and_names_its_parts(client):
    response = client.get("/readyz")
    assert response.status_code == 200, response.json()
    assert {"database", "migrations", "broker", "disk"} <= set(parts(response))


def test_a_full_disk_is_told_with_what_to_do(client, settings):
    settings.MIN_FREE_BYTES = 10**18
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "请清理或扩容" in parts(response)["disk"]["text"]


def test_a_missing_migration_makes_the_site_unready(client):
    call_command("migrate", "axes", "zero", fake=True, verbosity=0)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in parts(response)["migrations"]["text"]


def test_a_broker_that_cannot_be_reached_makes_the_site_unready(client, settings, tmp_path):
    settings.REDIS_URL = ""
    settings.BROKER_DIR = tmp_path / "gone"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert not parts(response)["broker"]["ready"]


def test_what_an_app_registers_is_asked_and_a_raised_error_is_a_failure(client, monkeypatch):
    monkeypatch.setattr(readiness_checks, "_entries", {"账套": (1, lambda: "缺少触发器"), "其他": (2, lambda: 1 / 0)})
    response = client.get("/readyz")
    assert response.status_code == 503
    assert parts(response)["账套"]["text"] == "缺少触发器"
    assert "ZeroDivisionError" in parts(response)["其他"]["text"]
