"""Meetings, data supply and the watch over collection through the API: same scope, rights and refusals as the pages."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from core.access import NotAllowed
from core.errors import Refused
from core.models import Role, RoleGrant, TrailEvent
from monitoring.models import CollectionFinding, DataSupply, EnrolmentTarget, LiaisonMeeting
from monitoring.services import collection, liaison
from tests.world import START

pytestmark = pytest.mark.django_db
MEETINGS, FOLLOWS, SUPPLIES = "/api/v1/liaison-meetings/", "/api/v1/meeting-follow-ups/", "/api/v1/data-supplies/"
TARGETS, FINDINGS = "/api/v1/enrolment-targets/", "/api/v1/collection-findings/"
MEETING = {
    "alliance": "QX", "held_on": "2026-06-02", "place": "县医院三楼", "bureau_people": "林晓岚", "hospital_people": "周敏",
    "agenda": "上半年打包基金运行", "decisions": "每月十日前提供上月数据",
}  # fmt: skip
SUPPLY = {"alliance": "QX", "kind": "facts", "title": "五月月度数据", "period": "2026-05", "link": "内网共享盘 05 目录"}
TARGET = {"county": "990101", "year": 2026, "fund_type": "RES", "expected": 100_000, "basis": "统计局年末常住人口"}
FINDING = {
    "county": "990101", "kind": "arrears", "fund_type": "EMP", "payer": "青溪建材有限公司", "period": "2026-01",
    "amount": "12000.00", "description": "连续三个月未缴职工医保费",
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    with time_machine.travel("2026-06-03 09:00:00+08:00", tick=False) as travelled:
        yield travelled


def post(client, address, data=None):
    return client.post(address, data or {}, content_type="application/json")


def made(client, address, data):
    answer = post(client, address, data)
    assert answer.status_code == 201, answer.content.decode()
    return answer.json()


def test_a_meeting_is_recorded_objected_to_corrected_and_confirmed(world, client_of):
    meeting = made(client_of(world.officer), MEETINGS, MEETING)
    address = f"{MEETINGS}{meeting['id']}/"
    client = client_of(world.hospital)
    assert post(client, f"{address}object/").status_code == 422
    assert post(client, f"{address}object/", {"reason": "第二项与会上说的不一致"}).json()["state"] == "objected"
    changed = client_of(world.officer).put(address, {**MEETING, "decisions": "每月十五日前"}, content_type="application/json")
    assert (changed.json()["state"], changed.json()["decisions"]) == ("recorded", "每月十五日前")
    assert post(client_of(world.officer), f"{address}confirm/").status_code == 403
    assert post(client_of(world.hospital), f"{address}confirm/").json()["decided_by"] == world.hospital.username
    assert post(client_of(world.hospital), f"{address}confirm/").status_code == 409


def test_meetings_of_another_alliance_do_not_exist_over_the_api(world, client_of):
    meeting = made(client_of(world.officer), MEETINGS, MEETING)
    client = client_of(world.sister_hospital)
    assert client.get(MEETINGS).json()["results"] == []
    for method, path in (("get", ""), ("get", "file/"), ("post", "confirm/"), ("post", "follow-ups/")):
        assert getattr(client, method)(f"{MEETINGS}{meeting['id']}/{path}").status_code == 404, path
    assert post(client_of(world.county_officer), MEETINGS, {**MEETING, "alliance": "YL-E"}).status_code == 404


def test_everything_wrong_with_a_meeting_is_told_at_once_over_the_api(world, client_of):
    answer = post(client_of(world.officer), MEETINGS, {"alliance": "QX", "place": "厅" * 121})
    assert answer.status_code == 422 and not LiaisonMeeting.objects.exists()
    assert {one["field"] for one in answer.json()["problems"]} == {
        "place", "held_on", "bureau_people", "hospital_people", "agenda", "decisions"
    }  # fmt: skip


def test_the_side_that_owes_a_follow_up_finishes_it_over_the_api(world, client_of):
    meeting = made(client_of(world.officer), MEETINGS, MEETING)
    given = {"text": "提供出院明细", "side": "hospital", "person": "周敏", "due_on": "2026-06-20"}
    follow = made(client_of(world.officer), f"{MEETINGS}{meeting['id']}/follow-ups/", given)
    address = f"{FOLLOWS}{follow['id']}/done/"
    assert post(client_of(world.officer), address, {"result": "已经提供"}).status_code == 403
    assert post(client_of(world.sister_hospital), address, {"result": "已经提供"}).status_code == 404
    assert post(client_of(world.hospital), address, {"result": "已经提供"}).json()["state"] == "done"
    assert client_of(world.hospital).get(MEETINGS).json()["results"][0]["follow_ups"][0]["result"] == "已经提供"


def test_data_are_given_received_and_withdrawn_by_their_sides(world, client_of):
    first, second = (made(client_of(world.hospital), SUPPLIES, SUPPLY) for _ in range(2))
    assert first["giver"] == "hospital"
    assert post(client_of(world.hospital), f"{SUPPLIES}{first['id']}/receive/").status_code == 403
    assert post(client_of(world.officer), f"{SUPPLIES}{first['id']}/receive/").json()["state"] == "received"
    assert post(client_of(world.hospital), f"{SUPPLIES}{first['id']}/withdraw/", {"reason": "发错了月份"}).status_code == 409
    assert post(client_of(world.hospital), f"{SUPPLIES}{second['id']}/withdraw/", {"reason": "发错了月份"}).json()["state"] == "withdrawn"


def test_a_supplied_file_is_noted_when_taken_and_gone_when_withdrawn(world, client_of):
    data = {name: value for name, value in SUPPLY.items() if name != "link"}
    answer = client_of(world.officer).post(SUPPLIES, {**data, "file": SimpleUploadedFile("五月.pdf", b"%PDF-1.4 may")})
    assert answer.status_code == 201
    address = f"{SUPPLIES}{answer.json()['id']}/"
    assert b"".join(client_of(world.hospital).get(f"{address}file/").streaming_content) == b"%PDF-1.4 may"
    assert TrailEvent.objects.filter(action="core.export", actor=world.hospital).count() == 1
    post(client_of(world.officer), f"{address}withdraw/", {"reason": "发错了月份"})
    assert client_of(world.hospital).get(f"{address}file/").status_code == 404


@pytest.mark.parametrize("asked", ["sent_at__date__gte=0001-01-01", "sent_at__date__lte=9999-12-31", "alliance__code=QX", "page=1"])
def test_the_list_of_supplied_data_is_filtered_and_never_breaks(world, client_of, asked):
    supply = made(client_of(world.officer), SUPPLIES, SUPPLY)
    rows = client_of(world.officer).get(f"{SUPPLIES}?{asked}").json()["results"]
    assert [row["id"] for row in rows] == [supply["id"]]
    assert client_of(world.officer).get(f"{SUPPLIES}?giver=hospital").json()["results"] == []


def test_an_administrator_reads_neither_meetings_nor_data(world, client_of):
    meeting = made(client_of(world.officer), MEETINGS, MEETING)
    supply = made(client_of(world.officer), SUPPLIES, SUPPLY)
    client = client_of(world.admin)
    assert client.get(MEETINGS).json()["results"] == client.get(SUPPLIES).json()["results"] == []
    assert client.get(f"/monitoring/liaison/{meeting['id']}/").status_code == 404
    assert client.get(f"/monitoring/supply/{supply['id']}/").status_code == 404


def test_who_acts_for_the_bureau_does_not_confirm_for_the_hospital(world):
    RoleGrant.objects.create(user=world.officer, role=Role.HOSPITAL_FINANCE, alliance=world.alliance, valid_from=START)
    meeting = liaison.record_meeting(world.second_officer, world.alliance, {**MEETING, "held_on": date(2026, 6, 2)})
    with pytest.raises(NotAllowed, match="不能代医共体办理"):
        liaison.confirm_meeting(world.officer, meeting)
    with pytest.raises(NotAllowed, match="不能代医共体办理"):
        liaison.object_to_meeting(world.officer, meeting, "与会上说的不一致")


def test_who_changed_sides_meanwhile_does_not_take_her_own_data_or_minutes(world):
    from core.models import User

    meeting = liaison.record_meeting(world.officer, world.alliance, {**MEETING, "held_on": date(2026, 6, 2)})
    supply = liaison.supply_data(world.officer, world.alliance, SUPPLY)
    RoleGrant.objects.filter(user=world.officer).delete()
    RoleGrant.objects.create(user=world.officer, role=Role.HOSPITAL_FINANCE, alliance=world.alliance, valid_from=START)
    moved = User.objects.get(pk=world.officer.pk)
    with pytest.raises(NotAllowed, match="由您本人经办"):
        liaison.receive_data(moved, supply)
    with pytest.raises(NotAllowed, match="由您本人经办"):
        liaison.confirm_meeting(moved, meeting)


def test_texts_too_long_for_their_place_are_refused_by_name(world):
    meeting = liaison.record_meeting(world.officer, world.alliance, {**MEETING, "held_on": date(2026, 6, 2)})
    with pytest.raises(Refused, match="最多 300 个字"):
        liaison.add_follow_up(
            world.officer, meeting, {"text": "办" * 301, "side": "hospital", "person": "周敏", "due_on": date(2026, 6, 20)}
        )
    with pytest.raises(Refused, match="最多 160 个字"):
        liaison.supply_data(world.officer, world.alliance, {**SUPPLY, "title": "数" * 161})
    assert not DataSupply.objects.exists()


# --- collection ------------------------------------------------------------------------------------------------------


def test_a_headcount_is_entered_and_confirmed_by_two_people_over_the_api(world, client_of):
    target = made(client_of(world.county_officer), TARGETS, TARGET)
    address = f"{TARGETS}{target['id']}/"
    assert post(client_of(world.officer), f"{address}confirm/").status_code == 403
    client = client_of(world.reviewer)
    assert post(client, f"{address}reject/").status_code == 422
    assert post(client, f"{address}confirm/").json()["state"] == "confirmed"
    assert post(client, f"{address}confirm/").status_code == 409
    assert [row["expected"] for row in client.get(f"{TARGETS}?year=2026").json()["results"]] == [100_000]


@pytest.mark.parametrize("expected", [10**30, 0, -5, None])
def test_a_headcount_nobody_can_have_is_refused_not_stored(world, client_of, expected):
    answer = post(client_of(world.officer), TARGETS, {**TARGET, "expected": expected})
    assert answer.status_code in (400, 422) and not EnrolmentTarget.objects.exists()
    page = client_of(world.officer).post(
        "/monitoring/collection/targets/",
        {**TARGET, "county": world.qingxi.pk, "expected": "" if expected is None else str(expected)},
    )
    assert page.status_code == 422 and not EnrolmentTarget.objects.exists()


def test_collection_is_for_the_bureau_and_its_own_counties(world, client_of):
    other = collection.enter_target(world.officer, world.yunling, 2026, "RES", 90_000, "统计局年末常住人口")
    client = client_of(world.county_officer)
    assert client.get(TARGETS).json()["results"] == [] and client.get(f"{TARGETS}{other.pk}/").status_code == 404
    assert post(client, TARGETS, {**TARGET, "county": "990102"}).status_code == 404
    for person in (world.hospital, world.admin, world.member):
        assert client_of(person).get(TARGETS).status_code == 403
        assert client_of(person).get(FINDINGS).status_code == 403


def test_a_finding_goes_its_way_over_the_api_with_two_people(world, client_of):
    finding = made(client_of(world.auditor), FINDINGS, FINDING)
    address = f"{FINDINGS}{finding['id']}/act/"
    client = client_of(world.auditor)
    assert post(client, address, {"act": "shred", "text": "不存在的办理"}).status_code == 422
    assert post(client, address, {"act": "handle", "text": "已补缴", "recovered": "12000.01"}).status_code == 422
    assert post(client, address, {"act": "handle", "text": "单位已补缴", "recovered": "12000.00"}).json()["state"] == "handled"
    assert post(client, address, {"act": "close", "text": "核对无误"}).status_code == 403
    told = post(client_of(world.reviewer), address, {"act": "close", "text": "核对无误"}).json()
    assert (told["state"], told["recovered"]) == ("closed", "12000.00")
    assert [change["act"] for change in told["changes"]] == ["register", "handle", "close"]
    assert post(client_of(world.reviewer), address, {"act": "close", "text": "核对无误"}).status_code == 409


def test_an_amount_no_book_can_hold_is_refused_by_the_service(world):
    from decimal import Decimal

    for amount in (Decimal("NaN"), Decimal("Infinity"), Decimal(10) ** 20):
        with pytest.raises(Refused, match="涉及金额须大于 0"):
            collection.register_finding(world.officer, world.qingxi, {**FINDING, "amount": amount})
    assert not CollectionFinding.objects.exists()
