"""Reading an upload: what is refused names the place, what is not read is told, older versions read by their own rows."""

import io
import zipfile
from decimal import Decimal

import pytest
from openpyxl.styles import PatternFill

from core.errors import Refused
from core.workbook import check_xlsx
from submissions.workbook import CODES, Unreadable, read_workbook, template_workbook
from submissions.workbook.refusals import MOST_PLACES
from tests.submissions.books import (
    YUAN,
    edited,
    expected,
    fill,
    filled,
    full_book,
    good_numbers,
    prefill,
    repacked,
    small_book,
    small_table,
    typed,
)
from tests.submissions.cases import older_table


def read(content, name="a.xlsx", **changes):
    return read_workbook(content, name, expected(small_table(), older_table(), **changes))


def refused(content, name="a.xlsx", **changes):
    with pytest.raises(Unreadable) as refusal:
        read(content, name, **changes)
    return refusal.value


def test_a_refusal_carries_code_place_words_and_remedy():
    refusal = refused(typed(small_book(), C1048576="x"))
    (found,) = refusal.found
    assert (found.code, found.severity, found.sheet, found.cell) == ("F19", "refusal", "居民", "C1048576")
    assert "C1048576" in found.text
    assert found.remedy == CODES["F19"].remedy
    (problem,) = refusal.problems
    assert (problem.field, problem.text[:3]) == ("居民!C1048576", "F19")


def test_inserted_and_deleted_rows_are_named_by_their_place():
    inserted = refused(edited(small_book(), lambda book: book["居民"].insert_rows(9, 2))).found
    assert [(each.code, each.cell) for each in inserted] == [("F16", "A9")]
    assert "第 9 行起多出 2 行" in inserted[0].text
    deleted = refused(edited(small_book(), lambda book: book["居民"].delete_rows(9, 2))).found
    assert "缺少行次 4、5" in deleted[0].text


def test_a_changed_mark_says_what_the_workbook_was_made_for():
    text = str(refused(small_book(), alliance_code="BY02"))
    assert "这是医共体 QX01 的模板，本任务属于 BY02" in text


def test_several_wrong_marks_are_told_together():
    refusal = refused(small_book(), alliance_code="BY02", period=prefill().period.previous)
    assert [each.code for each in refusal.found] == ["F12", "F13"]


def test_an_older_version_is_read_by_its_own_rows():
    table = older_table()
    content = filled(table)
    older = read(content)
    newer = read(small_book())
    assert older.table_version == "older"
    assert older.figures.current("RES", "1") == newer.figures.current("RES", "1")
    assert older.layout.fund_cells["RES", "1", "current"] == "C7"
    assert newer.layout.fund_cells["RES", "1", "current"] == "C6"


def test_a_version_nobody_knows_any_more_is_refused():
    with pytest.raises(Unreadable) as refusal:
        read_workbook(filled(older_table()), "a.xlsx", expected(small_table()))
    assert [each.code for each in refusal.value.found] == ["F11"]


def test_places_of_one_code_are_capped_with_the_true_count():
    def spoil(book):
        for line in range(6, 15):
            for letter in "CDH":
                for title in ("居民", "职工", "合计"):
                    book[title][f"{letter}{line}"] = "=1+1"
        for line in range(6, 60):
            book["原因分析"][f"C{line}"] = "=1+1"

    found = refused(edited(small_book(), spoil)).found
    assert len(found) == MOST_PLACES + 1
    assert f"只列出前 {MOST_PLACES} 处" in found[-1].text


def test_a_formula_of_the_hospital_is_read_by_its_stored_result():
    cell = rb'<c r="C10"([^>]*?)><v>[^<]*</v></c>'
    for stored, value in ((b"<v>1234.5600000000002</v>", "12345600.00"), (b"<v>0</v>", "0")):
        with_formula = rb'<c r="C10"\1><f>SUM(C11:C12)</f>' + stored + b"</c>"
        plain = repacked(small_book(), replace_in=[(r"xl/worksheets/sheet1\.xml", rb' t="n"', b"")])
        content = repacked(plain, replace_in=[(r"xl/worksheets/sheet1\.xml", cell, with_formula)])
        assert read(content).figures.current("RES", "5" if content is None else small_table().rows[4].code) == Decimal(
            value
        )


