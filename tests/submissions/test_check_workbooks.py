"""Every check with a workbook that fails by it and one that comes near and passes, read as an upload is read."""

import pytest

from submissions.checks import BY_CODE, HARD, run_checks
from submissions.declaration import shipped_table
from submissions.workbook import read_workbook
from tests.submissions.books import expected
from tests.submissions.check_cases import FAIL, FAILING, PASS, PASSING, READ_EARLIER, changed, context
from tests.submissions.figures import MEMBERS


def found_in(path):
    """What the checks find in a workbook the reader finds nothing wrong with."""
    wanted = expected(shipped_table(), alliance_code="QX", members=frozenset(code for code, _name in MEMBERS))
    read = read_workbook(path.read_bytes(), path.name, wanted)
    assert read.found == []
    return read.figures, run_checks(context(read.figures))


def codes_of(folder):
    first, _, last = folder.partition("-")
    codes = list(BY_CODE)
    return set(codes[codes.index(first) : codes.index(last or first) + 1])


@pytest.mark.parametrize("name", FAILING)
def test_a_workbook_that_should_fail_fails_by_its_code(name):
    code = name.split("/")[0]
    figures, found = found_in(FAIL / name)
    assert figures == changed(FAILING[name])
    assert code in {one.code for one in found}
    assert {one.code for one in found if one.severity == HARD} <= {code}


@pytest.mark.parametrize("name", PASSING)
def test_a_workbook_that_should_pass_has_none_of_its_codes(name):
    figures, found = found_in(PASS / name)
    assert figures == changed(PASSING[name])
    assert {one.code for one in found} & codes_of(name.split("/")[0]) == set()


def test_every_check_has_a_failing_and_a_passing_workbook():
    failing = {path.parent.name for path in FAIL.glob("[HS]*/*.xlsx")}
    passing = set().union(*(codes_of(path.parent.name) for path in PASS.glob("[HS]*/*.xlsx")))
    assert failing | set(READ_EARLIER) == set(BY_CODE)
    assert passing == set(BY_CODE)
    for codes in READ_EARLIER.values():
        assert all(list((FAIL / code).glob("*.xlsx")) for code in codes)


def test_the_files_kept_for_checks_are_exactly_those_that_are_made():
    assert {path.relative_to(FAIL).as_posix() for path in FAIL.glob("[HS]*/*")} == set(FAILING)
    assert {path.relative_to(PASS).as_posix() for path in PASS.glob("[HS]*/*")} == set(PASSING)
