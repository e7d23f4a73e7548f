"""The league: every place of a kind a person sees by any indicator, the total from the place above, exports alike."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Alliance
from monitoring.models import Threshold
from monitoring.reading.league import league, ordered
from monitoring.reading.places import ref_of
from rules.indicators import BY_KEY
from rules.periods import Month
from rules.spans import Span
from tests.monitoring.pages_ground import months
from tests.world import START, World

D = Decimal
URL = "/monitoring/league/"
SEPTEMBER = Month(2026, 9)
SPAN = Span.month(SEPTEMBER)
KEY = "inpatient_average"
YEAR = [Month(2025, 9), SEPTEMBER]


def cells(response) -> list[list]:
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


@pytest.fixture
def three(world: World) -> World:
    """Averages a stay of 8000.00, 6000.00 and none; the city's own months stand above them."""
    months(world.alliance, wanted=YEAR)
    months(world.east, wanted=YEAR, inpatient_cost=D("1500000.00"))
    months(world.area, wanted=YEAR, inpatient_cost=D("3500000.00"), discharges=500)
    return world


def test_the_lowest_average_ranks_first_and_a_missing_month_is_not_ranked(three: World) -> None:
    refs = [ref_of(place) for place in (three.alliance, three.east, three.west)]
    rows, total = league(refs, BY_KEY[KEY], "RES", SPAN, ref_of(three.area))
    assert [(row.place.code, row.now.value, row.rank) for row in rows] == [
        ("QX", D("8000.00"), 2), ("YL-E", D("6000.00"), 1), ("YL-W", None, None)
    ]  # fmt: skip
    assert total is not None and total.now.value == D("7000.00")
    assert "2026-09" in rows[2].now.missing


def test_rows_without_a_value_stand_last_whichever_way_one_sorts(three: World) -> None:
    refs = [ref_of(place) for place in (three.west, three.alliance, three.east)]
    rows, _total = league(refs, BY_KEY[KEY], "RES", SPAN)
    assert [row.place.code for row in ordered(rows, "value")] == ["YL-E", "QX", "YL-W"]
    assert [row.place.code for row in ordered(rows, "-value")] == ["QX", "YL-E", "YL-W"]


def test_the_export_has_the_rows_and_the_total_of_the_page(three: World, client_of) -> None:
    client = client_of(three.officer)
    query = f"?kind=alliance&indicator={KEY}&span=2026-09&sort=-value"
    page = client.get(URL + query)
    assert page.status_code == 200
    text = page.content.decode()
    assert "8,000.00" in text and "6,000.00" in text and "7,000.00" in text and "澜川市（合计）" in text
    rows = cells(client.get(reverse("monitoring:league-xlsx") + query))
    head = next(number for number, row in enumerate(rows) if row[0] == "排名")
    body = rows[head + 1 :]
    assert [(row[2], row[3]) for row in body] == [
        ("青溪县紧密型县域医共体", 8000), ("云岭县东部医共体", 6000), ("云岭县西部医共体", None), ("澜川市（合计）", 7000)
    ]  # fmt: skip


def test_a_hospital_sees_neither_a_foreign_alliance_nor_the_city(three: World, client_of) -> None:
    client = client_of(three.hospital)
    for address in (URL, reverse("monitoring:league-xlsx")):
        answer = client.get(f"{address}?kind=alliance&indicator={KEY}&span=2026-09")
        shown = str(cells(answer)) if address.endswith("xlsx") else answer.content.decode()
        assert "青溪县紧密型县域医共体" in shown
        assert "云岭" not in shown and "6,000.00" not in shown and "7,000.00" not in shown and "6000" not in shown


def test_a_county_filter_brings_the_county_as_total_and_a_foreign_county_does_not_exist(three: World, client_of) -> None:
    months(three.yunling, wanted=YEAR, inpatient_cost=D("1600000.00"))
    client = client_of(three.officer)
    page = client.get(f"{URL}?kind=alliance&indicator={KEY}&span=2026-09&county={three.yunling.pk}").content.decode()
    assert "云岭县（合计）" in page and "6,400.00" in page and "青溪县紧密型" not in page
    assert client.get(f"{URL}?kind=alliance&county={three.foreign_county.pk}").status_code == 404


