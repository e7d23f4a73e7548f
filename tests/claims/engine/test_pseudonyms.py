"""No identifier of a person leaves the check; the pseudonym is plain HMAC-SHA256 that anybody with the key can repeat."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from claims.engine.pseudonyms import WeakKeyError, check_value, pseudonym
from tests.claims.engine.conftest import KEY, stay, stored


@pytest.mark.parametrize("person", ["360101197001010011", "P1", "患者甲", "x" * 200])
def test_the_stored_person_is_the_truncated_hmac_of_the_identifier(check, person: str) -> None:
    (row,) = stored(check([stay(person_id=person)]))
    assert row["person"] == hmac.new(KEY, person.encode(), hashlib.sha256).hexdigest()[:32] == pseudonym(person, KEY)


def test_one_person_has_one_pseudonym_over_rows_and_runs(check) -> None:
    rows = [stay(person_id="360101197001010011"), stay(person_id=" 360101197001010011"), stay()]
    first, second = stored(check(rows)), stored(check(rows))
    assert first == second
    assert first[0]["person"] == first[1]["person"] != first[2]["person"]


def test_keys_longer_than_a_block_are_hashed_first_as_the_standard_says() -> None:
    key = b"k" * 100
    assert pseudonym("P1", key) == hmac.new(key, b"P1", hashlib.sha256).hexdigest()[:32]


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(WeakKeyError):
        pseudonym("P1", b"short")


def test_the_check_value_tells_keys_apart_and_not_the_key() -> None:
    assert check_value(KEY) == check_value(KEY) != check_value(KEY + b"x")
    assert len(check_value(KEY)) == 16


def test_no_raw_identifier_is_left_in_any_output(check, tmp_path: Path) -> None:
    persons = [f"36010119700101{number:04d}" for number in range(40)]
    rows = [stay(person_id=person) for person in persons]
    for index, (column, value) in enumerate(
        [("sex", "x"), ("settled_on", "bad"), ("visit_id", ""), ("total_cost", "x"), ("outflow_kind", persons[4]),
         ("settlement_id", f"{persons[5]}{persons[5]}"), ("method", persons[6]), ("cash_paid", "1")]
    ):  # fmt: skip
        rows[index][column] = value
    rows.append({**rows[20], "diagnosis_code": "repeated"})
    result = check(rows, admit_bad_rows=True)
    assert result.rejected == 9
    work = result.files[0].path.parent
    told = repr(result).encode()
    for path in work.rglob("*"):
        import duckdb

        told += path.read_bytes() + repr(duckdb.connect().execute(f"SELECT * FROM '{path}'").fetchall()).encode()
    assert not [person for person in persons if person.encode() in told]
    assert pseudonym(persons[4], KEY).encode() in told


def test_columns_that_are_not_ours_are_not_kept_with_a_rejected_row(check) -> None:
    import duckdb

    row = stay(sex="x") | {"姓名": "张三", "证件号码": "360101197001010011"}
    result = check([row, stay()], admit_bad_rows=True)
    ((raw,),) = duckdb.connect().execute(f"SELECT raw FROM '{result.rejects.path}'").fetchall()
    assert "张三" not in raw and "证件" not in raw
    assert row["settlement_id"] in raw
