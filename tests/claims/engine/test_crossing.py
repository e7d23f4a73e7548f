"""Rules that look beyond one row: repeats, rows held already, late rows, reversals, both readings of mutual aid."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims.engine.reference import MutualAid
from tests.claims.engine.conftest import codes_by_line, reversal, stay, stored


@pytest.fixture
def held(check):
    """A settlement that is in the lake, and its file."""
    row = stay()
    (file,) = check([row]).files
    return row, [file.path]


def test_of_repeated_ids_the_first_row_stays(check) -> None:
    row = stay()
    twice = {**row, "settlement_id": f" {row['settlement_id']} ", "diagnosis_code": "B"}
    result = check([row, twice, {**row, "diagnosis_code": "C"}], admit_bad_rows=True)
    assert codes_by_line(result) == {3: {"C02"}, 4: {"C02"}}
    assert [found["diagnosis_code"] for found in stored(result)] == [row["diagnosis_code"]]


def test_rejected_repeats_keep_their_own_raw_text(check) -> None:
    import duckdb

    row = stay()
    result = check([row, {**row, "diagnosis_code": "B"}, {**row, "diagnosis_code": "C"}], admit_bad_rows=True)
    raw = duckdb.connect().execute(
        f"SELECT line, raw->>'diagnosis_code' FROM '{result.rejects.path}' ORDER BY line"
    ).fetchall()
    assert raw == [(3, "B"), (4, "C")]


def test_a_row_held_already_is_skipped_when_identical(check, held) -> None:
    row, files = held
    result = check([row, stay()], held=files)
    assert (result.identical, result.good, result.rejected, result.findings) == (1, 1, 0, ())
    assert row["settlement_id"] not in {found["settlement_id"] for found in stored(result)}


def test_a_row_held_already_with_other_content_is_c03(check, held) -> None:
    row, files = held
    result = check([{**row, "diagnosis_code": "I10"}, stay()], held=files, admit_bad_rows=True)
    assert codes_by_line(result) == {2: {"C03"}}
    assert (result.identical, result.good) == (0, 1)


def test_a_changed_mapping_does_not_make_a_held_row_another_one(check, held) -> None:
    row, files = held
    result = check([row], held=files, fund_types={"390": "EMP"}, visit_types={"21": "maternity_in"})
    assert result.identical == 1


def test_a_file_that_was_taken_before_changes_nothing(check, held) -> None:
    row, files = held
    result = check([row], held=files)
    assert (result.identical, result.good, result.files, result.months) == (1, 0, (), ())
    assert result.accepted


def test_earlier_months_are_taken_as_late_and_written_to_their_own_month(check) -> None:
    rows = [stay(), stay(), stay(settled_on="2026-05-31"), stay(settled_on="2025-12-31")]
    result = check(rows)
    assert (result.good, result.late) == (4, 2)
    assert [(month.month, month.rows, month.late) for month in result.months] == [
        ("2025-12", 1, 1), ("2026-05", 1, 1), ("2026-09", 2, 0)
    ]  # fmt: skip
    assert [row["late"] for row in stored(result)] == [False, False, True, True]


def test_a_reversal_of_a_row_of_the_same_file_is_taken_whatever_their_order(check) -> None:
    row = stay()
    result = check([reversal(row), row])
    assert (result.good, result.findings) == (2, ())
    assert sum(found["total_cost"] for found in stored(result)) == 0


def test_a_reversal_of_a_held_row_is_taken_once(check, held) -> None:
    row, files = held
    first = check([reversal(row)], held=files)
    assert first.good == 1
    again = check([reversal(row)], held=[*files, first.files[0].path], admit_bad_rows=True)
    assert codes_by_line(again) == {2: {"C27"}}


def test_the_second_reversal_in_one_file_is_refused(check) -> None:
    row = stay()
    result = check([row, reversal(row), reversal(row)], admit_bad_rows=True)
    assert codes_by_line(result) == {4: {"C27"}}


def test_a_reversal_whose_original_is_rejected_is_rejected_with_it(check) -> None:
    row = stay(sex="x")
    result = check([row, reversal(row, sex="1")], admit_bad_rows=True)
    assert codes_by_line(result) == {2: {"C05"}, 3: {"C26"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"person_id": "36010119700101XXXX"},
        {"fund_type": "310"},
        {"fund_payable": "-579.00"},
        {"fund_payable": ""},
        {"deductible_paid": "-199.00"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_reversal_must_negate_its_original_in_everything(check, changes: dict[str, str]) -> None:
    row = stay()
    assert codes_by_line(check([row, reversal(row, **changes)], admit_bad_rows=True)) == {3: {"C27"}}


def test_a_reversal_cannot_itself_be_reversed(check) -> None:
    row = stay()
    back = reversal(row)
    forth = {**row, "settlement_id": "FORTH", "reversal_flag": "1", "reversal_of": back["settlement_id"]}
    assert codes_by_line(check([row, back, forth], admit_bad_rows=True)) == {4: {"C27"}}


def beside(**changes: str) -> dict[str, str]:
    """A row where 40.00 of mutual aid stand beside the 60.00 of the account."""
    return stay(personal_account_paid="60.00", mutual_aid_paid="40.00", **changes)


def test_mutual_aid_inside_the_account_is_not_added(check) -> None:
    (row,) = stored(check([stay()], mutual_aid=MutualAid.INSIDE))
    assert (row["personal_account_paid"], row["mutual_aid_paid"]) == (10000, 4000)


def test_mutual_aid_beside_the_account_is_added(check) -> None:
    (row,) = stored(check([beside()], mutual_aid=MutualAid.BESIDE))
    assert (row["personal_account_paid"], row["mutual_aid_paid"]) == (10000, 4000)


@pytest.mark.parametrize("setting", list(MutualAid))
def test_the_wrong_setting_is_c30_and_the_reading_that_balances_is_named(check, setting: MutualAid) -> None:
    row = beside() if setting is MutualAid.INSIDE else stay()
    result = check([row, row | {"settlement_id": "OTHER"}], mutual_aid=setting, admit_bad_rows=True)
    assert result.count("C30") == 2
    assert result.mutual_aid is not None and result.mutual_aid.other_would_balance == 2
    assert any("2 行若按" in note for note in result.notes)


@pytest.mark.parametrize(("row", "used"), [(stay(), MutualAid.INSIDE), (beside(), MutualAid.BESIDE)])
def test_without_a_setting_the_file_decides(check, row: dict[str, str], used: MutualAid) -> None:
    broken = {**row, "settlement_id": "BROKEN", "cash_paid": "1.00"}
    result = check([row, broken], mutual_aid=None, admit_bad_rows=True)
    assert result.mutual_aid is not None
    assert (result.mutual_aid.used, result.mutual_aid.chosen_by_file) == (used, True)
    assert codes_by_line(result) == {3: {"C30"}}
    assert [found["personal_account_paid"] for found in stored(result)] == [10000]


def test_yuan_of_good_and_rejected_rows_add_up_to_the_file(check) -> None:
    rows = [stay(), stay(), stay(sex="x"), stay(total_cost="x")]
    result = check(rows, admit_bad_rows=True)
    assert (result.good_cost, result.rejected_cost, result.total_cost) == (2000, 1000, 3000)
    assert (result.rejected_unknown, result.rejected_pooled) == (1, 1200)
    assert [(month.month, month.rows, month.total_cost) for month in result.months] == [("2026-09", 2, 2000)]


def test_a_file_of_several_counties_is_split_when_none_is_declared(check) -> None:
    rows = [stay(), stay(insured_county="990102", institution_area="990102", institution_code="H99010100001")]
    result = check(rows, declared_county=None)
    assert [file.county for file in result.files] == ["990101", "990102"]


def test_written_files_carry_their_true_hash_and_size(check) -> None:
    import hashlib

    (file,) = check([stay()]).files
    content = Path(file.path).read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content), file.rows) == (file.sha256, file.size, 1)
