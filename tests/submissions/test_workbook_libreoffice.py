"""Workbooks saved by another program: LibreOffice opens the template and saves it, and it is read as before.

Without LibreOffice on the machine nothing runs here; CI installs it.
"""

import os
import shutil
import subprocess

import pytest
from openpyxl import load_workbook

from submissions.declaration import shipped_table
from submissions.figures import Placed
from submissions.workbook import answer_workbook, read_workbook
from tests.submissions.books import edited, expected, full_book, typed

OFFICE = [path for path in (shutil.which("soffice") or shutil.which("libreoffice"),) if path]
TABLE = shipped_table()


def resaved(office, content, folder):
    """The workbook opened and saved again as xlsx."""
    (folder / "in").mkdir()
    path = folder / "in" / "table.xlsx"
    path.write_bytes(content)
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        str(folder),
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return (folder / "table.xlsx").read_bytes()


def read(content):
    return read_workbook(content, "a.xlsx", expected())


def test_libreoffice_is_there_where_ci_runs():
    assert OFFICE or not os.environ.get("CI")


@pytest.mark.slow
@pytest.mark.parametrize("office", OFFICE)
def test_a_filled_template_saved_by_libreoffice_is_read_unchanged(office, tmp_path):
    before, after = read(full_book()), read(resaved(office, full_book(), tmp_path))
    assert after.found == []
    assert after.notes == []
    assert after.figures == before.figures
    assert after.layout == before.layout


@pytest.mark.slow
@pytest.mark.parametrize("office", OFFICE)
def test_formulas_for_the_eye_are_computed_without_an_error(office, tmp_path):
    (tmp_path / "result.xlsx").write_bytes(resaved(office, full_book(), tmp_path))
    sheet = load_workbook(tmp_path / "result.xlsx", data_only=True)["居民"]
    shown = {row.code: sheet[TABLE.cell(row.code)].value for row in TABLE.rows if not row.is_typed}
    numbers = read(full_book()).figures.values("RES")
    assert shown["6.y"] * 10_000 == pytest.approx(float(numbers["2"] - numbers["3"]))
    assert shown["10.4"] == pytest.approx(float(numbers["8.1"] / numbers["8"]))
    assert shown["10.1"] == pytest.approx(float(numbers["9.o"] / numbers["7"]))
    assert not [value for value in shown.values() if isinstance(value, str)]
    assert not [cell.value for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("#")]


@pytest.mark.slow
@pytest.mark.parametrize("office", OFFICE)
def test_an_answer_saved_by_libreoffice_and_mended_is_read_again(office, tmp_path):
    content = typed(full_book(), C9="约三千")
    found = read(content).found
    answer = answer_workbook(content, read(content), [Placed(each, each.sheet, each.cell) for each in found])
    again = resaved(office, answer, tmp_path)
    assert [each.code for each in read(again).found] == ["V02"]
    mended = edited(again, lambda book: book["居民"].__setitem__("C9", 3000))
    assert read(mended).found == []
