"""The API does what the pages do: the same scope, the same refusals, the same acts."""

import json

import pytest
from django.utils import timezone

from settlement.models import Adjustment, RecoveryPlan
from tests.settlement import ground
from tests.settlement.ground import YEAR, D

BASE = "/api/v1/settlements/"


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


@pytest.fixture
def call(client_of):
    def post(user, path, **data):
        return client_of(user).post(path, json.dumps(data), content_type="application/json")

    return post


def at(version, act):
    return f"{BASE}{version.pk}/{act}/"


def test_the_list_and_the_version_hold_what_the_statement_shows(world, client_of):
    version = ground.the_draft(world)
    listed = client_of(world.officer).get(BASE, {"settlement__year": YEAR}).json()
    assert [row["number"] for row in listed["results"]] == ["清-2025-QX-居民"]
    one = client_of(world.officer).get(f"{BASE}{version.pk}/").json()
    assert one["computation"]["cash"] == "207000000.00"
    assert one["computation"]["result"]["identities"][0]["holds"] is True
    assert one["changes"][0]["act"] == "draft"


def test_strangers_get_404_and_those_without_the_post_403_with_the_reason(world, client_of, call):
    version = ground.the_draft(world)
    for person in (world.sister_hospital, world.stranger_reviewer, world.hospital):
        assert client_of(person).get(f"{BASE}{version.pk}/").status_code == 404
        assert call(person, at(version, "review")).status_code == 404
    denied = call(world.observer, at(version, "review"))
    assert denied.status_code == 403 and "岗位" in denied.json()["detail"]


def test_the_whole_way_over_the_api(world, call):
    version = ground.the_draft(world)
    assert call(world.officer, f"{BASE}draft/", alliance="QX", year=YEAR, fund_type="RES").json()["state"] == "draft"
    assert call(world.officer, at(version, "refresh")).status_code == 200
    assert call(world.reviewer, at(version, "return"), reason="短").status_code == 422
    assert call(world.reviewer, at(version, "review"), computation=version.computation_id).json()["state"] == "reviewed"
    again = call(world.second_reviewer, at(version, "review"))
    assert again.status_code == 409 and "何劲松" in again.json()["problems"][0]["text"]
    assert call(world.officer, at(version, "send")).json()["state"] == "sent"
    assert call(world.hospital, at(version, "object"), reason="县外明细不符，请核对").json()["state"] == "objected"
    assert call(world.reviewer, at(version, "reject-objection"), reason="已逐笔核对").json()["state"] == "sent"
    assert call(world.hospital, at(version, "confirm")).json()["state"] == "confirmed"
    assert call(world.reviewer, at(version, "finalise")).json()["state"] == "final"
    on = timezone.localdate().isoformat()
    wrong = call(world.finance, at(version, "pay"), on=on)
    assert wrong.status_code == 422 and wrong.json()["problems"][0]["field"] == "bank_reference"
    paid = call(world.finance, at(version, "pay"), on=on, bank_reference="YH2026001")
    assert paid.status_code == 201 and paid.json()["amount"] == "207000000.00"
    assert call(world.officer, at(version, "correct"), reason="跨省迟到结算").status_code == 422


def test_withdraw_reopen_and_cancel_over_the_api(world, call):
    version = ground.sent(world, ground.the_draft(world))
    assert call(world.officer, at(version, "withdraw"), reason="数据有误，重新核对").json()["state"] == "draft"
    ground.confirmed(world, version)
    assert call(world.reviewer, at(version, "reopen"), reason="数据有误，重新核对").json()["state"] == "draft"
    assert call(world.officer, at(version, "cancel"), reason="重新起草").json()["state"] == "cancelled"


def test_adjustments_scores_and_their_refusals_over_the_api(world, call, client_of):
    path = "/api/v1/settlement-adjustments/"
    given = {"alliance": "QX", "year": YEAR, "fund_type": "RES", "amount": "500.00", "source": "澜稽12号", "reason": "重复收费"}
    fine = call(world.auditor, path, kind="fine", **given)
    assert fine.status_code == 422 and "国库" in fine.json()["problems"][0]["text"]
    assert call(world.auditor, path, kind="refused_claims", **given).status_code == 201
    proposed = call(world.officer, path, kind="agreed_deduction", **given)
    assert proposed.status_code == 201
    key = proposed.json()["id"]
    assert call(world.reviewer, f"{path}{key}/return/", reason="依据不足").json()["state"] == "returned"
    assert call(world.reviewer, f"{path}{key}/approve/").status_code == 409
    assert Adjustment.objects.in_force().count() == 1
    assert client_of(world.stranger_officer).get(path).json()["count"] == 0
    scores = "/api/v1/assessment-scores/"
    assert call(world.officer, scores, alliance="YL-E", year=YEAR, score="84", source="通报").status_code == 422
    row = call(world.officer, scores, alliance="YL-E", year=YEAR, score="92.5", source="通报").json()
    assert call(world.officer, f"{scores}{row['id']}/confirm/").status_code == 403
    assert call(world.reviewer, f"{scores}{row['id']}/confirm/").json()["state"] == "confirmed"
    assert call(world.officer, scores, alliance="LJ", year=YEAR, score="92.5", source="通报").status_code == 404


def test_an_overruns_analysis_over_the_api(world, call):
    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "18666666.66", "8333333.33")
    version = ground.the_draft(world)
    call(world.officer, at(version, "refresh"))
    path = "/api/v1/cause-analyses/"
    given = {"alliance": "QX", "year": YEAR, "fund_type": "RES", "causes": "流感高峰致住院增加较多。", "responsibility": ""}
    refused = call(world.hospital, path, reasonable_part="1.00", **given)
    assert refused.status_code in (404, 422)
    given["responsibility"] = "双方共同核对，责任清楚无争议。"
    made = call(world.officer, path, reasonable_part="10000000.00", **given)
    assert made.status_code == 201
    assert call(world.reviewer, f"{path}{made.json()['id']}/approve/").json()["state"] == "approved"
    shared = call(world.officer, at(version, "refresh")).json()["computation"]
    assert shared["fund_bears"] == "8000000.00"


def test_a_recovery_over_the_api(world, call):
    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "83333.33", "23666666.67")
    ground.prepaid(world, 1)
    version = ground.drafted(world)
    version = ground.final(world, version)
    owed = -version.computation.cash
    assert owed > 0
    path = "/api/v1/recovery-plans/"
    month = timezone.localdate().strftime("%Y-%m")
    assert call(world.officer, path, version=version.pk, method="order", start="13月", count=2).status_code == 422
    plan = call(world.officer, path, version=version.pk, method="order", start=month, count=2).json()
    assert sum(D(part["amount"]) for part in plan["instalments"]) == owed
    on = timezone.localdate().isoformat()
    record = f"{path}{plan['id']}/instalments/1/record/"
    assert call(world.finance, record, on=on, bank_reference="YH1").status_code == 422
    assert call(world.reviewer, f"{path}{plan['id']}/approve/").json()["state"] == "approved"
    assert call(world.finance, record, on=on, bank_reference="YH1").status_code == 201
    assert call(world.finance, record, on=on, bank_reference="YH1").status_code == 409
    assert call(world.finance, f"{path}{plan['id']}/instalments/9/record/", on=on).status_code == 422
    assert RecoveryPlan.objects.get().instalments.filter(booking=None).count() == 1
