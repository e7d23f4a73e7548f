"""The template a hospital downloads: prefull_book, locked where it is not to be typed, and read back as it was made."""

import io
import json
from decimal import Decimal
from functools import cache

import pytest
from openpyxl import load_workbook

from rules.quarterly import FORMULAS
from submissions.declaration import FUND_SHEETS, UNITS, shipped_table
from submissions.figures import Figures
from submissions.workbook import PrefillMember, read_workbook, template_workbook
from submissions.workbook.formulas import WORDING
from tests.submissions.books import MEMBERS, YUAN, expected, fill, full_book, good_numbers, prefill

TABLE = shipped_table()
KNOWN = {
    ("RES", "2", "current"): Decimal("300000000.00"),
    ("RES", "2.1", "current"): Decimal("135000049.99"),
    ("RES", "1", "last"): Decimal("354102"),
    ("RES", "4", "budget"): Decimal("210000000.00"),
}


@cache
def _plain():
    return template_workbook(TABLE, prefill())


def template(**changes):
    return load_workbook(io.BytesIO(template_workbook(TABLE, prefill(**changes)) if changes else _plain()))


def test_every_sheet_of_the_declaration_is_there_and_the_mark_is_very_hidden():
    book = template()
    assert book.sheetnames == ["居民", "职工", "合计", "成员表", "原因分析", "填报说明", "_meta"]
    assert book["_meta"].sheet_state == "veryHidden"
    mark = dict(book["_meta"].iter_rows(values_only=True))
    assert mark == {
        "table": "situation", "version": "1", "sha256": TABLE.sha256, "alliance": "QX01", "period": "2026Q3", "assignment": "7",
    }  # fmt: skip


def test_every_row_stands_where_the_declaration_says_with_its_unit():
    for fund in FUND_SHEETS:
        sheet = template()[TABLE.sheets[fund]]
        for row in TABLE.rows:
            line = TABLE.row_number(row.code)
            assert sheet.cell(line, 1).value == row.code
            assert sheet.cell(line, 2).value == row.title
    assert "单位：万元" in template()["居民"]["A3"].value
    titles = [cell.value for cell in template()["成员表"][5]]
    assert titles == [column.title for column in TABLE.member_columns]
    assert "年度分配预算（万元）" in titles


def test_prefilled_cells_hold_wan_with_two_decimals_and_are_locked():
    sheet = template(values=KNOWN)["居民"]
    assert sheet[TABLE.cell("2")].value == 30000
    assert sheet[TABLE.cell("2.1")].value == 13500  # 135,000,049.99 yuan
    assert sheet[TABLE.cell("1", "last")].value == 354102
    for code, kind in (("2", "current"), ("2.1", "current"), ("1", "last"), ("4", "budget")):
        assert sheet[TABLE.cell(code, kind)].protection.locked
    assert sheet.protection.sheet
    assert not sheet.protection.password


def test_cells_to_be_typed_are_open_and_all_others_are_locked():
    sheet = template()["居民"]
    for row in TABLE.rows:
        assert sheet[TABLE.cell(row.code)].protection.locked is not row.is_typed
        assert sheet[TABLE.cell(row.code, "budget")].protection.locked is not (row.is_typed and row.budget)
        assert not sheet[TABLE.cell(row.code, "note")].protection.locked
        for kind in ("code", "label", "change", "execution"):
            assert sheet[TABLE.cell(row.code, kind)].protection.locked


@pytest.mark.parametrize(("code", "shown"), [("4", "#,##0.00"), ("7", "#,##0"), ("11.2", "#,##0.0000")])
def test_each_unit_has_its_number_format(code, shown):
    assert template()["居民"][TABLE.cell(code)].number_format == shown


def test_panes_are_frozen_and_every_sheet_prints_one_page_wide():
    book = template()
    assert book["居民"].freeze_panes == "C6"
    for title in ("居民", "成员表", "原因分析", "填报说明"):
        assert book[title].page_setup.fitToWidth == 1
        assert book[title].sheet_properties.pageSetUpPr.fitToPage
    assert book["居民"].print_title_rows == "$5:$5"
    assert book["居民"].column_dimensions["B"].width == 34


