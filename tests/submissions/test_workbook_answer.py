"""The answered workbook: the hospital's own file, findings on their cells, everything else as it was."""

import io
import re
import zipfile
from decimal import Decimal

import pytest
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from submissions.declaration import shipped_table
from submissions.figures import Found, Placed
from submissions.workbook import Unreadable, answer_workbook, read_workbook
from tests.submissions.books import bomb, edited, expected, full_book, repacked, typed

TABLE = shipped_table()
OURS = {"检查结果", "_marks"}
RED, AMBER = "FFF8C9C9", "FFFFE8A8"


def answered(content, *more):
    """The answer to what the reader finds and to ``more`` findings."""
    try:
        read = read_workbook(content, "a.xlsx", expected())
    except Unreadable as refusal:
        return answer_workbook(content, None, [Placed(each, each.sheet, each.cell) for each in refusal.found])
    return answer_workbook(content, read, [Placed(each, *read.layout.place_of(each)) for each in (*read.found, *more)])


def opened(content, **how):
    return load_workbook(io.BytesIO(content), **how)


def style_of(cell, known):
    """Everything about the looks of a cell, compared by value; ``known`` remembers it by style."""
    if cell.style_id not in known:
        parts = (cell.font, cell.border, cell.alignment, cell.protection, cell.fill)
        known[cell.style_id] = (cell.number_format, *map(repr, parts))
    return known[cell.style_id]


def sheets_of(content, *, without=()):
    """Everything a person sees of every sheet that is not ours, by sheet, cell by cell."""
    book = opened(content, rich_text=True)
    results = opened(content, data_only=True)
    told, known = {}, {}
    for sheet in book.worksheets:
        if sheet.title in OURS:
            continue
        told[sheet.title] = {
            "cells": {
                cell.coordinate: (
                    cell.data_type,
                    cell.value,
                    results[sheet.title][cell.coordinate].value,
                    style_of(cell, known),
                    cell.comment and cell.comment.text,
                )
                for row in sheet.iter_rows()
                for cell in row
                if (sheet.title, cell.coordinate) not in without and hasattr(cell, "protection")
            },
            "merged": sorted(str(span) for span in sheet.merged_cells.ranges),
            "widths": {letter: (size.width, size.hidden) for letter, size in sheet.column_dimensions.items()},
            "heights": {line: size.height for line, size in sheet.row_dimensions.items() if size.height},
            "choices": sorted(str(rule.sqref) + str(rule.formula1) for rule in sheet.data_validations.dataValidation),
            "frozen": sheet.freeze_panes,
            "locked": (sheet.protection.sheet, sheet.sheet_state),
            "printed": (sheet.print_title_rows, sheet.page_setup.orientation, sheet.oddFooter.center.text),
        }
    return told


RESULTS = [
    (rb"C10", b"><f>SUM(C11,1)</f><v>2345.67</v>"),
    (rb"H10", b' t="str"><f>"a"&amp;"&lt;b"</f><v>a&lt;b</v>'),
    (rb"H11", b' t="b"><f>1=1</f><v>1</v>'),
    (rb"E10", b' t="e"><f>1/0</f><v>#DIV/0!</v>'),
]


def with_results():
    """A workbook as a spreadsheet saves it: formulas with number, text, logical and error results."""
    changes = [
        (
            r"xl/worksheets/sheet1\.xml",
            rb'<c r="' + place + rb'"( s="\d+")[^>]*>.*?</c>',
            rb'<c r="' + place + rb'"\1' + text + b"</c>",
        )
        for place, text in RESULTS
    ]
    return repacked(full_book(), replace_in=changes)


def lively():
    """A workbook with what hospitals add: own colours, comments, a sheet, text that looks like a formula."""

    def change(book):
        sheet = book["居民"]
        sheet["C9"].value = "约三千"
        sheet["C9"].fill = PatternFill("solid", fgColor="FF00B050")
        sheet["C9"].comment = Comment("与财务核对过", "周敏")
        sheet["C12"].font = Font(bold=True, color="FFFF0000")
        sheet["C12"].number_format = "0.000"
        sheet["H12"].value = "=cmd|' /C calc'!A0"
        sheet["H12"].data_type = "s"
        sheet["D12"].comment = Comment("去年的数", "周敏")
        sheet.column_dimensions["H"].width = 61.5
        book.create_sheet("测算").append(["草稿", 1.25])

    return edited(full_book(), change)


