"""A quarter told in the browser: template, five mistakes, the own workbook back, mended, filed, returned, accepted, reconciled."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import openpyxl
from django.conf import settings
from playwright.sync_api import Page, expect

from submissions.declaration import shipped_table
from submissions.models import Submission
from submissions.sources import prefill_of
from tests.e2e.acting import confirm, fits, run_queued, saved
from tests.submissions import ground
from tests.submissions.facts import agreeing_facts
from tests.submissions.ground import both, typed
from tests.world import PASSWORD

MISTAKES = {
    "H1": typed("RES", "5.3", 2308.15),
    "V08": typed("RES", "8.1", "183,207人"),
    "H6": typed("EMP", "9.6", 66666.66),
    "H5": typed("ALL", "14.1", 300),
    "H3": lambda book, table: _member(book, table, "visits", 61000),
}
OTHER_FACTS = both(
    typed("RES", "15.1", 330.00), typed("ALL", "15.1", 950.00), typed("RES", "9.3", 3176.95, "last")
)  # a difference to the facts, and a change to last year that asks for a word
REASON = "院内补结算二十万元于次月入账，结算系统计入下一期，已逐笔核对。"


def _member(book: Any, table: Any, key: str, value: float) -> None:
    keys = [column.key for column in table.member_columns]
    book[table.sheets["members"]].cell(table.header_row + 1, keys.index(key) + 1).value = value


def filled(template: Path, owed: Any, *changes: Any) -> bytes:
    """The downloaded template filled in, with changes typed last."""
    table = shipped_table()
    book = openpyxl.load_workbook(template)
    ground.fill(book, table, ground.figures(owed, table), set(prefill_of(owed, table).values))
    for change in (OTHER_FACTS, *changes):
        change(book, table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(page: Page, content: bytes, name: str) -> Submission:
    page.set_input_files(
        "input[name=file]",
        {
            "name": name,
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": content,
        },
    )
    expect(page.locator(".dropzone .chosen")).to_contain_text(name)
    page.get_by_role("button", name="上传并检查").click()
    expect(page).to_have_url(re.compile(r"/submissions/versions/\d+/"))
    expect(page.locator("#messages")).to_contain_text("回执编号")
    run_queued()
    page.reload()
    return Submission.objects.latest("pk")


def keeps_what_was_typed(page: Page) -> None:
    """The session ends while somebody writes: after the login the page is back with every word of it."""
    where, fields = page.url, page.locator("#explanations textarea")
    for field in fields.all():
        field.fill(ground.LONG_ENOUGH)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="保存说明").click()
    page.get_by_label("用户名").fill("hospital")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(where)
    for field in fields.all():
        expect(field).to_have_value(ground.LONG_ENOUGH)


def test_a_quarter_from_the_template_to_the_signed_reconciliation(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any, tmp_path: Path
) -> None:
    base = live_server.url
    agreeing_facts(city, ground.PERIOD)
    owed = ground.assignment(city)

    # The hospital finds what it owes, downloads the template and sends it back with five mistakes.
    page = sign_in("hospital")
    page.goto(f"{base}/submissions/")
    fits(page, accessible)
    page.get_by_role("link", name="打开并办理").click()
    fits(page, accessible)
    template = saved(page, "下载模板", tmp_path / "template.xlsx")
    faulty = upload(page, filled(template, owed, *MISTAKES.values()), "青溪三季度.xlsx")
    assert faulty.state == "checked"
    codes = set(faulty.findings.filter(severity="hard").values_list("code", flat=True))
    assert set(MISTAKES) <= codes, codes
    for code in MISTAKES:
        expect(page.locator(".findings .code", has_text=code).first).to_be_visible()
    expect(page.get_by_role("button", name="报送", exact=True)).to_be_disabled()
    fits(page, accessible)

    # An error leads to its cell; the own workbook comes back with the same cells marked.
    finding = faulty.findings.get(code="H1", fund_type="RES")
    page.locator(f"a[href$='#f-{finding.number}']").first.click()
    expect(page.locator(f"#f-{finding.number}")).to_be_in_viewport()
    answer = openpyxl.load_workbook(saved(page, "下载标注工作簿", tmp_path / "answer.xlsx"))
    assert answer[finding.sheet][finding.cell].comment is not None
    assert "H1" in {str(cell.value) for row in answer[answer.sheetnames[0]].iter_rows() for cell in row}

    # Mended, explained, filed.
    page.get_by_role("link", name="上传第 2 版").click()
    mended = upload(page, filled(template, owed), "青溪三季度更正.xlsx")
    assert not mended.findings.filter(severity="hard").exists()
    page.get_by_role("link", name="与第 1 版逐格比较").click()
    expect(page.get_by_role("heading", name="第 1 版与第 2 版逐格比较")).to_be_visible()
    expect(page.locator("main")).to_contain_text("2,380.15")
    fits(page, accessible)
    page.goto(f"{base}{mended.get_absolute_url()}")
    keeps_what_was_typed(page)
    confirm(page, "报送")
    expect(page.locator("main")).to_contain_text("已报送，待受理")

    # The officer sees it in the matrix and returns it once.
    page = sign_in("officer")
    page.goto(f"{base}/submissions/?year={owed.of.year}")
    fits(page, accessible)
    page.get_by_role("link", name=re.compile(f"{owed.alliance.name} {owed.of.text}：已报送")).click()
    page.get_by_role("link", name="第 2 版", exact=True).click()
    fits(page, accessible)
    page.get_by_role("button", name="退回", exact=True).click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("退回意见").fill("医共体外支出请附补结算清单说明后重报。")
    with page.expect_navigation():
        dialog.get_by_role("button", name="退回", exact=True).click()

    # The hospital reads why and files again; the officer accepts.
    page = sign_in("hospital")
    page.goto(f"{base}{mended.get_absolute_url()}")
    expect(page.locator("main")).to_contain_text("请附补结算清单说明后重报")
    page.get_by_role("link", name="上传第 3 版").click()
    last = upload(page, filled(template, owed, typed("RES", "15.1", "已附补结算清单", "note")), "青溪三季度三稿.xlsx")
    for field in page.locator("#explanations textarea").all():
        field.fill(ground.LONG_ENOUGH)
    confirm(page, "报送")
    page = sign_in("officer")
    page.goto(f"{base}{last.get_absolute_url()}")
    confirm(page, "受理")
    last.refresh_from_db()
    assert last.state == "accepted"

    # One difference, explained; both sides sign.
    page = sign_in("hospital")
    page.goto(f"{base}/submissions/versions/{last.pk}/reconciliation/")
    assert last.reconciliation.lines.filter(must_explain=True).count() == 1
    expect(page.get_by_role("button", name="医共体签认")).to_be_disabled()
    page.locator("#line-explanations textarea").fill(REASON)
    with page.expect_navigation():
        page.get_by_role("button", name="保存差异说明").click()
    fits(page, accessible)
    page.get_by_role("link", name="居民 15.1 系统金额的明细").click()
    expect(page.locator("main")).to_contain_text("青溪康宁医院")
    fits(page, accessible)
    page.go_back()
    confirm(page, "医共体签认")
    page = sign_in("officer")
    page.goto(f"{base}/submissions/versions/{last.pk}/reconciliation/")
    expect(page.locator("main")).to_contain_text(REASON)
    confirm(page, "医保局签认")
    expect(page.locator("main")).to_contain_text("双方已签认")

    # The receipt prints.
    page.goto(f"{base}/submissions/versions/{last.pk}/receipt/")
    fits(page, accessible)
    page.emulate_media(media="print")
    expect(page.locator(".band")).to_be_hidden()
    expect(page.get_by_role("button", name="打印回执")).to_be_hidden()
    expect(page.locator("main")).to_contain_text(last.receipt)
    assert len(page.pdf()) > 10_000
