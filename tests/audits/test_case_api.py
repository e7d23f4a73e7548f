"""Cases and their tracks over the API: the same scope, rights, services and refusals as the pages."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audits.models import CaseChange, CaseOfficer, Deadline
from audits.services import statements
from audits.states import Act, CaseState, TrackKind, TrackState
from tests.audits import ground

pytestmark = pytest.mark.django_db
CASES, TRACKS = "/api/v1/audit-cases/", "/api/v1/audit-tracks/"
AGREEMENT, PENALTY = TrackKind.AGREEMENT, TrackKind.PENALTY


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def post(client, address, data=None):
    return client.post(address, data or {}, content_type="application/json")


def found(answer):
    return {row["number"] for row in answer.json()["results"]}


def test_cases_are_listed_read_and_filtered_within_the_callers_scope(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    other = ground.case_in(world, CaseState.INVESTIGATING, institution=world.east_lead)
    client = client_of(world.auditor)
    assert found(client.get(CASES)) == {case.number, other.number}
    assert found(client.get(CASES + "?state=first")) == found(client.get(CASES + "?alliance__code=QX")) == {case.number}
    read = client.get(f"{CASES}{case.pk}/").json()
    assert read["found"] == "1500.00" and read["state"] == "first" and read["institution"] == world.township.code
    assert [row["user"] for row in read["officers"]] == [world.auditor.username, "audit_partner"]
    assert {row["key"] for row in read["deadlines"] if row["ended_on"] is None} == {"decision", "first_review"}
    assert [row["act"] for row in read["changes"]] == ["file", "submit"]
    client = client_of(ground.crew(world).other_county_auditor)
    assert found(client.get(CASES)) == {other.number} and client.get(f"{CASES}{case.pk}/").status_code == 404
    assert post(client, f"{CASES}{case.pk}/pass-first/", {"kinds": ["agreement"]}).status_code == 404


def test_a_party_reads_what_it_was_told_and_nothing_of_the_bureau(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE, both=True)
    hidden = ground.track_in(world, PENALTY, TrackState.TO_NOTIFY)
    client = client_of(world.member)
    assert found(client.get(CASES)) == {track.case.number}
    assert client.get(f"{CASES}{hidden.case_id}/").status_code == 404
    read = client.get(f"{CASES}{track.case_id}/").json()
    assert {"state", "officers", "changes", "first_amount", "found", "harm"}.isdisjoint(read)
    assert read["state_text"] == "处理中" and [one["kind"] for one in read["tracks"]] == ["agreement"]
    told = read["tracks"][0]
    assert told["state_text"] == "医保局审核中" and told["decided_amount"] is None and "re_reviewed_by" not in told
    assert {row["key"] for row in read["deadlines"]} <= {"statement", "hearing_request"}
    rows = client.get(TRACKS).json()["results"]
    assert [row["id"] for row in rows] == [track.pk] and "proposed_by" not in rows[0]
    assert client.get(f"{TRACKS}{hidden.pk}/").status_code == 404


def test_a_party_reads_the_decision_once_it_was_served(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.SERVED)
    told = client_of(world.hospital).get(f"{TRACKS}{track.pk}/").json()
    assert told["decided_amount"] == "1500.00" and told["decided_on"] == "2026-09-01" and told["state_text"] == "执行中"


def test_the_acts_say_what_may_be_done_and_every_reason_why_not(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.RE_REVIEW)
    address = f"{CASES}{track.case_id}/acts/"
    mine = {(row["track"], row["act"]): row for row in client_of(ground.crew(world).second).get(address).json()}
    assert mine["agreement", "pass_re"]["allowed"] and mine["", "suspend"]["allowed"]
    assert not mine["agreement", "decide"]["allowed"] and "待复审" in mine["agreement", "decide"]["reason"]
    first = {(row["track"], row["act"]): row for row in client_of(world.audit_reviewer).get(address).json()}
    assert "由您本人初审" in first["agreement", "pass_re"]["reason"]
    party = client_of(world.member).get(address).json()
    assert {row["act"] for row in party} == {"state", "ask_hearing"} and not any(row["allowed"] for row in party)


def test_a_case_goes_its_whole_way_over_the_api(world, client_of):
    people, case = ground.crew(world), ground.case_in(world, CaseState.INVESTIGATING)
    at = f"{CASES}{case.pk}/"

    def done(who, address, data=None):
        answer = post(client_of(who), address, data)
        assert answer.status_code == 200, answer.content.decode()
        return answer.json()

    assert done(people.officer, at + "submit/")["state"] == "first"
    assert done(people.reviewer, at + "return-first/", {"reason": "请补充收费清单"})["state"] == "investigate"
    done(people.officer, at + "submit/")
    read = done(people.reviewer, at + "pass-first/", {"kinds": ["agreement"], "reason": "同意"})
    assert read["state"] == "reviewed" and read["first_amount"] == "1500.00"
    track = case.tracks.get()
    way = f"{TRACKS}{track.pk}/"
    ground.propose(world, track)
    sent = {"on": "2026-09-01", "way": "直接送达", "files": [SimpleUploadedFile("回证.pdf", b"%PDF receipt")]}
    answer = client_of(people.officer).post(way + "notify/", sent)
    assert answer.status_code == 200 and answer.json()["notified_on"] == "2026-09-01"
    assert CaseChange.objects.get(track=track, act=Act.NOTIFY).files.get().name == "回证.pdf"
    statements.agree(world.member, ground.fresh(track))
    done(people.officer, way + "put-forward/")
    done(people.second, way + "return-re/", {"reason": "处理意见过重"})
    ground.propose(world, track)
    done(people.officer, way + "notify/")
    Deadline.objects.filter(track=track, ended_on__isnull=True).update(due_on="2026-08-31")
    done(people.officer, way + "put-forward/")
    assert done(people.second, way + "pass-re/")["state"] == "to_decide"
    assert done(people.second, way + "decide/")["decided_amount"] == "1500.00"
    assert done(people.officer, way + "serve/", {"way": "邮寄送达"})["service_way"] == "邮寄送达"
    ground.settle(world, track)
    assert done(people.officer, way + "complete/")["state"] == "done"
    assert done(people.second, at + "close/", {"reason": "已全部履行"})["state"] == "closed"


def test_a_penalty_passes_the_third_person_and_is_published(world, client_of):
    people, track = ground.crew(world), ground.track_in(world, PENALTY, TrackState.LEGAL)
    way = f"{TRACKS}{track.pk}/"
    assert post(client_of(people.legal), way + "return-legal/", {"reason": "依据引用不全"}).json()["state"] == "re_review"
    assert post(client_of(people.second), way + "pass-re/").json()["state"] == "legal"
    assert post(client_of(people.second), way + "pass-legal/").status_code == 403
    assert post(client_of(people.legal), way + "pass-legal/").json()["legal_by"] == "audit_legal"
    post(client_of(people.second), way + "decide/")
    assert post(client_of(people.officer), way + "serve/").json()["fine"] == "225000.00"
    assert post(client_of(people.officer), way + "publish/", {"reason": "县政府网站"}).status_code == 200
    assert post(client_of(people.officer), way + "complete/").status_code == 422


def test_suspension_extension_experts_dropping_and_dismissal_go_through(world, client_of):
    people, case = ground.crew(world), ground.case_in(world, CaseState.INVESTIGATING)
    at, reviewer = f"{CASES}{case.pk}/", people.reviewer
    limit = Deadline.objects.get(case=case, key="decision")
    given = {"limit": limit.pk, "until": "2026-12-20", "reason": "案情复杂，需要补充"}
    rows = {row["key"]: row for row in post(client_of(reviewer), at + "extend/", given).json()["deadlines"]}
    assert rows["decision"]["last_day"] == "2026-12-20" and rows["decision"]["due_on"] == "2026-11-30"
    expert = {"expert": "市医学会", "until": "2026-09-20", "reason": "病历是否符合指征"}
    assert post(client_of(people.officer), at + "ask-opinion/", expert).status_code == 200
    assert post(client_of(people.officer), at + "end-opinion/", {"reason": "意见已收到"}).status_code == 200
    assert post(client_of(reviewer), at + "suspend/", {"reason": "等待公安意见"}).json()["suspended_on"] == "2026-09-01"
    assert post(client_of(people.officer), at + "submit/").status_code == 422
    assert post(client_of(reviewer), at + "resume/", {"reason": "公安已回复"}).json()["suspended_on"] is None
    assert post(client_of(reviewer), at + "dismiss/", {"reason": "事实不能成立"}).json()["state"] == "dismissed"
    track = ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    drop = post(client_of(people.second), f"{TRACKS}{track.pk}/drop/", {"reason": "情节轻微已改正"})
    assert drop.json()["state"] == "dropped"


def test_officers_are_named_by_user_name_and_unknown_ones_told_together(world, client_of):
    people, case = ground.crew(world), ground.case_in(world, CaseState.INVESTIGATING)
    address = f"{CASES}{case.pk}/set-officers/"
    named = [{"user": "audit_spare", "card": "赣03", "leads": True}, {"user": world.auditor.username, "card": "赣01"}]
    wrong = [{"user": "nobody-a", "card": "1"}, {"user": "nobody-b", "card": "2"}]
    refused = post(client_of(people.reviewer), address, {"officers": wrong, "reason": "原办案人员出差"})
    assert refused.status_code == 422 and {one["value"] for one in refused.json()["problems"]} == {"nobody-a", "nobody-b"}
    read = post(client_of(people.reviewer), address, {"officers": named, "reason": "原办案人员出差"}).json()
    assert [row["user"] for row in read["officers"] if row["until"] is None] == ["audit_spare", world.auditor.username]
    assert post(client_of(people.officer), address, {"officers": named, "reason": "原办案人员出差"}).status_code == 403
    assert CaseOfficer.objects.filter(case=case, until__isnull=False).count() == 2


def test_refusals_carry_every_problem_and_denials_the_reason(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    at = f"{CASES}{case.pk}/"
    refused = post(client_of(world.audit_reviewer), at + "pass-first/", {"kinds": []})
    assert refused.status_code == 422 and "没有选择程序" in refused.json()["problems"][0]["text"]
    denied = post(client_of(world.auditor), at + "pass-first/", {"kinds": ["agreement"]})
    assert denied.status_code == 403 and "钱理" in denied.json()["detail"]
    assert post(client_of(world.auditor), at + "submit/").status_code == 409
    exe = SimpleUploadedFile("run.exe", b"MZ")
    track = ground.track_in(world, AGREEMENT, TrackState.DECIDED)
    bad = client_of(world.auditor).post(f"{TRACKS}{track.pk}/serve/", {"files": [exe]})
    assert bad.status_code == 422 and "run.exe" in str(bad.json())
    assert ground.fresh(track).state == TrackState.DECIDED


def test_the_list_asks_the_same_queries_however_many_cases(world, client_of, django_assert_max_num_queries):
    ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    client = client_of(world.auditor)
    with django_assert_max_num_queries(25) as few:
        client.get(CASES)
    for _number in range(4):
        ground.track_in(world, AGREEMENT, TrackState.NOTIFIED)
    with django_assert_max_num_queries(len(few)):
        assert len(found(client.get(CASES))) == 5
    with django_assert_max_num_queries(len(few)):
        assert len(client.get(TRACKS).json()["results"]) == 5
