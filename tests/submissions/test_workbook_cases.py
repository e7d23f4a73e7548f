"""Every code of the reader with a workbook that fails by it and one that comes near and passes."""

import pytest

from submissions.workbook import CODES, Unreadable, read_workbook
from tests.submissions.books import bomb, expected, repacked, small_book, small_table
from tests.submissions.cases import FAIL, FAILING, PASS, PASSING, older_table

BUILT_HERE = {"F05"}


def found_in(content, name="a.xlsx"):
    """Codes found in a workbook of the small table, as a set, and what was read."""
    try:
        read = read_workbook(content, name, expected(small_table(), older_table()))
    except Unreadable as refusal:
        return {each.code for each in refusal.found}, None
    return {each.code for each in read.found}, read


def codes_of(folder):
    first, _, last = folder.partition("-")
    return {code for code in CODES if code[0] == first[0] and first <= code <= (last or first)}


@pytest.mark.parametrize("name", FAILING)
def test_a_workbook_that_should_fail_fails_by_its_code_only(name):
    content = (FAIL / name).read_bytes()
    assert found_in(content, name)[0] == {name.split("/")[0]}


@pytest.mark.parametrize("name", PASSING)
def test_a_workbook_that_should_pass_has_nothing_wrong(name):
    content = (PASS / name).read_bytes()
    codes, read = found_in(content, name)
    assert codes == set()
    assert read.cells_read > 20


def test_every_code_has_a_failing_and_a_passing_workbook():
    failing = {path.parent.name for path in FAIL.glob("[FV]??/*")} | BUILT_HERE
    passing = set().union(*(codes_of(path.parent.name) for path in PASS.glob("[FV]*/*")))
    assert failing == set(CODES)
    assert passing == set(CODES)


def test_the_files_kept_are_exactly_those_that_are_made():
    assert {path.relative_to(FAIL).as_posix() for path in FAIL.glob("[FV]??/*")} == set(FAILING)
    assert {path.relative_to(PASS).as_posix() for path in PASS.glob("[FV]*/*")} == set(PASSING)


def test_a_zip_bomb_of_286_megabytes_is_refused_before_it_is_unpacked():
    content = bomb()
    assert len(content) < 400_000
    assert found_in(content)[0] == {"F05"}


def test_a_workbook_far_larger_than_any_table_is_refused_by_its_size():
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (at, at, at * 7919) for at in range(900, 700_000))
    content = repacked(small_book(), add=[("xl/worksheets/sheet98.xml", rows)])
    assert found_in(content)[0] == {"F05"}


def test_everything_wrong_with_the_whole_workbook_is_told_at_once():
    def spoil(book):
        book["居民"].merge_cells("C9:D9")
        book["职工"].row_dimensions[8].hidden = True
        book["成员表"]["A6"] = "X99"
        book["合计"]["C8"] = "=C9"

    from tests.submissions.books import edited

    assert found_in(edited(small_book(), spoil))[0] == {"F18", "F20", "F22", "F23", "F24"}
