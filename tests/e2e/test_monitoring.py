"""A month's end told in the browser: thresholds, warnings, an answer returned and accepted, distress, the report, the clock."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.models import Job
from monitoring.jobs_figures import look_for_outdated
from monitoring.jobs_warnings import look_for_escalations
from monitoring.models import AnalysisReport, Projection, Threshold, Warning
from monitoring.reading.places import ref_of
from monitoring.services import thresholds
from monitoring.services.periods import start_month_end
from tests.e2e.acting import confirm, fill, fits, run_all, saved
from tests.monitoring import story_ground

AVERAGE, PRIMARY = "次均住院费用比上年同期高 8% 以上", "基层支出占比低于 16%"
CAUSE = "骨科耗材集采中选产品断供，改用非中选产品；重症收治比例上升。"
MEASURES = "恢复中选产品采购；按病组核定耗材上限，逐月公示。"
MORE = "另附各科室耗材清单和责任人，十一月底前降至去年水平。"
RETURNED = "未说明重症比例的依据，请附病组构成后重报"
LETTER = {"name": "病组构成.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"}


@pytest.fixture(autouse=True)
def _clock(time_machine: Any, watched: Page) -> None:
    """The quarter is just over; pages are given time, the machine may be busy with other tests."""
    watched.set_default_timeout(60_000)
    time_machine.move_to("2026-10-08 09:00:00+08:00")


def thresholds_go_live(sign_in: Any, base: str, accessible: Any) -> None:
    """The officer takes over the shipped ones on trial; the reviewer sees what they would do and approves two."""
    page = sign_in("officer")
    page.goto(f"{base}/monitoring/warnings/thresholds/")
    confirm(page, "采用默认阈值", "采用")
    fits(page, accessible)
    page = sign_in("reviewer")
    for indicator in ("inpatient_average", "primary_share"):
        rule = Threshold.objects.filter(indicator=indicator, kind="alliance").get()
        page.goto(f"{base}{rule.get_absolute_url()}")
        expect(page.locator("main")).to_contain_text("2026年8月：共 3 处，可判断 6 项")
        expect(page.locator("section[aria-labelledby=h-preview]")).to_contain_text("青溪县紧密型县域医共体")
        confirm(page, "核准启用")
        rule.refresh_from_db()
        assert rule.status == "live", rule
    fits(page, accessible)


def month_end(sign_in: Any, base: str, accessible: Any) -> None:
    """Started by the officer, done by the worker, told step by step."""
    page = sign_in("officer")
    page.goto(f"{base}/monitoring/runs/")
    fits(page, accessible)
    with page.expect_navigation():
        page.get_by_role("link", name="2026-09", exact=True).click()
    confirm(page, "全部运行", "启动")
    run_all()
    failed = Job.objects.exclude(state="done").values_list("label", "outcome")
    assert not failed, list(failed)
    page.goto(f"{base}/monitoring/runs/2026-09/")
    expect(page.locator("section[aria-labelledby=h-grid]")).to_contain_text("新触发 3 条")
    fits(page, accessible)


def opened(page: Page, base: str, title: str) -> None:
    """The warning of a title, from the list."""
    page.goto(f"{base}/monitoring/warnings/")
    page.get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)


def write_answer(page: Page, measures: str) -> None:
    fill(page, "#answer", cause=CAUSE, measures=measures, by_date="2026-11-30", target="十一月次均降至 9,600 元")
    page.set_input_files("#answer input[name=files]", LETTER)
    confirm(page, "提交答复")


def test_a_month_end_with_its_warnings_answers_and_the_issued_report(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any, tmp_path: Path, time_machine: Any
) -> None:
    base = live_server.url
    story_ground.ready(city)
    look_for_outdated()
    run_all()
    thresholds_go_live(sign_in, base, accessible)
    story_ground.delivered(city, story_ground.LAST)
    month_end(sign_in, base, accessible)
    average, primary = (Warning.objects.get(indicator=key) for key in ("inpatient_average", "primary_share"))
    assert (average.level, average.state) == ("yellow", "raised")
    assert (primary.level, primary.state) == ("red", "sent")

    # The officer finds both in the list; the red one was sent by the system, the yellow one is his to send.
    page = sign_in("officer")
    page.goto(f"{base}/monitoring/warnings/")
    for title in (AVERAGE, PRIMARY):
        expect(page.get_by_role("link", name=title)).to_be_visible()
    fits(page, accessible)
    opened(page, base, AVERAGE)
    expect(page.locator("main")).to_contain_text("尚未送达")
    fits(page, accessible)
    confirm(page, "送达")
    expect(page.locator("#messages")).to_contain_text("已送达")

    # The hospital answers; what is wrong is told and nothing typed is lost.
    page = sign_in("hospital")
    opened(page, base, AVERAGE)
    write_answer(page, "整改")
    expect(page.locator("main")).to_contain_text("没有写明措施")
    expect(page.locator("#answer [name=cause]")).to_have_value(CAUSE)
    expect(page.locator("#answer [name=measures]")).to_have_value("整改")
    expect(page.locator("#answer [name=by_date]")).to_have_value("2026-11-30")
    fits(page, accessible)
    write_answer(page, MEASURES)
    expect(page.locator("main")).to_contain_text("病组构成.pdf")

    # The officer returns it; the hospital completes what it wrote; the officer accepts.
    page = sign_in("officer")
    opened(page, base, AVERAGE)
    expect(page.locator("main")).to_contain_text(CAUSE)
    page.get_by_label("审定意见").fill(RETURNED)
    confirm(page, "退回补充（5 个工作日）", "退回补充")
    page = sign_in("hospital")
    opened(page, base, AVERAGE)
    expect(page.locator("main")).to_contain_text(RETURNED)
    expect(page.locator("#answer [name=measures]")).to_have_value(MEASURES)
    write_answer(page, MEASURES + MORE)
    page = sign_in("officer")
    opened(page, base, AVERAGE)
    confirm(page, "采纳，转整改跟踪", "采纳")
    average.refresh_from_db()
    assert average.state == "accepted" and average.answers.count() == 2
    fits(page, accessible)

    distress_reaches_the_city(page, base, city, accessible)
    report_is_issued(sign_in, base, accessible, tmp_path)

    # The red one stays unanswered: the clock takes it to the reviewer, then to the city.
    time_machine.move_to("2026-11-09 09:00:00+08:00")
    for _step in range(2):
        look_for_escalations()
        run_all()
    page = sign_in("reviewer")
    page.goto(f"{base}/monitoring/warnings/?overdue=on")
    expect(page.locator("main")).to_contain_text("逾期升级")
    opened(page, base, PRIMARY)
    expect(page.locator(".timeline")).to_contain_text("逾期升级")
    fits(page, accessible)
    primary.refresh_from_db()
    assert primary.escalations == 2


def distress_reaches_the_city(page: Page, base: str, city: Any, accessible: Any) -> None:
    """Sent to the county by the system and told to the city, with income, admissions, average cost and categories."""
    opened(page, base, "职工基金出险")
    expect(page.locator(".timeline")).to_contain_text("上报市医保局")
    causes = page.locator("section[aria-labelledby=h-causes]")
    for name in ("筹资情况", "住院人次", "次均住院费用", "支出类别：住院", "支出类别：县外就医"):
        expect(causes).to_contain_text(name)
    fits(page, accessible)
    page.goto(f"{base}/notices/")
    expect(page.locator("main")).to_contain_text("青溪县职工基金出险（连续出险）上报：本年累计收不抵支")


def report_is_issued(sign_in: Any, base: str, accessible: Any, tmp_path: Path) -> None:
    """The county's quarter in Word, drafted and issued by two persons: 8 177 400 yuan charged a month, 7 227 000 the year before."""
    page = sign_in("officer")
    page.goto(f"{base}/monitoring/reports/")
    page.get_by_label("地区").first.select_option(label="青溪县")
    page.get_by_label("期间").first.select_option("2026Q3")
    page.get_by_role("button", name="起草").click()
    report = AnalysisReport.objects.get(span="2026Q3", county__name="青溪县")
    expect(page).to_have_url(f"{base}{report.get_absolute_url()}")
    fits(page, accessible)
    page.locator("#c-measures").fill("约谈县人民医院，按月跟踪耗材整改；提请财政补足职工基金缺口。")
    page.get_by_role("button", name="保存“八、措施与建议”的说明").click()
    expect(page.locator("#messages")).to_contain_text("说明已保存")
    confirm(page, "提交审定")
    page = sign_in("reviewer")
    page.goto(f"{base}{report.get_absolute_url()}")
    fits(page, accessible)
    confirm(page, "审定报告")
    confirm(page, "印发报告")
    report.refresh_from_db()
    assert report.state == "issued"
    fits(page, accessible)
    with zipfile.ZipFile(saved(page, "Word", tmp_path / "report.docx")) as word:
        text = re.sub(r"<[^>]+>", "", word.read("word/document.xml").decode())
    for told in ("打包范围内基金支出 7,359.66 万元，同比增长 13.15%", PRIMARY, MEASURES[:10], "约谈县人民医院，按月跟踪"):
        assert told in text, told