def test_a_search_narrows_the_rows_and_drops_the_total(three: World, client_of) -> None:
    page = client_of(three.officer).get(f"{URL}?kind=alliance&indicator={KEY}&span=2026-09&q=东部").content.decode()
    assert "云岭县东部医共体" in page and "青溪县紧密型" not in page and "（合计）" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("kind=moon", "没有“moon”这个层级"),
        ("indicator=nothing", "没有“nothing”这个指标"),
        ("kind=institution&indicator=payable_months", "没有机构一级的数值"),
        ("span=2026-13", "期间无效"),
        ("span=1900", "不在可查询的范围内"),
        ("fund=ALL", "没有“ALL”这个险种"),
    ],
)
def test_wrong_addresses_are_told_what_is_wrong(three: World, client_of, query: str, said: str) -> None:
    answer = client_of(three.officer).get(f"{URL}?{query}")
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_funds_are_never_added_up_in_the_league(three: World, client_of) -> None:
    months(three.alliance, "EMP", wanted=YEAR, inpatient_cost=D("2500000.00"))
    client = client_of(three.officer)
    residents = client.get(f"{URL}?kind=alliance&indicator={KEY}&span=2026-09&fund=RES").content.decode()
    employees = client.get(f"{URL}?kind=alliance&indicator={KEY}&span=2026-09&fund=EMP").content.decode()
    assert "8,000.00" in residents and "10,000.00" not in residents
    assert "10,000.00" in employees and "8,000.00" not in employees


def test_the_league_takes_the_same_queries_however_many_alliances(three: World, client_of) -> None:
    client = client_of(three.officer)
    address = f"{URL}?kind=alliance&indicator={KEY}&span=2026-09"
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address + "&sort=name")
    for number in range(12):
        made = Alliance.objects.create(county=three.yunling, code=f"N{number}", name=f"新{number}", valid_from=START)
        months(made, wanted=YEAR)
    with CaptureQueriesContext(connection) as many:
        page = client.get(address + "&sort=name")
    assert "新11" in page.content.decode()
    assert len(many) <= len(few) + 2  # what was kept in memory is asked again, never once a row


def test_the_league_refuses_to_be_posted_to(three: World, client_of) -> None:
    assert client_of(three.officer).post(URL).status_code == 405


def test_an_institution_league_is_of_one_county_and_of_one_kind_on_demand(three: World, client_of) -> None:
    for place in (three.lead, three.township, three.east_lead):
        months(place, wanted=YEAR)
    client = client_of(three.officer)
    page = client.get(f"{URL}?kind=institution&span=2026-09").content.decode()
    assert "青溪县人民医院" in page and "云岭县人民医院" not in page
    page = client.get(f"{URL}?kind=institution&span=2026-09&house=township").content.decode()
    assert "石桥镇中心卫生院" in page and "青溪县人民医院" not in page


def test_a_live_threshold_marks_the_row_and_draws_its_line(three: World, client_of) -> None:
    Threshold.objects.create(
        pooling_area=three.area, indicator=KEY, kind="alliance", fund_type="RES", basis="absolute", span="month",
        red=D("7500"), clause="测试依据", valid_from=date(2026, 1, 1), status="live", entered_by=three.officer,
        decided_by=three.reviewer, decided_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    client = client_of(three.officer)
    page = client.get(f"{URL}?kind=alliance&indicator={KEY}&span=2026-09").content.decode()
    assert page.count('class="level level-red"') == 1  # 8000.00 is above, 6000.00 is not, the city has no such rule
    shown = client.get(f"/monitoring/indicators/{KEY}/?place=A{three.alliance.pk}&span=2026-09").content.decode()
    assert "红线 7,500.00".encode("unicode_escape").decode() in shown and 'class="level level-red"' in shown
