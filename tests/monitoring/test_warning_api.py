"""Warnings, thresholds and the watch list over the API: the same scope, rights and refusals as the pages."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from monitoring.models import Threshold, WarningAnswer, WatchEntry
from tests.monitoring import desk_ground as ground

pytestmark = pytest.mark.django_db
BASE = "/api/v1/warnings/"
ANSWER = {"cause": "住院部改造，收治量下降。", "measures": "十月底前恢复床位。", "by_date": "2026-12-31"}
RULE = {
    "pooling_area": "990100", "indicator": "primary_share", "kind": "alliance", "fund_type": "RES", "above": False,
    "yellow": "0.16", "red": "0.155", "clause": "赣医保发〔2022〕23号 §二(二)3", "valid_from": "2026-01-01",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def post(client, address, data):
    return client.post(address, data, content_type="application/json")


def found(answer):
    return [row["number"] for row in answer.json()["results"]]


def test_lists_and_reads_within_the_callers_scope(world, client_of):
    own, other = ground.sent(world), ground.raised(world, world.east)
    assert set(found(client_of(world.officer).get(BASE))) == {own.number, other.number}
    client = client_of(world.hospital)
    assert found(client.get(BASE)) == [own.number]
    assert client.get(f"{BASE}{other.pk}/").status_code == 404
    read = client.get(f"{BASE}{own.pk}/").json()
    assert read["figures"][0]["affected"] == "884827.39" and read["alliance"] == "QX" and read["state"] == "sent"


def test_unsent_warnings_are_unknown_to_hospitals(world, client_of):
    hidden = ground.raised(world)
    client = client_of(world.hospital)
    assert found(client.get(BASE)) == [] and client.get(f"{BASE}{hidden.pk}/").status_code == 404
    assert post(client, f"{BASE}{hidden.pk}/answer/", ANSWER).status_code == 404


def test_the_list_is_filtered_by_the_query(world, client_of):
    own = ground.sent(world)
    ground.raised(world, world.east, level="yellow")
    client = client_of(world.officer)
    assert found(client.get(BASE + "?level=red")) == [own.number]
    assert found(client.get(BASE + "?alliance__code=QX")) == [own.number]


def test_a_hospital_answers_and_an_officer_returns_and_accepts(world, client_of):
    w = ground.sent(world)
    answer = client_of(world.hospital).post(
        f"{BASE}{w.pk}/answer/", {**ANSWER, "files": [SimpleUploadedFile("计划.pdf", b"%PDF plan")]}
    )
    assert answer.status_code == 200 and answer.json()["state"] == "answered"
    file = answer.json()["answers"][0]["files"][0]
    assert file["name"] == "计划.pdf"
    got = client_of(world.officer).get(f"{BASE}{w.pk}/files/{file['id']}/")
    assert b"".join(got.streaming_content) == b"%PDF plan"
    assert client_of(world.sister_hospital).get(f"{BASE}{w.pk}/files/{file['id']}/").status_code == 404
    client = client_of(world.officer)
    assert post(client, f"{BASE}{w.pk}/return/", {"reason": "补充分级收治安排"}).json()["state"] == "returned"
    assert post(client_of(world.hospital), f"{BASE}{w.pk}/answer/", ANSWER).status_code == 200
    assert post(client_of(world.officer), f"{BASE}{w.pk}/accept/", {}).json()["state"] == "accepted"


def test_a_file_of_another_warning_is_not_handed_out(world, client_of):
    from core.files import store_evidence

    stored = store_evidence(SimpleUploadedFile("a.pdf", b"x"), "warning_evidence", world.hospital)
    ground.answered(world, files=[stored])
    other = ground.sent(world, cause="drug_share")
    assert client_of(world.officer).get(f"{BASE}{other.pk}/files/{stored.pk}/").status_code == 404


def test_refusals_carry_every_problem_and_denials_the_reason(world, client_of):
    w = ground.sent(world)
    refused = post(client_of(world.hospital), f"{BASE}{w.pk}/answer/", {})
    assert refused.status_code == 422
    assert {problem["field"] for problem in refused.json()["problems"]} == {"cause", "measures", "by_date"}
    denied = post(client_of(world.officer), f"{BASE}{w.pk}/answer/", ANSWER)
    assert denied.status_code == 403 and "周敏" in denied.json()["detail"]
    assert post(client_of(world.officer), f"{BASE}{w.pk}/accept/", {}).status_code == 409
    assert not WarningAnswer.objects.exists()


def test_a_bad_file_is_refused_before_anything_is_kept(world, client_of):
    w = ground.sent(world)
    answer = client_of(world.hospital).post(
        f"{BASE}{w.pk}/answer/", {**ANSWER, "files": [SimpleUploadedFile("run.exe", b"MZ")]}
    )
    assert answer.status_code == 422 and "run.exe" in str(answer.json()) and not WarningAnswer.objects.exists()


def test_inquiries_talks_extensions_closing_and_reopening_go_through(world, client_of):
    w = ground.sent(world)
    client = client_of(world.officer)
    at = f"{BASE}{w.pk}/"
    assert post(client, at + "inquire/", {"reason": "请说明床位", "until": "2026-10-20"}).status_code == 200
    assert post(client, at + "talk/", {"reason": "限期恢复", "held_on": "2026-10-12", "participants": "周敏"}).status_code == 200
    assert post(client, at + "extend/", {"reason": "材料尚在整理", "until": "2026-10-30"}).json()["due_on"] == "2026-10-30"
    client = client_of(world.reviewer)
    assert post(client, at + "close/", {"reason": "与另一预警合并"}).json()["state"] == "closed"
    assert post(client, at + "reopen/", {"reason": "再次低于 16%"}).json()["state"] == "sent"


def test_a_warning_is_raised_by_hand_only_inside_the_callers_places(world, client_of):
    given = {"place": f"A{world.alliance.pk}", "fund_type": "RES", "level": "red", "title": "分解住院", "reason": "检查发现多例"}
    client = client_of(world.county_officer)
    assert post(client, BASE, given).status_code == 201
    assert post(client, BASE, {**given, "place": f"A{world.east.pk}"}).status_code == 404
    assert post(client, BASE, {**given, "title": "", "level": "purple"}).status_code == 422
    assert post(client_of(world.hospital), BASE, given).status_code == 403


def test_thresholds_are_entered_tried_previewed_and_approved(world, client_of):
    ground.fill(world)
    ground.fill(world, world.east)
    base = "/api/v1/warning-thresholds/"
    client = client_of(world.officer)
    made = post(client, base, {**RULE, "yellow": "0.14", "red": "0.12", "span": "month"})
    assert made.status_code == 201
    at = f"{base}{made.json()['id']}/"
    assert post(client, at + "trial/", {}).json()["status"] == "trial"
    seen = client.get(at + "preview/?month=2026-09").json()
    assert seen["judged"] == 2 and [row["level"] for row in seen["breaches"]] == ["yellow", "yellow"] and seen["everywhere"]
    assert client.get(at + "preview/?month=2026-9x").status_code == 400
    assert post(client, at + "approve/", {}).status_code == 403
    client = client_of(world.reviewer)
    assert post(client, at + "approve/", {}).status_code == 422
    done = post(client, at + "approve/", {"everywhere_ok": True, "reason": "全市统一整改"})
    assert done.json()["status"] == "live"
    assert post(client, at + "end/", {"reason": "改按县级阈值"}).json()["status"] == "ended"


def test_hospitals_read_live_thresholds_and_enter_none(world, client_of):
    live = ground.threshold(world)
    ground.threshold(world, status="trial", indicator="drug_share", above=True)
    client = client_of(world.hospital)
    rows = client.get("/api/v1/warning-thresholds/").json()["results"]
    assert [row["id"] for row in rows] == [live.pk]
    assert client.get(f"/api/v1/warning-thresholds/{live.pk}/preview/?month=2026-09").status_code == 403
    assert post(client, "/api/v1/warning-thresholds/", RULE).status_code in (403, 404)
    assert Threshold.objects.count() == 2


def test_watch_entries_are_proposed_and_decided_within_the_bureau(world, client_of):
    w = ground.distress(world)
    given = {"institution": world.lead.code, "consequence": "watch", "detail": "逐月核查", "valid_from": "2026-10-12"}
    assert post(client_of(world.observer), f"{BASE}{w.pk}/propose-watch/", given).status_code == 403
    made = post(client_of(world.officer), f"{BASE}{w.pk}/propose-watch/", given)
    assert made.status_code == 201
    at = f"/api/v1/watch-entries/{made.json()['id']}/"
    assert client_of(world.hospital).get("/api/v1/watch-entries/").json()["results"] == []
    assert post(client_of(world.officer), at + "decide/", {"approve": True}).status_code == 403
    assert post(client_of(world.stranger_reviewer), at + "decide/", {"approve": True}).status_code == 404
    assert post(client_of(world.reviewer), at + "decide/", {"approve": True, "reason": "同意"}).json()["status"] == "approved"
    assert post(client_of(world.reviewer), at + "end/", {"reason": "费用已回落"}).json()["status"] == "ended"
    assert WatchEntry.objects.count() == 1


def test_the_list_asks_the_same_queries_however_many_warnings(world, client_of, django_assert_max_num_queries):
    ground.sent(world)
    client = client_of(world.officer)
    with django_assert_max_num_queries(15) as few:
        client.get(BASE)
    for number in range(8):
        ground.raised(world, world.east, cause=f"c{number}")
    with django_assert_max_num_queries(len(few)):
        assert len(found(client.get(BASE))) == 9
