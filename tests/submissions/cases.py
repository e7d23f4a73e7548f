"""The workbooks of ``tests/workbooks``: one change each to a sound one. ``python -m tests.submissions.cases`` writes them.

``should_fail/<code>`` hold what the reader must refuse or find, ``should_pass/<code>`` what comes near and is allowed.
"""

import io
import zipfile
from datetime import date

from submissions.declaration import parse_table
from tests.submissions.books import (
    WORKBOOKS,
    compact,
    edited,
    filled,
    prefill,
    repacked,
    small_book,
    typed,
)

FAIL, PASS = WORKBOOKS / "should_fail", WORKBOOKS / "should_pass"
SHEET1 = r"xl/worksheets/sheet1\.xml"
LONG = "流感高发，收治增加。" * 60


def older_table():
    """The small table as an earlier version: other order, another label."""
    text = (WORKBOOKS / "table.toml").read_text(encoding="utf-8").replace('version = "small"', 'version = "older"')
    head, *rows = text.split("[[row]]\n")
    last, tail = rows[-1].split("[[member_column]]", 1)
    rows = [rows[1], rows[0], *rows[2:-1], last]
    rows[0] = rows[0].replace("其中：异地安置", "异地安置人数")
    return parse_table("[[row]]\n".join([head, *rows]) + "[[member_column]]" + tail)


def _book(change):
    return lambda: compact(edited(small_book(), change))


def _typed(**cells):
    return lambda: compact(typed(small_book(), **cells))


def _packed(**changes):
    return lambda: repacked(compact(small_book()), **changes)


def _meta(key, value):
    def change(book):
        for name, cell in book["_meta"].iter_rows(max_col=2):
            if name.value == key:
                cell.value = value

    return _book(change)


def _cell(sheet, place, value, number_format=None):
    def change(book):
        book[sheet][place] = value
        if number_format:
            book[sheet][place].number_format = number_format

    return _book(change)


def _cause(*values, start=6):
    def change(book):
        for number, value in enumerate(values, 1):
            cell = book["原因分析"].cell(start, number)
            cell.value = value
            cell.data_type = "n" if value is None else "s"

    return _book(change)


def _rename(**titles):
    def change(book):
        for old in titles:
            book[old].title = f"{old}*".replace("*", "旧")
        for old, new in titles.items():
            book[f"{old}旧"].title = new

    return _book(change)


