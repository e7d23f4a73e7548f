"""Accepted figures for other apps and as one tidy table; the matrix of who filed what."""

import csv
import io
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from core.workbook import write_workbook
from submissions import exports, reading, services
from submissions.models import AcceptedFigure
from submissions.periods import TablePeriod
from tests.submissions.accepting import accepted_version, filed_version, owed
from tests.submissions.figures import LEAD, Q3, sound_figures, yuan

D = Decimal
Q2 = TablePeriod.parse("2026Q2")


def everything(world):
    """Two periods of Qingxi and one of the eastern alliance, accepted."""
    for period in (Q2, Q3):
        accepted_version(world, sound_figures(period=period), period=period)
    accepted_version(world, alliance=world.east, by=world.sister_hospital)


def test_accepting_keeps_every_filled_cell(world):
    submission = accepted_version(world)
    figures = sound_figures()
    filled = sum(row.current is not None for rows in figures.funds.values() for row in rows.values())
    filled += sum(value is not None for member in figures.members for value in member.values.values())
    assert AcceptedFigure.objects.filter(submission=submission).count() == filled
    held = AcceptedFigure.objects.get(submission=submission, fund_type="ALL", key="3", institution="")
    assert (held.amount, held.number) == (yuan("68670.27"), None)
    held = AcceptedFigure.objects.get(submission=submission, fund_type="EMP", key="visits", institution=LEAD)
    assert (held.amount, held.number) == (None, D(120000))


def test_what_is_filed_but_not_accepted_is_not_read(world):
    filed_version(world)
    assert reading.accepted([world.alliance], Q3) == {}
    assert reading.accepted_figures([world.alliance], [Q3]) == []


def test_accepted_tables_are_read_by_alliance_in_one_query(world, django_assert_num_queries):
    everything(world)
    with django_assert_num_queries(1):
        found = reading.accepted([world.alliance, world.east, world.west], Q3)
    assert set(found) == {world.alliance.pk, world.east.pk}
    assert found[world.alliance.pk].current("RES", "3") == yuan("22890.09")


def test_the_accepted_version_is_read_and_not_the_one_it_replaced(world):
    former = accepted_version(world)
    services.reopen(world.officer, former.assignment, "医院申请更正出院人次")
    figures = sound_figures()
    figures.funds["RES"]["1"].current = D(352817)
    accepted_version(world, figures)
    [row] = reading.accepted_figures([world.alliance], [Q3], keys=["1"], members=False)[:1]
    assert row.value == 352817
    assert reading.accepted([world.alliance], Q3)[world.alliance.pk].current("RES", "1") == 352817


def test_cells_come_with_their_labels_units_and_the_order_of_the_table(world):
    everything(world)
    rows = reading.accepted_figures([world.alliance, world.east], [Q2, Q3], keys=["1", "3", "spending"])
    assert [(row.alliance.code, str(row.period), row.fund_type, row.institution_name, row.code) for row in rows[:7]] == [
        ("QX", "2026Q2", "RES", "", "1"), ("QX", "2026Q2", "RES", "", "3"), ("QX", "2026Q2", "EMP", "", "1"),
        ("QX", "2026Q2", "EMP", "", "3"), ("QX", "2026Q2", "ALL", "", "1"), ("QX", "2026Q2", "ALL", "", "3"),
        ("QX", "2026Q2", "RES", "青溪县人民医院", "spending"),
    ]  # fmt: skip
    assert [(row.label, row.unit, row.value) for row in rows[:2]] == [
        ("期末参保人数", "人", D(352816)), ("范围内基金支出", "元", yuan("22890.09")),
    ]  # fmt: skip
    assert (rows[6].label, rows[6].unit, rows[6].value) == ("医共体内支出", "元", yuan("12500.00"))
    assert len(rows) == 3 * (6 + 6)


def test_any_number_of_tables_costs_the_same_queries(world, django_assert_num_queries):
    accepted_version(world)
    with django_assert_num_queries(3):
        reading.accepted_figures([world.alliance], [Q3])
    accepted_version(world, sound_figures(period=Q2), period=Q2)
    accepted_version(world, alliance=world.east, by=world.sister_hospital)
    with django_assert_num_queries(3):
        reading.accepted_figures([world.alliance, world.east], [Q2, Q3])


def test_the_tidy_workbook_holds_one_cell_a_line_in_yuan(world):
    everything(world)
    rows = exports.tidy_rows(world.officer, [world.alliance, world.east], [Q2, Q3])
    page = load_workbook(io.BytesIO(write_workbook([exports.tidy_sheet(rows)]))).worksheets[0]
    lines = list(page.values)
    assert lines[0][0] == "金额单位：元" and lines[1] == exports.HEADER
    assert len(lines) == len(rows) + 2
    assert ("QX", "青溪县紧密型县域医共体", "2026Q3", "居民", None, None, "3", "范围内基金支出", "元", 228900900) in lines


def test_the_tidy_csv_opens_in_spreadsheets_and_runs_nothing(world):
    accepted_version(world)
    world.lead.name = "=cmd|' /C calc'!A0"
    world.lead.save()
    content = exports.tidy_csv(exports.tidy_rows(world.officer, [world.alliance], [Q3]))
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert tuple(lines[0]) == exports.HEADER
    assert {line[5] for line in lines[1:] if line[4] == LEAD} == {"'=cmd|' /C calc'!A0"}
    assert [line[9] for line in lines if line[3] == "居民" and line[6] == "3"] == ["228900900.00"]


@pytest.mark.parametrize(
    ("who", "seen"), [("officer", {"QX", "YL-E"}), ("hospital", {"QX"}), ("sister_hospital", {"YL-E"}), ("stranger_officer", set())]
)
def test_everybody_exports_only_what_lies_in_their_scope(world, who, seen):
    everything(world)
    rows = exports.tidy_rows(getattr(world, who), [world.alliance, world.east], [Q3])
    assert {row.alliance.code for row in rows} == seen


def test_the_matrix_shows_alliances_by_periods_in_constant_queries(world, django_assert_max_num_queries):
    everything(world)
    owed(world, alliance=world.west)
    world.officer.grants_on(Q3.last_day)
    with django_assert_max_num_queries(6):
        rows = reading.matrix(world.officer, 2026)
    assert [row.alliance.code for row in rows] == ["QX", "YL-E", "YL-W"]
    states = [[cell.assignment.state if cell else None for cell in row.cells] for row in rows]
    assert states == [
        [None, "accepted", "accepted", None], [None, None, "accepted", None], [None, None, "due", None],
    ]  # fmt: skip
    with django_assert_max_num_queries(6):
        assert len(reading.matrix(world.hospital, 2026)) == 1
