"""Evidence, findings, claim rows and statements over the API: the same rights, refusals and limits of sight as the pages."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audits.models import Deadline, Evidence, Finding, FindingLine, ProviderStatement
from core.models import TrailEvent
from tests.audits.findings_ground import claims, finding, ground, piece, with_lines

__all__ = ["ground"]
API = "/api/v1"


def post(client, path, data):
    return client.post(f"{API}/{path}", data, content_type="application/json")


def texts(answer):
    return "；".join(problem["text"] for problem in answer.json()["problems"])


def test_evidence_is_registered_and_dealt_with_over_the_api(ground, client_of):
    client = client_of(ground.officer)
    given = {
        "case": ground.case.pk, "kind": "photo", "name": "药房照片", "collected_on": "2026-09-10", "collected_by": "auditor",
        "witnessed_by": "partner", "registered": "true", "file": SimpleUploadedFile("药房.png", b"\x89PNG picture"),
    }  # fmt: skip
    answer = client.post(f"{API}/audit-evidence/", given)
    assert answer.status_code == 201 and answer.json()["file_state"] == "same" and answer.json()["registered_until"]
    pk = answer.json()["id"]
    assert post(client, f"audit-evidence/{pk}/handle/", {"text": "解除登记保存"}).json()["notes"][0]["by"] == "auditor"
    assert client.get(f"{API}/audit-evidence/{pk}/file/").status_code == 200
    assert TrailEvent.objects.filter(action="audits.open_evidence").count() == 1
    assert post(client, f"audit-evidence/{pk}/withdraw/", {"text": "来源不合法"}).status_code == 200
    bad = {**given, "collected_by": "nobody-here", "file": SimpleUploadedFile("x.exe", b"x")}
    answer = client.post(f"{API}/audit-evidence/", bad)
    assert answer.status_code == 422 and "没有用户" in texts(answer) and "不能接收" in texts(answer)
    assert client_of(ground.first).post(f"{API}/audit-evidence/", given).status_code == 403
    assert Evidence.objects.count() == 1


def test_findings_and_their_rows_go_through_the_api(ground, client_of):
    claims(ground.world)
    client = client_of(ground.officer)
    made = piece(ground)
    given = {
        "case": ground.case.pk, "act": "overcharging", "text": "同日同项目计费两次", "acted_from": "2026-08-01",
        "acted_to": "2026-09-01", "evidence": [made.pk],
    }  # fmt: skip
    answer = post(client, "audit-findings/", given)
    assert answer.status_code == 201 and answer.json()["clause"] == "条例第三十八条第（三）项"
    path = f"audit-findings/{answer.json()['id']}/"
    rows = [{"settlement_id": "S000001", "amount": "10.50"}, {"settlement_id": "S000002", "county": "990101"}]
    added = post(client, path + "add-lines/", {"lines": rows})
    assert added.status_code == 200 and (added.json()["lines"], added.json()["resident"]) == (2, "610.50")
    again = post(client, path + "add-lines/", {"lines": [{"settlement_id": "S000009"}, {"settlement_id": "S1", "county": "123456"}]})
    assert again.status_code == 422 and {problem["field"] for problem in again.json()["problems"]} == {"lines[1]", "lines[2]"}
    shown = client.get(f"{API}/{path}lines/").json()
    assert shown["count"] == 2 and shown["results"][0]["diagnosis"] == "J44.***" and len(shown["results"][0]["person"]) < 12
    assert post(client, path + "amend/", {**given, "text": "改写后的事实"}).json()["text"] == "改写后的事实"
    ground.to("first")
    client = client_of(ground.first)
    first, second = FindingLine.objects.order_by("settlement_id")
    lowered = post(client, path + "lower-line/", {"line": second.pk, "amount": "99.99", "reason": "只认定床位费"})
    assert lowered.json()["resident"] == "110.49"
    assert post(client, path + "drop-lines/", {"lines": [first.pk], "reason": "病情确需住院"}).json()["lines"] == 1
    assert post(client, path + "drop/", {"reason": "事实不能成立"}).json()["dropped"] is True
    assert post(client, path + "drop/", {"reason": "事实不能成立"}).status_code == 409


def test_the_provider_sees_findings_but_no_evidence_over_the_api(ground, client_of):
    claims(ground.world)
    with_lines(ground, None)
    dropped = finding(ground)
    Finding.objects.filter(pk=dropped.pk).update(dropped=True)
    FindingLine.objects.update(note="办案人员备注")
    piece(ground)
    member = client_of(ground.world.member)
    assert member.get(f"{API}/audit-findings/").json()["count"] == 0
    ground.track("notified")
    (row,) = member.get(f"{API}/audit-findings/").json()["results"]
    assert row["number"] == 1 and row["resident"] == "600.00"
    assert member.get(f"{API}/audit-findings/{row['id']}/lines/").json()["results"][0]["note"] == ""
    assert member.get(f"{API}/audit-evidence/").json()["count"] == 0
    assert post(member, "audit-findings/", {"case": ground.case.pk}).status_code == 403
    for user in (ground.world.sister_hospital, ground.world.stranger_officer):
        assert client_of(user).get(f"{API}/audit-findings/{row['id']}/").status_code == 404


@pytest.fixture
def told(ground):
    finding(ground)
    track = ground.track("notified", "penalty", needs_hearing=True)
    for key in ("statement", "hearing_request"):
        Deadline.objects.create(
            case=track.case, track=track, key=key, starts_on=track.notified_on, due_on=date(2026, 10, 14), count=5, unit="working_days"
        )
    return ground


def test_statements_and_answers_go_through_the_api(told, client_of):
    member = client_of(told.world.member)
    asked = {"case": told.case.pk, "track": "penalty", "kind": "statement", "text": "3 对系病情反复",
             "points": [{"finding": Finding.objects.get().pk, "agrees": False, "text": ""}]}  # fmt: skip
    answer = post(member, "audit-statements/", asked)
    assert answer.status_code == 422 and "没有写明理由" in texts(answer)
    asked["points"][0]["text"] = "病情反复"
    answer = post(member, "audit-statements/", asked)
    assert answer.status_code == 201 and answer.json()["points"][0]["text"] == "病情反复" and answer.json()["reply"] is None
    assert post(member, "audit-statements/", {**asked, "kind": "agreed", "text": ""}).json()["kind"] == "agreed"
    assert post(member, "audit-statements/", {**asked, "kind": "hearing", "text": "请求听证"}).status_code == 201
    assert post(member, "audit-statements/", {**asked, "track": "agreement"}).status_code == 404
    assert post(client_of(told.officer), "audit-statements/", asked).status_code == 403
    ProviderStatement.objects.first().track.case.tracks.update(state="re_review")
    client = client_of(told.second)
    path = f"audit-statements/{answer.json()['id']}/reply/"
    assert post(client, path, {"outcome": "partly", "text": "2 行病历支持"}).json()["reply"]["outcome"] == "partly"
    assert post(client, path, {"outcome": "partly", "text": "2 行病历支持"}).status_code == 409
    assert post(client_of(told.world.member), path, {"outcome": "partly", "text": "再次"}).status_code == 403
