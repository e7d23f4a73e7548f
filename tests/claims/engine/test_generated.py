"""Synthetic extracts: what was planted is found and nothing else, the same seed gives the same bytes, sizes are real."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from claims.engine.check import check_file
from claims.engine.codes import BY_CODE, CATALOGUE, Severity
from claims.engine.findings import CheckResult
from claims.engine.reference import InstitutionRef, MutualAid, Reference
from claims.generator import Generated, Mix, Place, Setup, example_setup, generate, read_institutions
from claims.generator.rows import BLANK, INDEX, draw_chunk, group_weights
from claims.generator.setup import days_of
from claims.services.fact_rows import FactRow
from claims.services.synthetic import mix_of
from rules.periods import Month
from tests.claims.engine.conftest import KEY, stored

ROWS = 12_000


def reference_of(setup: Setup, folder: Path, **changes: Any) -> Reference:
    groups = {row["code"]: Decimal(row["weight"]) for row in csv.DictReader((folder / "groups.csv").open())}
    start = Reference(
        pooling_area="990100",
        counties=frozenset({"990101", "990102", "990103"}),
        institutions=tuple(InstitutionRef(place.code, place.county, place.kind) for place in setup.institutions),
        declared_county=setup.county,
        period_from=setup.first.first_day,
        period_to=setup.last.last_day,
        groups=groups,
        settles_by_groups=True,
        mutual_aid=MutualAid.INSIDE,
    )
    return replace(start, **changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Setup, Generated, dict[str, Any]]:
    setup = example_setup(ROWS, faults=0.01, earlier_rows=200)
    generated = generate(setup, tmp_path_factory.mktemp("generated"))
    return setup, generated, json.loads(generated.key.read_text())


@pytest.fixture(scope="module")
def checked(made, tmp_path_factory: pytest.TempPathFactory) -> tuple[CheckResult, CheckResult]:
    """The month before, and the quarter that repeats its rows."""
    setup, generated, _ = made
    folder = generated.key.parent
    before = reference_of(setup, folder, period_from=Month(2026, 6).first_day, period_to=Month(2026, 6).last_day)
    work = tmp_path_factory.mktemp("work")
    earlier = check_file(generated.earlier, before, [], KEY, work / "earlier")
    held = [file.path for file in earlier.files]
    return earlier, check_file(generated.extract, reference_of(setup, folder), held, KEY, work / "main")


def test_every_code_is_planted(made) -> None:
    assert set(made[2]["faults"]) == {code.code for code in CATALOGUE}


def test_what_was_planted_is_found_line_by_line_and_nothing_else(made, checked) -> None:
    planted = {code: sorted(entry["line"] for entry in entries) for code, entries in made[2]["faults"].items()}
    found = {entry.code.code: sorted(issue.line for issue in entry.issues) for entry in checked[1].findings}
    assert found == planted


def test_the_earlier_month_is_sound_and_its_unchanged_rows_are_skipped(made, checked) -> None:
    earlier, main = checked
    assert (earlier.good, earlier.rejected) == (200, 0)
    assert main.identical == len(made[2]["identical"]) > 90


def test_counts_of_the_key_and_of_the_check_agree(made, checked) -> None:
    _, generated, key = made
    rejected = sum(len(rows) for code, rows in key["faults"].items() if BY_CODE[code].severity is Severity.REJECT)
    result = checked[1]
    assert result.rows == generated.rows == ROWS
    assert (result.rejected, result.good) == (rejected, ROWS - rejected - len(key["identical"]))
    assert result.late == len(key["late"]) > 20


def test_frauds_pass_the_checks_and_tell_their_story(made, checked) -> None:
    key = made[2]
    rows = {row["settlement_id"]: row for row in stored(checked[1])}
    assert set(key["frauds"]) == {
        "split_stay", "overlapping_stays", "duplicate_billing", "after_death", "sex_mismatch", "clinic_during_stay"
    }  # fmt: skip
    stories = {kind: [[rows[one] for one in story] for story in told] for kind, told in key["frauds"].items()}
    for story in (story for told in stories.values() for story in told):
        assert len({row["person"] for row in story}) == 1
    for first, second in stories["split_stay"]:
        assert 0 <= (second["admission_date"] - first["discharge_date"]).days <= 1
        assert first["institution_code"] == second["institution_code"] and first["visit_id"] != second["visit_id"]
    for first, second in stories["overlapping_stays"]:
        assert first["admission_date"] <= second["admission_date"] <= first["discharge_date"]
        assert first["institution_code"] != second["institution_code"]
    for first, second in stories["duplicate_billing"]:
        assert [first[name] for name in ("total_cost", "settled_on")] == [second[name] for name in ("total_cost", "settled_on")]
    for (row,) in stories["sex_mismatch"]:
        assert (row["sex"], row["visit_type"]) == ("1", "maternity_in")
    for clinic_day, day_of_stay in stories["clinic_during_stay"]:
        assert clinic_day["admission_date"] <= day_of_stay["settled_on"] <= clinic_day["discharge_date"]
    assert len(key["deaths"]) == len(stories["after_death"])


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    for kind in ("csv", "xlsx", "parquet"):
        setup = example_setup(600, faults=0.02)
        first = generate(setup, tmp_path / f"{kind}1", kind)
        again = generate(setup, tmp_path / f"{kind}2", kind)
        other = generate(replace(setup, seed=7), tmp_path / f"{kind}3", kind)
        assert first.extract.read_bytes() == again.extract.read_bytes()
        assert first.key.read_bytes() == again.key.read_bytes()
        assert first.extract.read_bytes() != other.extract.read_bytes()


@pytest.mark.parametrize(
    ("header", "encoding", "kind"),
    [("chinese", "gb18030", "csv"), ("ours", "utf-8-sig", "csv"), ("chinese", "utf-8", "xlsx"), ("national", "utf-8", "parquet")],
)
def test_every_form_of_the_same_extract_holds_the_same_rows(tmp_path: Path, header: str, encoding: str, kind: str) -> None:
    setup = example_setup(500, townships=("东乡镇", "西乡镇"))
    plain = generate(setup, tmp_path / "plain")
    other = generate(replace(setup, header=header, encoding=encoding), tmp_path / "other", kind)
    reference = reference_of(setup, tmp_path / "plain")
    first = check_file(plain.extract, reference, [], KEY, tmp_path / "w1")
    second = check_file(other.extract, reference, [], KEY, tmp_path / "w2")
    assert second.accepted and second.unused_headers == ()
    assert [row | {"line": 0} for row in stored(first)] == [row | {"line": 0} for row in stored(second)]


def test_mutual_aid_beside_the_account_balances_under_that_reading_only(tmp_path: Path) -> None:
    setup = example_setup(2000, mutual_aid_inside=False)
    made = generate(setup, tmp_path / "made")
    result = check_file(made.extract, reference_of(setup, tmp_path / "made", mutual_aid=None), [], KEY, tmp_path / "w")
    assert result.mutual_aid is not None and result.mutual_aid.used is MutualAid.BESIDE
    assert result.rejected == 0


def test_magnitudes_are_those_of_a_real_county(checked) -> None:
    rows = [row for row in stored(checked[1]) if row["reversal_of"] is None]
    pooled = sum(row["pooled_fund_paid"] for row in rows)
    outside = sum(row["pooled_fund_paid"] for row in rows if row["institution_area"] != "990101")
    assert 0.30 <= outside / pooled <= 0.45  # share of the fund's money that leaves the county
    stays = [row for row in rows if row["visit_type"] == "inpatient" and row["fund_type"] == "RES"]
    assert 500_000 <= sum(row["total_cost"] for row in stays) / len(stays) <= 900_000  # fen a resident's stay
    assert 0.05 <= len(stays) / len(rows) <= 0.11
    for row in rows:
        assert 0 <= row["pooled_fund_paid"] <= row["total_cost"]


def test_months_follow_the_season(tmp_path: Path) -> None:
    from claims.generator.rows import month_rows

    counts = month_rows(example_setup(120_000, first=Month(2026, 1), last=Month(2026, 12)))
    assert sum(counts) == 120_000
    assert min(counts) == counts[1] and max(counts) == counts[11]


def test_the_command_writes_an_extract_for_any_institutions(tmp_path: Path) -> None:
    register = tmp_path / "institutions.csv"
    register.write_text(
        "code,name,county,kind,grade,alliance\nH88010100001,县医院,880101,general,2,A\n"
        "H88010100002,东乡卫生院,880101,township,1,A\nH11010100001,外院,110101,general,3,\n",
        encoding="utf-8",
    )
    call_command("gen_claims", tmp_path / "out", "--county", "880101", "--rows", "400", "--institutions", register,
                 "--from", "2026-01", "--to", "2026-02", "--header", "chinese", "--tab", stdout=StringIO())  # fmt: skip
    (extract,) = (tmp_path / "out").glob("claims_880101_2026-01_2026-02.csv")
    lines = extract.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 401
    assert lines[0].startswith("结算ID\t")
    codes = {line.split("\t")[7] for line in lines[1:]}
    assert codes - {"", "H00000000000"} <= {place.code for place in read_institutions(register)}


@pytest.mark.parametrize(
    "options", [["--rows", "0"], ["--from", "2026-13"], ["--from", "2026-09", "--to", "2026-07"], ["--institutions", "nowhere.csv"]]
)
def test_the_command_says_what_is_wrong_with_its_options(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("gen_claims", tmp_path / "out", *options)


def test_an_institution_list_without_its_columns_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "institutions.csv"
    path.write_text("code,name\nH1,医院\n", encoding="utf-8")
    with pytest.raises(ValueError, match="第 2 行"):
        read_institutions(path)


def test_a_mix_decides_how_often_visits_are_where_they_take_place_and_what_they_cost():
    kinds = ("general", "general", "township")
    places = tuple(Place(f"H9901010000{n}", "院", "990101", kind) for n, kind in enumerate(kinds))
    one, two, three = (place.code for place in places)
    mix = (
        Mix("county_stay", 1, 1, 3000.0, 0.5, 0.8, ((one, 3), (two, 1))),
        Mix("township_clinic", 3, 3, None, None, None, ((three, 1),)),
    )
    setup = Setup("990101", Month(2026, 7), Month(2026, 7), 40_000, places, persons=5000, mix=mix)
    rows = draw_chunk(setup, np.random.default_rng(1), 40_000, *days_of(Month(2026, 7)))
    stays = rows["category"] == INDEX["county_stay"]
    assert stays.mean() == pytest.approx(0.25, abs=0.01)
    assert set(rows["category"].tolist()) == {INDEX["county_stay"], INDEX["township_clinic"]}
    assert (rows["place"][stays] == 0).mean() == pytest.approx(0.75, abs=0.02) and set(rows["place"][~stays].tolist()) == {2}
    residents = stays & (rows["employee"] == 0)
    assert rows["total"][residents].mean() / 100 == pytest.approx(3000, rel=0.03)
    grouped = rows["group"][stays & (rows["group"] != BLANK)]
    assert group_weights()[grouped].mean() == pytest.approx(0.8, rel=0.05)


def test_facts_are_read_back_as_the_mix_that_they_are():
    stay = FactRow("RES", "inpatient", "own_alliance", "H1", settlements=100, discharges=100, bed_days=800, total_cost=60_000_000,
                   pooled_fund_paid=39_000_000, weight_sum=840_000, grouped_cases=100)  # fmt: skip
    birth = FactRow("RES", "maternity_in", "own_alliance", "H1", settlements=10, discharges=10, bed_days=40, total_cost=4_000_000)
    away = FactRow("EMP", "chronic", "city", "H9", settlements=7, total_cost=300_000)
    found = {one.name: one for one in mix_of([stay, birth, away], {"H1": "general"})}
    assert set(found) == {"county_stay", "maternity", "out_clinic"}
    assert (found["county_stay"].resident, found["maternity"].resident) == (90, 20)  # a man's birth becomes a stay
    told = found["county_stay"]
    assert (told.mean, told.ratio, told.weight, told.places) == (6000.0, 0.65, 0.84, (("H1", 100),))
    assert (found["out_clinic"].employee, found["out_clinic"].mean) == (7, None)
