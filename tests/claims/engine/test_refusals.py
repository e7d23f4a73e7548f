"""Every reason for which a whole file is refused, each with a file that shows it; nothing is written then."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from claims.engine.findings import CheckResult
from claims.engine.refusals import Limits, Reason
from tests.claims.engine.conftest import stay, stored, write_csv


def refused(result: CheckResult, reason: Reason) -> str:
    assert result.refusal is not None
    assert result.refusal.reason is reason
    assert result.refusal.remedy
    assert result.files == ()
    return result.refusal.text + "".join(result.refusal.found)


def test_an_empty_file_is_refused_by_name(check, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"")
    refused(check(path), Reason.EMPTY)


@pytest.mark.parametrize("content", [b"\n\n", b",,,\n"])
def test_a_file_without_a_header(check, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    refused(check(path), Reason.EMPTY)


def test_a_header_without_rows(check, tmp_path: Path) -> None:
    refused(check(write_csv(tmp_path / "in.csv", [])), Reason.EMPTY)


def test_missing_columns_are_named_with_their_spellings_and_what_was_found(check) -> None:
    row = stay()
    del row["pooled_fund_paid"], row["serious_illness_paid"]
    text = refused(check([row]), Reason.WRONG_COLUMNS)
    assert "统筹基金支出（hifp_pay / pooled_fund_paid）" in text
    assert "hifmi_pay + hifob_pay" in text
    assert "total_cost" in text


def test_a_header_given_twice(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay() | {"医疗费总额": "1"}], {"医疗费总额": "total_cost"})
    assert "total_cost" in refused(check(path), Reason.WRONG_COLUMNS)


def test_rows_that_do_not_fit_the_header_are_named_by_line_and_not_shown(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay(), stay()])
    secret = "360101197001019999"
    path.write_text(path.read_text() + f"{secret},1,2\n", encoding="utf-8")
    text = refused(check(path), Reason.BROKEN_ROWS)
    assert "第 4 行列数不足" in text
    assert secret not in text


def test_an_unclosed_quote_is_refused_by_name(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay()])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '"' + lines[1], lines[1]]) + "\n", encoding="utf-8")
    refused(check(path), Reason.BROKEN_ROWS)


def test_broken_utf8_is_named_by_its_byte(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay(diagnosis_code="上呼吸道感染")])
    whole = path.read_bytes()
    path.write_bytes(whole + b"\xff" + whole)
    assert f"第 {len(whole)} 字节" in refused(check(path), Reason.BROKEN_ENCODING)


def test_a_character_cut_off_at_the_end_is_named_by_its_byte(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay(diagnosis_code="感冒")])
    whole = path.read_bytes()
    path.write_bytes(whole + "感".encode()[:2])
    assert f"第 {len(whole)} 字节" in refused(check(path), Reason.BROKEN_ENCODING)


def test_text_that_is_neither_utf8_nor_gb18030(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay(diagnosis_code="感冒")], {"total_cost": "医疗费总额"}, "gb18030")
    whole = path.read_bytes()
    path.write_bytes(whole + b"\xff\xff")
    text = refused(check(path), Reason.BROKEN_ENCODING)
    assert "GB18030" in text and f"第 {len(whole)} 字节" in text


def test_a_binary_file_is_refused_by_name(check, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "in.csv", [stay()])
    path.write_bytes(path.read_bytes() + b"\0\0")
    refused(check(path), Reason.BROKEN_ENCODING)


@pytest.mark.parametrize(
    ("start", "what"), [(b"\xd0\xcf\x11\xe0", ".xls"), (b"\x1f\x8b\x08", "gzip"), (b"\xff\xfea\0", "UTF-16")]
)
def test_formats_that_are_not_read_are_named(check, tmp_path: Path, start: bytes, what: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(start + b"1" * 100)
    assert what in refused(check(path), Reason.UNKNOWN_FORMAT)


def test_a_zip_that_is_no_workbook_and_a_broken_one(check, tmp_path: Path) -> None:
    path = tmp_path / "in.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("extract.csv", "a,b")
    refused(check(path), Reason.UNKNOWN_FORMAT)
    path.write_bytes(path.read_bytes()[:40])
    refused(check(path), Reason.UNKNOWN_FORMAT)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(check, tmp_path: Path) -> None:
    path = tmp_path / "in.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        package.writestr("xl/worksheets/sheet1.xml", b"0" * (40 << 20))
    assert "压缩比" in refused(check(path), Reason.TOO_LARGE)


def test_formulas_without_a_value_are_named_by_cell(check, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    row = stay()
    sheet.append(list(row))
    sheet.append(list(row.values()))
    place = list(row).index("total_cost") + 1
    sheet.cell(2, place, "=500+500")
    book.save(tmp_path / "in.xlsx")
    assert sheet.cell(2, place).coordinate in refused(check(tmp_path / "in.xlsx"), Reason.BROKEN_ROWS)


def test_an_empty_workbook_is_refused_by_name(check, tmp_path: Path) -> None:
    from openpyxl import Workbook

    Workbook().save(tmp_path / "in.xlsx")
    refused(check(tmp_path / "in.xlsx"), Reason.EMPTY)


def test_a_broken_parquet_file(check, tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    path.write_bytes(b"PAR1" + b"x" * 200 + b"PAR1")
    refused(check(path), Reason.BROKEN_ROWS)


@pytest.mark.parametrize("limits", [Limits(file_bytes=100), Limits(rows=2)], ids=["bytes", "rows"])
def test_files_beyond_the_limits(check, limits: Limits) -> None:
    refused(check([stay(), stay(), stay()], limits=limits), Reason.TOO_LARGE)


def test_the_extract_of_another_county(check) -> None:
    rows = [stay(insured_county="990102"), stay(insured_county="990102"), stay()]
    text = refused(check(rows), Reason.WRONG_COUNTY)
    assert "990102：2 行" in text


def test_the_extract_of_other_months(check) -> None:
    rows = [stay(settled_on="2026-06-30"), stay(settled_on="2026-06-29"), stay()]
    text = refused(check(rows), Reason.WRONG_PERIOD)
    assert "2026-06：2 行" in text


def test_too_many_bad_rows_unless_an_officer_admits_them(check) -> None:
    rows = [stay() for _ in range(18)] + [stay(sex="x")]
    result = check(rows)
    assert "5.3%" in refused(result, Reason.TOO_MANY_BAD_ROWS)
    assert (result.count("C05"), result.rejected) == (1, 1)
    assert result.rejects is not None and result.rejects.path.exists()
    admitted = check(rows, admit_bad_rows=True)
    assert admitted.accepted and len(stored(admitted)) == 18


def test_five_per_cent_of_bad_rows_is_still_taken(check) -> None:
    result = check([stay() for _ in range(19)] + [stay(sex="x")])
    assert result.accepted and (result.good, result.rejected) == (19, 1)
