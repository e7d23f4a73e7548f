"""The pages beside the package: growth, plans, allocation, batches, accounts, other payments, from form to record."""

import io
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from budgets import services
from budgets.models import (
    DistributionPlan,
    LeadAccount,
    OtherPayment,
    PaymentFile,
    Prepayment,
    PrepaymentBatch,
    Receipt,
    RevenueGrowth,
)
from tests.budgets.ground import (
    account,
    approved,
    approved_month,
    facts_of,
    inputs,
    page_of,
    pdf,
    sheet_of,
    text_of,
)


def test_a_growth_is_entered_and_approved_on_its_page(world, client_of):
    client = client_of(world.officer)
    url = reverse("budgets:growth")
    typed = {
        "year": "2026", "fund_type": "RES", "growth": "4.2", "like_for_like": "口径无变化", "document_title": "市预算",
    }  # fmt: skip
    assert client.post(url, typed).status_code == 422
    assert client.post(url, {**typed, "growth": "-4.2", "evidence": pdf()}).status_code == 422
    assert client.post(url, {**typed, "evidence": pdf()}).status_code == 302
    entered = RevenueGrowth.objects.get()
    assert entered.growth == Decimal("0.042000")
    act = reverse("budgets:growth-act", args=[entered.pk, "approve"])
    assert client.post(act).status_code == 403
    assert client_of(world.reviewer).post(act).status_code == 302
    entered.refresh_from_db()
    assert entered.state == "approved"


def test_a_hospital_cannot_enter_a_growth(world, client_of):
    typed = {"year": "2026", "fund_type": "RES", "growth": "4", "like_for_like": "无", "document_title": "文", "evidence": pdf()}
    response = client_of(world.hospital).post(reverse("budgets:growth"), typed)
    assert response.status_code == 403 and not RevenueGrowth.objects.exists()


def test_a_hospital_files_its_plan_and_both_bodies_acknowledge_it(world, client_of):
    client = client_of(world.hospital)
    url = reverse("budgets:plans")
    typed = {
        "alliance": world.alliance.pk, "year": "2026", "title": "打包基金分配管理办法", "effective_on": "2026-01-01",
        "summary": "按工作量与质量分配",
    }  # fmt: skip
    refused = client.post(url, typed)
    assert refused.status_code == 422 and "按工作量与质量分配" in text_of(refused)
    assert client.post(url, {**typed, "file": pdf("办法.pdf")}).status_code == 302
    assert client.post(url, {**typed, "alliance": world.east.pk, "file": pdf()}).status_code == 422
    plan = DistributionPlan.objects.get()
    assert client.post(reverse("budgets:plan-acknowledge", args=[plan.pk, "bureau"])).status_code == 403
    assert client_of(world.county_officer).post(reverse("budgets:plan-acknowledge", args=[plan.pk, "branch"])).status_code == 302
    bureau = reverse("budgets:plan-acknowledge", args=[plan.pk, "bureau"])
    assert client_of(world.reviewer).post(bureau, {"reason": "已阅"}).status_code == 302
    assert client_of(world.reviewer).post(bureau).status_code == 409
    assert {mark.side for mark in plan.acknowledgements.all()} == {"bureau", "branch"}
    assert client_of(world.sister_hospital).get(reverse("budgets:file", args=["plan", plan.pk])).status_code == 404


def test_an_allocation_by_weights_adds_up_and_is_approved_by_another_person(world, client_of):
    facts_of(world, 2025, "196000000.00", "80000000.00")
    version = approved(world, inputs(years={y: i for y, i in inputs().years.items() if y != 2025}))
    client = client_of(world.officer)
    url = reverse("budgets:allocation", args=[version.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"act": "weights", "note": "按上年支出"}).status_code == 302
    allocation = version.allocations.get()
    amounts = {line.institution.name: line.amount for line in allocation.lines.all()}
    assert sum(amounts.values()) == version.in_alliance
    assert amounts["青溪县人民医院"] > amounts["石桥镇中心卫生院"] > 0 == amounts["石桥村卫生室"]
    assert [line.is_quota for line in allocation.lines.order_by("institution__code")] == [True, False, False]
    act = reverse("budgets:allocation-act", args=[allocation.pk, "submit"])
    assert client.post(act).status_code == 302
    approve = reverse("budgets:allocation-act", args=[allocation.pk, "approve"])
    assert client.post(approve).status_code == 403
    assert client_of(world.reviewer).post(approve).status_code == 302
    page = text_of(client_of(world.hospital).get(page_of(version)))
    assert "石桥镇中心卫生院" in page and "不设额度" in page


