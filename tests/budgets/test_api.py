"""Budgets over the API: the same scope, the same refusals, the same four eyes."""

from decimal import Decimal

from django.utils import timezone

from budgets.models import PackageVersion, Prepayment, PrepaymentBatch
from tests.budgets.ground import account, approved, approved_month, drafted, facts_of, growth, pdf, submitted

ROOT = "/api/v1/budgets/"


def post(client, path, data=None):
    return client.post(ROOT + path, data or {}, content_type="application/json")


def test_versions_are_listed_inside_the_scope_with_exact_amounts(world, client_of):
    approved(world)
    (row,) = client_of(world.hospital).get(ROOT + "packages/").json()["results"]
    assert (row["total"], row["alliance"], row["state"]) == ("286543210.37", "QX", "approved")
    assert row["rounds"][0]["number"] == 1 and row["trace"][0]["clause"]
    assert client_of(world.sister_hospital).get(ROOT + "packages/").json()["results"] == []
    pk = row["id"]
    assert client_of(world.stranger_officer).get(f"{ROOT}packages/{pk}/").status_code == 404


def test_a_package_is_drafted_submitted_and_approved_by_the_same_services(world, client_of):
    growth(world)
    for year, inside, outside in ((2024, "186000000.00", "76000000.00"), (2025, "196000000.00", "80000000.00")):
        facts_of(world, year, inside, outside)
    client = client_of(world.officer)
    given = {
        "alliance": "QX", "year": 2026, "fund_type": "RES", "total": "286543210.37", "no_negotiation_reason": "首年试点",
    }  # fmt: skip
    above = post(client, "packages/", {**given, "total": "299999999.99"})
    assert above.status_code == 422 and "高于统筹区收入预算增幅" in above.json()["problems"][0]["text"]
    made = post(client, "packages/", given)
    assert made.status_code == 201 and made.json()["total"] == "286543210.37"
    pk = made.json()["id"]
    assert post(client, f"packages/{pk}/submit/").json()["state"] == "submitted"
    own = post(client, f"packages/{pk}/approve/", {"decided_on": "2026-01-10"})
    assert own.status_code == 403 and "何劲松" in own.json()["detail"]
    reviewer = client_of(world.reviewer)
    assert post(reviewer, f"packages/{pk}/approve/", {"decided_on": "2026-01-10"}).json()["state"] == "approved"
    assert post(reviewer, f"packages/{pk}/approve/", {"decided_on": "2026-01-10"}).status_code == 409


def test_a_version_is_returned_with_its_reason_only(world, client_of):
    growth(world)
    version = submitted(world)
    client = client_of(world.reviewer)
    assert post(client, f"packages/{version.pk}/return/", {"reason": ""}).status_code == 422
    assert post(client, f"packages/{version.pk}/return/", {"reason": "偏高"}).json()["state"] == "returned"
    assert PackageVersion.objects.get().decision_note == "偏高"


def test_a_month_runs_from_proposal_to_receipt(world, client_of):
    approved(world)
    client = client_of(world.officer)
    told = post(client, "batches/propose/", {"pooling_area": "990100", "month": "2026-01"}).json()["told"]
    assert any("14,327,160.52" in line for line in told)
    assert post(client, "batches/propose/", {"pooling_area": "990200", "month": "2026-01"}).status_code == 404
    batch, line = PrepaymentBatch.objects.get(), Prepayment.objects.get()
    changed = post(client, f"prepayments/{line.pk}/change/", {"kind": "reduce", "amount": "160.52", "reason": "取整"})
    assert changed.json()["amount"] == "14327000.00"
    assert post(client, f"batches/{batch.pk}/submit/").json()["state"] == "submitted"
    assert post(client, f"batches/{batch.pk}/approve/").status_code == 403
    assert post(client_of(world.reviewer), f"batches/{batch.pk}/approve/").json()["state"] == "approved"
    receipt = {"outcome": "paid", "on": timezone.localdate().isoformat(), "reference": "YH1", "amount": "14327000.00"}
    early = post(client_of(world.finance), f"prepayments/{line.pk}/receipts/", receipt)
    assert early.status_code == 422 and "拨付文件" in early.json()["problems"][0]["text"]
    account(world)
    made = post(client_of(world.finance), f"batches/{batch.pk}/payment-files/")
    assert made.status_code == 201 and len(made.json()["sha256"]) == 64
    assert post(client_of(world.finance), f"prepayments/{line.pk}/receipts/", receipt).status_code == 201
    batch.refresh_from_db()
    assert batch.state == "paid"