def _zip(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, content in parts.items():
            book.writestr(name.replace("__", "/") + ".xml", content)
    return out.getvalue()


def _swap_lines(book):
    sheet = book["成员表"]
    for number in range(1, 9):
        above, below = sheet.cell(6, number), sheet.cell(9, number)
        above.value, below.value = below.value, above.value


def _formula(result):
    """居民 C10 as a formula, with the result a spreadsheet would have left."""
    cell = rb'<c r="C10"([^>]*?)><v>[^<]*</v></c>'
    return _packed(replace_in=[(SHEET1, cell, rb'<c r="C10"\1' + result + b"</c>")])


FAILING = {
    "F01/old.xls": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1528),
    "F02/password.xlsx": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + "EncryptedPackage".encode("utf-16-le")
    ),
    "F03/picture.xlsx": lambda: b"\x89PNG\r\n\x1a\n" + bytes(64),
    "F03/word_document.xlsx": lambda: _zip(word__document="<document/>"),
    "F04/cut_off.xlsx": lambda: compact(small_book())[:6000],
    "F04/broken_sheet.xlsx": _packed(replace_in=[(SHEET1, b"<sheetData>", b"<sheetData><row")]),
    "F06/entity_bomb.xlsx": _packed(
        replace_in=[(SHEET1, b"^", b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>')]
    ),
    "F07/macro.xlsm": _packed(add=[("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")]),
    "F08/external_link.xlsx": _packed(add=[("xl/externalLinks/externalLink1.xml", b"<externalLink/>")]),
    "F09/no_mark.xlsx": _book(lambda book: book.remove(book["_meta"])),
    "F09/half_a_mark.xlsx": _meta("period", None),
    "F10/other_table.xlsx": _meta("table", "drug_purchase"),
    "F11/unknown_version.xlsx": _meta("version", "1998"),
    "F11/changed_checksum.xlsx": _meta("sha256", "0" * 64),
    "F12/other_alliance.xlsx": _meta("alliance", "BY02"),
    "F13/other_period.xlsx": _meta("period", "2026Q2"),
    "F13/other_assignment.xlsx": _meta("assignment", "8"),
    "F14/renamed.xlsx": _rename(居民="城乡居民"),
    "F14/missing.xlsx": _book(lambda book: book.remove(book["原因分析"])),
    "F15/funds_swapped.xlsx": _rename(居民="职工", 职工="居民"),
    "F16/inserted_row.xlsx": _book(lambda book: book["居民"].insert_rows(9)),
    "F16/deleted_row.xlsx": _book(lambda book: book["职工"].delete_rows(9)),
    "F17/changed_code.xlsx": _typed(A7="1.4"),
    "F17/changed_label.xlsx": _typed(B8="支出总额"),
    "F17/changed_header.xlsx": _typed(C5="本季数"),
    "F17/inserted_column.xlsx": _book(lambda book: book["成员表"].insert_cols(5)),
    "F18/merged.xlsx": _book(lambda book: book["居民"].merge_cells("C9:D9")),
    "F19/stray_cell.xlsx": _typed(C1048576=" x"),
    "F20/hidden_row.xlsx": _book(lambda book: setattr(book["居民"].row_dimensions[9], "hidden", True)),
    "F20/hidden_column.xlsx": _book(lambda book: setattr(book["居民"].column_dimensions["D"], "hidden", True)),
    "F20/hidden_sheet.xlsx": _book(lambda book: setattr(book["职工"], "sheet_state", "hidden")),
    "F21/member_twice.xlsx": _book(lambda book: book["成员表"].append([cell.value for cell in book["成员表"][6]])),
    "F22/unknown_member.xlsx": _book(
        lambda book: book["成员表"].append(["X99", "外单位", "民营医院", "居民", None, 1, 1, 1])
    ),
    "F22/no_institution.xlsx": _book(
        lambda book: book["成员表"].append([None, "石桥镇卫生院", None, "居民", None, 1, 1, 1])
    ),
    "F23/member_missing.xlsx": _book(lambda book: book["成员表"].delete_rows(9)),
    "F24/formula_without_result.xlsx": _typed(C10="=C9*2"),
    "F25/reference_lost.xlsx": _formula(b' t="e"><f>#REF!*2</f><v>#REF!</v>'),
    "F25/division_by_zero.xlsx": _cell("成员表", "F7", "#DIV/0!"),
    "V01/blank.xlsx": _typed(C9=None),
    "V02/words.xlsx": _typed(C9="约三千"),
    "V02/dash.xlsx": _typed(C9="—"),
    "V02/odd_thousands.xlsx": _typed(C9="15,00"),
    "V02/logical.xlsx": _typed(C9=True),
    "V03/date.xlsx": _cell("居民", "C9", date(2026, 9, 30), "yyyy-mm-dd"),
    "V03/date_as_text.xlsx": _typed(C9="2026-09-30"),
    "V04/three_decimals.xlsx": _typed(C9="12230.705"),
    "V05/fraction.xlsx": _typed(C6="352816.5"),
    "V06/negative.xlsx": _typed(C9="-12.00"),
    "V07/huge.xlsx": _typed(C9=10**15),
    "V08/yuan.xlsx": _typed(C9="2906496.60元"),
    "V08/persons_for_visits.xlsx": _typed(C12="24,618人"),
    "V08/percent.xlsx": _cell("居民", "C9", 0.12, "0.00%"),
    "V09/other_fund.xlsx": _cause("城乡居民", "其他", "原因", "措施", "医务科", "2026-12-31"),
    "V10/no_day.xlsx": _cause("居民", "其他", "原因", "措施", "医务科", "年底前"),
    "V11/long_text.xlsx": _typed(H9=LONG[:501]),
    "V12/half_a_line.xlsx": _cause("居民", "其他", "原因", None, "医务科", "2026-12-31"),
}
"""File under ``should_fail`` → how it is made. The bombs of F05 are built when the tests run."""

PASSING = {
    "F01-F10/plain.xlsx": lambda: compact(small_book()),
    "F11-F13/older_version_that_is_known.xlsx": lambda: compact(filled(older_table(), **vars(prefill()))),
    "F14-F15/sheet_of_ones_own.xlsx": _book(lambda book: book.create_sheet("测算草稿").append(["草稿", 1])),
    "F16-F17/remark_below_and_spaces_in_a_header.xlsx": _typed(B20="以上数据已与财务核对", C5=" 本期累计 "),
    "F18/merged_title.xlsx": _book(lambda book: book["居民"].merge_cells("D4:E4")),
    "F19/remark_beside.xlsx": _typed(J9="含 10 月"),
    "F20/hidden_below_the_table.xlsx": _book(lambda book: setattr(book["居民"].row_dimensions[40], "hidden", True)),
    "F21-F23/members_in_another_order.xlsx": _book(_swap_lines),
    "F24/formula_with_result.xlsx": _formula(b"><f>SUM(C11,1)</f><v>1234.56</v>"),
    "F25/error_in_a_cell_for_the_eye.xlsx": _typed(E9="#DIV/0!"),
    "V01/optional_left_blank.xlsx": _typed(C7=None),
    "V02/typed_in_many_ways.xlsx": _typed(
        C6="３５２，８１６", C8=" 15,000.00 ", C9="15000.5", C10="+７.５０", C11=".5"
    ),
    "V03/date_in_a_remark.xlsx": _cell("居民", "H9", date(2026, 9, 30), "yyyy-mm-dd"),
    "V04/binary_noise.xlsx": _typed(C9=12230.7000000001),
    "V05/whole_number_as_decimal.xlsx": _typed(C6="352,816.00"),
    "V06/negative_where_allowed.xlsx": _typed(C15="（12.50）"),
    "V07/just_below_the_limit.xlsx": _typed(C9="99,999,999.99"),
    "V08/own_unit_behind.xlsx": _typed(C6="352816人", C9="１５，０００万元", C12="24,618 人次"),
    "V09-V12/causes_told_in_full.xlsx": _cause("居民", "其他", LONG[:500], "=措施一", "医务科", "2026年12月31日"),
}


def write():
    """Make every file anew; files of cases that are gone are removed."""
    for folder, cases in ((FAIL, FAILING), (PASS, PASSING)):
        for path in sorted(folder.rglob("*.*")):
            if path.parent.name[0] in "FV" and path.relative_to(folder).as_posix() not in cases:
                path.unlink()
        for name, make in cases.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(make())


if __name__ == "__main__":
    write()
