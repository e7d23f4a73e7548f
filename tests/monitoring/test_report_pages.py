"""Pages, downloads and API of the analysis reports."""

from __future__ import annotations

from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from core.models import TrailEvent
from core.workbook import read_sheets
from monitoring.models import AnalysisReport
from monitoring.reading.places import ref_of
from monitoring.services import reports as services
from rules.spans import Span
from tests.monitoring.reports_ground import Q3, SEPTEMBER, corrected, two_years

D = Decimal


@pytest.fixture(autouse=True)
def october():
    with time_machine.travel("2026-10-08 02:00:00", tick=False):
        yield


@pytest.fixture
def ground(world):
    two_years(world)
    return world


def url(name, *args):
    return reverse(f"monitoring:{name}", args=args)


def drafted(world, span=Q3):
    return services.draft_report(world.officer, world.qingxi, span).report


def issued(world, span=Q3, release=False):
    report = drafted(world, span)
    services.comment(world.officer, report, "measures", "保密的内部建议")
    services.submit(world.officer, report)
    services.approve(world.reviewer, report)
    return services.issue(world.reviewer, report, release)


def test_the_report_page_shows_figures_with_comments_and_opens_traces(ground, client_of):
    report = drafted(ground)
    services.comment(ground.officer, report, "fund", "财政补助到账推迟")
    page = client_of(ground.officer).get(url("report", report.pk)).content.decode()
    for text in ("1–9 月居民打包范围内基金支出 990.00 万元，同比增长 10.00%", "9,900,000.00", "财政补助到账推迟", "青溪县人民医院",
                 "本年累计打包范围内基金支出 ÷ 打包总额", "报送期限", "提交审定"):  # fmt: skip
        assert text in page, text
    reader = client_of(ground.observer).get(url("report", report.pk)).content.decode()
    assert "财政补助到账推迟" in reader and "<textarea" not in reader and "保存说明" not in reader


def test_acts_go_through_the_page_and_a_refusal_keeps_what_was_typed(ground, client_of):
    report, client = drafted(ground), client_of(ground.officer)
    refused = client.post(url("report-act", report.pk, "submit"), {"seen": report.digest})
    assert refused.status_code == 422 and "没有填写措施与建议" in refused.content.decode()
    typed = "长" * 5001
    kept = client.post(url("report-comment", report.pk), {"section": "measures", "text": typed})
    assert kept.status_code == 422 and typed in kept.content.decode()
    assert client.post(url("report-comment", report.pk), {"section": "measures", "text": "按月约谈"}).status_code == 302
    assert client.post(url("report-act", report.pk, "submit"), {"seen": report.digest}).status_code == 302
    assert client.post(url("report-act", report.pk, "approve"), {}).status_code == 403
    client = client_of(ground.reviewer)
    short = client.post(url("report-act", report.pk, "return"), {"reason": "短"})
    assert short.status_code == 422 and ">短</textarea>" in short.content.decode()
    for act in ("approve", "issue"):
        assert client.post(url("report-act", report.pk, act), {"release": "1"}).status_code == 302
    report.refresh_from_db()
    assert report.state == "issued" and report.released and report.approved_by == ground.reviewer
    assert client.post(url("report-act", report.pk, "issue"), {}).status_code == 409
    assert client.post(url("report-act", report.pk, "explode"), {}).status_code == 404


def test_a_draft_is_made_from_the_list_and_an_unknown_period_is_refused(ground, client_of):
    client = client_of(ground.officer)
    key = ref_of(ground.qingxi).key
    assert client.post(url("report-draft"), {"place": key, "span": "2026Q3"}).status_code == 302
    wrong = client.post(url("report-draft"), {"place": key, "span": "2031Q9"})
    assert wrong.status_code == 422 and AnalysisReport.objects.count() == 1
    assert client.post(url("report-draft"), {"place": ref_of(ground.foreign_county).key, "span": "2026Q3"}).status_code == 422
    assert client_of(ground.observer).post(url("report-draft"), {"place": key, "span": "2026Q3"}).status_code == 403