def test_typed_parts_one_fen_off_are_refused_and_kept(world, client_of):
    version = approved(world)
    parts = {world.lead: version.in_alliance - Decimal("1000000.01"), world.township: Decimal("1000000.00"), world.village: 0}
    typed = {f"amount_{member.pk}": f"{amount:,}" for member, amount in parts.items()} | {"act": "typed"}
    response = client_of(world.officer).post(reverse("budgets:allocation", args=[version.pk]), typed)
    assert response.status_code == 422
    assert "相差 -0.01 元" in text_of(response) and "1,000,000.00" in text_of(response)
    typed[f"amount_{world.lead.pk}"] = str(version.in_alliance - 1000000)
    assert client_of(world.officer).post(reverse("budgets:allocation", args=[version.pk]), typed).status_code == 302


def test_a_month_is_proposed_reduced_submitted_approved_and_paid_from_the_pages(world, client_of):
    approved(world)
    account(world)
    client = client_of(world.officer)
    assert client.post(reverse("budgets:propose"), {"month": "2026-13"}).status_code == 422
    assert client.post(reverse("budgets:propose"), {"month": "2026-01"}).status_code == 302
    batch, line = PrepaymentBatch.objects.get(), Prepayment.objects.get()
    url = reverse("budgets:batch", args=[batch.pk])
    change = reverse("budgets:line-change", args=[line.pk])
    refused = client.post(change, {"kind": "reduce", "amount": "99,999,999", "reason": "数据核查"})
    assert refused.status_code == 422 and "数据核查" in text_of(refused) and "99,999,999" in text_of(refused)
    assert client.post(change, {"kind": "reduce", "amount": "327,160.52", "reason": "数据核查"}).status_code == 302
    assert client.post(reverse("budgets:batch-act", args=[batch.pk, "submit"])).status_code == 302
    client = client_of(world.reviewer)
    assert "14,000,000.00" in text_of(client.get(url))
    assert client.post(reverse("budgets:batch-act", args=[batch.pk, "approve"])).status_code == 302
    client = client_of(world.finance)
    assert client.post(reverse("budgets:batch-act", args=[batch.pk, "payment-file"])).status_code == 302
    file = PaymentFile.objects.get()
    paid = b"".join(client.get(reverse("budgets:payment-file", args=[file.pk])).streaming_content)
    rows = list(load_workbook(io.BytesIO(paid)).worksheets[0].values)
    assert rows[2][1:5] == ("青溪县人民医院", "澜川农商银行青溪支行", "6228480012345678901", 14000000)
    receipt = reverse("budgets:line-receipt", args=[line.pk])
    today = timezone.localdate().isoformat()
    wrong = client.post(receipt, {"outcome": "paid", "on": today, "reference": "YH77", "amount": "13,999,999.99"})
    assert wrong.status_code == 422 and "YH77" in text_of(wrong)
    right = {"outcome": "paid", "on": today, "reference": "YH77", "amount": "14,000,000.00"}
    assert client.post(receipt, right).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "paid"
    assert "YH77" in text_of(client.get(url))
    void = reverse("budgets:receipt-void", args=[Receipt.objects.get().pk])
    assert client.post(void, {"reason": ""}).status_code == 422
    assert client.post(void, {"reason": "抄错"}).status_code == 302


