"""The pages of budgets: who sees them, what they offer, what they keep after a refusal, how many queries they cost."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from budgets import services
from budgets.models import (
    LeadAccount,
    NegotiationRound,
    Package,
    PackageVersion,
    PaymentFile,
    PrepaymentBatch,
    Receipt,
)
from core.models import TrailEvent
from tests.budgets.ground import (
    B,
    approved,
    approved_month,
    drafted,
    facts_of,
    growth,
    inputs,
    month,
    page_of,
    pdf,
    sheet_of,
    sitting,
    submitted,
    text_of,
)

BUREAU = ["officer", "reviewer", "finance", "auditor", "observer"]


def own_pages(version):
    batch = PrepaymentBatch.objects.get(month="2026-01")
    line = batch.lines.get()
    return [
        reverse("budgets:list") + "?year=2026",
        reverse("budgets:list-xlsx") + "?year=2026",
        page_of(version),
        reverse("budgets:package-xlsx", args=[version.pk]),
        reverse("budgets:package-trace", args=[version.pk]),
        reverse("budgets:growth"),
        reverse("budgets:plans"),
        reverse("budgets:prepayments") + "?year=2026",
        reverse("budgets:prepayments-xlsx") + "?year=2026",
        reverse("budgets:batch", args=[batch.pk]),
        reverse("budgets:batch-xlsx", args=[batch.pk]),
        reverse("budgets:line-trace", args=[line.pk]),
        reverse("budgets:line-trace", args=[line.pk]) + "?of=cash",
        reverse("budgets:accounts"),
        reverse("budgets:payments"),
        reverse("budgets:file", args=["growth", version.growth_id]),
    ]


@pytest.mark.parametrize("person", [*BUREAU, "hospital", "county_officer"])
def test_the_bureau_and_the_alliance_itself_read_every_page(world, client_of, running, person):
    client = client_of(getattr(world, person))
    assert {url: client.get(url).status_code for url in own_pages(running)} == dict.fromkeys(own_pages(running), 200)


@pytest.mark.parametrize("person", ["sister_hospital", "stranger_officer", "stranger_reviewer", "nobody"])
def test_a_sister_alliance_and_strangers_find_nothing_of_it(world, client_of, running, person):
    client = client_of(getattr(world, person))
    batch = PrepaymentBatch.objects.get(month="2026-01")
    line = batch.lines.get()
    closed = [
        page_of(running),
        reverse("budgets:package-xlsx", args=[running.pk]),
        reverse("budgets:package-trace", args=[running.pk]),
        reverse("budgets:edit", args=[running.pk]),
        reverse("budgets:allocation", args=[running.pk]),
        reverse("budgets:batch", args=[batch.pk]),
        reverse("budgets:batch-xlsx", args=[batch.pk]),
        reverse("budgets:line-trace", args=[line.pk]),
        reverse("budgets:payment-file", args=[PaymentFile.objects.get().pk]),
        reverse("budgets:file", args=["round", running.rounds.get().pk]),
        reverse("budgets:new") + "?alliance=QX&year=2026&fund=RES",
    ]
    assert {url: client.get(url).status_code for url in closed} == dict.fromkeys(closed, 404)
    posts = [
        reverse("budgets:package-act", args=[running.pk, "withdraw"]),
        reverse("budgets:package-approve", args=[running.pk]),
        reverse("budgets:round", args=[running.pk]),
        reverse("budgets:batch-act", args=[batch.pk, "approve"]),
        reverse("budgets:line-change", args=[line.pk]),
        reverse("budgets:line-receipt", args=[line.pk]),
        reverse("budgets:receipt-void", args=[Receipt.objects.get().pk]),
        reverse("budgets:account-act", args=[LeadAccount.objects.get().pk, "approve"]),
    ]
    assert {url: client.post(url).status_code for url in posts} == dict.fromkeys(posts, 404)


def test_a_hospital_sees_no_draft_of_the_bureau(world, client_of):
    growth(world)
    version = drafted(world)
    client = client_of(world.hospital)
    assert client.get(page_of(version)).status_code == 404
    assert "286,543,210.37" not in text_of(client.get(reverse("budgets:list") + "?year=2026"))


def test_a_hospital_sees_no_prepayment_before_it_is_approved(world, client_of, running):
    february = PrepaymentBatch.objects.get(month="2026-02")
    assert client_of(world.hospital).get(reverse("budgets:batch", args=[february.pk])).status_code == 404
    page = text_of(client_of(world.hospital).get(reverse("budgets:prepayments") + "?year=2026"))
    assert "2026年1月" in page and "2026年2月" not in page and "14,327,160.52" in page


def test_a_member_institution_reads_the_package_but_no_payment(world, client_of, running):
    client = client_of(world.member)
    assert client.get(page_of(running)).status_code == 200
    assert client.get(reverse("budgets:batch", args=[PrepaymentBatch.objects.get(month="2026-01").pk])).status_code == 404


def test_an_officer_who_may_not_approve_is_told_who_can(world, client_of):
    growth(world)
    version = submitted(world)
    response = client_of(world.officer).post(
        reverse("budgets:package-approve", args=[version.pk]), {"decided_on": "2026-01-10"}
    )
    assert response.status_code == 403 and "何劲松" in text_of(response)


def test_the_list_filters_sorts_and_exports_what_it_shows(world, client_of, running):
    client = client_of(world.officer)
    url = reverse("budgets:list")
    shown = text_of(client.get(url + "?year=2026&state=approved&sort=-total"))
    assert "286,543,210.37" in shown and "云岭县东部医共体" not in shown
    rows = sheet_of(client.get(reverse("budgets:list-xlsx") + "?year=2026&state=approved"))
    assert [row[0] for row in rows[2:]] == ["青溪县紧密型县域医共体", "合计"]
    assert rows[2][6] == rows[3][6] == 286543210.37
    assert TrailEvent.objects.filter(action="core.export").exists()


def test_the_package_page_shows_every_step_with_its_clause_and_both_bases(world, client_of, running):
    page = text_of(client_of(world.officer).get(page_of(running)))
    for wanted in ("打包总额上限", "292,560,000.00", "263,333,333.33", "276,000,000.00", "§二(二)3", "异地安置", "第 1 轮"):
        assert wanted in page


def test_figures_from_facts_lead_the_bureau_to_their_months(world, client_of):
    facts_of(world, 2025, "196000000.00", "80000000.00")
    version = approved(world, inputs(years={y: i for y, i in inputs().years.items() if y != 2025}))
    link = reverse("claims:coverage") + "?year=2025"
    assert link in text_of(client_of(world.officer).get(page_of(version)))
    assert link not in text_of(client_of(world.hospital).get(page_of(version)))


def form_of(**changes):
    typed = {
        "basis": "last_year_settled", "volume_allowance": "0", "total": "286,543,210.37", "general_outpatient": "on",
        "chronic_outpatient": "on", "inpatient": "on", "out_of_county_care": "on", "insured": "540000",
        "resettled": "9000", "coverage_source": "register", "coverage_note": "参保台账", "act": "save",
    }  # fmt: skip
    for year, inside, outside in ((2025, "196,000,000", "80,000,000"), (2024, "186,000,000", "76,000,000")):
        typed |= {
            f"inside_{year}": inside, f"outside_{year}": outside, f"source_{year}": "accounts",
            f"note_{year}": "基金决算报表",
        }  # fmt: skip
    return typed | changes


NEW = "?alliance=QX&year=2026&fund=RES"


def test_an_officer_types_a_package_and_it_is_kept_to_the_fen(world, client_of):
    growth(world)
    response = client_of(world.officer).post(reverse("budgets:new") + NEW, form_of())
    assert response.status_code == 302
    version = PackageVersion.objects.get()
    assert (version.total, version.state, version.insured) == (B, "draft", 540000)


def test_a_refused_package_keeps_what_was_typed(world, client_of):
    growth(world)
    response = client_of(world.officer).post(
        reverse("budgets:new") + NEW, form_of(total="299,999,999.99", scope_change_note="新增病种")
    )
    page = text_of(response)
    assert response.status_code == 422
    assert "299,999,999.99" in page and "新增病种" in page and "高于统筹区收入预算增幅" in page
    assert not Package.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"basis": "county_revenue"}, "县域内的医保基金收入"),
        ({"total": "0"}, "大于零"),
        ({"total": "12.345"}, "小数"),
        ({"total": "很多"}, "数字"),
        ({"outside_2025": ""}, "两项须同时填写"),
        ({"source_2025": ""}, "请选择来源"),
        ({"resettled": "600000"}, "大于参保人数"),
    ],
)
def test_wrong_input_is_named_and_nothing_is_kept(world, client_of, changes, told):
    growth(world)
    response = client_of(world.officer).post(reverse("budgets:new") + NEW, form_of(**changes))
    assert response.status_code == 422 and told in text_of(response)
    assert not PackageVersion.objects.exists()


def test_a_preview_shows_the_worksheet_and_keeps_nothing(world, client_of):
    growth(world)
    response = client_of(world.officer).post(reverse("budgets:new") + NEW, form_of(act="preview"))
    assert response.status_code == 200 and "292,560,000.00" in text_of(response)
    assert not PackageVersion.objects.exists()


def test_a_reviewer_finds_no_way_to_draft(world, client_of):
    assert client_of(world.reviewer).get(reverse("budgets:new") + NEW).status_code == 403


def test_a_draft_opens_again_with_its_figures(world, client_of):
    growth(world)
    version = drafted(world)
    client = client_of(world.officer)
    page = text_of(client.get(reverse("budgets:edit", args=[version.pk])))
    assert "286,543,210.37" in page and "196,000,000.00" in page
    response = client.post(reverse("budgets:edit", args=[version.pk]), form_of(total="280,000,000.00"))
    assert response.status_code == 302
    version.refresh_from_db()
    assert version.total == Decimal("280000000.00")


def test_a_reason_typed_for_a_refused_return_stays_in_its_dialog(world, client_of):
    growth(world)
    version = submitted(world)
    client = client_of(world.reviewer)
    url = reverse("budgets:package-act", args=[version.pk, "return"])
    blank = client.post(url, {"reason": "  "})
    assert blank.status_code == 422 and "data-open-now" in text_of(blank)
    assert client.post(url, {"reason": "金额偏高"}).status_code == 302
    again = client.post(url, {"reason": "再退一次"})
    assert again.status_code == 409


def test_a_round_is_recorded_from_the_page_and_keeps_its_text_when_refused(world, client_of):
    growth(world)
    version = drafted(world)
    client = client_of(world.officer)
    url = reverse("budgets:round", args=[version.pk])
    typed = {
        "held_on": "2026-01-05", "bureau_participants": "林晓岚", "alliance_participants": "周敏", "minutes": "双方协商",
        "outcome": "一致", "bureau_position": "280,000,000", "alliance_position": "",
    }  # fmt: skip
    late = client.post(url, {**typed, "held_on": "2999-01-01"})
    assert late.status_code == 422 and "双方协商" in text_of(late) and "不能晚于今天" in text_of(late)
    assert client.post(url, {**typed, "file": pdf("纪要.pdf")}).status_code == 302
    held = NegotiationRound.objects.get()
    assert (held.bureau_position, held.file.name) == (Decimal("280000000.00"), "纪要.pdf")
    assert client.get(reverse("budgets:file", args=["round", held.pk])).status_code == 200


def test_submit_and_approve_from_the_page_put_a_package_in_force(world, client_of):
    growth(world)
    version = drafted(world)
    services.record_round(world.officer, version, sitting())
    client = client_of(world.officer)
    assert client.post(reverse("budgets:package-act", args=[version.pk, "submit"])).status_code == 302
    client = client_of(world.reviewer)
    assert "审定2026 年度居民打包总额" in text_of(client.get(page_of(version)))
    response = client.post(reverse("budgets:package-approve", args=[version.pk]), {"decided_on": "2026-01-10"})
    assert response.status_code == 302
    version.refresh_from_db()
    assert (version.state, version.decided_by, version.decided_on) == ("approved", world.reviewer, date(2026, 1, 10))


def test_a_submit_without_negotiation_says_what_is_missing(world, client_of):
    growth(world)
    version = drafted(world)
    response = client_of(world.officer).post(reverse("budgets:package-act", args=[version.pk, "submit"]))
    assert response.status_code == 422 and "没有协商记录" in text_of(response)


def test_lists_cost_the_same_queries_however_many_rows_they_hold(world, client_of, django_assert_max_num_queries):
    approved(world)
    approved_month(world, "2026-01")
    client = client_of(world.officer)
    urls = [
        reverse("budgets:list") + "?year=2026",
        reverse("budgets:prepayments") + "?year=2026",
        reverse("budgets:batch", args=[PrepaymentBatch.objects.get(month="2026-01").pk]),
    ]
    before = [_queries(client, url) for url in urls]
    approved(world, inputs("100000000.00"), fund_type="EMP")
    for text in ("2026-01", "2026-02", "2026-03"):
        services.propose(world.alliance, month(text))
    urls[2] = reverse("budgets:batch", args=[PrepaymentBatch.objects.get(month="2026-02").pk])
    after = [_queries(client, url) for url in urls]
    assert after[0] == before[0] and after[1] == before[1]
    assert after[2] <= before[2] + 1
    assert max(after) <= 40


def _queries(client, url):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)
