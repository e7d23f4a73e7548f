"""Analysis reports: what is written, who may do what, what stays as it was."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.jobs import run_now
from core.models import Job, Notice, TrailEvent
from core.registries import month_end_steps
from core.trail import verify_chains
from monitoring.models import AnalysisReport, ReportChange, Warning, WarningAnswer
from monitoring.reading.places import ref_of
from monitoring.services import reports as services
from monitoring.services import reports_desk, reports_jobs
from monitoring.services.reports_tables import shown
from monitoring.services.reports_verification import control_sums, verify_reports
from monitoring.services.reports_writing import write
from rules.periods import Month
from rules.spans import Span
from tests.monitoring.reports_ground import (
    Q3,
    SEPTEMBER,
    TODAY,
    cells,
    corrected,
    gone,
    months,
    renewed,
    scaled,
    table_of,
    text_of,
    two_years,
)

D = Decimal


@pytest.fixture(autouse=True)
def october():
    with time_machine.travel("2026-10-08 02:00:00", tick=False):
        yield


@pytest.fixture
def ground(world):
    two_years(world)
    return world


def drafted(world, span=Q3):
    return services.draft_report(world.officer, world.qingxi, span).report


def submitted(world, span=Q3):
    report = drafted(world, span)
    services.comment(world.officer, report, "measures", "约谈次均费用上升较快的医院，按月跟踪。")
    return services.submit(world.officer, report)


def issued(world, span=Q3, release=False):
    report = services.approve(world.reviewer, submitted(world, span))
    return services.issue(world.reviewer, report, release)


def a_warning(world, number, level="red", month=9, **more):
    from django.utils import timezone

    given = {
        "number": number, "kind": "alliance", "place": ref_of(world.alliance).key, "pooling_area": world.area, "county": world.qingxi,
        "alliance": world.alliance, "fund_type": "RES", "cause": number, "title": "次均住院费用过快", "level": level, "year": 2026,
        "month": month, "raised_at": timezone.now(), "sent_at": timezone.now(), "state": "sent", "due_on": date(2026, 10, 20), **more,
    }  # fmt: skip
    return Warning.objects.create(**given)


# what is written


def test_the_sentences_carry_the_figures_worked_by_hand(ground):
    said = text_of(write(ground.qingxi, SEPTEMBER, TODAY), "fund")
    assert "1–9 月居民打包范围内基金支出 990.00 万元，同比增长 10.00%" in said
    assert "居民基金收入 1,080.00 万元，同比下降 4.00%；居民基金支出 1,035.00 万元，同比增长 15.00%" in said
    assert "当期结余 45.00 万元（当期结余率 4.17%）" in said
    assert "9 月末累计结余 920.00 万元，可支付 8.27 个月" in said
    assert "居民打包总额 1,300.00 万元，执行 76.15%，快于序时进度 1.15 个百分点" in said
    assert "9 月居民打包范围内基金支出 110.00 万元，同比增长 10.00%" in said


def test_both_funds_stand_apart_and_are_never_added(ground):
    content = write(ground.qingxi, Q3, TODAY)
    assert "1–9 月职工打包范围内基金支出 99.00 万元" in text_of(content, "fund")
    assert cells(content, "fund-RES", "打包范围内基金支出")[0] == "3300000.00"
    assert cells(content, "fund-EMP", "打包范围内基金支出")[0] == "330000.00"
    assert "3630000.00" not in str(content) and "1,089.00 万元" not in str(content)


def test_the_causes_add_up_to_the_change_of_the_span(ground):
    content = write(ground.qingxi, Q3, TODAY)
    table = table_of(content, "causes-quarter-RES")
    total = [D(cell) for cell in table["rows"][-1]["cells"]]
    # three months of the hand-worked month: 100,000 = 60,000 + 40,000 + 10,000 − 10,000
    assert total == [D("3300000.00"), D("3000000.00"), D("300000.00"), D("180000.00"), D("120000.00"), D("30000.00"), D("-30000.00")]
    for column in range(3):
        assert sum(D(row["cells"][column]) for row in table["rows"][:-1]) == total[column]
    assert "三季度居民打包范围内基金支出比上年同期增加 30.00 万元，其中人次变动+18.00 万元" in text_of(content, "causes")
    assert "变动最大的类别是县域内住院（+30.00 万元）" in text_of(content, "causes")


def test_missing_months_are_stated_with_who_owes_them_and_nothing_is_invented(ground):
    gone(ground, "2026-08", "EMP")
    renewed(ground, "2026-07", "RES", income=None)
    content = write(ground.qingxi, Q3, TODAY)
    said = text_of(content, "data")
    assert "青溪县 2026-08 结算数据尚未接入，由青溪县基金经办补报。" in said
    assert "青溪县 2026-07 居民基金月报尚未报送，由青溪县基金经办补报。" in said
    assert "三季度职工数据不全，不作计算。" in text_of(content, "fund")
    assert cells(content, "fund-EMP", "打包范围内基金支出") == [None, "300000.00", None, None, "900000.00", None]
    assert "居民基金收入" not in text_of(content, "fund") and cells(content, "fund-RES", "当期结余")[0] is None


def test_an_unfiled_quarterly_table_is_named_with_its_hospital(ground):
    from submissions.models import Assignment

    Assignment.objects.create(alliance=ground.alliance, period="2026Q3", due_on=date(2026, 10, 15), state="due")
    Assignment.objects.create(alliance=ground.east, period="2026Q3", due_on=date(2026, 10, 15), state="due")
    said = text_of(write(ground.qingxi, Q3, TODAY), "data")
    assert "《基金运行情况表》待报，由青溪县紧密型县域医共体财务补报。" in said
    assert "云岭县" not in said
    assert "《基金运行情况表》" not in text_of(write(ground.qingxi, SEPTEMBER, TODAY), "data")


def test_warnings_are_counted_by_level_with_answers_and_overdue_ones(ground):
    from django.utils import timezone

    a_warning(ground, "W1")
    answered = a_warning(ground, "W2", "orange", month=8, state="answered", due_on=date(2026, 10, 1))
    WarningAnswer.objects.create(warning=answered, number=1, cause="骨科耗材上涨", measures="集采替换", by_date=TODAY,
                                 answered_by=ground.hospital, answered_at=timezone.now())  # fmt: skip
    a_warning(ground, "W3", "yellow", month=3, state="closed", closed_at=timezone.now())
    a_warning(ground, "W4", "yellow", month=2)  # open from before the quarter
    a_warning(ground, "W5", "red", county=ground.yunling, alliance=ground.east)
    content = write(ground.qingxi, Q3, TODAY)
    # columns: raised in the quarter, open, answered, overdue, closed
    assert cells(content, "warnings", "红色") == ["1", "1", "0", "0", "0"]
    assert cells(content, "warnings", "橙色") == ["1", "1", "1", "1", "0"]
    assert cells(content, "warnings", "黄色") == ["0", "1", "0", "0", "1"]
    assert cells(content, "warnings", "合计") == ["2", "3", "1", "1", "1"]
    assert cells(content, "warning-list", "W2 青溪县紧密型县域医共体")[-2:] == ["骨科耗材上涨", "集采替换"]
    assert "三季度触发预警 2 条；连同以前触发的，现有在办 3 条" in text_of(content, "warnings")


def test_the_circular_lists_level_two_hospitals_with_their_rank_and_no_others(ground):
    table = table_of(write(ground.qingxi, Q3, TODAY), "circular-RES")
    assert [(row["label"], row["cells"][0]) for row in table["rows"]] == [("青溪县人民医院", "1"), ("青溪康宁医院", "2")]
    named = dict(zip([column["label"] for column in table["columns"]], table["rows"][0]["cells"], strict=True))
    assert (named["基金支出"], named["上年同期"]) == ("5400000.00", "4500000.00") and shown(named["增速"], "growth") == "+20.00%"
    assert named["次均住院费用"] == "5000.00" and shown(named["药占比"], "ratio") == "22.47%" and named["预算执行率"] is None


def test_members_that_outgrow_their_county_are_named_and_outsiders_are_not(ground):
    content = write(ground.qingxi, Q3, TODAY)
    # county +10 %; lead hospital +20 %, township centre +25 %: both more than 5 points above; the outsider shrank
    assert [row["label"] for row in table_of(content, "members-RES")["rows"]] == ["石桥镇中心卫生院", "青溪县人民医院"]
    assert shown(cells(content, "members-RES", "石桥镇中心卫生院")[4], "points") == "+15.00 个百分点"
    assert "没有基金支出增长过快的成员单位" in text_of(content, "members").splitlines()[1]


def test_the_city_table_has_a_total_only_when_every_county_is_there(ground):
    content = write(ground.area, SEPTEMBER, TODAY)
    assert cells(content, "counties-RES", "合计")[0] is None and cells(content, "counties-RES", "青溪县")[0] == "9900000.00"
    from tests.monitoring.reports_ground import BEFORE, NOW

    months(ground.yunling, "RES", "2025-01", "2025-12", scaled(BEFORE, D(2)))
    months(ground.yunling, "RES", "2026-01", "2026-09", scaled(NOW, D(2)))
    content = write(ground.area, SEPTEMBER, TODAY)
    assert cells(content, "counties-RES", "合计") == ["29700000.00", "27000000.00", "0.100000"]


def test_a_report_costs_the_same_queries_for_one_county_and_for_many_places(ground):
    from monitoring.reading import figures
    from tests.monitoring.reports_ground import BEFORE, NOW

    with CaptureQueriesContext(connection) as few:
        write(ground.area, Q3, TODAY)
    for county in (ground.yunling,):
        months(county, "RES", "2025-01", "2025-12", BEFORE)
        months(county, "RES", "2026-01", "2026-09", NOW)
    for place in (ground.east_lead, ground.west_lead):
        months(place, "RES", "2025-01", "2026-09", {"charged": D("1.00"), "fund_all": D("1.00")}, alliance=ground.east)
    for number in range(5):
        a_warning(ground, f"N{number}")
    figures._of_all.clear()
    with CaptureQueriesContext(connection) as many:
        write(ground.area, Q3, TODAY)
    assert len(many) <= len(few) + 2  # answers and figures of warnings, whatever their number
    assert len(many) <= 27


# life


@pytest.mark.parametrize(
    ("span", "due"),
    [("2026Q1", "2026-04-15"), ("2026Q3", "2026-10-15"), ("2026H1", "2026-07-15"), ("2025H2", "2026-01-15"), ("2025", "2026-01-15"),
     ("2026-09", None)],
)  # fmt: skip
def test_summaries_are_due_fifteen_days_after_the_period(span, due):
    assert services.due_on(Span.parse(span), 15) == (None if due is None else date.fromisoformat(due))


def test_a_report_goes_through_four_eyes_to_its_word_file(ground):
    report = issued(ground)
    assert (report.state, report.due_on, report.version) == ("issued", date(2026, 10, 15), 1)
    assert (report.submitted_by, report.approved_by) == (ground.officer, ground.reviewer)
    acts = [change.act for change in report.changes.all()]
    assert acts == ["draft", "submit", "approve", "issue"]
    assert report.word.path.read_bytes()[:2] == b"PK" and report.word.name.endswith(".docx")
    assert verify_reports() == [] and verify_chains() == [] and control_sums() == {"已印发": "1 份"}


def test_who_wrote_a_report_may_not_approve_it(ground):
    report = submitted(ground)
    with pytest.raises(NotAllowed):
        services.approve(ground.officer, report)
    with pytest.raises(IntegrityError), transaction.atomic():
        AnalysisReport.objects.filter(pk=report.pk).update(approved_by=ground.officer)
    with pytest.raises(NotAllowed):
        services.issue(ground.officer, report)
    with pytest.raises(Conflict, match="不能办理“印发报告”"):
        services.issue(ground.reviewer, report)


def test_an_approver_who_drafted_as_officer_before_is_refused(ground):
    from core.models import RoleGrant

    report = submitted(ground)
    RoleGrant.objects.filter(user=ground.officer).update(role="fund_reviewer")
    ground.officer.__dict__.pop("_grants", None)
    from core.models import User

    with pytest.raises(NotAllowed, match="本人"):
        services.approve(User.objects.get(pk=ground.officer.pk), report)


def test_submitting_needs_measures_and_current_figures_told_at_once(ground):
    report = drafted(ground)
    corrected(ground, "2026-09", "1200000.00")
    with pytest.raises(Refused) as refusal:
        services.submit(ground.officer, report)
    texts = " ".join(problem.text for problem in refusal.value.problems)
    assert len(refusal.value.problems) == 2 and "数据有变化" in texts and "没有填写措施与建议" in texts


def test_comments_survive_a_refresh_that_tells_what_changed(ground):
    report = drafted(ground)
    services.comment(ground.officer, report, "fund", "第一次说明")
    services.comment(ground.officer, report, "fund", "收入减少系财政补助到账推迟")
    corrected(ground, "2026-09", "1200000.00")
    done = services.refresh(ground.officer, report)
    told = {one.where: (one.former, one.now) for one in done.changed}
    assert told["居民基金收支与结余 · 打包范围内基金支出 · 三季度"] == ("3,300,000.00", "3,400,000.00")
    assert [one.text for one in done.report.comments.filter(section="fund")] == ["第一次说明", "收入减少系财政补助到账推迟"]
    assert "刷新" in done.text and services.refresh(ground.officer, done.report).changed == ()


def test_drafting_twice_keeps_one_report_and_writes_nothing_new(ground):
    first = services.draft_report(None, ground.qingxi, Q3)
    changes = ReportChange.objects.count()
    again = services.draft_report(None, ground.qingxi, Q3)
    assert first.created and not again.created and again.report == first.report and "没有变化" in again.text
    assert AnalysisReport.objects.count() == 1 and ReportChange.objects.count() == changes


def test_what_was_submitted_is_frozen_until_it_comes_back(ground):
    report = submitted(ground)
    for act in (
        lambda: services.refresh(ground.officer, report),
        lambda: services.comment(ground.officer, report, "fund", "改一改"),
        lambda: services.draft_report(ground.officer, ground.qingxi, Q3),
    ):
        with pytest.raises(Conflict):
            act()
    corrected(ground, "2026-09", "1200000.00")
    assert "没有改动" in services.draft_report(None, ground.qingxi, Q3).text
    with pytest.raises(Refused, match="理由"):
        services.return_report(ground.reviewer, report, "退")
    back = services.return_report(ground.reviewer, report, "请补充十月措施")
    assert back.state == "returned" and back.submitted_by is None
    services.refresh(ground.officer, back)
    assert services.submit(ground.officer, back).state == "submitted"
    assert services.withdraw(ground.officer, back, "还要核对数字").state == "draft"


def test_an_issued_report_stays_while_facts_change_and_a_new_version_takes_over(ground):
    report = issued(ground)
    content, digest, word = report.content, report.digest, report.word_id
    assert services.changed_since(report) == ()
    corrected(ground, "2026-09", "1200000.00")
    moved = {one.where: one.now for one in services.changed_since(report)}
    assert moved["居民基金收支与结余 · 打包范围内基金支出 · 三季度"] == "3,400,000.00"
    assert "印发后数据有变化" in services.draft_report(None, ground.qingxi, Q3).text and AnalysisReport.objects.count() == 1
    second = services.draft_report(ground.officer, ground.qingxi, Q3).report
    assert second.version == 2 and second.comments.get().carried and second.due_on is None
    services.submit(ground.officer, second)
    services.issue(ground.second_reviewer, services.approve(ground.reviewer, second))
    report.refresh_from_db()
    assert (report.state, report.content, report.digest, report.word_id) == ("superseded", content, digest, word)
    assert verify_reports() == []


def test_the_database_refuses_to_change_an_issued_report_or_its_record(ground):
    report = issued(ground)
    for wrong in (
        lambda: AnalysisReport.objects.filter(pk=report.pk).update(content={}),
        lambda: AnalysisReport.objects.filter(pk=report.pk).update(released=True),
        lambda: AnalysisReport.objects.filter(pk=report.pk).delete(),
        lambda: ReportChange.objects.filter(report=report).update(reason="改"),
        lambda: report.comments.update(text="改"),
    ):
        with pytest.raises(Exception, match="never|不能|protected"), transaction.atomic():
            wrong()


def test_verification_finds_a_changed_draft_and_a_comment_that_was_never_written(ground):
    report = drafted(ground)
    services.comment(ground.officer, report, "fund", "真的说明")
    content = dict(report.content)
    content["data_to"] = "2020-01-01"
    AnalysisReport.objects.filter(pk=report.pk).update(content=content)
    report.comments.create(section="data", text="伪造", written_by=ground.officer, written_at=report.made_at)
    texts = [finding.text for finding in verify_reports()]
    assert "内容与校验值不符，已被改动" in texts and "与轨迹不符，已被改动或缺失" in texts


def test_a_recalled_report_makes_room_for_the_next_version(ground):
    report = services.recall(ground.reviewer, issued(ground), "附表口径有误，收回重发")
    assert report.state == "recalled"
    assert "已撤回印发" in services.draft_report(None, ground.qingxi, Q3).text
    assert services.draft_report(ground.officer, ground.qingxi, Q3).report.due_on == date(2026, 10, 15)


def test_wrong_periods_and_sections_are_refused_with_a_remedy(ground):
    for text, word in (("2026-10", "还没有结束"), ("2026Q4", "还没有结束"), ("2026M09", "按月、季、半年或年")):
        with pytest.raises(Refused, match=word):
            services.draft_report(ground.officer, ground.qingxi, Span.parse(text))
    report = drafted(ground)
    with pytest.raises(Refused) as refusal:
        services.comment(ground.officer, report, "nowhere", "字" * 5001)
    assert len(refusal.value.problems) == 2


def test_rights_hold_at_the_place_and_not_elsewhere(ground):
    with pytest.raises(NotAllowed):
        services.draft_report(ground.county_officer, ground.yunling, SEPTEMBER)
    with pytest.raises(NotAllowed):
        services.draft_report(ground.stranger_officer, ground.qingxi, SEPTEMBER)
    with pytest.raises(NotAllowed):
        services.draft_report(ground.hospital, ground.qingxi, SEPTEMBER)
    assert services.draft_report(ground.county_officer, ground.qingxi, SEPTEMBER).created
    seen = AnalysisReport.objects
    assert seen.visible_to(ground.observer).count() == seen.visible_to(ground.county_officer).count() == 1
    for person in (ground.hospital, ground.member, ground.stranger_officer, ground.nobody, ground.admin):
        assert not seen.visible_to(person).exists()
    services.draft_report(ground.officer, ground.area, SEPTEMBER)
    assert seen.visible_to(ground.county_officer).count() == 1 and seen.visible_to(ground.officer).count() == 2


def test_a_stale_page_cannot_approve_what_it_did_not_show(ground):
    report = submitted(ground)
    with pytest.raises(Conflict, match="重新生成"):
        services.approve(ground.reviewer, report, seen="0" * 64)
    assert services.approve(ground.reviewer, report, seen=report.digest).state == "approved"


# jobs, home page


def test_the_month_end_drafts_the_county_and_the_city_once_all_counties_are_there(ground):
    step = dict(month_end_steps)["reports"]
    first = step.run(ground.alliance, Month.parse("2026-09"), None)
    assert "已起草 青溪县2026年9月基金运行分析报告" in first and "待另外 1 个县（区）" in first
    assert set(AnalysisReport.objects.values_list("county__code", "span")) == {("990101", "2026-09"), ("990101", "2026Q3")}
    second = step.run(ground.east, Month.parse("2026-09"), None)
    assert "全市2026 年 9 月报告已安排起草或刷新" in second
    for job in Job.objects.filter(name=reports_jobs.JOB):
        run_now(job)
    assert AnalysisReport.objects.filter(county=None).count() == 2
    assert "没有变化" in step.run(ground.alliance, Month.parse("2026-09"), None)


def test_a_due_summary_is_drafted_by_the_clock_once_its_data_are_there(ground):
    assert (ref_of(ground.qingxi).key, Q3) in reports_jobs.owed_summaries(date(2026, 10, 2))
    assert (ref_of(ground.yunling).key, Q3) not in reports_jobs.owed_summaries(date(2026, 10, 2))
    assert (ref_of(ground.yunling).key, Q3) in reports_jobs.owed_summaries(date(2026, 10, 8))
    reports_jobs.look_for_summaries()
    reports_jobs.look_for_summaries()
    jobs = Job.objects.filter(name=reports_jobs.JOB, period="2026Q3")
    assert jobs.count() == 5  # two cities and their three counties, once each
    for job in jobs:
        assert run_now(job).state == "done"
    assert reports_jobs.owed_summaries(date(2026, 10, 8)) == []
    assert {str(span) for _key, span in reports_jobs.owed_summaries(date(2026, 7, 14))} == {"2026Q2", "2026H1"}


def test_the_home_page_asks_officer_and_reviewer_in_turn_with_the_last_day(ground):
    report = drafted(ground)
    (todo,) = reports_desk.todos(ground.officer)
    assert todo.due == date(2026, 10, 15) and "填写说明并提交" in todo.title and reports_desk.todos(ground.reviewer) == []
    services.comment(ground.officer, report, "measures", "约谈")
    services.submit(ground.officer, report)
    assert reports_desk.badge(ground.officer) == 0 and "审定" in reports_desk.todos(ground.reviewer)[0].title
    assert report.is_overdue(date(2026, 10, 16)) and not report.is_overdue(date(2026, 10, 15))


# Word


def test_the_word_file_holds_the_figures_the_comments_and_the_signatures(ground):
    from docx import Document

    document = Document(io.BytesIO(issued(ground).word.path.read_bytes()))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    held = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert "青溪县2026年三季度基金运行汇总分析报告" in text and "1–9 月居民打包范围内基金支出 990.00 万元，同比增长 10.00%" in text
    assert "说明：约谈次均费用上升较快的医院，按月跟踪。" in text and "审定：何劲松 2026-10-08" in text
    assert "9,900,000.00" in held and "青溪县人民医院" in held and "+300,000.00" in held
    assert "{{" not in text and "{%" not in text and "报送期限 2026-10-15" in text


def test_issuing_tells_the_hospitals_only_when_released(ground):
    issued(ground)
    assert not Notice.objects.filter(user=ground.hospital, text__contains="通报").exists()
    issued(ground, SEPTEMBER, release=True)
    notice = Notice.objects.get(user=ground.hospital, text__contains="通报")
    assert "/circulars/" in notice.url and not Notice.objects.filter(user=ground.sister_hospital, text__contains="通报").exists()
    assert TrailEvent.objects.filter(action="monitoring.report_issue", data__released=True).count() == 1


def test_a_job_for_the_same_data_does_not_run_twice(ground):
    reports_jobs.ask(ref_of(ground.qingxi).key, Q3)
    run_now(Job.objects.get(name=reports_jobs.JOB))
    reports_jobs.ask(ref_of(ground.qingxi).key, Q3)
    assert Job.objects.filter(name=reports_jobs.JOB).count() == 1
    corrected(ground, "2026-09", "1200000.00")
    reports_jobs.ask(ref_of(ground.qingxi).key, Q3)
    assert Job.objects.filter(name=reports_jobs.JOB).count() == 2
