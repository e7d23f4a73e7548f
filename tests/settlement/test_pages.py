"""Pages: who sees what, forms that keep what was typed, statuses of refusals, and a constant number of queries."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from settlement import services
from settlement.models import AssessmentScore, CauseAnalysis, SettlementVersion
from tests.settlement import ground
from tests.settlement.ground import YEAR, D

LIST = "/settlement/?year=2025"


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


def url(name, *args):
    return reverse(f"settlement:{name}", args=args)


def act(version, name):
    return url("act", version.pk, name)


def test_the_list_shows_every_alliance_and_fund_with_its_state(world, client_of):
    page = client_of(world.officer).get(LIST)
    assert page.status_code == 200
    rows = [(entry["row"].alliance.code, entry["row"].fund_type, entry["row"].state) for entry in page.context["rows"]]
    assert rows[:2] == [("QX", "RES", "draft"), ("QX", "EMP", "")] and len(rows) == 6
    assert [total.cash for total in page.context["totals"]] == [D("207000000.00")]


def test_the_list_filters_searches_and_sorts(world, client_of):
    client = client_of(world.officer)

    def codes(query):
        return [entry["row"].alliance.code for entry in client.get(f"{LIST}&{query}").context["rows"]]

    assert codes("state=draft") == ["QX"]
    assert codes("state=none&fund=RES") == ["YL-E", "YL-W"]
    assert codes("q=清-2025-QX-居民") == ["QX"]
    assert codes("county=990102&fund=EMP") == ["YL-E", "YL-W"]
    assert codes("fund=RES&sort=-cash")[0] == "QX"
    assert codes("fund=RES&sort=-alliance") == ["YL-W", "YL-E", "QX"]


def test_the_export_holds_exactly_the_rows_of_the_filtered_list(world, client_of):
    from core.workbook import read_sheets

    answer = client_of(world.officer).get(url("list-xlsx") + "?year=2025&state=draft")
    rows = read_sheets(answer.content, "list.xlsx")["2025年度清算"]
    body = [row for row in rows if row and row[0] == "青溪县"]
    total = [row for row in rows if row and row[0] == "居民合计"][0]
    assert len(body) == 1 and D(str(total[11])) == D("207000000.00")


def test_hospitals_see_their_statement_once_it_was_sent_and_sisters_never(world, client_of):
    version = ground.the_draft(world)
    address = url("statement", version.pk)
    assert client_of(world.hospital).get(address).status_code == 404
    ground.sent(world, version)
    assert client_of(world.hospital).get(address).status_code == 200
    for person in (world.sister_hospital, world.member, world.stranger_officer, world.nobody, world.second_admin):
        expected = 200 if person == world.second_admin else 404
        assert client_of(person).get(address).status_code == expected, person
    listed = client_of(world.hospital).get(LIST).context["rows"]
    assert {entry["row"].alliance.code for entry in listed} == {"QX"}


@pytest.mark.parametrize("name", ["statement", "statement-word", "statement-xlsx", "facts"])
def test_every_view_of_a_foreign_statement_answers_404(world, client_of, name):
    address = url(name, ground.the_draft(world).pk)
    for person in (world.stranger_officer, world.sister_hospital):
        assert client_of(person).get(address).status_code == 404


@pytest.mark.parametrize("name", ["return", "review", "send", "finalise", "cancel"])
def test_acts_on_a_foreign_statement_answer_404_and_without_the_post_403(world, client_of, name):
    version = ground.the_draft(world)
    assert client_of(world.stranger_reviewer).post(act(version, name)).status_code == 404
    answer = client_of(world.observer).post(act(version, name), {"reason": "请核对数据"})
    assert answer.status_code == 403 and "岗位" in answer.content.decode()


def test_a_return_without_a_reason_comes_back_422_with_what_was_typed(world, client_of):
    version = ground.the_draft(world)
    page = client_of(world.reviewer).post(act(version, "return"), {"reason": "错", "seen": version.computation_id})
    assert page.status_code == 422
    text = page.content.decode()
    assert "没有写明理由" in text and ">错</textarea>" in text


def test_review_send_confirm_from_the_pages(world, client_of):
    version = ground.the_draft(world)
    seen = {"seen": version.computation_id}
    assert client_of(world.reviewer).post(act(version, "review"), seen).status_code == 302
    assert client_of(world.officer).post(act(version, "send"), seen).status_code == 302
    page = client_of(world.hospital).get(url("statement", version.pk)).content.decode()
    assert "确认清算单" in page and "提出异议" in page
    assert client_of(world.hospital).post(act(version, "confirm"), seen).status_code == 302
    assert client_of(world.second_reviewer).post(act(version, "finalise"), seen).status_code == 302
    on = timezone.localdate().isoformat()
    paid = client_of(world.finance).post(url("pay", version.pk), {"on": on, "bank_reference": "YH2026001"})
    assert paid.status_code == 302
    version.refresh_from_db()
    assert version.state == "paid"
    again = client_of(world.finance).post(url("pay", version.pk), {"on": on, "bank_reference": "YH2026001"})
    assert again.status_code == 409


def test_a_stale_page_is_told_409_and_nothing_moves(world, client_of):
    version = ground.the_draft(world)
    page = client_of(world.reviewer).post(act(version, "review"), {"seen": version.computation_id + 1})
    assert page.status_code == 409 and "已重新计算" in page.content.decode()
    version.refresh_from_db()
    assert version.state == "draft"


def test_an_objection_keeps_its_files_and_only_the_scope_may_open_them(world, client_of):
    version = ground.sent(world, ground.the_draft(world))
    upload = SimpleUploadedFile("县外明细.pdf", b"%PDF-1.4 rows", content_type="application/pdf")
    answer = client_of(world.hospital).post(
        act(version, "object"), {"reason": "县外明细有 36 笔不属本医共体", "files": [upload], "seen": version.computation_id}
    )
    assert answer.status_code == 302
    change = version.changes.last()
    address = url("change-file", version.pk, change.pk, change.files.get().pk)
    assert client_of(world.officer).get(address).status_code == 200
    assert client_of(world.sister_hospital).get(address).status_code == 404
    assert client_of(world.officer).get(url("change-file", version.pk, change.pk, 999999)).status_code == 404


def test_a_dangerous_attachment_is_refused_and_the_reason_kept(world, client_of):
    version = ground.sent(world, ground.the_draft(world))
    upload = SimpleUploadedFile("明细.exe", b"MZ", content_type="application/octet-stream")
    page = client_of(world.hospital).post(act(version, "object"), {"reason": "县外明细不符", "files": [upload]})
    assert page.status_code == 422 and "县外明细不符" in page.content.decode()
    version.refresh_from_db()
    assert version.state == "sent"


def test_drafting_from_the_list_refuses_with_every_obstacle(world, client_of):
    asked = {"alliance": "YL-E", "year": "2025", "fund": "RES"}
    page = client_of(world.officer).post(url("draft"), asked)
    assert page.status_code == 422
    text = page.content.decode()
    assert "没有已审定的打包总额" in text and "缺少 12 个月" in text and "考核得分" in text
    assert client_of(world.officer).post(url("draft"), {**asked, "alliance": "LJ"}).status_code == 404
    assert client_of(world.officer).post(url("draft"), {**asked, "fund": "XX"}).status_code == 422
    assert client_of(world.reviewer).post(url("draft"), asked).status_code == 403


def test_scores_are_entered_and_confirmed_on_their_page(world, client_of):
    given = {"alliance": world.east.pk, "year": "2025", "score": "84", "source": "考核通报"}
    page = client_of(world.officer).post(url("score-enter"), given)
    assert page.status_code == 422 and "财政、卫生健康部门" in page.content.decode() and 'value="84"' in page.content.decode()
    assert client_of(world.officer).post(url("score-enter"), {**given, "score": "92.5"}).status_code == 302
    row = AssessmentScore.objects.get(alliance=world.east)
    assert client_of(world.officer).post(url("score-confirm", row.pk)).status_code == 403
    assert client_of(world.reviewer).post(url("score-confirm", row.pk)).status_code == 302
    assert "92.50" in client_of(world.observer).get(url("scores") + "?year=2025").content.decode()


def test_deductions_are_proposed_and_decided_on_their_page(world, client_of):
    given = {
        "alliance": world.alliance.pk, "year": "2025", "fund_type": "RES", "amount": "300,000.00", "origin_year": "2024",
        "source": "澜财社〔2026〕8号", "reason": "商财政部门确定",
    }  # fmt: skip
    wrong = client_of(world.officer).post(url("deduction-propose"), {**given, "amount": "-1", "origin_year": "2025"})
    assert wrong.status_code == 422 and "商财政部门确定" in wrong.content.decode()
    assert client_of(world.officer).post(url("deduction-propose"), given).status_code == 302
    from settlement.models import Adjustment

    row = Adjustment.objects.get()
    assert client_of(world.stranger_reviewer).post(url("adjustment-decide", row.pk, "approve")).status_code == 404
    assert client_of(world.reviewer).post(url("adjustment-decide", row.pk, "return"), {"reason": ""}).status_code == 422
    assert client_of(world.reviewer).post(url("adjustment-decide", row.pk, "approve")).status_code == 302
    row.refresh_from_db()
    assert row.state == "in_force"


def test_the_analysis_form_keeps_what_was_typed(world, client_of):
    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "18666666.66", "8333333.33")
    version = services.refresh(world.officer, ground.the_draft(world)).version
    given = {"causes": "流感高峰致住院增加，转外就医增加。", "responsibility": "短", "reasonable_part": "99000000"}
    page = client_of(world.officer).post(url("analysis-submit", version.pk), given)
    assert page.status_code == 422
    text = page.content.decode()
    assert "流感高峰" in text and "没有写明责任认定" in text and "不能大于超支额" in text
    given |= {"responsibility": "医共体与经办机构共同核对，责任清楚。", "reasonable_part": "10,000,000.00"}
    assert client_of(world.officer).post(url("analysis-submit", version.pk), given).status_code == 302
    row = CauseAnalysis.objects.get()
    decide = url("analysis-decide", version.pk, row.pk, "approve")
    assert client_of(world.officer).post(decide).status_code == 403
    assert client_of(world.reviewer).post(decide).status_code == 302


def test_a_hospital_hands_in_its_analysis_before_it_sees_the_statement(world, client_of):
    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "18666666.66", "8333333.33")
    services.refresh(world.officer, ground.the_draft(world))
    given = {
        "alliance": world.alliance.pk, "year": "2025", "fund_type": "RES", "reasonable_part": "10,000,000.00",
        "causes": "流感高峰致住院增加，转外就医增加。", "responsibility": "",
    }  # fmt: skip
    page = client_of(world.hospital).post(url("analysis-enter"), given)
    assert page.status_code == 422 and "流感高峰" in page.content.decode()
    given["responsibility"] = "医共体与经办机构共同核对，责任清楚。"
    foreign = client_of(world.sister_hospital).post(url("analysis-enter"), given)
    assert foreign.status_code == 422 and not CauseAnalysis.objects.exists()
    assert client_of(world.hospital).post(url("analysis-enter"), given).status_code == 302
    assert "流感高峰" in client_of(world.hospital).get(url("analyses")).content.decode()
    assert "流感高峰" not in client_of(world.sister_hospital).get(url("analyses")).content.decode()


def test_the_list_asks_the_database_equally_often_whatever_its_length(world, client_of, django_assert_max_num_queries):
    from core.models import Alliance

    client = client_of(world.officer)
    client.get(LIST)
    with django_assert_max_num_queries(60) as few:
        client.get(LIST)
    for number in range(12):
        Alliance.objects.create(county=world.yunling, code=f"X{number}", name=f"医共体{number}", valid_from="2020-01-01")
    with django_assert_max_num_queries(len(few)):
        assert len(client.get(LIST).context["rows"]) == 30


def test_a_statement_page_stays_below_forty_queries(world, client_of, django_assert_max_num_queries):
    version = ground.final(world, ground.the_draft(world))
    client = client_of(world.officer)
    client.get(url("statement", version.pk))
    with django_assert_max_num_queries(40):
        assert client.get(url("statement", version.pk)).status_code == 200


def test_anonymous_people_are_sent_to_the_login(world, client):
    assert client.get(LIST).status_code == 302
    assert client.get(url("calculator")).status_code == 302
    assert SettlementVersion.objects.visible_to(world.nobody).count() == 0