def test_nothing_but_the_marked_cells_differs_from_the_original():
    content = with_results()
    marked = ("居民", "C9")
    content = edited_in_place(content)
    answer = answered(content)
    assert sheets_of(answer, without={marked}) == sheets_of(content, without={marked})


def edited_in_place(content):
    """居民 C9 as text, changed in the package so that stored results stay."""
    cell = rb'<c r="C9"( s="\d+")[^>]*>.*?</c>'
    return repacked(
        content,
        replace_in=[(r"xl/worksheets/sheet1\.xml", cell, rb'<c r="C9"\1 t="inlineStr"><is><t>12x</t></is></c>')],
    )


def test_results_of_formulas_of_every_kind_are_still_there():
    results = opened(answered(edited_in_place(with_results())), data_only=True)["居民"]
    assert [results[place].value for place in ("C10", "H10", "H11", "E10")] == [2345.67, "a<b", True, "#DIV/0!"]
    formulas = opened(answered(with_results()))["居民"]
    assert formulas["H10"].value == '="a"&"<b"'


def test_a_bad_cell_is_filled_red_and_says_code_text_and_remedy():
    cell = opened(answered(typed(full_book(), C9="约三千")))["居民"]["C9"]
    assert cell.fill.fgColor.rgb == RED
    assert "V02" in cell.comment.text
    assert "约三千" in cell.comment.text
    assert "改法：" in cell.comment.text
    assert cell.value == "约三千"


def test_soft_findings_are_amber_and_several_in_one_cell_are_joined():
    soft = [
        Found("S1", "soft", "较上年增长 23.6%。", "请说明。", fund_type="RES", row_code="4"),
        Found("S3", "soft", "低于 16%。", "请说明原因。", fund_type="RES", row_code="4"),
        Found("H3", "hard", "成员合计不等于本行。", "请核对。", fund_type="RES", row_code="5"),
        Found("S1", "soft", "较上年增长 30%。", "请说明。", fund_type="RES", row_code="5"),
    ]
    sheet = opened(answered(full_book(), *soft))["居民"]
    both, worse = sheet[TABLE.cell("4")], sheet[TABLE.cell("5")]
    assert both.fill.fgColor.rgb == AMBER
    assert "S1" in both.comment.text
    assert "S3" in both.comment.text
    assert worse.fill.fgColor.rgb == RED


def test_the_first_sheet_lists_every_finding_with_a_link_to_its_cell():
    soft = Found(
        "S7", "soft", "平均住院日小于 1 天。", "请说明。", institution="M02", fund_type="EMP", column="bed_days"
    )
    book = opened(answered(typed(full_book(), C9="约三千"), soft))
    sheet = book.worksheets[0]
    assert sheet.title == "检查结果"
    assert book.active.title == "检查结果"
    assert [other.title for other in book.worksheets if other.sheet_view.tabSelected] == ["检查结果"]
    assert "硬性错误 1 项" in sheet["A2"].value
    assert "需说明 1 项" in sheet["A2"].value
    assert [cell.value for cell in sheet[6]][:4] == ["硬性错误", "V02", "居民", "C9"]
    assert sheet["D6"].hyperlink.location == "'居民'!C9"
    assert [cell.value for cell in sheet[7]][:4] == ["需说明", "S7", "成员表", "L9"]


def test_the_list_is_capped_by_code_and_states_the_true_count():
    many = [Found("S1", "soft", "增长过快。", "请说明。", fund_type="RES", row_code=row.code, value=str(at))
            for at in range(3) for row in TABLE.rows]  # fmt: skip
    sheet = opened(answered(typed(full_book(), C9="x"), *many))["检查结果"]
    texts = [row[6].value or "" for row in sheet.iter_rows(min_row=6)]
    assert sum(text == "增长过快。" for text in texts) == 50
    assert any(f"共 {len(many)} 处" in text for text in texts)
    assert f"S1 {len(many)}" in sheet["A2"].value


