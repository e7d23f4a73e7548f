"""The overview, a place's page, an indicator's page, their traces and exports: what they show and to whom."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Membership
from monitoring.models import PlaceMonth
from rules.indicators import INDICATORS
from rules.periods import Month
from tests.monitoring.pages_ground import MONTHS, month_row, months, township
from tests.world import World

D = Decimal
URL = "/monitoring/"
KEY = "inpatient_average"
SEPTEMBER = Month(2026, 9)


def sheets(response) -> list[list[list]]:
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    return [[[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets]


@pytest.fixture
def held(world: World) -> World:
    """21 months of Qingxi's alliance and its members, of Yunling's eastern alliance and of its lead hospital."""
    for place in (world.alliance, world.lead, world.township, world.qingxi, world.area):
        months(place)
    months(world.east, inpatient_cost=D("1234500.00"))
    months(world.east_lead, inpatient_cost=D("1234500.00"))
    return world


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("officer", 200), ("reviewer", 200), ("finance", 200), ("county_officer", 200), ("auditor", 200), ("observer", 200),
        ("hospital", 200), ("member", 200), ("nobody", 200),
    ],
)  # fmt: skip
def test_every_post_opens_the_overview_of_what_it_may_see(held: World, client_of, person: str, status: int) -> None:
    answer = client_of(getattr(held, person)).get(URL)
    assert answer.status_code == status
    text = answer.content.decode()
    wanted = {
        "hospital": "青溪县紧密型县域医共体", "member": "石桥镇中心卫生院", "county_officer": "青溪县", "nobody": "还没有岗位",
    }.get(person, "澜川市")  # fmt: skip
    assert wanted in text


def test_a_month_under_way_is_left_out_until_it_is_asked_for(held: World, client_of) -> None:
    october = Month(2026, 10)
    PlaceMonth.objects.bulk_create([month_row(held.area, "RES", october, declared=False, data_to=date(2026, 10, 20))])
    client, key = client_of(held.officer), f"P{held.area.pk}"
    for path in (URL, f"/monitoring/places/{key}/", f"/monitoring/indicators/{KEY}/?place={key}"):
        page = client.get(path)
        assert page.context["asked"].span.text == "2026 年 1–9 月", path
        assert "2026年10月数据未到齐" in page.content.decode()
    assert "1–9 月" in sheets(client.get(f"{URL}overview.xlsx"))[0][0][0]
    said = client.get("/api/v1/indicator-figures/?kind=city").json()["results"]
    assert {row["span"] for row in said} == {"2026M09"}
    assert client.get("/api/v1/indicator-figures/?kind=city&span=2026M10").json()["results"][0]["span"] == "2026M10"
    page = client.get(URL, {"span": "2026M10"})
    assert page.context["asked"].span.text == "2026 年 1–10 月" and "数据未到齐，可在" not in page.content.decode()


def test_the_interface_ends_with_the_newest_month_that_is_whole_for_every_place_asked_for(held: World, client_of) -> None:
    october, address = Month(2026, 10), "/api/v1/indicator-figures/"
    months(held.east, wanted=(october,))
    PlaceMonth.objects.bulk_create([month_row(held.alliance, "RES", october, declared=False, data_to=date(2026, 10, 20))])
    client = client_of(held.officer)
    for query, span in (
        ("?kind=alliance", "2026M09"), (f"?place=A{held.alliance.pk}", "2026M09"), (f"?place=A{held.east.pk}", "2026M10"),
    ):  # fmt: skip
        assert {row["span"] for row in client.get(f"{address}{query}").json()["results"]} == {span}, query


def test_the_overview_lists_every_indicator_of_the_kind_with_its_figures(held: World, client_of) -> None:
    text = client_of(held.officer).get(f"{URL}?place=A{held.alliance.pk}&span=2026-09").content.decode()
    for indicator in INDICATORS:
        assert (f"/indicators/{indicator.key}/" in text) == ("alliance" in indicator.places), indicator.key
    assert "8,000.00" in text  # 2,000,000.00 / 250
    assert "25.00%" in text  # 575,000 / 2,300,000
    assert "55.00%" in text  # (1,150,000 + 115,000) / 2,300,000
    assert "缺少调整后打包总额" in text
    assert "2026-09-30" in text


def test_the_export_of_the_overview_has_the_lines_of_the_page(held: World, client_of) -> None:
    client = client_of(held.officer)
    query = f"?place=A{held.alliance.pk}&span=2026-09&group=费用"
    rows = sheets(client.get(reverse("monitoring:overview-xlsx") + query))[0]
    head = next(number for number, row in enumerate(rows) if row[0] == "组别")
    body = {row[1]: row for row in rows[head + 1 :]}
    page = client.get(URL + query).content.decode()
    assert set(body) == {one.label for one in INDICATORS if one.group == "费用" and "alliance" in one.places}
    assert all(label in page for label in body)
    assert "县域内就诊率（住院）</a>" not in page
    assert body["次均住院费用"][3] == 8000 and body["次均住院费用"][4] == 8000 and body["次均住院费用"][5] == 0
    assert body["药占比"][3] == 25


def test_a_missing_month_is_named_beside_the_figure_and_in_the_export(held: World, client_of) -> None:
    client = client_of(held.officer)
    query = f"?place=A{held.alliance.pk}&span=2026-10"
    assert "2026-10 数据尚未接入" in client.get(URL + query).content.decode()
    rows = sheets(client.get(reverse("monitoring:overview-xlsx") + query))[0]
    line = next(row for row in rows if row[1] == "次均住院费用")
    assert line[3] is None and "2026-10" in line[11]


def test_places_beyond_a_persons_posts_do_not_exist_on_any_page(held: World, client_of) -> None:
    foreign = [f"A{held.east.pk}", f"I{held.east_lead.pk}", f"C{held.qingxi.pk}", f"P{held.area.pk}", "A999999", "X1", "A"]
    client = client_of(held.hospital)
    for key in foreign:
        for address in (
            f"{URL}?place={key}",
            f"{URL}overview.xlsx?place={key}",
            f"{URL}places/{key}/",
            f"{URL}places/{key}/months.xlsx",
            f"{URL}places/{key}/trace/{KEY}/",
            f"{URL}indicators/{KEY}/?place={key}",
            f"{URL}indicators/{KEY}/export.xlsx?place={key}",
            f"/api/v1/indicator-figures/?place={key}",
        ):
            assert client.get(address).status_code == 404, address


def test_a_hospital_finds_no_foreign_figure_on_page_export_or_interface(held: World, client_of) -> None:
    """The foreign average of the eastern lead hospital is 1,234,500 / 250 = 4938.00."""
    client = client_of(held.hospital)
    place, lead = f"A{held.alliance.pk}", f"I{held.lead.pk}"
    addresses = [
        f"{URL}?place={lead}&span=2026-09", f"{URL}places/{lead}/?span=2026-09", f"{URL}places/{place}/?span=2026-09",
        f"{URL}indicators/{KEY}/?place={place}&span=2026-09", f"{URL}indicators/{KEY}/?place={lead}&span=2026-09",
        f"{URL}league/?kind=institution&indicator={KEY}&span=2026-09", f"{URL}heat/?kind=institution&indicator={KEY}",
        "/api/v1/indicator-figures/?kind=institution&span=2026-09", "/api/v1/place-months/",
    ]  # fmt: skip
    for address in addresses:
        text = client.get(address).content.decode()
        assert "4,938" not in text and "4938" not in text and "1234500" not in text and "云岭县人民医院" not in text, address
    for name, query in (
        ("overview-xlsx", f"?place={lead}&span=2026-09"), ("league-xlsx", f"?kind=institution&indicator={KEY}&span=2026-09"),
        ("heat-xlsx", f"?kind=institution&indicator={KEY}"),
    ):  # fmt: skip
        found = str(sheets(client.get(reverse(f"monitoring:{name}") + query)))
        assert "4938" not in found and "云岭" not in found, name


def test_a_member_that_left_is_no_longer_the_alliances_to_see(held: World, client_of) -> None:
    Membership.objects.filter(institution=held.township).update(valid_to=date(2026, 1, 31))
    client = client_of(held.hospital)
    assert client.get(f"{URL}places/I{held.township.pk}/").status_code == 404
    assert "石桥镇中心卫生院" not in client.get(f"{URL}league/?kind=institution").content.decode()
    assert client_of(held.officer).get(f"{URL}places/I{held.township.pk}/").status_code == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("span=2026-99", "期间无效"), ("span=2026Q5", "期间无效"), ("fund=BOTH", "没有“BOTH”这个险种"), ("kind=moon", "没有“moon”"),
        ("span=x&fund=y", "没有“y”这个险种"),
    ],
)  # fmt: skip
def test_wrong_words_in_the_address_are_told_and_never_a_fault(held: World, client_of, query: str, said: str) -> None:
    client = client_of(held.officer)
    for address in (URL, f"{URL}overview.xlsx"):
        answer = client.get(f"{address}?{query}")
        assert answer.status_code == 422 and said in answer.content.decode()
    answer = client.get(f"{URL}indicators/{KEY}/?place=A{held.alliance.pk}&{query}")
    assert answer.status_code in (200, 422)


def test_an_unknown_indicator_is_not_found_and_one_of_another_kind_says_where_it_belongs(held: World, client_of) -> None:
    client = client_of(held.officer)
    assert client.get(f"{URL}indicators/nothing/").status_code == 404
    assert client.get(f"{URL}places/A{held.alliance.pk}/trace/nothing/").status_code == 404
    assert client.get(f"{URL}places/A{held.alliance.pk}/trace/payable_months/").status_code == 404
    answer = client.get(f"{URL}indicators/payable_months/?place=A{held.alliance.pk}")
    assert answer.status_code == 422 and "该指标适用于" in answer.content.decode()


def test_a_trace_shows_formula_inputs_and_clause_of_the_figure(held: World, client_of) -> None:
    answer = client_of(held.hospital).get(f"{URL}places/A{held.alliance.pk}/trace/{KEY}/?span=2026Q3")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "住院医疗费用 ÷ 出院人次" in text and "6,000,000.00" in text and "750" in text and "8,000.00" in text
    assert "宁医保〔2019〕128号" in text


def test_the_indicator_page_shows_trend_members_bases_and_the_places_own_total(held: World, client_of) -> None:
    month_row(held.village, "RES", SEPTEMBER, inpatient_cost=D("10000.00"), discharges=10, bed_days=20).save()
    page = client_of(held.officer).get(f"{URL}indicators/{KEY}/?place=A{held.alliance.pk}&span=2026-09&sort=value")
    text = page.content.decode()
    assert "住院医疗费用 ÷ 出院人次" in text and "1,000.00" in text and "（合计）" in text
    assert text.index("石桥村卫生室</a>") < text.index("青溪县人民医院</a>")
    assert "2,000,000.00" in text and "2024-10" in text


def test_the_indicator_export_holds_months_members_with_total_and_versions(held: World, client_of) -> None:
    answer = client_of(held.officer).get(f"{URL}indicators/{KEY}/export.xlsx?place=A{held.alliance.pk}&span=2026-09")
    trend, members, versions = sheets(answer)
    assert len([row for row in trend if str(row[0]).startswith("202")]) == 24
    assert members[-1][2] == "青溪县紧密型县域医共体（合计）" and members[-1][3] == 8000
    assert versions[-1][0] == 1 and versions[-1][5] == 8000


def test_what_was_known_when_stands_beside_what_is_known_now(held: World, client_of) -> None:
    key = f"A{held.alliance.pk}"
    PlaceMonth.objects.filter(place=key, fund_type="RES", year=2026, month=9).update(current=False)
    later = datetime(2026, 11, 8, 2, 0, tzinfo=UTC)
    month_row(
        held.alliance, "RES", SEPTEMBER, version=2, computed_at=later, reason="迟到结算 12 笔", inpatient_cost=D("2250000.00")
    ).save()
    text = client_of(held.officer).get(f"{URL}indicators/{KEY}/?place={key}&span=2026-09").content.decode()
    versions = text[text.index("h-versions") :]
    assert "迟到结算 12 笔" in versions and "第 2 版" in versions
    assert "8,000.00" in versions and "<b>9,000.00</b>" in versions


def test_the_place_page_names_the_months_that_are_missing(held: World, client_of) -> None:
    text = client_of(held.officer).get(f"{URL}places/A{held.alliance.pk}/?span=2026-10").content.decode()
    assert "没有数据：接入当月数据并完成月末处理后补上" in text and "<th scope=\"row\">2026-10</th>" in text
    assert "青溪县人民医院" in text and "居民" in text and "职工" in text
    rows = sheets(client_of(held.officer).get(f"{URL}places/A{held.alliance.pk}/months.xlsx?span=2026-10"))[0]
    assert [row[0] for row in rows if str(row[0]).startswith("20")][0] == "2026-10"
    assert next(row for row in rows if row[0] == "2026-09")[4] == 1000000


def test_pages_without_any_figures_say_what_to_do_next(world: World, client_of) -> None:
    client = client_of(world.officer)
    for address in (URL, f"{URL}places/A{world.alliance.pk}/", f"{URL}indicators/{KEY}/", f"{URL}league/"):
        text = client.get(address).content.decode()
        assert "还没有监测数据" in text and "月末处理" in text, address


def test_pages_that_only_show_refuse_to_be_posted_to(held: World, client_of) -> None:
    client = client_of(held.officer)
    for address in (URL, f"{URL}places/A{held.alliance.pk}/", f"{URL}indicators/{KEY}/", f"{URL}overview.xlsx"):
        assert client.post(address).status_code == 405, address


def test_residents_and_employees_are_shown_apart(held: World, client_of) -> None:
    months(held.alliance, "EMP", wanted=MONTHS, inpatient_cost=D("2500000.00"))
    client = client_of(held.officer)
    residents = client.get(f"{URL}?place=A{held.alliance.pk}&span=2026-09").content.decode()
    employees = client.get(f"{URL}?place=A{held.alliance.pk}&span=2026-09&fund=EMP").content.decode()
    assert "8,000.00" in residents and "10,000.00" not in residents and "9,000.00" not in residents
    assert "10,000.00" in employees and "8,000.00" not in employees


def test_the_queries_of_the_pages_do_not_grow_with_the_members(held: World, client_of) -> None:
    client = client_of(held.officer)
    addresses = [
        f"{URL}?place=A{held.alliance.pk}", f"{URL}places/A{held.alliance.pk}/?span=2026-09",
        f"{URL}indicators/{KEY}/?place=A{held.alliance.pk}&span=2026-09",
    ]  # fmt: skip

    def counted() -> list[int]:
        numbers = []
        for address in addresses:
            with CaptureQueriesContext(connection) as found:
                assert client.get(address).status_code == 200
            numbers.append(len(found))
        return numbers

    from core import kept

    counted()
    kept._values.clear()
    few = counted()
    for number in range(8):
        months(township(held, number))
    kept._values.clear()
    assert counted() == few


def test_the_interface_lists_the_catalogue_and_figures_with_reasons(held: World, client_of) -> None:
    client = client_of(held.hospital)
    listed = client.get("/api/v1/indicators/").json()
    assert listed["count"] == len(INDICATORS) and listed["results"][0]["key"] == "execution"
    assert client.get("/api/v1/indicators/drug_share/").json()["label"] == "药占比"
    assert client.get("/api/v1/indicators/nothing/").status_code == 404
    asked = f"/api/v1/indicator-figures/?kind=alliance&span=2026-09&indicator={KEY}"
    rows = client.get(asked).json()["results"]
    assert [(row["place"], row["fund_type"], row["value"]) for row in rows] == [
        (f"A{held.alliance.pk}", "RES", "8000.000000"), (f"A{held.alliance.pk}", "EMP", None)
    ]  # fmt: skip
    assert "2026-09" in rows[1]["missing"]
    assert client.get(asked.replace("2026-09", "x")).status_code == 422
    assert client.get(asked.replace(KEY, "nothing")).status_code == 422
    assert client.get("/api/v1/indicator-figures/?fund_type=ALL").status_code == 422


def test_months_over_the_interface_are_those_a_person_may_see(held: World, client_of) -> None:
    rows = client_of(held.member).get("/api/v1/place-months/?year=2026&month=9").json()["results"]
    assert [(row["place"], row["inpatient_cost"]) for row in rows] == [(f"I{held.township.pk}", "2000000.00")]
    places = {row["place"] for row in client_of(held.hospital).get("/api/v1/place-months/?year=2026&month=9").json()["results"]}
    assert places == {f"A{held.alliance.pk}", f"I{held.lead.pk}", f"I{held.township.pk}"}


def test_the_handbook_explains_every_indicator_with_formula_and_clause(held: World, client_of) -> None:
    text = client_of(held.member).get(reverse("portal:help-formulas")).content.decode()
    for indicator in INDICATORS:
        assert f'id="indicator-{indicator.key}"' in text and indicator.expression in text