def with_result(kind, text):
    """The small workbook with a formula in C10 whose stored result has that type and text."""
    plain = repacked(small_book(), replace_in=[(r"xl/worksheets/sheet1\.xml", rb' t="n"', b"")])
    cell = rb'<c r="C10"([^>]*?)><v>[^<]*</v></c>'
    formula = rb'<c r="C10"\1' + kind + rb"><f>SUM(C11:C12)</f><v>" + text + b"</v></c>"
    return repacked(plain, replace_in=[(r"xl/worksheets/sheet1\.xml", cell, formula)])


@pytest.mark.parametrize("text", [b"NaN", b"1E+400", b"abc"])
def test_a_stored_result_that_is_no_number_is_told_and_never_raised(text):
    (found,) = [one for one in read(with_result(b"", text)).found if one.cell == "C10"]
    assert found.severity == "hard"


def test_a_stored_result_in_a_date_format_beyond_any_calendar_is_told():
    def dated(book):
        book["居民"]["C10"].number_format = "yyyy-mm-dd"

    content = edited(small_book(), dated)
    cell = rb'<c r="C10"([^>]*?)( t="n")?><v>[^<]*</v></c>'
    formula = rb'<c r="C10"\1><f>SUM(C11:C12)</f><v>10000000000</v></c>'
    found = read(repacked(content, replace_in=[(r"xl/worksheets/sheet1\.xml", cell, formula)])).found
    assert [one.cell for one in found if one.cell] == ["C10"]


def test_a_formula_whose_result_points_into_the_shared_texts_has_no_result():
    found = refused(with_result(rb' t="s"', b"7")).found
    assert [one.cell for one in found] == ["C10"]


def test_remarks_and_sheets_of_ones_own_are_told_as_unread():
    def add(book):
        book["居民"]["B20"] = "以上已核对"
        book["居民"]["F6"] = 12
        book.create_sheet("草稿").append([1])

    notes = read(edited(small_book(), add)).notes
    assert notes == ["居民 F6：此格不用填，“12”未读取", "居民 B20在表外，未读取", "工作表“草稿”不是报表内容，未读取"]


def test_numbers_stored_as_text_are_counted_in_one_note():
    content = typed(small_book(), C6="352816", C7="9874", C9="1.50")
    assert read(content).notes == ["居民：3 格是文本格式的数字，已按数字读取"]


def test_a_finding_names_fund_row_column_and_what_was_typed():
    (found,) = read(typed(small_book(), C9="约三千")).found
    assert (found.fund_type, found.row_code, found.column) == ("RES", "4", "current")
    assert (found.sheet, found.cell, found.value) == ("居民", "C9", "约三千")
    assert found.place == "4 医共体内"
    assert found.remedy


def test_a_finding_in_the_member_sheet_names_institution_and_column():
    (found,) = read(edited(small_book(), lambda book: book["成员表"].__setitem__("F9", "-3"))).found
    assert (found.code, found.institution, found.fund_type, found.column) == ("V06", "M02", "EMP", "spending")
    assert found.place == "石桥镇卫生院 医共体内支出"


def test_a_spoiled_cell_leaves_all_others_readable():
    result = read(typed(small_book(), C9="约三千"))
    numbers = good_numbers()
    assert result.figures.current("RES", "4") is None
    assert result.figures.current("RES", "5") == numbers.funds["RES"]["5"] * YUAN
    assert result.figures.current("EMP", "4") == numbers.funds["EMP"]["4"] * YUAN


def test_coloured_but_empty_cells_far_away_do_no_harm():
    def colour(book):
        book["居民"]["ZZ90000"].fill = PatternFill("solid", fgColor="FFFF0000")

    assert read(edited(small_book(), colour)).found == []


