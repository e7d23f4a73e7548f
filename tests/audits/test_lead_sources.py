"""Leads out of claim rows ticked on the claims page: one provider, rows that stand, money and rows kept."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from audits.models import Lead
from tests.audits import ground
from tests.claims.extracts import accepted, claim

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]
TOWNSHIP = "H99010100011"


@pytest.fixture
def _clock(time_machine):
    time_machine.move_to("2026-10-12 09:00:00+08:00")


@pytest.fixture
def city(world):
    rows = [claim(number, institution_code=TOWNSHIP) for number in (1, 2, 3)]
    negative = {name: f"-{rows[2][name]}" for name in ("total_cost", "eligible_cost", "pooled_fund_paid", "cash_paid")}
    taken_back = claim(3, institution_code=TOWNSHIP, settlement_id="S000004", reversal_of="S000003", **negative)
    accepted(world, [*rows, taken_back, claim(5)])
    return world


def address(world):
    return reverse("audits:lead-from-claims", args=[world.qingxi.code, "2026-09"])


def shown(world):
    return reverse("claims:rows", args=[world.qingxi.code, "2026-09"])


def text_of(page):
    return page.content.decode()


def test_ticked_rows_become_a_lead_with_their_money(city, client_of):
    client = client_of(city.auditor)
    assert address(city) in text_of(client.get(shown(city), {"institution": TOWNSHIP}))
    picked = {"settlement_id": ["S000001", "S000002"]}
    asked = client.post(address(city), picked)
    assert asked.status_code == 200 and "1,200.00" in text_of(asked) and not Lead.objects.exists()
    wrong = client.post(address(city), {**picked, "title": "", "source": "screening", "detail": "同日同项目两次"})
    assert wrong.status_code == 422 and "没有填写事由" in text_of(wrong) and "同日同项目两次" in text_of(wrong)
    client.post(address(city), {**picked, "title": "重复收费", "source": "screening", "detail": "同日同项目两次"})
    held = Lead.objects.get()
    assert (held.source, held.institution, held.estimate, held.fund_type) == ("screening", city.township, Decimal("1200.00"), "RES")
    assert [(row.settlement_id, row.amount, row.county) for row in held.claims.all()] == [
        ("S000001", Decimal("600.00"), city.qingxi), ("S000002", Decimal("600.00"), city.qingxi),
    ]  # fmt: skip


def test_rows_that_cannot_be_taken_are_all_told(city, client_of):
    picked = {"settlement_id": ["S000001", "S000003", "S000004", "S000005", "S999999"], "title": "重复收费"}
    page = client_of(city.auditor).post(address(city), picked, follow=True)
    text = text_of(page)
    assert "没有结算单 S999999" in text and "S000003 是冲销记录或者已被冲销" in text and "多家机构" in text
    assert "没有选择结算记录" in text_of(client_of(city.auditor).post(address(city), {}, follow=True))
    assert not Lead.objects.exists()


def test_only_auditors_of_the_county_make_leads_of_its_claims(city, client_of):
    assert address(city) not in text_of(client_of(city.officer).get(shown(city), {"institution": TOWNSHIP}))
    assert client_of(city.officer).post(address(city), {"settlement_id": ["S000001"]}).status_code == 403
    assert client_of(ground.crew(city).other_county_auditor).post(address(city), {}).status_code == 404
    assert client_of(city.hospital).post(address(city), {}).status_code in (403, 404)


def test_an_address_without_a_month_and_a_lost_session_end_on_known_pages(city, client_of):
    client = client_of(city.auditor)
    assert client.get(address(city)).headers["Location"] == shown(city)
    assert client.post(address(city).replace("2026-09", "2026-19"), {}).status_code == 404
