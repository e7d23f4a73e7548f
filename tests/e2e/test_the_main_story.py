"""The year of a fund officer, told in the browser: claims in, package fixed, month prepaid, year settled, statement out."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from budgets.models import PackageVersion, PrepaymentBatch
from claims.models import ClaimsImport
from settlement.models import SettlementVersion
from tests.budgets import ground as budget_ground
from tests.claims.extracts import in_month, written
from tests.e2e.acting import confirm, fill, run_queued
from tests.settlement import ground

MONTHS = ("2026-07", "2026-08", "2026-09")


def extract(faulty: bool) -> bytes:
    """Three months of forty stays each; the faulty one has an unreadable amount and an unknown institution."""
    rows = [in_month(at * 100 + n, month) for at, month in enumerate(MONTHS) for n in range(40)]
    if faulty:
        rows[3]["total_cost"] = "12,3x"
        rows[50]["institution_code"] = "H00000000000"
    return written(rows)


def upload(page: Page, base: str, content: bytes, name: str) -> ClaimsImport:
    page.goto(f"{base}/claims/upload/")
    page.select_option("select[name=county]", label="青溪县")
    page.fill("input[name=period_from]", MONTHS[0])
    page.fill("input[name=period_to]", MONTHS[-1])
    page.set_input_files("input[name=file]", {"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="上传并检查").click()
    expect(page).to_have_url(re.compile(r"/claims/imports/\d+/"))
    run_queued()
    page.reload()
    return ClaimsImport.objects.latest("pk")


def test_a_year_from_claims_to_the_confirmed_statement(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any, tmp_path: Any
) -> None:
    base = live_server.url
    ground.surplus_ready(city, months=1)
    budget_ground.growth(city, 2026)

    page = sign_in("officer")
    faulty = upload(page, base, extract(faulty=True), "青溪三季度.csv")
    expect(page.locator("body")).to_contain_text("C21")
    expect(page.locator("body")).to_contain_text("C10")
    accessible(page)
    faulty.refresh_from_db()
    assert (faulty.state, faulty.rows_bad) == ("accepted", 2)
    corrected = upload(page, base, extract(faulty=False), "青溪三季度更正.csv")
    if corrected.state == "awaiting_decision":
        confirm(page, "确认差异并入库")
        run_queued()
        page.reload()
    corrected.refresh_from_db()
    assert (corrected.state, corrected.rows_good, corrected.rows_bad) == ("accepted", 120, 0)

    page.goto(f"{base}/budgets/packages/new/?alliance=QX&year=2026&fund=RES")
    fill(page, "form[data-leave]", total="300,000,000.00", insured="352816", resettled="9000", coverage_source="register",
         coverage_note="参保台账", inside_2025="195,000,000.00", outside_2025="90,000,000.00", source_2025="accounts",
         note_2025="基金决算报表", inside_2024="210,000,000.00", outside_2024="90,000,000.00", source_2024="accounts",
         note_2024="基金决算报表", inside_2023="200,000,000.00", outside_2023="85,000,000.00", source_2023="accounts",
         note_2023="基金决算报表")  # fmt: skip
    accessible(page)
    page.get_by_role("button", name=re.compile("保存")).first.click()
    expect(page).to_have_url(re.compile(r"/budgets/packages/\d+/"))
    version = PackageVersion.objects.get(package__year=2026)
    page.wait_for_load_state()
    page.locator("[data-opens=round-dialog]").first.click()
    fill(page, "#round-dialog", held_on="2026-01-05", bureau_participants="林晓岚、何劲松", alliance_participants="周敏",
         minutes="双方核对了前三年结算支付。", outcome="双方同意")  # fmt: skip
    with page.expect_navigation():
        page.locator("#round-dialog button[type=submit]").click()
    confirm(page, "报审")
    page = sign_in("reviewer")
    page.goto(f"{base}{version.get_absolute_url()}")
    page.locator("[data-opens=approve-dialog]").click()
    page.fill("#approve-dialog [name=decided_on]", "2026-01-10")
    with page.expect_navigation():
        page.locator("#approve-dialog button[type=submit]").click()
    version.refresh_from_db()
    assert version.state == "approved"

    page = sign_in("officer")
    page.goto(f"{base}/budgets/prepayments/?year=2026")
    page.fill("input[name=month]", "2026-09")
    with page.expect_navigation():
        page.locator("form[action$='/propose/'] button[type=submit]").click()
    run_queued()
    batch = PrepaymentBatch.objects.get(month="2026-09")
    page.goto(f"{base}/budgets/prepayments/{batch.pk}/")
    accessible(page)
    confirm(page, "报审")
    page = sign_in("reviewer")
    page.goto(f"{base}/budgets/prepayments/{batch.pk}/")
    confirm(page, "审定")
    batch.refresh_from_db()
    assert batch.state == "approved"

    settled = SettlementVersion.objects.get(settlement__year=2025)
    statement = f"{base}/settlement/versions/{settled.pk}/"
    page.goto(statement)
    accessible(page)
    confirm(page, "复核清算单")
    page = sign_in("officer")
    page.goto(statement)
    confirm(page, "送医共体确认")
    page = sign_in("hospital")
    page.goto(statement)
    accessible(page)
    confirm(page, "确认清算单")
    settled.refresh_from_db()
    assert settled.state == "confirmed"
    with page.expect_download() as download:
        page.locator("a[href$='statement.docx']").first.click()
    word = tmp_path / "statement.docx"
    download.value.save_as(word)
    assert word.read_bytes()[:2] == b"PK" and word.stat().st_size > 8000
