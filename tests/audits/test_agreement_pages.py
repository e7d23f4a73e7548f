"""The pages and the API of agreements, people, points and yearly checks: scopes, input kept, exports equal, few queries."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from audits.models import Agreement, Physician, PointEntry, Qualification, YearlyCheck
from audits.services import physicians, yearly_check
from audits.states import TrackKind, TrackState
from core.workbook import Sheet, write_workbook
from tests.audits import ground
from tests.audits.agreement_ground import NOW, REASON, TODAY, agreement, application, doctor, given, proposal

LISTS = ("agreements", "physicians", "points", "yearly-checks")


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW)


def url(name, *args):
    return reverse(f"audits:{name}", args=args)


def text(answer):
    return answer.content.decode()


def cells(answer):
    return list(load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))


def posted(asked):
    """An application as the browser sends it."""
    terms = {f"term_{key}": value for key, value in asked["terms"].items()}
    indicators = {f"indicator_{key}": value for key, value in asked["indicators"].items()}
    frame = {"year": asked["year"], "valid_from": asked["valid_from"], "valid_to": asked["valid_to"]}
    return {**frame, "limits": asked["limits"], "reason": asked["reason"], **terms, **indicators}


def filled(world):
    """One of everything, of the township centre."""
    held, person = agreement(world), doctor(world)
    given(world, 9, date(2026, 5, 1), person)
    entry = given(world, 2, date(2026, 6, 1))
    check = yearly_check.propose(world.auditor, world.township, 2025, Decimal("70"), REASON)
    yearly_check.decide_check(world.audit_reviewer, check, True)
    return held, person, entry, check


def test_every_list_and_page_opens_for_the_bureau_and_the_provider(world, client_of):
    held, person, entry, check = filled(world)
    for user in (world.auditor, world.audit_reviewer, world.officer, world.observer, world.member, world.hospital):
        client = client_of(user)
        for name in LISTS:
            assert client.get(url(name)).status_code == 200
            assert client.get(url(f"{name}-xlsx")).status_code == 200
        for thing in (held, person, entry, check):
            assert client.get(thing.get_absolute_url()).status_code == 200


def test_strangers_find_nothing_and_other_posts_are_told_why(world, client_of):
    things = filled(world)
    client = client_of(world.sister_hospital)
    assert [client.get(thing.get_absolute_url()).status_code for thing in things] == [404] * 4
    client = client_of(world.admin)
    answer = client.get(url("agreements"))
    assert answer.status_code == 403 and "您没有这些岗位" in text(answer)


def test_a_provider_sees_neither_proposals_nor_who_made_them(world, client_of):
    filled(world)
    waiting = proposal(world, 3, TODAY)
    answer = client_of(world.member).get(url("points"))
    assert "分解住院" in text(answer) and "共 2 条" in text(answer)
    assert client_of(world.member).get(waiting.get_absolute_url()).status_code == 404
    row = Qualification.objects.get()
    assert client_of(world.member).post(url("qualification-decide", row.physician_id, row.pk)).status_code == 404


def test_an_application_is_entered_and_signed_through_the_pages(world, client_of):
    client = client_of(world.officer)
    assert "选择机构" in text(client.get(url("agreement-new")))
    address = f"{url('agreement-new')}?institution={world.township.code}"
    assert "医保基金使用" in text(client.get(address))
    wrong = posted(application(world.township, limits="X,名,盒")) | {"year": "二零二六", "indicator_fund_growth": "900"}
    answer = client.post(address, wrong)
    assert answer.status_code == 422
    for words in ("年度须填整数", "目标值 900", "第 1 行应有四项", "二零二六"):
        assert words in text(answer)
    assert "没有填写年度" not in text(answer)
    assert client.post(address, posted(application(world.township))).status_code == 302
    made = Agreement.objects.get()
    decide = url("agreement-change-decide", made.pk, made.changes.get().pk)
    assert client_of(world.auditor).post(decide, {"verdict": "approve"}).status_code == 403
    answer = client_of(world.reviewer).post(decide, {"verdict": "return", "reason": "短"})
    assert answer.status_code == 422 and "没有写明理由" in text(answer) and ">短</textarea>" in text(answer)
    assert client_of(world.reviewer).post(decide, {"verdict": "approve"}).status_code == 302
    made.refresh_from_db()
    assert made.state == "in_force"


def test_a_change_keeps_what_was_typed_when_refused(world, client_of):
    held = agreement(world)
    client, address = client_of(world.auditor), url("agreement-change", held.pk)
    answer = client.post(address, {"kind": "suspend", "from_on": "昨天", "text": "违反协议约定"})
    assert answer.status_code == 422 and "生效日期不是有效日期" in text(answer) and "违反协议约定</textarea>" in text(answer)
    assert client.get(address).status_code == 302
    assert client.post(address, {"kind": "supplement", "from_on": TODAY, "text": "违反协议约定"}).status_code == 403
    assert client.post(address, {"kind": "suspend", "from_on": TODAY, "text": "违反协议约定"}).status_code == 302
    assert held.changes.filter(kind="suspend", status="proposed").exists()


def test_people_are_registered_moved_and_ended_through_the_pages(world, client_of):
    client = client_of(world.officer)
    wanted = {"institution": world.township.code, "code": "D990101000001", "name": "李想", "kind": "doctor", "valid_from": "2026-01-01"}
    answer = client.post(url("physician-new"), wanted | {"code": "坏", "valid_from": "今天"})
    assert answer.status_code == 422 and "“坏”无效" in text(answer) and "登记日期不是有效日期" in text(answer)
    assert client.post(url("physician-new"), wanted).status_code == 302
    held = Physician.objects.get()
    answer = client.post(url("physician-move", held.pk), {"to": world.township.code, "on": TODAY})
    assert answer.status_code == 422 and "请选择另一机构" in text(answer)
    assert client.post(url("physician-move", held.pk), {"to": world.lead.code, "on": TODAY}).status_code == 302
    moved = Physician.objects.get(valid_to=None)
    assert client.post(url("physician-end", moved.pk), {"on": "2026-09-20", "reason": "调离本市"}).status_code == 302
    assert client_of(world.auditor).post(url("physician-end", moved.pk), {}).status_code == 403


def test_a_list_is_uploaded_and_its_faults_are_shown(world, client_of):
    client = client_of(world.officer)
    assert cells(client.get(url("physicians-template")))[0] == tuple(physicians.HEADER)
    bad = write_workbook([Sheet("名单", tuple(physicians.HEADER), [(world.township.code, "坏", "", "医师", "", "2026-01-01")])])
    upload = io.BytesIO(bad)
    upload.name = "名单.xlsx"
    answer = client.post(url("physicians-import"), {"file": upload})
    assert answer.status_code == 422 and "第 2 行：国家医保代码“坏”无效" in text(answer) and "第 2 行：没有写明姓名" in text(answer)
    rows = [(world.township.code, f"D99010100{number:04}", f"医{number}", "医师", "", "2026-01-01") for number in range(30)]
    upload = io.BytesIO(write_workbook([Sheet("名单", tuple(physicians.HEADER), rows)]))
    upload.name = "名单.xlsx"
    assert client.post(url("physicians-import"), {"file": upload}).status_code == 302
    assert Physician.objects.count() == 30
    assert client.post(url("physicians-import"), {}).status_code == 422


def test_points_go_from_the_case_card_to_a_suspension(world, client_of):
    doctor(world)
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.DECIDED)
    client, person = client_of(world.auditor), Physician.objects.get()
    address = f"{url('point-new')}?case={track.case.pk}"
    assert track.case.number in text(client.get(address))
    wanted = {
        "physician": person.pk, "band": "serious", "points": 12, "on": TODAY, "clause": "医保发〔2024〕23号", "reason": "伪造病历",
        "case": track.case.pk,
    }  # fmt: skip
    answer = client.post(address, wanted)
    assert answer.status_code == 422 and "应记 7–9 分，现为12分" in text(answer)
    assert client.post(address, wanted | {"points": 9}).status_code == 302
    entry = PointEntry.objects.get()
    assert entry.case == track.case
    assert client_of(world.audit_reviewer).post(url("point-decide", entry.pk), {"verdict": "approve"}).status_code == 302
    row = Qualification.objects.get()
    months = url("qualification-months", person.pk, row.pk)
    answer = client_of(world.auditor).post(months, {"months": 9, "from_on": TODAY, "reason": "从重处理"})
    assert answer.status_code == 422 and "现为 9 个月" in text(answer)
    assert client_of(world.auditor).post(months, {"months": 2, "from_on": TODAY, "reason": "从重处理"}).status_code == 302
    decide = url("qualification-decide", person.pk, row.pk)
    assert client_of(world.audit_reviewer).post(decide, {"verdict": "approve"}).status_code == 302
    row.refresh_from_db()
    assert row.status == "approved"
    assert client_of(world.audit_reviewer).post(url("point-withdraw", entry.pk), {"reason": ""}).status_code == 422
    assert client_of(world.audit_reviewer).post(url("point-withdraw", entry.pk), {"reason": "申诉成立撤销"}).status_code == 302


def test_the_card_of_a_case_shows_its_points(world, client_of, rf):
    from audits.views.cards.points import points_card

    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.DECIDED)
    entry = given(world, 4, TODAY, case=track.case)
    request = rf.get("/")
    request.user = world.auditor
    card = points_card(request, track.case, "", None)
    assert (card.context["entries"], card.context["given"], card.context["may_propose"]) == ([entry], 4, True)
    request.user = world.member
    assert points_card(request, track.case, "", None).context["may_propose"] is False
    answer = client_of(world.auditor).get(track.case.get_absolute_url())
    assert "协议记分" in text(answer) and entry.get_absolute_url() in text(answer)


def test_a_yearly_check_is_proposed_approved_and_its_ratio_entered(world, client_of):
    client = client_of(world.auditor)
    wrong = {"institution": world.lead.code, "year": 2019, "score": "多"}
    answer = client.post(url("yearly-check-new"), wrong)
    assert answer.status_code == 422 and "检查得分须填数字" in text(answer) and "年度 2019 不在" in text(answer)
    wanted = {"institution": world.lead.code, "year": 2025, "score": "70", "reason": REASON}
    assert client.post(url("yearly-check-new"), wanted).status_code == 302
    check = YearlyCheck.objects.get()
    assert client_of(world.audit_reviewer).post(url("yearly-check-decide", check.pk), {"verdict": "approve"}).status_code == 302
    assert "按考核结果录入预付比例" in text(client_of(world.officer).get(check.get_absolute_url()))
    assert client_of(world.auditor).post(url("yearly-check-ratio", check.pk)).status_code == 403
    assert client_of(world.officer).post(url("yearly-check-ratio", check.pk)).status_code == 302
    assert client_of(world.officer).post(url("yearly-check-ratio", check.pk)).status_code == 409


def test_filters_narrow_lists_and_exports_alike_with_equal_totals(world, client_of):
    filled(world)
    given(world, 3, TODAY, institution=world.east_lead)
    client = client_of(world.auditor)
    page = client.get(url("points"), {"subject": "provider", "county": "990101"})
    assert "共 1 条 · 生效记分合计 2 分" in text(page)
    rows = cells(client.get(url("points-xlsx"), {"subject": "provider", "county": "990101"}))
    assert "共 1 条，生效记分合计 2 分" in {row[0] for row in rows}
    assert sum(row[6] for row in rows if isinstance(row[6], int)) == 2
    assert "李想" not in text(client.get(url("physicians"), {"qualification": "ended"}))
    assert "李想" in text(client.get(url("physicians"), {"q": "李想"}))
    assert "还没有" not in text(client.get(url("agreements"), {"state": "terminated"}))
    assert len(cells(client.get(url("agreements-xlsx"), {"year": 2026}))) == len(cells(client.get(url("agreements-xlsx")))) + 1
    assert "基本合格" in text(client.get(url("yearly-checks"), {"grade": "basically_qualified"}))


def test_lists_ask_the_same_number_of_queries_for_one_row_and_many(world, client_of, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    filled(world)
    client = client_of(world.auditor)

    def asked(name):
        client.get(url(name))
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url(name)).status_code == 200
        return len(seen)

    few = {name: asked(name) for name in LISTS}
    for institution in (world.lead, world.village, world.east_lead, world.west_lead):
        agreement(world, institution)
        check = yearly_check.propose(world.auditor, institution, 2025, Decimal("90"), REASON)
        yearly_check.decide_check(world.audit_reviewer, check, True)
        given(world, 1, TODAY, institution=institution)
    for number in range(2, 8):
        given(world, 12, TODAY, doctor(world, code=f"D99010100000{number}", name=f"医{number}"))
    assert {name: asked(name) for name in LISTS} == few
    with django_assert_max_num_queries(45):
        client.get(url("physician", Physician.objects.first().pk))


def test_the_search_finds_agreements_and_people(world):
    from audits.todos_agreements import search

    held, person, _entry, _check = filled(world)
    assert [hit.url for hit in search(world.member, "石桥镇")] == [held.get_absolute_url()]
    assert [hit.url for hit in search(world.officer, person.code)] == [person.get_absolute_url()]
    assert search(world.sister_hospital, "石桥镇") == [] and search(world.admin, "石桥镇") == []


def test_the_api_speaks_like_the_pages(world, client_of):
    doctor(world)
    client, json = client_of(world.auditor), "application/json"
    wanted = {
        "institution": world.township.code, "on": "2026-09-01", "points": 30, "severity": "分解住院", "clause": "协议第三十条",
        "reason": "抽查发现问题",
    }  # fmt: skip
    answer = client.post("/api/v1/points/", wanted, content_type=json)
    assert answer.status_code == 422 and "现为 30 分" in answer.json()["problems"][0]["text"]
    made = client.post("/api/v1/points/", wanted | {"points": 3}, content_type=json)
    assert made.status_code == 201
    pk = made.json()["id"]
    answer = client.post(f"/api/v1/points/{pk}/decide/", {"approve": True}, content_type=json)
    assert answer.status_code == 403
    client = client_of(world.audit_reviewer)
    assert client.post(f"/api/v1/points/{pk}/decide/", {"approve": True}, content_type=json).json()["status"] == "in_force"
    assert client.post(f"/api/v1/points/{pk}/withdraw/", {"reason": "申诉成立撤销"}, content_type=json).json()["status"] == "withdrawn"
    assert client_of(world.sister_hospital).get("/api/v1/points/").json()["count"] == 0
    assert client_of(world.admin).get("/api/v1/physicians/").status_code == 403
    client = client_of(world.officer)
    asked = application(world.township)
    body = {**asked, "institution": world.township.code, "valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    made = client.post("/api/v1/agreements/", body, content_type=json).json()
    change = made["changes"][0]["id"]
    done = client_of(world.reviewer).post(
        f"/api/v1/agreements/{made['id']}/decide/", {"change": change, "approve": True}, content_type=json
    )
    assert done.json()["state"] == "in_force"
    asked = {"kind": "suspend", "text": "违反协议约定", "from_on": "2026-09-01"}
    assert client_of(world.auditor).post(f"/api/v1/agreements/{made['id']}/change/", asked, content_type=json).status_code == 200
    check = {"institution": world.lead.code, "year": 2025, "score": "55"}
    assert client_of(world.auditor).post("/api/v1/yearly-checks/", check, content_type=json).json()["grade"] == "unqualified"


def test_an_officer_of_another_county_guessing_addresses_finds_nothing(world, client_of):
    things = filled(world)
    other = ground.crew(world).other_county_auditor
    client = client_of(other)
    assert [client.get(thing.get_absolute_url()).status_code for thing in things] == [404] * 4
    assert client.post(url("point-decide", things[2].pk), {"verdict": "approve"}).status_code == 404
    assert client.get(f"{url('point-new')}?institution={world.township.code}").status_code == 404