def test_what_was_read_differently_is_told_below_the_list():
    sheet = opened(answered(typed(full_book(), C9="１５，０００万元")))["检查结果"]
    assert "居民 C9：“１５，０００万元” 读作 15,000.00" in [row[0].value for row in sheet.iter_rows()]


def test_comments_and_colours_of_the_hospital_are_kept():
    content = lively()
    book = opened(answered(content))
    sheet = book["居民"]
    assert sheet["C9"].comment.text.startswith("与财务核对过")
    assert "V02" in sheet["C9"].comment.text
    assert sheet["D12"].comment.text == "去年的数"
    assert book["测算"]["B1"].value == 1.25
    assert sheet.column_dimensions["H"].width == 61.5


def test_text_that_looks_like_a_formula_stays_text_in_the_answer():
    evil = Found("V02", "hard", "=1+1", "@SUM(A1)", sheet="居民", cell="H12", value="=cmd|' /C calc'!A0", place="+1")
    book = opened(answered(lively(), evil))
    assert book["居民"]["H12"].data_type == "s"
    assert {cell.data_type for row in book["检查结果"].iter_rows() for cell in row if cell.value is not None} == {"s"}


def test_a_mended_answer_is_read_and_answered_without_old_marks():
    content = lively()
    mended = edited(answered(content), lambda book: book["居民"].__setitem__("C9", 3000))
    read = read_workbook(mended, "a.xlsx", expected())
    assert read.found == []
    again = answered(mended)
    cell = opened(again)["居民"]["C9"]
    assert cell.fill.fgColor.rgb == "FF00B050"
    assert cell.comment.text == "与财务核对过"
    assert "_marks" not in opened(again).sheetnames
    assert opened(again)["检查结果"]["A2"].value == "没有发现问题。"


def test_answering_an_answer_gives_the_same_workbook_once_more():
    first = answered(edited_in_place(with_results()))
    second = answered(first)
    assert opened(second).sheetnames == opened(first).sheetnames
    assert sheets_of(second) == sheets_of(first)
    lists = [
        [[cell.value for cell in row] for row in opened(content)["检查结果"].iter_rows()] for content in (first, second)
    ]
    assert lists[0] == lists[1]


def test_a_refused_workbook_that_opens_is_answered_on_its_cells():
    content = edited(full_book(), lambda book: book["居民"].__setitem__("C9", "=C8"))
    book = opened(answered(content))
    assert book["居民"]["C9"].fill.fgColor.rgb == RED
    assert "F24" in book["居民"]["C9"].comment.text
    assert book["检查结果"]["B6"].value == "F24"


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(64), b"", b"\xd0\xcf\x11\xe0" + bytes(600)])
def test_a_file_that_cannot_be_opened_is_answered_by_the_list_alone(content):
    book = opened(answered(content))
    assert book.sheetnames == ["检查结果"]
    assert book["检查结果"]["A6"].value == "不能读取"


def test_a_bomb_is_answered_without_being_unpacked():
    sheet = opened(answered(bomb()))["检查结果"]
    assert [cell.value for cell in sheet[6]][:2] == ["不能读取", "F05"]


def test_protection_stays_and_the_list_may_be_sorted_and_filtered():
    book = opened(answered(typed(full_book(), C9="x")))
    assert book["居民"].protection.sheet
    assert not book["检查结果"].protection.sheet
    assert book.security.lockStructure


def test_amounts_of_the_answer_are_those_of_the_original_to_the_last_digit():
    content = typed(full_book(), C9=12230.7000000001, C12="x")
    read = read_workbook(answered(content), "a.xlsx", expected())
    assert read.figures.current("RES", "2.1") == Decimal("122307000.00")
    assert re.search(rb"12230\.7000000001", _sheet(answered(content)))


def _sheet(content):
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"".join(book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
