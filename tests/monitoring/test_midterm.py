"""Medium-term estimates: from delivered years to an approved version, who may what, and what is refused."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from claims.models import FundMonthlyReport
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from monitoring.models import MidtermEstimate, MidtermState, PlaceMonth
from monitoring.projection_verification import verify_midterms
from monitoring.reading.midterm import fund_pasts
from monitoring.reading.places import ref_of
from monitoring.services import midterm as services
from rules.midterm import SCENARIOS, Assumptions, BaseYear

D = Decimal
LIST = reverse("monitoring:midterm")
NEW = reverse("monitoring:midterm-new")
BASIS = "按近三年实际增长，参照省医保局年度预算通知。"


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel("2026-10-12 09:00+08:00", tick=False):
        yield


def delivered_years(world, place=None, years=(2023, 2024, 2025), growth=5, fund="RES", blank=None):
    """Even months: income 12 million, spending 11.5 million in the first year, ``growth`` percent more each following."""
    ref = ref_of(place or world.qingxi)
    rows, reports = [], []
    for step, year in enumerate(years):
        factor = (1 + D(growth) / 100) ** step
        for month in range(1, 13):
            rows.append(
                PlaceMonth(
                    kind=ref.kind, place=ref.key, pooling_area_id=ref.area, county_id=ref.county, fund_type=fund, year=year,
                    month=month, inputs="x", computed_at=timezone.now(), insured=500_000, insured_discharges=8_000,
                    income=None if blank == (year, month) else (D(12_000_000) * factor).quantize(D("0.01")),
                    fund_spending=(D(11_500_000) * factor).quantize(D("0.01")), balance=D("100000000.00"),
                )
            )  # fmt: skip
            reports.append(
                FundMonthlyReport(
                    county=world.qingxi, fund_type=fund, year=year, month=month, version=1, income_interest=D("100000.00"),
                    spending_critical_illness=D("1000000.00"),
                )
            )  # fmt: skip
    PlaceMonth.objects.bulk_create(rows)
    FundMonthlyReport.objects.bulk_create(reports)


BASE = BaseYear(
    2025, 500_000, D("150000000.00"), D("1200000.00"), D("0.00"), D("140000000.00"), D("12000000.00"), D("0.00"),
    D("100000000.00"),
)  # fmt: skip
GROWTH = Assumptions(D("0"), D("0.04"), D("0.02"), D("0.04"), D("0"), D("0.01"), D("0.00"), D("0.00"))
THREE = {
    "base": GROWTH,
    "better": replace(GROWTH, price_growth=D("0.03")),
    "worse": replace(GROWTH, price_growth=D("0.06")),
}


def prepared(world, place=None, actor=None, **changed):
    given = {"base": BASE, "scenarios": THREE, "horizon": 5, "basis": BASIS, **changed}
    return services.prepare_midterm(actor or world.officer, place or world.qingxi, "RES", **given)


def typed(**changed):
    """The form as a person fills it."""
    data = {"place": "", "fund": "RES", "year": "2025", "horizon": "3", "basis": BASIS}
    data.update({f"year_{name}": str(getattr(BASE, name)) for name in vars(BASE) if name != "year"})
    for key, given in THREE.items():
        for name, value in vars(given).items():
            data[f"{key}_{name}"] = str(value if name.startswith("transfers") else value * 100)
    return {**data, **changed}


def test_the_delivered_years_are_split_into_contributions_interest_and_critical_illness(world):
    delivered_years(world)
    past = services.past_of(world.qingxi, "RES", 2025)
    assert [row.base.year for row in past.years] == [2023, 2024, 2025]
    first = past.years[0].base
    assert (first.heads, first.interest, first.critical_illness) == (500_000, D("1200000.00"), D("12000000.00"))
    assert first.contributions == D("142800000.00")  # 144 m of income less 1.2 m interest
    assert first.benefits == D("126000000.00")  # 138 m of spending less 12 m
    assert past.years[0].discharges == 96_000
    suggested = services.suggestion_of(past).scenarios["base"]
    assert suggested.volume_growth == 0
    assert suggested.heads_growth == 0
    assert D("0.05") < suggested.price_growth < D("0.06")


def test_a_year_with_a_month_missing_is_no_base_and_is_named(world):
    delivered_years(world, blank=(2024, 5))
    past = services.past_of(world.qingxi, "RES", 2025)
    assert [row.base.year for row in past.years] == [2023, 2025]
    assert past.gaps == ("2024 年缺少基金收入（须 12 个月的基金月报与数据齐全）",)


def test_a_place_without_reports_has_no_suggestion_but_can_be_typed(world):
    past = services.past_of(world.qingxi, "RES", 2025)
    assert past.years == () and len(past.gaps) == 3
    assert services.suggestion_of(past) is None
    made = prepared(world)
    assert set(made.typed) == set(vars(BASE)) - {"year"}


def test_the_past_of_many_places_is_read_in_a_constant_number_of_queries(world):
    delivered_years(world)
    with CaptureQueriesContext(connection) as one:
        fund_pasts([ref_of(world.qingxi)], ["RES"], 2025)
    places = [ref_of(world.qingxi), ref_of(world.yunling), ref_of(world.area)]
    with CaptureQueriesContext(connection) as many:
        fund_pasts(places, ["RES", "EMP"], 2025)
    assert len(many) <= len(one) + 1  # the city's counties


def test_a_version_holds_every_scenarios_years_and_what_was_suggested(world):
    delivered_years(world)
    made = prepared(world)
    assert (made.version, made.state, made.place_key) == (1, MidtermState.DRAFT, f"C{world.qingxi.pk}")
    assert [line["year"] for line in made.results["base"]["years"]] == [2026, 2027, 2028, 2029, 2030]
    first = made.results["base"]["years"][0]
    assert first["benefits"] == "148512000.00"  # 140 m × 1.02 × 1.04
    assert first["balance"] == "96488000.00"  # 100 + 156 + 1 − 148.512 − 12 million
    assert made.suggested["scenarios"]["base"]["heads_growth"] == "0.0000"
    assert "contributions" in made.typed
    assert verify_midterms() == []


def test_preparing_tells_the_reviewer_and_leaves_a_trail(world):
    made = prepared(world)
    assert Notice.objects.filter(user=world.reviewer, text__contains="中期收支测算").exists()
    assert TrailEvent.objects.filter(action=services.PREPARE, subject_id=str(made.pk)).count() == 1


def test_only_the_fund_officer_of_the_place_prepares_and_only_the_reviewer_decides(world):
    with pytest.raises(NotAllowed):
        prepared(world, actor=world.hospital)
    with pytest.raises(NotAllowed):
        prepared(world, place=world.yunling, actor=world.county_officer)
    made = prepared(world, actor=world.county_officer)
    with pytest.raises(NotAllowed):
        services.approve_midterm(world.second_officer, made)
    with pytest.raises(NotAllowed):
        services.approve_midterm(world.stranger_reviewer, made)
    assert services.approve_midterm(world.reviewer, made).state == MidtermState.APPROVED


def test_nobody_approves_her_own_estimate_not_even_past_the_service(world):
    made = prepared(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        MidtermEstimate.objects.filter(pk=made.pk).update(decided_by=world.officer)


def test_a_newer_approved_version_replaces_the_former_and_keeps_it(world):
    first = services.approve_midterm(world.reviewer, prepared(world))
    second = services.approve_midterm(world.reviewer, prepared(world, horizon=3))
    first.refresh_from_db()
    assert (first.state, second.version, second.state) == (MidtermState.REPLACED, 2, MidtermState.APPROVED)
    with pytest.raises(Conflict):
        services.approve_midterm(world.reviewer, first)


def test_a_second_draft_of_the_same_base_year_waits_for_the_first(world):
    prepared(world)
    with pytest.raises(Conflict) as refusal:
        prepared(world)
    assert "正在等待审定" in str(refusal.value)


def test_a_returned_version_is_revised_and_waits_again(world):
    made = services.return_midterm(world.reviewer, prepared(world), "利率偏高，请核对。")
    assert made.state == MidtermState.RETURNED
    revised = services.revise_midterm(world.officer, made, BASE, THREE, 4, BASIS)
    assert (revised.state, revised.horizon, revised.return_reason) == (MidtermState.DRAFT, 4, "")
    with pytest.raises(Refused):
        services.revise_midterm(world.officer, revised, replace(BASE, year=2024), THREE, 4, BASIS)
    with pytest.raises(Refused):
        services.return_midterm(world.reviewer, revised, "  ")


def test_everything_wrong_is_refused_at_once_in_words(world):
    wrong = {**THREE, "base": replace(GROWTH, heads_growth=D("0.9"))}
    with pytest.raises(Refused) as refusal:
        prepared(world, base=replace(BASE, year=2026, heads=0), scenarios=wrong, horizon=9, basis="无")
    told = str(refusal.value)
    for part in ("基期须是已结束的年度", "没有写明假设依据", "年末参保人数须大于零", "测算年数须为 3 至 5 年", "须在 −30% 与 30% 之间"):
        assert part in told, part
    assert MidtermEstimate.objects.count() == 0


def test_the_two_fund_types_are_never_estimated_as_one(world):
    with pytest.raises(Refused) as refusal:
        services.prepare_midterm(world.officer, world.qingxi, "ALL", BASE, THREE, 3, BASIS)
    assert "分别测算" in str(refusal.value)


def test_a_stored_result_that_was_tampered_with_is_found(world):
    made = prepared(world)
    made.results["base"]["years"][0]["balance"] = "1.00"
    made.save(update_fields=["results"])
    assert [finding.where for finding in verify_midterms()] == [str(made)]


def test_the_form_comes_filled_with_delivered_and_suggested_figures(world, client_of):
    delivered_years(world)
    page = client_of(world.officer).get(f"{NEW}?place=C{world.qingxi.pk}&fund=RES&year=2025").content.decode()
    assert 'value="500000"' in page
    assert "已按近三年实际建议" in page or "按近三年实际建议" in page
    assert "建议数值的来历" in page


def test_a_form_sent_well_makes_a_version_and_shows_it(world, client_of):
    client = client_of(world.officer)
    given = typed(place=f"C{world.qingxi.pk}", year_transfers_in="3,000,000.00", base_transfers_in="2000000")
    answer = client.post(NEW, given, follow=True)
    page = answer.content.decode()
    made = MidtermEstimate.objects.get()
    assert (made.base["transfers_in"], made.scenarios["base"]["transfers_in"]) == ("3000000.00", "2000000")
    assert answer.redirect_chain[0][0] == made.get_absolute_url()
    for told in ("基准", "乐观", "审慎", "年末累计结余", "可支付月数", "人工填写", BASIS):
        assert told in page, told
    assert "审定这一版测算？" not in page  # her own


def test_a_form_sent_badly_keeps_what_was_typed_and_names_every_problem(world, client_of):
    client = client_of(world.officer)
    answer = client.post(NEW, typed(place=f"C{world.qingxi.pk}", base_price_growth="55", year_heads="0"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="55"' in page and "须在 −30% 与 30% 之间" in page and "年末参保人数须大于零" in page
    answer = client.post(NEW, typed(place=f"C{world.qingxi.pk}", year_benefits="很多", basis=""))
    assert answer.status_code == 422 and "很多" in answer.content.decode()
    assert MidtermEstimate.objects.count() == 0


def test_the_reviewer_approves_and_returns_on_the_page(world, client_of):
    made = prepared(world)
    client = client_of(world.reviewer)
    assert "审定这一版测算？" in client.get(made.get_absolute_url()).content.decode()
    refused = client.post(reverse("monitoring:midterm-act", args=[made.pk, "return"]), {"reason": ""})
    assert refused.status_code == 422 and "没有写明理由" in refused.content.decode()
    client.post(reverse("monitoring:midterm-act", args=[made.pk, "approve"]))
    made.refresh_from_db()
    assert made.state == MidtermState.APPROVED
    assert client.post(reverse("monitoring:midterm-act", args=[made.pk, "approve"])).status_code == 409
    assert client.post(reverse("monitoring:midterm-act", args=[made.pk, "burn"])).status_code == 404
    assert client.get(reverse("monitoring:midterm-act", args=[made.pk, "approve"])).status_code == 405


def test_the_trace_of_a_scenario_ends_in_its_payable_months(world, client_of):
    made = prepared(world)
    client = client_of(world.officer)
    page = client.get(reverse("monitoring:midterm-trace", args=[made.pk, "worse"])).content.decode()
    assert "2030 年可支付月数" in page and "中期收支测算" in page
    assert client.get(reverse("monitoring:midterm-trace", args=[made.pk, "nothing"])).status_code == 404


def test_foreign_estimates_do_not_exist_and_hospitals_see_none(world, client_of):
    city, county = prepared(world, place=world.area), prepared(world, place=world.yunling)
    for user, seen in ((world.officer, {city, county}), (world.observer, {city, county}), (world.county_officer, set()),
                       (world.hospital, set()), (world.stranger_officer, set()), (world.admin, set())):  # fmt: skip
        client = client_of(user)
        for row in (city, county):
            wanted = 200 if row in seen else 404
            assert client.get(row.get_absolute_url()).status_code == wanted, (user, row)
            assert client.get(reverse("monitoring:midterm-estimate-xlsx", args=[row.pk])).status_code == wanted
    assert client_of(world.county_officer).get(f"{NEW}?place=C{world.yunling.pk}").status_code == 404
    assert client_of(world.county_officer).get(f"{NEW}?place=P{world.area.pk}").status_code == 404
    assert client_of(world.reviewer).get(NEW).status_code == 403


def test_the_list_filters_sorts_and_exports_what_it_shows(world, client_of):
    prepared(world, place=world.area)
    services.approve_midterm(world.reviewer, prepared(world))
    client = client_of(world.officer)
    page = client.get(f"{LIST}?state=approved").content.decode()
    body = page[page.index("<tbody>") :]
    assert world.qingxi.name in body and f">{world.area.name}<" not in body
    answer = client.get(f"{reverse('monitoring:midterm-xlsx')}?state=approved&sort=-version")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    rows = [row for row in sheet.iter_rows(values_only=True) if row[1] == "居民"]
    assert [row[0] for row in rows] == [world.qingxi.name]
    assert client.post(LIST).status_code == 405


def test_the_export_of_an_estimate_holds_all_years_of_all_scenarios(world, client_of):
    made = prepared(world)
    answer = client_of(world.officer).get(reverse("monitoring:midterm-estimate-xlsx", args=[made.pk]))
    book = load_workbook(io.BytesIO(answer.content))
    rows = [row for row in book["测算结果"].iter_rows(values_only=True) if row[0] in SCENARIOS.values()]
    assert len(rows) == 15
    told = [D(str(row[12])).quantize(D("0.01")) for row in rows if row[0] == "审慎"]
    assert told == [D(line["balance"]) for line in made.results["worse"]["years"]]


def test_the_interface_reads_and_decides_like_the_pages(world, client_of):
    made = prepared(world)
    client = client_of(world.officer)
    assert client.get(f"/api/v1/midterm-estimates/{made.pk}/").json()["results"]["base"]["years"]
    assert client.post(f"/api/v1/midterm-estimates/{made.pk}/approve/").status_code == 403
    client = client_of(world.reviewer)
    refused = client.post(f"/api/v1/midterm-estimates/{made.pk}/return/", {"reason": ""}, content_type="application/json")
    assert refused.status_code == 422
    assert client.post(f"/api/v1/midterm-estimates/{made.pk}/approve/").json()["state"] == "approved"
    assert client_of(world.hospital).get(f"/api/v1/midterm-estimates/{made.pk}/").status_code == 404
