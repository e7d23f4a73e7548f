"""Budgets over the API: the same scope, the same refusals, the same four eyes."""

from decimal import Decimal

from budgets.models import PackageVersion, Prepayment, PrepaymentBatch
from tests.budgets.ground import account, approved, approved_month, facts_of, growth, submitted

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
    receipt = {"outcome": "paid", "on": "2026-02-02", "reference": "YH1", "amount": "14327000.00"}
    early = post(client_of(world.finance), f"prepayments/{line.pk}/receipts/", receipt)
    assert early.status_code == 422 and "拨付文件" in early.json()["problems"][0]["text"]


def test_hospitals_read_approved_lines_of_their_own_only(world, client_of):
    approved(world)
    account(world)
    approved_month(world, "2026-01")
    rows = client_of(world.hospital).get(ROOT + "prepayments/?year=2026").json()["results"]
    assert [Decimal(row["amount"]) for row in rows] == [Decimal("14327160.52")]
    assert client_of(world.sister_hospital).get(ROOT + "prepayments/").json()["results"] == []