def test_every_page_fits_the_telephone_and_the_desk_and_is_accessible(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any
) -> None:
    base = live_server.url
    story_ground.ready(city)
    story_ground.delivered(city, story_ground.LAST)
    thresholds.adopt_defaults(city.officer, city.area)
    for rule in Threshold.objects.filter(indicator__in=("inpatient_average", "primary_share"), kind="alliance"):
        thresholds.approve(city.reviewer, rule, reason="按地方规定执行")
    start_month_end(city.officer, story_ground.LAST)
    run_all()
    key, projection = ref_of(city.alliance).key, Projection.objects.get(alliance=city.alliance, fund_type="RES")
    at = f"?place={key}"
    page = sign_in("officer")
    for path in (
        "", f"places/{key}/", f"indicators/inpatient_average/{at}", f"indicators/primary_share/{at}", "league/", "heat/",
        "projections/", f"projections/{projection.pk}/", "midterm/", "liaison/", "liaison/new/", "supply/", "supply/new/",
        "collection/", "collection/new/", "collection/targets/", "warnings/new/", "warnings/thresholds/new/",
        "warnings/watch/", "reports/", "circulars/", "/notices/email/", "/", "midterm/new/",
    ):  # fmt: skip
        page.goto(base + (path if path.startswith("/") else f"/monitoring/{path}"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        fits(page, accessible)

    # A medium-term estimate from what was delivered, as the last page opened offers it.
    page.locator("[name=basis]").fill("按近两年实际增长，政策无变化。")
    page.get_by_role("button", name="测算并送审").click()
    expect(page).to_have_url(re.compile(r"/midterm/\d+/"))
    fits(page, accessible)
