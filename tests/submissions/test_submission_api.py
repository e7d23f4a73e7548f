"""The API does what the pages do: the same scope, the same refusals, the same acts."""

import io
import json

import openpyxl
import pytest

from core import jobs
from core.models import Job
from submissions import services
from submissions.declaration import shipped_text
from tests.submissions import ground
from tests.submissions.ground import LONG_ENOUGH, ODD, moved, typed

OWED, VERSIONS, TABLES = (f"/api/v1/quarterly-{name}/" for name in ("assignments", "submissions", "table-versions"))


@pytest.fixture
def owed(world, in_time):
    return ground.assignment(world)


@pytest.fixture
def call(client_of):
    def post(user, path, **data):
        return client_of(user).post(path, json.dumps(data), content_type="application/json")

    return post


@pytest.fixture
def upload(client_of):
    def post(user, assignment, content):
        return client_of(user).post(f"{OWED}{assignment.pk}/upload/", {"file": ground.upload_of(content)})

    return post


def test_the_whole_way_over_the_api(world, owed, upload, call, client_of):
    made = upload(world.hospital, owed, ground.workbook(owed, ODD))
    assert made.status_code == 201 and made.json()["receipt"].startswith("QX-2026Q3-001-")
    at = f"{VERSIONS}{made.json()['id']}/"
    assert client_of(world.hospital).get(at).json()["state"] == "received"
    jobs.run_now(Job.objects.get(name="submissions.check"))
    found = client_of(world.hospital).get(at).json()
    assert found["state"] == "checked" and found["figures"]["funds"]["RES"]["4.3"]["current"] == "119447000.00"
    refused = call(world.hospital, f"{at}file/")
    assert refused.status_code == 422 and refused.json()["problems"][0]["field"] == "explanations"
    asked = [finding["id"] for finding in found["findings"] if finding["severity"] == "soft"]
    short = call(world.hospital, f"{at}explain/", texts={str(pk): "短" for pk in asked})
    assert short.status_code == 422 and len(short.json()["problems"]) == len(asked)
    done = call(world.hospital, f"{at}explain/", texts={str(pk): LONG_ENOUGH for pk in asked})
    assert {finding["explanation"] for finding in done.json()["findings"] if finding["id"] in asked} == {LONG_ENOUGH}
    assert call(world.hospital, f"{at}file/").json()["state"] == "filed"
    assert call(world.hospital, f"{at}withdraw/", reason="成员表有误").json()["state"] == "checked"
    assert call(world.hospital, f"{at}file/").json()["filed_by"] == "hospital"
    assert call(world.officer, f"{at}return/", reason="").status_code == 422
    assert call(world.officer, f"{at}accept/").json()["state"] == "accepted"
    assert call(world.second_officer, f"{at}accept/").status_code == 409
    listed = client_of(world.observer).get(OWED, {"period": "2026Q3", "alliance__code": "QX"}).json()
    assert [row["state"] for row in listed["results"]] == ["accepted"]
    assert call(world.officer, f"{OWED}{owed.pk}/reopen/", reason="漏报一家成员单位").json()["reopened"] is True
    assert call(world.hospital, f"{OWED}{owed.pk}/close/", reason="不再更正").status_code == 403
    closed = call(world.officer, f"{OWED}{owed.pk}/close/", reason="核对无误，不再更正").json()
    assert (closed["state"], closed["reopened"]) == ("accepted", False)
    assert call(world.officer, f"{OWED}{owed.pk}/close/", reason="核对无误，不再更正").status_code == 409


def test_a_return_over_the_api_carries_its_reason_to_the_hospital(world, owed, call, client_of):
    filed = ground.filed(world, owed)
    call(world.officer, f"{VERSIONS}{filed.pk}/return/", reason="成员表与总表口径不一致")
    shown = client_of(world.hospital).get(f"{VERSIONS}{filed.pk}/").json()
    assert shown["state"] == "returned" and shown["changes"][-1]["reason"] == "成员表与总表口径不一致"


def test_strangers_get_404_and_those_without_the_post_403_with_the_reason(world, owed, upload, call, client_of):
    filed = ground.filed(world, owed)
    for person in (world.sister_hospital, world.stranger_officer, world.nobody):
        assert client_of(person).get(f"{OWED}{owed.pk}/").status_code == 404
        assert client_of(person).get(f"{VERSIONS}{filed.pk}/original/").status_code == 404
        assert upload(person, owed, b"x").status_code == 404
        assert call(person, f"{VERSIONS}{filed.pk}/accept/").status_code == 404
    for person in (world.officer, world.reviewer, world.observer):
        assert upload(person, owed, b"x").status_code == 403
    denied = call(world.observer, f"{VERSIONS}{filed.pk}/accept/")
    assert denied.status_code == 403 and "岗位" in denied.json()["detail"]
    assert call(world.hospital, f"{OWED}{owed.pk}/admit/").status_code == 403  # the post is asked before the form


