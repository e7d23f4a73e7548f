"""Workbooks people send, and workbooks we write."""

import io
import struct
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook, load_workbook

from core.errors import Refused
from core.workbook import (
    Sheet,
    by_header,
    cell_text,
    check_xlsx,
    read_sheets,
    safe_csv_cell,
    write_workbook,
    xlsx_response,
)


def workbook(rows=(("机构", "金额"), ("青溪县人民医院", 1))):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_member(name, content):
    packed = io.BytesIO(workbook())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr(name, content)
    return packed.getvalue()


def refusal(content, name="上报.xlsx"):
    with pytest.raises(Refused) as refused:
        check_xlsx(content, name)
    return str(refused.value)


def test_an_ordinary_workbook_is_read_with_all_its_sheets():
    assert read_sheets(workbook(), "a.xlsx") == {"Sheet": [["机构", "金额"], ["青溪县人民医院", 1.0]]}


def test_a_workbook_on_disk_reads_like_one_in_memory(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook())
    assert read_sheets(path, "a.xlsx") == read_sheets(workbook(), "a.xlsx")


def test_an_old_or_encrypted_workbook_is_refused_by_name():
    assert "旧版 xls 或加密" in refusal(b"\xd0\xcf\x11\xe0" + b"\0" * 600)


@pytest.mark.parametrize("content", [b"", b"name,yuan\n", b"PK\x03\x04 cut off", workbook()[:-400]])
def test_what_is_no_whole_zip_is_refused(content):
    assert "不是完整的 xlsx" in refusal(content)


def test_another_kind_of_zip_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        book.writestr("a.txt", "text")
    assert "压缩包里没有工作簿" in refusal(packed.getvalue())


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_entity_declarations_are_refused_before_anything_is_parsed(coding):
    told = refusal(with_member("xl/x.xml", '<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>'.encode(coding)))
    assert "实体声明" in told


def test_an_entity_declaration_is_found_under_whatever_name_the_part_has():
    assert "实体声明" in refusal(with_member("xl/worksheets/sheet1.dat", b"<!DOCTYPE a>"))


def test_macros_and_links_to_other_files_are_refused_together():
    packed = io.BytesIO(workbook())
    with zipfile.ZipFile(packed, "a") as book:
        book.writestr("xl/vbaProject.bin", b"macro")
        book.writestr("xl/externalLinks/externalLink1.xml", b"<x/>")
    told = refusal(packed.getvalue())
    assert "含有宏" in told
    assert "指向其他文件的链接" in told


def test_a_bomb_is_refused_before_anything_is_unpacked():
    assert "疑似异常压缩" in refusal(with_member("xl/worksheets/sheet9.xml", b"0" * 40_000_000))


def test_a_bomb_that_lies_about_its_size_is_refused():
    content = bytearray(with_member("xl/worksheets/sheet9.xml", b"0" * 40_000_000))
    real, small = struct.pack("<I", 40_000_000), struct.pack("<I", 1_000)
    assert content.count(real) == 2
    assert "大小不符" in refusal(bytes(content.replace(real, small)))


def test_a_damaged_member_is_refused():
    content = bytearray(workbook())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as book:
        member = book.getinfo("xl/worksheets/sheet1.xml")
    start = member.header_offset + 30 + len(member.filename) + 20
    content[start : start + 20] = b"\xff" * 20
    assert "损坏" in refusal(bytes(content))


def test_a_sheet_that_is_no_sheet_is_refused_in_words():
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as source, zipfile.ZipFile(packed, "w") as target:
        for member in source.namelist():
            target.writestr(member, b"<worksheet" if "sheet1" in member else source.read(member))
    with pytest.raises(Refused, match="内容损坏"):
        read_sheets(packed.getvalue(), "a.xlsx")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" a ", "a"),
        (3.0, "3"),
        (3.25, "3.25"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime.fromisoformat("2026-01-02"), "2026-01-02"),
        (datetime.fromisoformat("2026-01-02T03:04"), "2026-01-02 03:04:00"),
    ],
)
def test_cells_read_as_the_text_a_person_sees(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("value", "written"),
    [("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-5.20", "-5.20"), ("@x", "'@x"), ("普通", "普通"), (-5, "-5")],
)
def test_a_csv_cell_never_runs_as_a_formula(value, written):
    assert safe_csv_cell(value) == written


def test_written_text_that_looks_like_a_formula_stays_text():
    content = write_workbook([Sheet("表", ["名称", "金额"], [["=HYPERLINK(1)", Decimal("1234.50")]], frozenset({1}))])
    name, amount = load_workbook(io.BytesIO(content)).active[2]
    assert (name.value, name.data_type) == ("=HYPERLINK(1)", "s")
    assert (amount.value, amount.number_format) == (1234.5, "#,##0.00")


def test_notes_stand_above_the_frozen_header():
    content = write_workbook([Sheet("表", ["甲"], [["乙"]], notes=["单位：元", "截至九月"])])
    page = load_workbook(io.BytesIO(content)).active
    assert [row[0].value for row in page.iter_rows()] == ["单位：元", "截至九月", "甲", "乙"]
    assert page.freeze_panes == "A4"


def test_a_download_carries_its_chinese_name():
    response = xlsx_response("预付 9月.xlsx", [Sheet("表", ["甲"], [])])
    assert "filename*=UTF-8''%E9%A2%84%E4%BB%98%209%E6%9C%88.xlsx" in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_rows_are_found_below_their_header_wherever_it_stands():
    rows = [["某市月报", "", ""], ["单位", "金额", "机构"], ["元", 5, "甲"], ["", "", ""], ["元", 7, "乙"]]
    found = by_header(rows, {"机构": "name", "金额": "yuan"}, "表一")
    assert found == [(3, {"name": "甲", "yuan": 5}), (5, {"name": "乙", "yuan": 7})]


def test_a_missing_column_is_named_with_its_sheet():
    with pytest.raises(Refused, match="工作表“表一”缺少列：金额"):
        by_header([["机构", "等级"]], {"机构": "name", "金额": "yuan"}, "表一")


def test_a_sheet_without_its_header_says_what_was_expected():
    with pytest.raises(Refused, match="表头须包含：机构、金额"):
        by_header([["甲", "乙"]], {"机构": "name", "金额": "yuan"}, "表一")


def test_a_row_shorter_than_its_header_is_filled_with_blanks():
    assert by_header([["机构", "金额"], ["甲"]], {"机构": "name", "金额": "yuan"}, "表一") == [
        (2, {"name": "甲", "yuan": ""})
    ]