def test_the_list_filters_sorts_and_exports_what_it_shows(ground, client_of):
    drafted(ground, Span.parse("2026Q2"))
    drafted(ground)
    drafted(ground, SEPTEMBER)
    client = client_of(ground.officer)
    page = client.get(url("reports"))
    assert len(page.context["page_obj"]) == 3 and page.context["overdue"] == 1
    late = client.get(url("reports"), {"state": "overdue"})
    assert [row.span for row in late.context["page_obj"]] == ["2026Q2"]
    assert [row.span for row in client.get(url("reports"), {"q": "青溪 2026Q"}).context["page_obj"]] == ["2026Q3", "2026Q2"]
    by_due = client.get(url("reports"), {"sort": "due"}).context["page_obj"]
    assert [row.span for row in by_due] == ["2026Q2", "2026Q3", "2026-09"]
    rows = read_sheets(client.get(url("reports-xlsx"), {"kind": "quarter", "sort": "due"}).content, "x.xlsx")["分析报告"]
    assert [row[0] for row in rows[-2:]] == ["析-2026Q2-990101", "析-2026Q3-990101"] and rows[-2][8] == "是"
    assert "筛选 类别：季度汇总" in rows[0][0]


def test_the_workbook_has_the_totals_of_the_page(ground, client_of):
    report = drafted(ground)
    client = client_of(ground.officer)
    page = client.get(url("report", report.pk)).content.decode()
    sheets = read_sheets(client.get(url("report-xlsx", report.pk)).content, "x.xlsx")
    causes = next(rows for title, rows in sheets.items() if "三季度居民支出变动分解" in title)
    total = next(row for row in causes if row[0] == "合计")
    assert [D(str(cell)) for cell in total[1:4]] == [D("3300000"), D("3000000"), D("300000")]
    parts = causes[causes.index(next(row for row in causes if row[0] == "类别")) + 1 : causes.index(total)]
    for column in range(1, 4):
        assert sum(D(str(row[column])) for row in parts) == D(str(total[column]))
    assert "3,300,000.00" in page and "+300,000.00" in page
    assert any("990.00 万元" in str(row[2]) for row in sheets["正文与说明"] if len(row) > 2)


def test_downloads_of_an_issued_report_are_the_stored_file_and_noted(ground, client_of):
    report = issued(ground)
    answer = client_of(ground.observer).get(url("report-word", report.pk))
    assert answer.content == report.word.path.read_bytes()
    assert TrailEvent.objects.filter(action="core.export", actor=ground.observer).count() == 1


def test_an_issued_page_says_what_moved_and_offers_the_next_version(ground, client_of):
    report = issued(ground)
    corrected(ground, "2026-09", "1200000.00")
    client = client_of(ground.officer)
    page = client.get(url("report", report.pk)).content.decode()
    assert "印发之后数据有变化" in page and "3,400,000.00" in page and "起草新版" in page
    again = client.post(url("report-again", report.pk))
    second = AnalysisReport.objects.get(version=2)
    assert again.url == second.get_absolute_url()
    compared = client.get(again.url).content.decode()
    assert "与第 1 版比较" in compared and "3,300,000.00" in compared and "沿用上一版" in compared


def test_strangers_get_404_and_other_counties_too(ground, client_of):
    report = drafted(ground)
    for person in (ground.stranger_officer, ground.hospital, ground.member, ground.nobody):
        client = client_of(person)
        for name in ("report", "report-word", "report-xlsx", "circular", "circular-xlsx"):
            assert client.get(url(name, report.pk)).status_code == 404, (person, name)
        assert client.post(url("report-act", report.pk, "submit")).status_code == 404
        assert client.post(url("report-comment", report.pk), {"section": "fund", "text": "x"}).status_code == 404
        assert client.post(url("report-again", report.pk)).status_code == 404
    city = services.draft_report(ground.officer, ground.area, SEPTEMBER).report
    assert client_of(ground.county_officer).get(url("report", city.pk)).status_code == 404
    assert client_of(ground.county_officer).get(url("report", report.pk)).status_code == 200


