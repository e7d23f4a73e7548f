"""Pages of the warnings: who sees what, what may be done and why not, what is kept when something fails."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from core.models import StoredFile
from core.workbook import read_sheets
from monitoring.models import Warning, WarningAnswer, WarningChange, WarningFigure
from monitoring.services import warnings as services
from tests.monitoring import desk_ground as ground

pytestmark = pytest.mark.django_db
ANSWER = {"cause": "三家卫生院住院部改造。", "measures": "十月底前恢复全部床位。", "target": "达到 17%", "by_date": "2026-12-31"}


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def url(name, *args):
    return reverse(f"monitoring:{name}", args=args)


def act(w, name):
    return url("warning-act", w.pk, name)


def numbers(page):
    return [row.warning.number for row in page.context["page_obj"]]


def text_of(page):
    return page.content.decode()


def pdf(name="床位计划.pdf", content=b"%PDF-1.4 plan"):
    return SimpleUploadedFile(name, content)


# ---- the list


def test_the_list_shows_the_gravest_open_warnings_first(world, client_of):
    yellow = ground.raised(world, world.east, level="yellow")
    red = ground.sent(world)
    page = client_of(world.officer).get(url("warnings"))
    assert numbers(page) == [red.number, yellow.number]
    assert "15.44%" in text_of(page) and "884,827.39" in text_of(page)


def test_an_unsent_warning_is_nowhere_to_be_found_for_the_hospital(world, client_of):
    hidden = ground.raised(world)
    client = client_of(world.hospital)
    page = client.get(url("warnings"))
    assert numbers(page) == [] and "没有送达本单位的预警" in text_of(page)
    assert client.get(url("warning", hidden.pk)).status_code == 404
    assert hidden.number not in str(read_sheets(client.get(url("warnings-xlsx")).content, "x.xlsx"))
    assert hidden.title not in text_of(client.get(reverse("portal:search"), {"q": hidden.number}))
    services.send(world.officer, hidden)
    client = client_of(world.hospital)
    assert client.get(url("warning", hidden.pk)).status_code == 200
    assert hidden.title in text_of(client.get(reverse("portal:search"), {"q": hidden.number}))


def test_a_warning_closed_before_it_was_sent_stays_hidden_from_the_hospital(world, client_of):
    w = ground.raised(world)
    services.close(world.reviewer, w, "数据有误，撤销。")
    assert client_of(world.hospital).get(url("warning", w.pk)).status_code == 404
    assert client_of(world.officer).get(url("warning", w.pk)).status_code == 200


def test_a_hospital_sees_neither_another_alliance_nor_the_countys_fund(world, client_of):
    other, fund = ground.sent(world, world.east), ground.distress(world)
    client = client_of(world.hospital)
    assert numbers(client.get(url("warnings"))) == []
    assert client.get(url("warning", other.pk)).status_code == 404
    assert client.get(url("warning", fund.pk)).status_code == 404


def test_a_county_officer_sees_only_what_concerns_her_county(world, client_of):
    own, foreign = ground.sent(world), ground.sent(world, world.east)
    client = client_of(world.county_officer)
    assert numbers(client.get(url("warnings"))) == [own.number]
    assert client.get(url("warning", foreign.pk)).status_code == 404
    assert numbers(client_of(world.stranger_officer).get(url("warnings"))) == []


def test_the_list_filters_by_everything_it_offers(world, client_of):
    first = ground.sent(world)
    second = ground.raised(world, world.east, level="yellow", fund_type="EMP", title="次均费用过快", cause="inpatient_average")
    client = client_of(world.officer)

    def found(query):
        return numbers(client.get(f"{url('warnings')}?{query}"))

    assert found("state=sent") == [first.number]
    assert found("state=open") == [first.number, second.number]
    assert found("level=yellow") == [second.number]
    assert found("fund_type=EMP") == [second.number]
    assert found("cause=inpatient_average") == [second.number]
    assert found(f"place=C{world.qingxi.pk}") == [first.number]
    assert found(f"place=A{world.east.pk}") == [second.number]
    assert found("q=过快") == [second.number]
    assert found("q=青溪") == [first.number]
    assert found("sort=level") == [second.number, first.number]
    assert found("level=purple") == [first.number, second.number]


def test_only_warnings_past_their_day_count_as_overdue(world, client_of):
    late, fresh = ground.sent(world), ground.sent(world, world.east)
    Warning.objects.filter(pk=late.pk).update(due_on="2026-10-09")
    Warning.objects.filter(pk=fresh.pk).update(due_on="2026-10-12")
    page = client_of(world.officer).get(url("warnings") + "?overdue=on")
    assert numbers(page) == [late.number]
    assert "已逾期" in text_of(page)


def test_waiting_for_me_follows_whose_turn_it_is(world, client_of):
    w = ground.sent(world)
    query = url("warnings") + "?state=waiting"
    assert numbers(client_of(world.hospital).get(query)) == [w.number]
    assert numbers(client_of(world.county_officer).get(query)) == []
    ground.answered(world, w)
    assert numbers(client_of(world.hospital).get(query)) == []
    assert numbers(client_of(world.county_officer).get(query)) == [w.number]


def test_the_export_holds_exactly_the_rows_of_the_page(world, client_of):
    ground.sent(world)
    shown = ground.raised(world, world.east, level="yellow")
    answer = client_of(world.officer).get(url("warnings-xlsx") + "?level=yellow")
    rows = read_sheets(answer.content, "x.xlsx")["风险预警"]
    assert [row[0] for row in rows if str(row[0]).startswith("警-")] == [shown.number]
    assert "等级：黄" in str(rows[0])


def test_the_export_adds_up_the_money_of_its_rows_fund_types_apart(world, client_of):
    ground.sent(world)
    ground.sent(world, world.east)
    ground.sent(world, fund_type="EMP")
    rows = read_sheets(client_of(world.officer).get(url("warnings-xlsx")).content, "x.xlsx")["风险预警"]
    totals = {row[0]: Decimal(str(row[11])) for row in rows if str(row[0]).startswith("合计")}
    # 2 × 884,827.39 and once for the other fund
    assert totals == {"合计（居民）": Decimal("1769654.78"), "合计（职工）": Decimal("884827.39")}


def test_the_list_asks_the_same_queries_however_many_warnings(world, client_of, django_assert_max_num_queries):
    ground.sent(world)
    client = client_of(world.officer)
    client.get(url("warnings"))
    with django_assert_max_num_queries(40) as few:
        client.get(url("warnings"))
    for number in range(12):
        ground.noted(ground.raised(world, world.east, cause=f"c{number}"))
    with django_assert_max_num_queries(len(few)):
        assert len(numbers(client.get(url("warnings")))) == 13


# ---- one warning


def test_the_page_shows_the_figure_against_its_threshold(world, client_of):
    ground.fill(world)
    w = ground.sent(world, threshold=ground.threshold(world))
    page = client_of(world.officer).get(url("warning", w.pk))
    course, text = page.context["course"], text_of(page)
    # January to September: 24,199,100 ÷ 156,775,300 = 15.4355 %; 16 % of it would be 25,084,048
    assert course.whole.value == Decimal("0.154355")
    assert course.whole_gap == Decimal("884948.00")
    assert "884,948.00" in text and "下限 16.00%" in text and "连续 6 个月触及阈值" in text
    assert [row.bad for row in course.months] == [False] * 6 + [True] * 6


def test_the_page_says_what_the_rest_of_the_year_must_reach(world, client_of):
    ground.fill(world)
    w = ground.sent(world, threshold=ground.threshold(world))
    needed = client_of(world.officer).get(url("warning", w.pk)).context["course"].needed
    # three months of the monthly mean: 156,775,300 ÷ 9 × 3 = 52,258,433.33; 16 % of 209,033,733.33 = 33,445,397.33
    assert needed.bottom == Decimal("52258433.33")
    assert needed.top == Decimal("9246297.33")
    assert needed.value == Decimal("0.176934")
    assert needed.scenarios[-1].gap == 0 and not needed.scenarios[-1].bad
    assert needed.scenarios[1].gap == Decimal("884948.00")


def test_a_month_that_was_not_delivered_stays_blank_and_is_named(world, client_of):
    ground.fill(world, left_out=("2026-05",))
    w = ground.sent(world, threshold=ground.threshold(world))
    page = client_of(world.officer).get(url("warning", w.pk))
    assert page.status_code == 200
    assert page.context["course"].months[7].figure.value is None
    assert "2026-05" in "".join(page.context["missing"])


def test_the_members_that_moved_it_most_come_first(world, client_of):
    ground.fill(world)
    w = ground.sent(world, threshold=ground.threshold(world))
    parts = client_of(world.officer).get(url("warning", w.pk)).context["parts"]
    assert [part.name for part in parts.rows] == ["石桥镇中心卫生院", "石桥村卫生室", "青溪县人民医院"]
    # the township's share of 24,199,100 against 27,000,000 last year, three quarters of each
    assert parts.rows[0].change == Decimal("-2100675.00")
    assert parts.total.now == Decimal("24199100.00")


def test_the_page_asks_the_same_queries_however_long_the_history(world, client_of, django_assert_max_num_queries):
    ground.fill(world)
    w = ground.sent(world, threshold=ground.threshold(world))
    client = client_of(world.officer)
    client.get(url("warning", w.pk))
    with django_assert_max_num_queries(60) as few:
        client.get(url("warning", w.pk))
    for _again in range(6):
        ground.noted(w)
    with django_assert_max_num_queries(len(few)):
        client.get(url("warning", w.pk))


def test_every_act_is_told_with_its_reason_in_the_course(world, client_of):
    w = ground.answered(world)
    services.return_answer(world.officer, w, "未说明分级收治安排")
    text = text_of(client_of(world.hospital).get(url("warning", w.pk)))
    assert "第 1 次答复" in text and "未说明分级收治安排" in text and "退回补充" in text
    assert "10月19日" in text  # five working days after 12 October


def test_who_may_not_act_reads_who_can(world, client_of):
    w = ground.sent(world)
    page = client_of(world.officer).get(url("warning", w.pk))
    assert page.context["panel"].answer is None
    assert any("周敏" in line for line in page.context["panel"].denied)
    page = client_of(world.observer).get(url("warning", w.pk))
    assert page.context["panel"].is_empty and page.context["panel"].denied


@pytest.mark.parametrize("state", ["sent", "answered", "accepted"])
def test_a_hospital_reads_no_refusals_of_what_only_the_bureau_does(world, client_of, state):
    w = getattr(ground, state)(world)
    panel = client_of(world.hospital).get(url("warning", w.pk)).context["panel"]
    assert panel.denied == ()
    offered = {one.act for one in panel.acts}
    assert offered == {"sent": {"answer"}, "answered": {"withdraw"}, "accepted": set()}[state]
    text = text_of(client_of(world.hospital).get(url("warning", w.pk)))
    assert "记录约谈</summary>" not in text and "请系统管理员授予岗位" not in text
    assert state != "accepted" or "由医保局复核人解除" in text


def test_an_officer_is_told_who_closes_only_when_it_is_time_to_close(world, client_of):
    w = ground.answered(world)
    assert client_of(world.officer).get(url("warning", w.pk)).context["panel"].denied == ()
    services.accept(world.officer, w, "同意按计划整改。")
    (line,) = client_of(world.officer).get(url("warning", w.pk)).context["panel"].denied
    assert "解除预警" in line and str(world.reviewer) in line


def test_a_month_without_figures_leaves_the_last_known_ones_on_the_page(world, client_of):
    w = ground.distress(world)
    month = ground.LAST.next()
    WarningFigure.objects.create(warning=w, year=month.year, month=month.month, value=None, noted_at=timezone.now())
    text = text_of(client_of(world.officer).get(url("warning", w.pk)))
    assert f"{month.year} 年 {month.month} 月的数据还不能判断" in text and "3,216,400.00" in text
    assert "筹资情况（当期收入）" in text


def test_months_that_only_brought_figures_are_folded_into_the_newest(world, client_of):
    w = ground.sent(world)
    for number in range(1, 5):
        WarningChange.objects.create(warning=w, act="update", at=timezone.now(), actor=None, reason=f"第 {number} 次", target=w.state)
    page = client_of(world.officer).get(url("warning", w.pk))
    (update,) = [event for event in page.context["events"] if event.label == "数据更新"]
    assert "第 4 次" in update.text and [event.text[-5:] for event in update.folded] == ["第 1 次", "第 2 次", "第 3 次"]
    assert "此前 3 次数据更新" in text_of(page)


def test_a_denied_act_answers_403_with_the_reason_and_changes_nothing(world, client_of):
    w = ground.sent(world)
    answer = client_of(world.officer).post(act(w, "answer"), ANSWER)
    assert answer.status_code == 403 and "周敏" in text_of(answer)
    answer = client_of(world.hospital).post(act(w, "close"), {"reason": "我们觉得没问题"})
    assert answer.status_code == 403
    w.refresh_from_db()
    assert w.state == "sent" and not WarningAnswer.objects.exists()


def test_an_act_on_a_foreign_warning_answers_404(world, client_of):
    w = ground.sent(world)
    assert client_of(world.sister_hospital).post(act(w, "answer"), ANSWER).status_code == 404
    assert client_of(world.stranger_officer).post(act(w, "extend"), {}).status_code == 404


def test_an_unknown_act_answers_404_and_a_get_leads_to_the_page(world, client_of):
    w = ground.sent(world)
    client = client_of(world.officer)
    assert client.post(act(w, "escalate")).status_code == 404
    answer = client.get(act(w, "answer"))
    assert answer.status_code == 302 and answer.url == url("warning", w.pk)


@pytest.mark.parametrize("name", ["warnings", "warnings-xlsx", "thresholds", "thresholds-xlsx", "watch", "watch-xlsx"])
def test_pages_that_only_show_refuse_to_be_posted_to(world, client_of, name):
    assert client_of(world.officer).post(url(name)).status_code == 405


def test_the_page_of_a_warning_refuses_to_be_posted_to(world, client_of):
    assert client_of(world.officer).post(url("warning", ground.sent(world).pk)).status_code == 405


# ---- acts


def test_the_hospital_answers_with_files_the_bureau_can_open(world, client_of):
    w = ground.sent(world)
    client = client_of(world.hospital)
    answer = client.post(act(w, "answer"), {**ANSWER, "files": [pdf(), pdf("名单.xlsx", b"PK list")]}, follow=True)
    assert "答复已提交" in text_of(answer)
    made = WarningAnswer.objects.get()
    assert sorted(file.name for file in made.files.all()) == ["名单.xlsx", "床位计划.pdf"]
    file = made.files.get(name="床位计划.pdf")
    address = url("warning-answer-file", w.pk, made.pk, file.pk)
    got = client_of(world.officer).get(address)
    assert b"".join(got.streaming_content) == b"%PDF-1.4 plan"
    assert client_of(world.sister_hospital).get(address).status_code == 404


def test_a_file_is_found_only_through_its_own_warning(world, client_of):
    from core.files import store_evidence

    w = ground.answered(world, files=[store_evidence(pdf(), "warning_evidence", world.hospital)])
    other = ground.sent(world, cause="drug_share")
    made = w.answers.get()
    client = client_of(world.officer)
    assert client.get(url("warning-answer-file", other.pk, made.pk, made.files.get().pk)).status_code == 404
    assert client.get(url("warning-answer-file", w.pk, made.pk, 999999)).status_code == 404


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (("run.exe", b"MZ"), "不能接收这种类型的附件"),
        (("空.pdf", b""), "附件是空文件"),
    ],
)
def test_a_bad_file_is_refused_and_what_was_typed_stays(world, client_of, upload, words):
    w = ground.sent(world)
    page = client_of(world.hospital).post(act(w, "answer"), {**ANSWER, "files": [SimpleUploadedFile(*upload)]})
    assert page.status_code == 422
    assert words in text_of(page) and upload[0] in text_of(page)
    assert ANSWER["cause"] in text_of(page) and ANSWER["measures"] in text_of(page)
    assert not WarningAnswer.objects.exists() and not StoredFile.objects.filter(kind="warning_evidence").exists()


def test_an_oversized_file_is_refused_by_name(world, client_of, monkeypatch):
    monkeypatch.setattr("core.files.EVIDENCE_LIMIT", 8)
    w = ground.sent(world)
    page = client_of(world.hospital).post(act(w, "answer"), {**ANSWER, "files": [pdf()]})
    assert page.status_code == 422 and "床位计划.pdf" in text_of(page) and not WarningAnswer.objects.exists()


def test_too_many_files_are_refused_with_the_number(world, client_of):
    w = ground.sent(world)
    files = [pdf(f"{number}.pdf") for number in range(11)]
    page = client_of(world.hospital).post(act(w, "answer"), {**ANSWER, "files": files})
    assert page.status_code == 422 and "附件有 11 份" in text_of(page)


def test_everything_wrong_with_an_answer_is_told_at_once(world, client_of):
    w = ground.sent(world)
    given = {"cause": "", "measures": "", "target": "留着", "by_date": "不是日期", "files": [SimpleUploadedFile("a.exe", b"x")]}
    page = client_of(world.hospital).post(act(w, "answer"), given)
    assert page.status_code == 422
    told = " ".join(str(problem) for problem in page.context["problems"])
    assert all(word in told for word in ("没有填写原因", "没有填写措施", "完成日期不是有效日期", "不能接收"))
    assert 'value="留着"' in text_of(page)


def test_a_return_without_reason_is_refused_and_keeps_the_days(world, client_of):
    w = ground.answered(world)
    page = client_of(world.officer).post(act(w, "return"), {"reason": "", "days": "7"})
    assert page.status_code == 422 and 'value="7"' in text_of(page)
    w.refresh_from_db()
    assert w.state == "answered"


def test_the_officer_returns_and_then_accepts_the_second_answer(world, client_of):
    w = ground.answered(world)
    client_of(world.officer).post(act(w, "return"), {"reason": "未说明分级收治安排", "days": "5"})
    w.refresh_from_db()
    assert w.state == "returned" and str(w.due_on) == "2026-10-19"
    page = client_of(world.hospital).get(url("warning", w.pk))
    assert page.context["panel"].answer.form["cause"].value() == "三家卫生院住院部改造，收治量下降。"
    client_of(world.hospital).post(act(w, "answer"), ANSWER)
    client_of(world.officer).post(act(w, "accept"), {"reason": ""})
    w.refresh_from_db()
    assert w.state == "accepted"
    page = client_of(world.officer).get(url("warning", w.pk))
    assert page.context["answer"].number == 2
    assert [one.number for one in page.context["former_answers"]] == [1]


def test_a_second_click_meets_the_state_it_made(world, client_of):
    w = ground.answered(world)
    client = client_of(world.officer)
    client.post(act(w, "accept"), {})
    page = client.post(act(w, "accept"), {})
    assert page.status_code == 409 and "整改跟踪" in text_of(page)


def test_a_refused_inquiry_stays_open_with_what_was_typed(world, client_of):
    w = ground.sent(world)
    page = client_of(world.officer).post(act(w, "inquire"), {"reason": "请说明床位情况", "until": "2020-01-01"})
    assert page.status_code == 422
    opened = [one.act for one in page.context["panel"].folded if one.open]
    assert opened == ["inquire"] and "请说明床位情况" in text_of(page)


def test_the_inquiry_is_a_letter_the_hospital_can_open_too(world, client_of):
    w = ground.sent(world)
    client_of(world.officer).post(act(w, "inquire"), {"reason": "请说明床位恢复的时间安排", "until": "2026-10-20"})
    change = w.changes.get(act="inquire")
    page = client_of(world.hospital).get(url("warning-letter", w.pk, change.pk))
    assert "请说明床位恢复的时间安排" in text_of(page) and "2026年10月20日" in text_of(page) and "青溪县人民医院" in text_of(page)
    assert client_of(world.sister_hospital).get(url("warning-letter", w.pk, change.pk)).status_code == 404
    sent = w.changes.get(act="send")
    assert client_of(world.officer).get(url("warning-letter", w.pk, sent.pk)).status_code == 404


def test_a_talk_is_kept_with_day_and_people(world, client_of):
    w = ground.sent(world)
    given = {"held_on": "2026-10-12", "participants": "周敏、林晓岚", "reason": "限期恢复床位"}
    client_of(world.officer).post(act(w, "talk"), given)
    text = text_of(client_of(world.hospital).get(url("warning", w.pk)))
    assert "10月12日约谈" in text and "参加：周敏、林晓岚" in text


def test_only_another_reviewer_lifts_and_reopens_the_warning(world, client_of):
    w = ground.accepted(world, recovered=True)
    client_of(world.reviewer).post(act(w, "close"), {"reason": ""})
    w.refresh_from_db()
    assert w.state == "closed"
    client_of(world.reviewer).post(act(w, "reopen"), {"reason": "10 月又低于 16%"})
    w.refresh_from_db()
    assert w.state == "sent"


def test_a_warning_is_raised_by_hand_and_then_sent(world, client_of):
    client = client_of(world.county_officer)
    given = {
        "place": f"A{world.alliance.pk}", "fund_type": "RES", "level": "orange", "title": "检查发现分解住院",
        "reason": "现场检查发现多例。", "indicator": "",
    }  # fmt: skip
    answer = client.post(url("warning-new"), given)
    w = Warning.objects.get()
    assert answer.status_code == 302 and answer.url == w.get_absolute_url()
    page = client.get(w.get_absolute_url())
    assert page.context["course"] is None and "尚未送达" in text_of(page)
    client.post(act(w, "send"), {"days": "3"})
    w.refresh_from_db()
    assert w.state == "sent" and str(w.due_on) == "2026-10-15"


def test_raising_by_hand_keeps_what_was_typed_and_knows_foreign_places(world, client_of):
    client = client_of(world.county_officer)
    page = client.post(url("warning-new"), {"place": "", "title": "只写了事由", "fund_type": "RES", "level": "red"})
    assert page.status_code == 422 and 'value="只写了事由"' in text_of(page)
    given = {"place": f"A{world.east.pk}", "fund_type": "RES", "level": "red", "title": "x", "reason": "xxxx"}
    assert client.post(url("warning-new"), given).status_code == 422
    assert client_of(world.hospital).get(url("warning-new")).status_code == 403
    assert not Warning.objects.exists()