def test_causes_are_read_with_their_day_and_text_that_looks_like_a_formula():
    def tell(book):
        sheet = book["原因分析"]
        for number, word in enumerate(("居民", "其他", "收治增加", "@SUM(A1)", "医务科", "2026/12/31"), 1):
            sheet.cell(6, number).value = word
            sheet.cell(6, number).data_type = "s"

    result = read(edited(small_book(), tell))
    (cause,) = result.figures.causes
    assert (cause.fund_type, cause.measure, cause.due) == ("RES", "@SUM(A1)", "2026-12-31")
    assert result.notes == ["原因分析 F6：“2026/12/31” 读作 2026-12-31"]


def test_members_without_any_of_their_own_numbers_are_told_cell_by_cell():
    content = template_workbook(small_table(), prefill())
    members = [found for found in read(content).found if found.institution]
    assert {found.code for found in members} == {"V01"}
    assert {(found.institution, found.fund_type) for found in members} == {
        ("M01", "RES"), ("M01", "EMP"), ("M02", "RES"), ("M02", "EMP"),
    }  # fmt: skip


def test_prefilled_cells_are_left_alone_by_who_fills_the_rest():
    content = fill(
        template_workbook(small_table(), prefill(values={("RES", "4", "current"): Decimal("10000.00")})), small_table()
    )
    assert read(content).figures.current("RES", "4") == Decimal("10000.00")


@pytest.mark.parametrize("mark", ["<!DOCTYPE x>", '<!ENTITY a "b">'])
@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_entity_declarations_are_refused_in_any_part_and_coding(mark, coding):
    content = repacked(full_book(), add=[("customXml/item1.xml", (" " * (1024 * 1024 - 5) + mark).encode(coding))])
    with pytest.raises(Refused, match="实体声明"):
        check_xlsx(content, "a.xlsx")


def test_a_part_whose_size_lies_is_refused_before_it_is_parsed():
    content = bytearray(small_book())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as book:
        size = book.getinfo("xl/workbook.xml").file_size
    at = content.rindex(size.to_bytes(4, "little"))
    content[at : at + 4] = (size - 7).to_bytes(4, "little")
    assert {each.code for each in refused(bytes(content)).found} == {"F04"}


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_workbook_cut_anywhere_is_refused_and_never_breaks_the_reader(cut):
    content = small_book()
    assert {each.code for each in refused(content[: len(content) * cut // 20]).found} <= {"F03", "F04"}


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"]
)
def test_a_workbook_lacking_a_part_is_refused_and_never_breaks_the_reader(part):
    assert {each.code for each in refused(repacked(small_book(), drop=(part,))).found} <= {"F03", "F04", "F14"}


@pytest.mark.parametrize("ref", ["A1:XFD1048576", "C1:C1048576", "C:D"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/anything.dat"])
def test_a_merge_of_millions_of_cells_is_refused_before_it_is_opened(ref, part):
    merge = f"<x><mergeCells><mergeCell ref='{ref}'/></mergeCells></x>".encode()
    drop = (part,) if part.endswith("xml") else ()
    assert {each.code for each in refused(repacked(small_book(), add=[(part, merge)], drop=drop)).found} == {"F18"}


@pytest.mark.parametrize("element", [b"<row/>", b"<c/>", b"<a b='c'/>"])
def test_more_elements_than_any_table_has_are_refused_before_it_is_opened(element):
    content = repacked(small_book(), add=[("xl/x.xml", b"<x>" + element * 400_001 + b"</x>")])
    assert {each.code for each in refused(content).found} == {"F05"}


@pytest.mark.parametrize("element", ["hyperlink", "comment"])
def test_a_link_or_comment_on_millions_of_cells_is_refused_before_it_is_opened(element):
    content = repacked(small_book(), add=[("xl/x.xml", f'<x><{element} ref="A1:XFD1048576"/></x>'.encode())])
    assert {each.code for each in refused(content).found} == {"F05"}
