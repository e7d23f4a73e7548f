"""The heat map: place by month, fifths of all values, missing months with their reason."""

from __future__ import annotations

import io
from decimal import Decimal

import openpyxl
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Alliance
from monitoring.reading.heat import fifth_of, heat
from monitoring.reading.places import ref_of
from rules.indicators import BY_KEY
from rules.periods import Month
from tests.monitoring.pages_ground import MONTHS, month_row, months
from tests.world import START, World

D = Decimal
URL = "/monitoring/heat/"
KEY = "inpatient_average"


def test_five_different_values_stand_in_five_fifths() -> None:
    cuts = [D(2), D(3), D(4), D(5)]  # of 1 2 3 4 5
    assert [fifth_of(D(value), cuts) for value in (1, 2, 3, 4, 5)] == [1, 2, 3, 4, 5]
    assert fifth_of(D(7), [D(7), D(7), D(7), D(7)]) == 3


def test_a_month_without_data_has_no_colour_but_a_reason(world: World) -> None:
    months(world.alliance, wanted=[month for month in MONTHS if month != Month(2026, 5)])
    found = heat([ref_of(world.alliance)], BY_KEY[KEY], "RES", Month(2026, 9), 12)
    cell = next(cell for cell in found.rows[0].cells if cell.month == Month(2026, 5))
    assert cell.fifth == 0 and "2026-05" in cell.figure.missing
    assert [cell.fifth for cell in found.rows[0].cells if cell.figure.value is not None] == [3] * 11


def test_the_page_shows_twelve_months_with_their_fifths_and_why_one_is_missing(world: World, client_of) -> None:
    for number, month in enumerate(MONTHS):
        if month != Month(2026, 5):
            month_row(world.alliance, "RES", month, inpatient_cost=D(2_000_000 + 100_000 * number)).save()
    page = client_of(world.officer).get(f"{URL}?kind=alliance&indicator={KEY}").content.decode()
    assert 'class="heat-1"' in page and 'class="heat-5"' in page and 'class="heat-none"' in page
    assert "2026-05 数据尚未接入" in page
    assert "2025-10" in page and "2025-08" not in page.split("<table")[1]


def test_the_export_holds_every_cell_of_the_grid_and_the_total(world: World, client_of) -> None:
    months(world.alliance)
    months(world.east, inpatient_cost=D("1500000.00"))
    months(world.area, inpatient_cost=D("3500000.00"), discharges=500)
    client = client_of(world.officer)
    query = f"?kind=alliance&indicator={KEY}&span=2026-09&months=24"
    answer = client.get(reverse("monitoring:heat-xlsx") + query)
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    head = next(row for row in rows if row[0] == "编号")
    assert head[2] == "2024-10" and head[-1] == "2026-09" and len(head) == 26
    by_name = {row[1]: row for row in rows}
    assert by_name["青溪县紧密型县域医共体"][-1] == 8000 and by_name["青溪县紧密型县域医共体"][2] is None
    assert by_name["澜川市（合计）"][-1] == 7000
    page = client.get(URL + query).content.decode()
    assert "8,000.00" in page and "7,000.00" in page


def test_a_hospital_sees_only_its_own_row_on_the_heat_map(world: World, client_of) -> None:
    months(world.alliance)
    months(world.east, inpatient_cost=D("1500000.00"))
    client = client_of(world.hospital)
    query = f"?kind=alliance&indicator={KEY}"
    page = client.get(URL + query).content.decode()
    assert "青溪县紧密型县域医共体" in page and "云岭" not in page and "6,000.00" not in page
    book = openpyxl.load_workbook(io.BytesIO(client.get(reverse("monitoring:heat-xlsx") + query).content))
    assert "云岭" not in str([[cell.value for cell in row] for row in book.worksheets[0].iter_rows()])


def test_a_number_of_months_nobody_offers_is_refused_by_name(world: World, client_of) -> None:
    answer = client_of(world.officer).get(f"{URL}?months=7")
    assert answer.status_code == 422 and "月数无效" in answer.content.decode()


def test_a_heat_map_without_any_data_says_what_to_do_next(world: World, client_of) -> None:
    page = client_of(world.officer).get(URL).content.decode()
    assert "还没有监测数据" in page and "月末处理" in page


def test_the_heat_map_takes_the_same_queries_however_many_places(world: World, client_of) -> None:
    months(world.alliance)
    client = client_of(world.officer)
    client.get(URL)
    with CaptureQueriesContext(connection) as few:
        client.get(URL + "?months=24")
    for number in range(10):
        made = Alliance.objects.create(county=world.yunling, code=f"N{number}", name=f"新{number}", valid_from=START)
        months(made)
    with CaptureQueriesContext(connection) as many:
        client.get(URL + "?months=24")
    assert len(many) <= len(few) + 2