def test_hospitals_read_approved_lines_of_their_own_only(world, client_of):
    approved(world)
    account(world)
    approved_month(world, "2026-01")
    rows = client_of(world.hospital).get(ROOT + "prepayments/?year=2026").json()["results"]
    assert [Decimal(row["amount"]) for row in rows] == [Decimal("14327160.52")]
    assert client_of(world.sister_hospital).get(ROOT + "prepayments/").json()["results"] == []


def test_a_growth_is_entered_with_its_file_and_returned_with_a_reason(world, client_of):
    client = client_of(world.officer)
    given = {
        "pooling_area": "990100", "fund_type": "RES", "year": 2026, "growth": "0.042", "like_for_like": "无变化",
        "document_title": "市预算",
    }  # fmt: skip
    bare = client.post(ROOT + "growths/", given)
    assert bare.status_code == 422 and bare.json()["problems"][0]["field"] == "依据附件"
    made = client.post(ROOT + "growths/", {**given, "evidence": pdf()})
    assert made.status_code == 201 and made.json()["growth"] == "0.042000"
    pk = made.json()["id"]
    assert post(client, f"growths/{pk}/approve/").status_code == 403
    assert post(client_of(world.reviewer), f"growths/{pk}/return/", {"reason": "依据不足"}).json()["state"] == "returned"
    assert post(client_of(world.reviewer), f"growths/{pk}/approve/").status_code == 409


def test_rounds_and_allocations_go_through_the_same_services(world, client_of):
    growth(world)
    version = drafted(world)
    client = client_of(world.officer)
    sides = {
        "held_on": "2026-01-05", "bureau_participants": "林晓岚", "alliance_participants": "", "minutes": "纪要",
        "outcome": "一致",
    }  # fmt: skip
    rounds = f"packages/{version.pk}/rounds/"
    assert post(client, rounds, sides).status_code == 422
    assert post(client, rounds, {**sides, "alliance_participants": "周敏"}).json()["number"] == 1
    parts = {"H99010100001": str(version.in_alliance - 2), "H99010100011": "1.00", "H99010100021": "1.00"}
    allocate = f"packages/{version.pk}/allocate/"
    foreign = post(client, allocate, {"amounts": {**parts, "H99010200001": "0.00"}})
    assert foreign.status_code == 422 and "不是本医共体的成员单位" in foreign.json()["problems"][0]["text"]
    made = post(client, allocate, {"amounts": parts})
    assert made.status_code == 201 and made.json()["total"] == str(version.in_alliance)
    pk = made.json()["id"]
    assert post(client, f"allocations/{pk}/submit/").json()["state"] == "submitted"
    early = post(client_of(world.reviewer), f"allocations/{pk}/approve/")
    assert early.status_code == 422 and "不是在执行的打包预算版本" in early.json()["problems"][0]["text"]


def test_another_payment_is_registered_approved_and_paid(world, client_of):
    approved(world)
    given = {"alliance": "QX", "year": 2026, "fund_type": "RES", "kind": "other", "amount": "5.00", "purpose": "补付"}
    assert post(client_of(world.hospital), "payments/", given).status_code == 403
    pk = post(client_of(world.officer), "payments/", given).json()["id"]
    assert post(client_of(world.officer), f"payments/{pk}/approve/").status_code == 403
    assert post(client_of(world.reviewer), f"payments/{pk}/approve/").json()["state"] == "approved"
    paid = {"on": timezone.localdate().isoformat(), "reference": "M1", "amount": "5.00"}
    assert post(client_of(world.finance), f"payments/{pk}/receipt/", {**paid, "amount": "4.99"}).status_code == 422
    assert post(client_of(world.finance), f"payments/{pk}/receipt/", paid).json()["state"] == "paid"