def test_account_numbers_open_only_to_who_pays_or_approves(world, client_of, running):
    url = reverse("budgets:payment-file", args=[PaymentFile.objects.get().pk])
    assert client_of(world.officer).get(url).status_code == 403
    assert client_of(world.reviewer).get(url).status_code == 200
    number = "6228480012345678901"
    assert number not in text_of(client_of(world.officer).get(reverse("budgets:accounts")))
    assert number in text_of(client_of(world.finance).get(reverse("budgets:accounts")))


def test_an_account_must_carry_the_lead_hospitals_name(world, client_of):
    typed = {
        "alliance": world.alliance.pk, "account_name": "青溪县人民医院工会", "bank": "农商银行", "account_number": "62284800",
        "valid_from": "2026-01-01",
    }  # fmt: skip
    client = client_of(world.finance)
    response = client.post(reverse("budgets:accounts"), typed)
    assert response.status_code == 422 and "牵头医院" in text_of(response)
    assert client.post(reverse("budgets:accounts"), {**typed, "account_name": "青溪县人民医院"}).status_code == 302
    held = LeadAccount.objects.get()
    assert client.post(reverse("budgets:account-act", args=[held.pk, "approve"])).status_code == 403
    assert client_of(world.reviewer).post(reverse("budgets:account-act", args=[held.pk, "approve"])).status_code == 302


def test_another_payment_goes_from_registration_to_receipt(world, client_of):
    approved(world)
    client = client_of(world.officer)
    url = reverse("budgets:payments")
    typed = {
        "alliance": world.alliance.pk, "year": "2026", "fund_type": "RES", "kind": "monthly_settlement",
        "amount": "1,000,000.00", "purpose": "2026 年 1 月结算",
    }  # fmt: skip
    whole = client.post(url, {**typed, "amount": "286,543,210.37"})
    assert whole.status_code == 422 and "不得按打包预算额度直接拨付" in text_of(whole)
    assert client.post(url, typed).status_code == 302
    payment = OtherPayment.objects.get()
    assert client_of(world.reviewer).post(reverse("budgets:payment-act", args=[payment.pk, "approve"])).status_code == 302
    client = client_of(world.finance)
    act = reverse("budgets:payment-act", args=[payment.pk, "receipt"])
    today = timezone.localdate().isoformat()
    assert client.post(act, {"on": today, "reference": "M1", "amount": "1.00"}).status_code == 422
    assert client.post(act, {"on": today, "reference": "M1", "amount": "1,000,000.00"}).status_code == 302
    assert "M1" in text_of(client.get(url))
    rows = sheet_of(client.get(reverse("budgets:payments-xlsx")))
    assert rows[2][5] == rows[3][5] == 1000000


def test_a_hospital_may_neither_propose_nor_pay(world, client_of, running):
    client = client_of(world.hospital)
    line = Prepayment.objects.get(month="2026-01")
    assert client.post(reverse("budgets:propose"), {"month": "2026-03"}).status_code == 403
    receipt = {"outcome": "paid", "on": "2026-02-02", "reference": "X", "amount": "1.00"}
    assert client.post(reverse("budgets:line-receipt", args=[line.pk]), receipt).status_code == 403
    assert client.post(reverse("budgets:batch-act", args=[line.batch_id, "approve"])).status_code == 403


def test_a_batch_exports_what_it_shows(world, client_of, running):
    batch = PrepaymentBatch.objects.get(month="2026-01")
    rows = sheet_of(client_of(world.officer).get(reverse("budgets:batch-xlsx", args=[batch.pk])))
    assert rows[2][9] == rows[3][9] == 14327160.52


def test_date_fields_speak_the_browsers_format_and_no_dialog_opens_by_itself(world, client_of):
    approved(world)
    batch = approved_month(world, "2026-01")
    account(world)
    services.make_payment_file(world.finance, batch)
    page = text_of(client_of(world.finance).get(reverse("budgets:batch", args=[batch.pk])))
    assert f'value="{timezone.localdate().isoformat()}"' in page
    assert "data-open-now" not in page