def test_drafts_stay_with_the_hospital_over_the_api_as_well(world, owed, client_of):
    draft = ground.checked(world, owed)
    assert client_of(world.officer).get(f"{VERSIONS}{draft.pk}/").status_code == 404
    assert client_of(world.officer).get(VERSIONS).json()["results"] == []
    assert [row["number"] for row in client_of(world.hospital).get(VERSIONS).json()["results"]] == [1]


def test_the_template_opens_and_the_answer_and_the_original_come_back(world, owed, client_of):
    template = client_of(world.hospital).get(f"{OWED}{owed.pk}/template/")
    assert template.status_code == 200
    assert "居民" in openpyxl.load_workbook(io.BytesIO(template.content)).sheetnames
    checked = ground.checked(world, owed, typed("RES", "3", 1))
    at = f"{VERSIONS}{checked.pk}/"
    original = b"".join(client_of(world.hospital).get(f"{at}original/").streaming_content)
    answer = b"".join(client_of(world.hospital).get(f"{at}answer/").streaming_content)
    assert original == checked.file.path.read_bytes()
    assert len(openpyxl.load_workbook(io.BytesIO(answer)).sheetnames) > 4


def test_the_same_file_twice_and_a_closed_assignment_answer_409(world, owed, upload):
    content = ground.workbook(owed)
    assert upload(world.hospital, owed, content).status_code == 201
    again = upload(world.hospital, owed, content)
    assert again.status_code == 409 and "完全相同" in again.json()["problems"][0]["text"]
    ground.accepted(world, owed, moved(121))
    closed = upload(world.hospital, owed, ground.workbook(owed, moved(122)))
    assert closed.status_code == 409 and "重新开放" in closed.json()["problems"][0]["remedy"]


def test_nothing_to_report_late_admission_and_waivers_go_over_the_api(world, owed, call, time_machine):
    time_machine.move_to("2026-10-16 09:00:00+08:00")
    at = f"{OWED}{owed.pk}/"
    late = call(world.hospital, f"{at}nothing/", reason="本期尚未运行")
    assert late.status_code == 422 and late.json()["problems"][0]["field"] == "deadline"
    assert call(world.officer, f"{at}admit/", until="2026-10-20", reason="停电一日").json()["last_day"] == "2026-10-20"
    waived = call(world.reviewer, f"{at}waive/", code="S1", fund_type="RES", reason="口径调整，已核实")
    assert waived.status_code == 201 and waived.json()["row_code"] == ""
    done = call(world.hospital, f"{at}nothing/", reason="本期尚未运行")
    assert (done.status_code, done.json()["kind"], done.json()["sha256"]) == (201, "nothing", "")


def test_a_table_version_is_loaded_and_decided_over_the_api(world, call, client_of):
    text = shipped_text().replace('version = "1"', 'version = "2026-1"', 1)
    assert call(world.officer, TABLES, pooling_area=world.area.code, document=text).status_code == 403
    made = call(world.admin, TABLES, pooling_area=world.area.code, document=text)
    assert made.status_code == 201 and made.json()["status"] == "proposed"
    assert call(world.admin, TABLES, pooling_area=world.area.code, document="x =").status_code == 422
    at = f"{TABLES}{made.json()['id']}/decide/"
    assert call(world.admin, at, approve=True).status_code == 403
    assert call(world.stranger_reviewer, at, approve=True).status_code == 404
    assert call(world.reviewer, at, approve=True).json()["status"] == "approved"
    assert services.table_of(world.area, "situation", "2026-1") is not None


def test_the_lists_take_as_many_queries_for_one_as_for_many(world, owed, client_of, django_assert_max_num_queries):
    ground.filed(world, owed)
    client = client_of(world.officer)
    client.get(VERSIONS)
    with django_assert_max_num_queries(8):
        client.get(VERSIONS)
    with django_assert_max_num_queries(8):
        client.get(OWED)


def test_the_back_office_keeps_duties_and_table_versions_through_the_services(world, client_of):
    office = client_of(world.admin)
    page = office.get("/admin/submissions/duty/add/")
    assert page.status_code == 200
    given = {"pooling_area": world.area.pk, "county": "", "quarters": "155", "days_after": 15, "valid_from": "2019-01-01",
             "valid_to": "", "basis": "宁医保〔2019〕128号"}  # fmt: skip
    refused = office.post("/admin/submissions/duty/add/", given)
    assert "不重复的 1 至 4" in refused.content.decode()
    assert office.post("/admin/submissions/duty/add/", given | {"quarters": "1234"}).status_code == 302
    text = shipped_text().replace('version = "1"', 'version = "2026-1"', 1)
    file = ground.upload_of(text.encode(), "situation-2026-1.toml")
    sent = office.post("/admin/submissions/tableversion/add/", {"pooling_area": world.area.pk, "file": file})
    assert sent.status_code == 302
    assert "2026-1" in office.get("/admin/submissions/tableversion/").content.decode()
