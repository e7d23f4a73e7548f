"""Whatever form an extract comes in, the same rows come out: spellings, order, encodings, delimiters, xlsx, Parquet."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from claims.engine.columns import COLUMNS, match_headers
from tests.claims.engine.conftest import clinic, stay, stored, write_csv

NATIONAL = {column.name: column.whole.national[0] for column in COLUMNS if column.whole.national}
CHINESE = {column.name: column.whole.chinese[0] for column in COLUMNS}


@pytest.fixture
def rows() -> list[dict[str, str]]:
    return [stay(), clinic(diagnosis_code="感冒"), stay(fund_type="310", enrolment_township="东乡镇")]


def without_line(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "line"} for row in found]


@pytest.mark.parametrize("headers", [NATIONAL, CHINESE, {}, {**CHINESE, **dict(list(NATIONAL.items())[::2])}],
                         ids=["national", "chinese", "ours", "mixed"])  # fmt: skip
def test_headers_in_every_spelling_give_the_same_rows(check, tmp_path: Path, rows, headers) -> None:
    named = check(write_csv(tmp_path / "named.csv", rows, headers))
    assert named.refusal is None
    assert without_line(stored(named)) == without_line(stored(check(rows)))


def test_columns_may_stand_in_any_order_and_extra_ones_are_listed(check, tmp_path: Path, rows) -> None:
    turned = [{"备注": "无", **dict(reversed(list(row.items()))), "姓名": "某人"} for row in rows]
    result = check(write_csv(tmp_path / "turned.csv", turned))
    assert result.unused_headers == ("备注", "姓名")
    assert stored(result) == stored(check(rows))


@pytest.mark.parametrize("header", ["medfee_sumamt", "MEDFEE_SUMAMT ", "医疗费总额（元）", " 医疗费 总额(元)", "ＴＯＴＡＬ＿ＣＯＳＴ"])
def test_a_header_is_known_whatever_its_case_blanks_width_and_unit(header: str) -> None:
    assert match_headers([header]).sources == {"total_cost": (0,)}


def test_parts_of_a_column_are_added_up_and_each_is_checked(check, tmp_path: Path) -> None:
    row = stay()
    del row["serious_illness_paid"], row["other_paid"]
    row |= {"hifmi_pay": "30.00", "hifob_pay": "20.00", "cvlserv_pay": "15.00", "hifdm_pay": "", "othfund_pay": "5.00"}
    bad = {**row, "settlement_id": "S-BAD", "hifob_pay": "x"}
    result = check(write_csv(tmp_path / "parts.csv", [row, bad]), admit_bad_rows=True)
    (kept,) = stored(result)
    assert (kept["serious_illness_paid"], kept["other_paid"]) == (5000, 2000)
    (entry,) = result.findings
    assert (entry.code.code, entry.issues[0].column, entry.issues[0].value) == ("C21", "hifmi_pay + hifob_pay", "30.00 + x")


def test_of_two_names_of_one_field_the_first_is_used_and_the_other_listed() -> None:
    matched = match_headers(["cash_payamt", "psn_cash_pay"])
    assert matched.sources["cash_paid"] == (1,)
    assert matched.unused == ("cash_payamt",)


@pytest.mark.parametrize(("encoding", "said"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030")])
@pytest.mark.parametrize("delimiter", [",", "\t"], ids=["comma", "tab"])
def test_every_encoding_and_delimiter_gives_the_same_rows(check, tmp_path: Path, rows, encoding, said, delimiter) -> None:
    result = check(write_csv(tmp_path / "in.csv", rows, CHINESE, encoding, delimiter))
    assert (result.refusal, result.encoding) == (None, said)
    assert stored(result) == stored(check(rows))


def test_gb18030_is_read_across_the_blocks_of_the_stream(check, tmp_path: Path, monkeypatch) -> None:
    from claims.engine import reading

    monkeypatch.setattr(reading, "BLOCK", 1021)
    rows = [clinic(diagnosis_code="上呼吸道感染") for _ in range(40)]
    result = check(write_csv(tmp_path / "in.csv", rows, CHINESE, "gb18030"))
    assert [row["diagnosis_code"] for row in stored(result)] == ["上呼吸道感染"] * 40
    utf8 = check(write_csv(tmp_path / "utf8.csv", rows, CHINESE, "utf-8"))
    assert stored(utf8) == stored(result)


def test_windows_line_ends_blank_last_lines_and_quoted_cells_are_read(check, tmp_path: Path, rows) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(list(rows[0]))
    writer.writerows([row.get(name, "") for name in rows[0]] for row in rows[:2])
    path = tmp_path / "quoted.csv"
    path.write_bytes(out.getvalue().encode() + b"\r\n\r\n")
    assert stored(check(path)) == stored(check(rows[:2]))


def test_blanks_tabs_and_apostrophes_around_codes_are_dropped(check) -> None:
    row = stay()
    padded = {name: f"\t{value} " if name.endswith(("_id", "_code")) else value for name, value in row.items()}
    quoted = {**row, "institution_code": f"'{row['institution_code']}", "visit_type": "　21"}
    assert without_line(stored(check([padded]))) == without_line(stored(check([row])))
    assert without_line(stored(check([quoted]))) == without_line(stored(check([row])))


def _xlsx(path: Path, table: list[list[Any]], title: str = "结算明细", before: int = 0) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = title
    for number, cells in enumerate(table, start=1 + before):
        for place, cell in enumerate(cells, start=1):
            sheet.cell(number, place, cell)
    book.save(path)
    return path


def test_xlsx_with_numbers_and_dates_gives_the_same_rows(check, tmp_path: Path, rows) -> None:
    def typed(name: str, text: str) -> Any:
        column = {c.name: c for c in COLUMNS}[name]
        if not text:
            return None
        if column.kind == "money" or name in ("bed_days", "group_weight", "visit_type", "fund_type", "sex"):
            return float(text) if text.replace(".", "").isdigit() else text
        return datetime.fromisoformat(text) if column.kind == "date" else text

    table = [list(rows[0]), *([typed(name, row.get(name, "")) for name in rows[0]] for row in rows[:2])]
    result = check(_xlsx(tmp_path / "in.xlsx", table))
    assert (result.refusal, result.kind) == (None, "xlsx")
    assert stored(result) == stored(check(rows[:2]))


def test_the_line_of_an_xlsx_row_is_its_row_in_the_sheet(check, tmp_path: Path) -> None:
    row = stay(sex="x")
    table = [list(row), list(stay().values()), [None] * len(row), list(row.values())]
    result = check(_xlsx(tmp_path / "in.xlsx", table, before=2), admit_bad_rows=True)
    assert [issue.line for entry in result.findings for issue in entry.issues] == [6]
    assert [found["line"] for found in stored(result)] == [4]


def test_a_long_decimal_made_by_a_spreadsheet_is_an_amount_but_a_real_third_decimal_is_not(check, tmp_path: Path) -> None:
    good, bad = stay(), stay()
    table: list[list[Any]] = [list(good), list(good.values()), list(bad.values())]
    place = table[0].index("eligible_cost")
    table[1][place], table[2][place] = 300.1 * 3 - 0.3, 900.125
    result = check(_xlsx(tmp_path / "in.xlsx", table), admit_bad_rows=True)
    assert [row["eligible_cost"] for row in stored(result)] == [90000]
    assert [(entry.code.code, entry.rows) for entry in result.findings] == [("C21", 1)]


def test_only_the_first_sheet_with_content_is_read_and_this_is_said(check, tmp_path: Path, rows) -> None:
    path = _xlsx(tmp_path / "in.xlsx", [list(rows[0]), list(rows[0].values())])
    from openpyxl import load_workbook

    book = load_workbook(path)
    book.create_sheet("空", 0)
    book.create_sheet("说明").append(["看这里"])
    book.save(path)
    result = check(path)
    assert result.rows == 1
    assert any("结算明细" in note for note in result.notes)


@pytest.mark.parametrize("typed", [False, True], ids=["text", "typed"])
def test_parquet_gives_the_same_rows(check, tmp_path: Path, rows, typed: bool) -> None:
    import duckdb

    source = write_csv(tmp_path / "in.csv", rows[:2], NATIONAL)
    path = tmp_path / "in.parquet"
    options = "dateformat='%Y-%m-%d'" if typed else "all_varchar=true"
    duckdb.connect().execute(f"COPY (SELECT * FROM read_csv('{source}', header=true, {options})) TO '{path}' (FORMAT parquet)")
    result = check(path)
    assert (result.refusal, result.kind) == (None, "parquet")
    assert without_line(stored(result)) == without_line(stored(check(rows[:2])))
    assert [row["line"] for row in stored(result)] == [1, 2]


def test_quoted_line_breaks_do_not_break_rows(check) -> None:
    (row,) = stored(check([stay(diagnosis_code="A\nB,\"C\"")]))
    assert row["diagnosis_code"] == 'A\nB,"C"'


def test_nothing_but_the_named_files_is_left_behind(check, tmp_path: Path, rows) -> None:
    result = check(write_csv(tmp_path / "in.csv", [*rows, stay(sex="x")], CHINESE, "gb18030"), admit_bad_rows=True)
    work = result.files[0].path.parent
    assert result.rejects is not None
    assert set(work.rglob("*")) == {file.path for file in (*result.files, result.rejects)}


def test_the_plan_of_the_staging_query_has_no_join(tmp_path: Path) -> None:
    import duckdb

    from claims.engine.reading import open_source
    from claims.engine.refusals import Limits
    from claims.engine.rules import load_reference, staging_sql
    from tests.claims.engine.conftest import REFERENCE

    source = open_source(write_csv(tmp_path / "in.csv", [stay()]), tmp_path, Limits())
    connection = duckdb.connect()
    load_reference(connection, REFERENCE)
    plan = str(connection.execute(f"EXPLAIN {staging_sql(match_headers(source.headers), source, REFERENCE)}").fetchall())
    assert "READ_CSV" in plan and "join" not in plan.lower()  # a join would lose the order of the rows and so their lines
