"""Liaison meetings and data supply: written down by one side, confirmed by the other, followed up, never overwritten."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from monitoring.liaison_todos import liaison_todos
from monitoring.models import DataSupply, LiaisonMeeting, MeetingFollowUp
from monitoring.services import liaison

VALUES = {
    "held_on": date(2026, 6, 2), "place": "县医院三楼会议室", "bureau_people": "林晓岚、陈立新", "hospital_people": "周敏",
    "agenda": "上半年打包基金运行", "decisions": "每月十日前提供上月数据",
}  # fmt: skip
FOLLOW = {"text": "提供上月出院明细", "side": "hospital", "person": "周敏", "due_on": date(2026, 6, 20)}
DATA = {"kind": "facts", "title": "五月月度数据", "period": "2026-05", "link": "内网共享盘 05 目录"}
OBJECTION = "第二项与会上说的不一致"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-06-03 09:00:00+08:00", tick=False) as travelled:
        yield travelled


@pytest.fixture(autouse=True)
def _files(tmp_path, settings):
    settings.DATA_DIR = tmp_path


def pdf(name="纪要.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.4 minutes")


def a_meeting(world):
    return liaison.record_meeting(world.officer, world.alliance, VALUES)


def a_supply(world, actor=None):
    return liaison.supply_data(actor or world.officer, world.alliance, DATA)


# --- meetings --------------------------------------------------------------------------------------------------------


def test_a_meeting_is_recorded_by_the_bureau_and_confirmed_by_the_hospital(world):
    meeting = liaison.record_meeting(world.officer, world.alliance, VALUES, pdf())
    assert meeting.file.name == "纪要.pdf"
    assert [todo.title for todo in liaison_todos(world.hospital)] == [f"确认会议：{meeting}"]
    held = liaison.confirm_meeting(world.hospital, meeting)
    assert (held.state, held.decided_by) == ("confirmed", world.hospital)
    assert liaison_todos(world.hospital) == []
    assert Notice.objects.filter(user=world.officer, text__contains="已确认").exists()
    told = TrailEvent.objects.filter(subject_type="monitoring.liaisonmeeting").order_by("pk")
    assert list(told.values_list("action", flat=True)) == [liaison.RECORD, liaison.CONFIRM]


def test_everything_missing_in_a_meeting_is_told_at_once(world):
    with pytest.raises(Refused) as refusal:
        liaison.record_meeting(world.officer, world.alliance, {"held_on": date(2026, 6, 4), "agenda": " "})
    assert {problem.field for problem in refusal.value.problems} == {
        "held_on", "place", "bureau_people", "hospital_people", "agenda", "decisions",
    }  # fmt: skip
    assert not LiaisonMeeting.objects.exists()


def test_an_objection_goes_back_to_the_bureau_which_corrects_it(world):
    meeting = a_meeting(world)
    with pytest.raises(Refused, match="没有写明理由"):
        liaison.object_to_meeting(world.hospital, meeting, "否")
    liaison.object_to_meeting(world.hospital, meeting, OBJECTION)
    assert liaison_todos(world.officer)[0].detail == OBJECTION
    held = liaison.revise_meeting(world.officer, meeting, {**VALUES, "decisions": "每月十五日前提供上月数据"})
    assert (held.state, held.decisions) == ("recorded", "每月十五日前提供上月数据")
    assert TrailEvent.objects.latest("pk").data["before"]["decisions"] == "每月十日前提供上月数据"


def test_a_confirmed_meeting_is_neither_changed_nor_confirmed_again(world):
    meeting = liaison.confirm_meeting(world.hospital, a_meeting(world))
    for act in (
        lambda: liaison.revise_meeting(world.officer, meeting, VALUES),
        lambda: liaison.confirm_meeting(world.hospital, meeting),
        lambda: liaison.object_to_meeting(world.hospital, meeting, OBJECTION),
    ):
        with pytest.raises(Conflict, match="周敏确认"):
            act()


def test_the_hospital_cannot_record_and_the_bureau_cannot_confirm(world):
    with pytest.raises(NotAllowed):
        liaison.record_meeting(world.hospital, world.alliance, VALUES)
    meeting = a_meeting(world)
    for user in (world.officer, world.sister_hospital, world.observer):
        with pytest.raises(NotAllowed):
            liaison.confirm_meeting(user, meeting)


def test_a_follow_up_is_done_by_the_side_that_owes_it(world):
    follow_up = liaison.add_follow_up(world.officer, a_meeting(world), FOLLOW)
    (todo,) = [todo for todo in liaison_todos(world.hospital) if todo.due]
    assert (todo.title, todo.due) == ("会议待办：提供上月出院明细", date(2026, 6, 20))
    with pytest.raises(NotAllowed, match="不能由对方办结"):
        liaison.finish_follow_up(world.officer, follow_up, "已经提供")
    done = liaison.finish_follow_up(world.hospital, follow_up, "已经提供")
    assert (done.state, done.result, done.done_by) == ("done", "已经提供", world.hospital)
    with pytest.raises(Conflict, match="已办结"):
        liaison.finish_follow_up(world.hospital, follow_up, "再次办结")


def test_a_follow_up_needs_words_a_person_a_side_and_a_later_day(world):
    meeting = a_meeting(world)
    with pytest.raises(Refused) as refusal:
        liaison.add_follow_up(world.officer, meeting, {"due_on": date(2026, 6, 1), "side": "both"})
    assert [problem.field for problem in refusal.value.problems] == ["text", "person", "side", "due_on"]


# --- data supply -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("giver", "taker", "side"), [("officer", "hospital", "bureau"), ("hospital", "county_officer", "hospital")])
def test_data_goes_either_way_and_the_other_side_acknowledges(world, giver, taker, side):
    supply = a_supply(world, getattr(world, giver))
    assert supply.giver == side
    with pytest.raises(NotAllowed, match="须由"):
        liaison.receive_data(getattr(world, giver), supply)
    assert any("签收数据" in todo.title for todo in liaison_todos(getattr(world, taker)))
    held = liaison.receive_data(getattr(world, taker), supply)
    assert (held.state, held.received_by) == ("received", getattr(world, taker))
    with pytest.raises(Conflict, match="已签收"):
        liaison.receive_data(getattr(world, taker), supply)
    with pytest.raises(Conflict, match="已签收"):
        liaison.withdraw_data(getattr(world, giver), supply, "给错了文件")


def test_data_without_file_and_link_is_refused_and_so_is_a_script_link(world):
    with pytest.raises(Refused) as refusal:
        liaison.supply_data(world.officer, world.alliance, {"kind": "nonsense"})
    assert [problem.field for problem in refusal.value.problems] == ["kind", "title", "period", "file"]
    with pytest.raises(Refused, match="http"):
        liaison.supply_data(world.officer, world.alliance, {**DATA, "link": "javascript://alert(1)"})
    assert not DataSupply.objects.exists()


def test_only_the_giver_takes_back_and_only_with_a_reason(world):
    supply = a_supply(world)
    with pytest.raises(NotAllowed, match="只能由提供方撤回"):
        liaison.withdraw_data(world.hospital, supply, "给错了文件")
    with pytest.raises(Refused):
        liaison.withdraw_data(world.officer, supply, "")
    assert liaison.withdraw_data(world.officer, supply, "给错了文件").state == "withdrawn"
    assert not any("签收数据" in todo.title for todo in liaison_todos(world.hospital))


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_pages_keep_what_was_typed_and_lead_to_the_meeting(world, client_of):
    client = client_of(world.officer)
    typed = {**VALUES, "held_on": "2026-06-02", "alliance": world.alliance.pk, "decisions": ""}
    answer = client.post("/monitoring/liaison/new/", typed)
    assert answer.status_code == 422
    assert "县医院三楼会议室" in answer.content.decode() and "id_decisions_error" in answer.content.decode()
    answer = client.post("/monitoring/liaison/new/", {**typed, "decisions": "每月提供数据", "file": pdf()})
    meeting = LiaisonMeeting.objects.get()
    assert answer.status_code == 302 and answer["Location"] == meeting.get_absolute_url()
    assert client.get(f"/monitoring/liaison/{meeting.pk}/file/").status_code == 200
    assert TrailEvent.objects.filter(action="core.export", summary__contains="纪要.pdf").exists()
    follow = {**FOLLOW, "due_on": "2026-06-20"}
    assert client.post(f"/monitoring/liaison/{meeting.pk}/follow/", follow).status_code == 302
    edited = {**VALUES, "held_on": "2026-06-01"}
    assert client.post(f"/monitoring/liaison/{meeting.pk}/edit/", edited).status_code == 302
    hospital = client_of(world.hospital)
    page = hospital.get(meeting.get_absolute_url()).content.decode()
    assert "提出异议" in page and "办结" in page and "加入待办</button>" not in page
    short = hospital.post(f"/monitoring/liaison/{meeting.pk}/object/", {"reason": "否"})
    assert short.status_code == 422 and ">否</textarea>" in short.content.decode()
    row = MeetingFollowUp.objects.get()
    assert hospital.post(f"/monitoring/liaison/follow-ups/{row.pk}/done/", {"reason": "已经提供"}).status_code == 302
    assert hospital.post(f"/monitoring/liaison/{meeting.pk}/confirm/").status_code == 302
    assert hospital.post(f"/monitoring/liaison/{meeting.pk}/confirm/").status_code == 409


def test_a_foreign_meeting_and_a_foreign_alliance_do_not_exist(world, client_of):
    meeting, supply = a_meeting(world), a_supply(world)
    for user in (world.stranger_officer, world.sister_hospital, world.member):
        client = client_of(user)
        assert client.get(meeting.get_absolute_url()).status_code == 404
        assert client.get(supply.get_absolute_url()).status_code == 404
        assert client.post(f"/monitoring/liaison/{meeting.pk}/confirm/").status_code == 404
        assert client.get(f"/monitoring/supply/{supply.pk}/file/").status_code == 404
    client = client_of(world.officer)
    typed = {**VALUES, "held_on": "2026-06-02", "alliance": world.foreign_alliance.pk}
    assert client.post("/monitoring/liaison/new/", typed).status_code == 422
    assert client.post(f"/monitoring/liaison/{meeting.pk}/nonsense/").status_code == 404
    assert client.post(meeting.get_absolute_url()).status_code == 405
    assert LiaisonMeeting.objects.count() == 1


def test_the_lists_are_filtered_sorted_and_exported_as_shown(world, client_of):
    a_meeting(world)
    liaison.record_meeting(world.officer, world.east, {**VALUES, "agenda": "东部医共体住院下沉"})
    a_supply(world)
    client = client_of(world.officer)
    page = client.get("/monitoring/liaison/?q=下沉&sort=-held").content.decode()
    assert "云岭县东部医共体" in page and "青溪县紧密型" not in page
    answer = client.get("/monitoring/liaison/export/?q=下沉")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert rows[0][0] == "筛选 查找：下沉" and len(rows) == 3
    assert "五月月度数据" in client.get("/monitoring/supply/?giver=bureau&sort=kind").content.decode()
    assert "五月月度数据" not in client.get("/monitoring/supply/?giver=hospital").content.decode()
    assert client.get("/monitoring/supply/export/").status_code == 200
    assert client.get("/monitoring/liaison/?since=2026-06-03&county=x&sort=nonsense").status_code == 200


def test_supplying_data_from_the_page_takes_the_file_and_gives_it_back(world, client_of):
    client = client_of(world.hospital)
    typed = {**DATA, "alliance": world.alliance.pk, "link": "", "file": pdf("五月.pdf")}
    assert client.post("/monitoring/supply/new/", {**typed, "file": ""}).status_code == 422
    typed["file"] = pdf("五月.pdf")
    assert client.post("/monitoring/supply/new/", typed).status_code == 302
    supply = DataSupply.objects.get()
    assert supply.giver == "hospital"
    officer = client_of(world.officer)
    assert officer.get(f"/monitoring/supply/{supply.pk}/file/").status_code == 200
    assert officer.post(f"/monitoring/supply/{supply.pk}/receive/").status_code == 302
    assert officer.post(f"/monitoring/supply/{supply.pk}/receive/").status_code == 409
    assert client_of(world.observer).get("/monitoring/supply/new/").status_code == 403


def test_a_list_of_many_meetings_costs_no_query_each(world, client_of):
    client = client_of(world.officer)

    def queries():
        client.get("/monitoring/liaison/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/monitoring/liaison/")
        return len(asked)

    a_meeting(world)
    few = queries()
    for _ in range(8):
        a_meeting(world)
    assert queries() == few
