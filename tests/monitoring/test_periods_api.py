"""The month's end over the API: the same rows, rights and refusals as the pages."""

from __future__ import annotations

import pytest
import time_machine

from core import jobs
from core.models import Job, Role, RoleGrant, TrailEvent
from monitoring.models import Period, PlaceMonth, StepRun
from monitoring.services import periods
from rules.periods import Month
from tests.monitoring import pages_ground
from tests.world import START

pytestmark = pytest.mark.django_db
BASE = "/api/v1/month-ends/"
MAY = Month(2026, 5)
REASON = {"pooling_area": "990100", "reason": "县里系统停机，资料下月补齐"}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(jobs, "_wake", lambda job_id: None)
    with time_machine.travel("2026-06-03 09:00:00+08:00", tick=False) as travelled:
        yield travelled


def post(client, address, data=None):
    return client.post(address, data or {}, content_type="application/json")


def test_the_months_are_listed_with_what_is_done(world, client_of):
    StepRun.objects.create(alliance=world.alliance, year=2026, month=4, step="figures", label="指标计算", state="done")
    rows = client_of(world.officer).get(BASE).json()["results"]
    assert [(row["month"], row["state"]) for row in rows] == [("2026-05", "open"), ("2026-04", "open")]
    assert (rows[1]["done"], rows[1]["alliances"]) == (1, 3)


def test_one_month_tells_its_steps_and_what_is_owed_within_the_callers_scope(world, client_of):
    StepRun.objects.create(
        alliance=world.alliance, year=2026, month=5, step="figures", label="指标计算", state="failed", outcome="缺月度数据", attempts=2
    )
    told = client_of(world.county_officer).get(f"{BASE}2026-05/").json()
    assert [one["alliance"] for one in told["alliances"]] == ["QX"] and told["periods"] == []
    step = next(one for one in told["alliances"][0]["steps"] if one["step"] == "figures")
    assert (step["state"], step["outcome"], step["attempts"]) == ("failed", "缺月度数据", 2)
    assert any("基金月报" in text for text in told["alliances"][0]["owed"])
    assert [one["alliance"] for one in client_of(world.officer).get(f"{BASE}2026-05/").json()["alliances"]] == ["QX", "YL-E", "YL-W"]


def test_only_a_reviewer_closes_and_reopens_and_undone_steps_need_a_reason(world, client_of):
    address = f"{BASE}2026-05/"
    assert post(client_of(world.officer), f"{address}close/", REASON).status_code == 403
    client = client_of(world.reviewer)
    refused = post(client, f"{address}close/", {"pooling_area": "990100"})
    assert refused.status_code == 422 and "未完成" in refused.json()["problems"][0]["text"]
    done = post(client, f"{address}close/", REASON)
    assert (done.status_code, done.json()["state"], done.json()["closed_by"]) == (200, "closed", world.reviewer.username)
    assert post(client, f"{address}close/", REASON).status_code == 409
    assert post(client, f"{address}reopen/", {"pooling_area": "990100"}).status_code == 422
    assert post(client, f"{address}reopen/", REASON).json()["state"] == "reopened"
    assert [change["act"] for change in client.get(address).json()["periods"][0]["changes"]] == ["close", "reopen"]
    assert TrailEvent.objects.filter(action=periods.CLOSE).count() == 1


def test_a_foreign_area_is_unknown_and_a_hospital_is_told_why_not(world, client_of):
    assert post(client_of(world.stranger_reviewer), f"{BASE}2026-05/close/", REASON).status_code == 404
    assert not Period.objects.exists()
    answer = client_of(world.hospital).get(BASE)
    assert answer.status_code == 403 and "医保部门" in answer.json()["detail"]


def test_starting_runs_all_of_an_officer_or_one_alliance(world, client_of):
    client = client_of(world.county_officer)
    answer = post(client, f"{BASE}2026-05/start/")
    assert (answer.status_code, answer.json()["name"]) == (202, "month_end")
    assert Job.objects.get(pk=answer.json()["id"]).params["alliances"] == ["QX"]
    one = post(client, f"{BASE}2026-05/start/", {"alliance": "QX"})
    assert one.json()["name"] == "month_end_alliance"
    assert post(client, f"{BASE}2026-05/start/", {"alliance": "YL-E"}).status_code == 404
    assert post(client_of(world.reviewer), f"{BASE}2026-05/start/").status_code == 403
    assert post(client_of(world.officer), f"{BASE}2026-06/start/").status_code == 422


@pytest.mark.parametrize("month", ["2026-13", "x", "1899-01", "²026-05"])
def test_a_month_that_is_none_is_not_found_over_the_api(world, client_of, month):
    client = client_of(world.reviewer)
    assert client.get(f"{BASE}{month}/").status_code == 404
    assert post(client, f"{BASE}{month}/close/", REASON).status_code == 404


def test_a_county_sees_only_its_own_changes_since_the_closing(world, client_of, clock):
    periods.close_period(world.reviewer, world.area, MAY, REASON["reason"])
    for county in (world.qingxi, world.yunling):
        row = pages_ground.month_row(county, "RES", MAY, charged="987654.00")
        row.computed_at = "2026-06-04T00:00:00Z"
        PlaceMonth.objects.bulk_create([row])
    page = client_of(world.county_officer).get("/monitoring/runs/2026-05/").content.decode()
    assert "青溪县" in page and "云岭县" not in page
    assert "云岭县" in client_of(world.reviewer).get("/monitoring/runs/2026-05/").content.decode()


def test_the_steps_another_county_has_not_done_stay_unnamed(world, client_of):
    page = client_of(world.county_officer).get("/monitoring/runs/2026-05/").content.decode()
    assert "云岭县东部医共体" not in page


def test_an_auditor_of_one_county_cannot_close_the_citys_month(world, client_of):
    RoleGrant.objects.filter(user=world.auditor).delete()
    RoleGrant.objects.create(user=world.auditor, role=Role.FUND_REVIEWER, county=world.qingxi, valid_from=START)
    answer = post(client_of(world.auditor), f"{BASE}2026-05/close/", REASON)
    assert answer.status_code == 403 and "澜川市" in answer.json()["detail"]


@pytest.mark.parametrize("month", ["1900-01", "1999-12"])
def test_a_month_before_any_alliance_is_not_closed(world, client_of, month):
    client = client_of(world.reviewer)
    assert client.get(f"{BASE}{month}/").json()["alliances"] == []
    answer = post(client, f"{BASE}{month}/close/", REASON)
    assert answer.status_code == 422 and "没有存续的医共体" in answer.json()["problems"][0]["text"]
    assert not Period.objects.exists()


def test_a_month_far_ahead_is_neither_run_nor_closed(world, client_of):
    assert client_of(world.reviewer).get(f"{BASE}2999-12/").status_code == 200
    assert post(client_of(world.reviewer), f"{BASE}2999-12/close/", REASON).status_code == 422
    assert post(client_of(world.officer), f"{BASE}2999-12/start/").status_code == 422