def test_a_hospital_reads_only_the_released_circular_of_its_county(ground, client_of):
    held, released = issued(ground), issued(ground, SEPTEMBER, release=True)
    client = client_of(ground.hospital)
    assert [row.pk for row in client.get(url("circulars")).context["page_obj"]] == [released.pk]
    page = client.get(url("circular", released.pk)).content.decode()
    assert "青溪康宁医院" in page and "本单位" in page and "5,400,000.00" in page
    assert "保密的内部建议" not in page and "累计结余" not in page and "支出增长过快" not in page
    sheets = read_sheets(client.get(url("circular-xlsx", released.pk)).content, "x.xlsx")
    assert all("二级及以上" in title for title in sheets)
    assert client.get(url("circular", held.pk)).status_code == 404
    assert client.get(url("report", released.pk)).status_code == 404
    assert client_of(ground.sister_hospital).get(url("circular", released.pk)).status_code == 404
    assert client_of(ground.member).get(url("circular", released.pk)).status_code == 404
    services.recall(ground.reviewer, released, "附表口径有误，收回")
    assert client_of(ground.hospital).get(url("circular", released.pk)).status_code == 404


def test_pages_that_only_show_refuse_posting_and_acts_refuse_reading(ground, client_of):
    report, client = drafted(ground), client_of(ground.officer)
    for name, args in (("reports", ()), ("reports-xlsx", ()), ("report", (report.pk,)), ("report-word", (report.pk,)),
                       ("report-xlsx", (report.pk,)), ("circulars", ()), ("circular", (report.pk,))):  # fmt: skip
        assert client.post(url(name, *args)).status_code == 405, name
    for name, args in (("report-draft", ()), ("report-again", (report.pk,)), ("report-comment", (report.pk,)),
                       ("report-act", (report.pk, "submit"))):  # fmt: skip
        assert client.get(url(name, *args)).status_code == 405, name


def test_the_list_costs_the_same_queries_however_long_it_is(ground, client_of, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    drafted(ground)
    client = client_of(ground.officer)
    client.get(url("reports"))
    with CaptureQueriesContext(connection) as few:
        client.get(url("reports"))
    for text in ("2026Q2", "2026Q1", "2026H1", "2026-08", "2026-07", "2026-06"):
        drafted(ground, Span.parse(text))
    with django_assert_max_num_queries(len(few) + 1):
        assert len(client.get(url("reports")).context["page_obj"]) == 7


def test_the_api_mirrors_the_pages_within_the_same_scope(ground, client_of):
    client, base = client_of(ground.officer), "/api/v1/analysis-reports/"
    made = client.post(base, {"place": ref_of(ground.qingxi).key, "span": "2026Q3"}, content_type="application/json")
    assert made.status_code == 201 and made.json()["due_on"] == "2026-10-15"
    pk = made.json()["id"]
    wrong = client.post(base, {"place": ref_of(ground.alliance).key, "span": "2026Q7"}, content_type="application/json")
    assert wrong.status_code == 422
    assert client.post(f"{base}{pk}/submit/").status_code == 422
    said = client.post(f"{base}{pk}/comment/", {"section": "measures", "text": "约谈"}, content_type="application/json")
    assert said.json()["comments"][0]["text"] == "约谈"
    assert client.post(f"{base}{pk}/submit/").json()["state"] == "submitted"
    assert "content" not in client.get(base).json()["results"][0]
    assert client.post(f"{base}{pk}/approve/").status_code == 403
    client = client_of(ground.reviewer)
    stale = client.post(f"{base}{pk}/approve/", {"seen": "0" * 64}, content_type="application/json")
    assert stale.status_code == 409 and "重新生成" in stale.content.decode()
    seen = {"seen": client.get(f"{base}{pk}/").json()["digest"]}
    assert client.post(f"{base}{pk}/approve/", seen, content_type="application/json").json()["state"] == "approved"
    stale = client.post(f"{base}{pk}/issue/", {"release": True, "seen": "0" * 64}, content_type="application/json")
    assert stale.status_code == 409
    assert client.post(f"{base}{pk}/issue/", {"release": True}, content_type="application/json").json()["released"]
    client = client_of(ground.hospital)
    assert client.get(f"{base}{pk}/").status_code == 404
    (circular,) = client.get("/api/v1/circulars/").json()["results"]
    assert circular["circular"]["key"] == "circular" and "content" not in circular
    assert client_of(ground.stranger_officer).get(f"/api/v1/circulars/{pk}/").status_code == 404