def test_the_cause_analysis_offers_its_choices():
    rules = template()["原因分析"].data_validations.dataValidation
    assert {rule.formula1 for rule in rules} >= {
        '"居民,职工"',
        '"收入,住院人次,次均费用,支出结构,县外就医,政策调整,其他"',
    }


def test_selecting_a_cell_shows_how_to_fill_it_and_the_guide_says_it_for_every_row():
    book = template()
    prompts = {rule.prompt for rule in book["居民"].data_validations.dataValidation}
    assert {row.how for row in TABLE.rows if row.is_typed} <= prompts
    told = [[cell.value for cell in row] for row in book["填报说明"].iter_rows()]
    for row in TABLE.rows:
        line = next(line for line in told if line[0] == row.code)
        assert line[1] == row.label
        assert line[2] == (UNITS[row.unit] or "—")
        assert line[3].startswith(row.how)


def test_every_derived_row_has_a_formula_for_the_eye_guarded_against_zero():
    assert set(WORDING) == set(FORMULAS)
    sheet = template()["居民"]
    for row in TABLE.rows:
        formula = sheet[TABLE.cell(row.code)].value
        assert (formula or "").startswith("=IFERROR(IF(OR(") is not row.is_typed
        assert sheet[TABLE.cell(row.code, "change")].value.startswith("=IFERROR(")


def test_names_that_look_like_formulas_stay_text():
    members = (PrefillMember("M01", '=HYPERLINK("http://x")', "+1"), PrefillMember("M02", "@SUM(1)", "-1"))
    book = template(members=members, alliance_name="=1+1", county_name="=1+1")
    sheet = book["成员表"]
    assert {cell.data_type for row in sheet.iter_rows(min_row=6, max_col=4) for cell in row} == {"s"}
    assert sheet["B6"].value == '=HYPERLINK("http://x")'


def test_what_is_typed_and_prefilled_comes_back_as_yuan_exactly():
    numbers = good_numbers()
    allocated = {("M01", "RES", "budget"): Decimal("88000000.00")}
    content = fill(template_workbook(TABLE, prefill(values=KNOWN, member_values=allocated)), TABLE, numbers)
    read = read_workbook(content, "a.xlsx", expected())
    assert (read.found, read.notes, read.table_version) == ([], [], "1")
    for fund, rows in numbers.funds.items():
        for code, value in rows.items():
            row = TABLE.by_code[code]
            if (fund, code, "current") not in KNOWN:
                assert read.figures.current(fund, code) == (value * YUAN if row.is_money else value), (fund, code)
    assert read.figures.current("RES", "2") == Decimal("300000000.00")
    assert read.figures.funds["RES"]["1"].last == 354102
    assert read.figures.funds["RES"]["4"].budget == Decimal("210000000.00")
    assert read.figures.funds["RES"]["11.1"].current is None
    line = next(line for line in read.figures.members if (line.institution, line.fund_type) == ("M01", "RES"))
    assert line.values["budget"] == Decimal("88000000.00")
    assert line.values["spending"] == numbers.members["M01", "RES"]["spending"] * YUAN
    assert line.values["score"] is None
    assert Figures.from_json(json.loads(json.dumps(read.figures.as_json()))) == read.figures


def test_an_empty_template_lacks_every_required_cell_and_nothing_else():
    read = read_workbook(template_workbook(TABLE, prefill()), "a.xlsx", expected())
    required = sum(row.is_typed and not row.optional for row in TABLE.rows) * 3
    of_members = sum(column.is_typed and not column.optional for column in TABLE.member_columns) * 2 * len(MEMBERS)
    assert [found.code for found in read.found] == ["V01"] * (required + of_members)
    assert read.notes == []


def test_every_finding_names_a_place_that_the_layout_knows():
    read = read_workbook(full_book(), "a.xlsx", expected())
    assert read.layout.fund_cells["RES", "4", "current"] == TABLE.cell("4")
    assert read.layout.member_cells["M02", "EMP", "spending"] == "I9"
    assert read.layout.sheets["members"] == "成员表"
