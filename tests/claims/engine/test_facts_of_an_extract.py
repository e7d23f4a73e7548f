"""Facts against a plain-Python count over the text of a generated extract: every cell of every fact, fen by fen."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from claims.engine.check import check_file
from claims.engine.facts import GRAIN, SUMMED_MONEY, monthly_facts
from claims.engine.persons import distinct_persons, readmissions
from claims.engine.reference import VISIT_TYPES, AllianceRef, InstitutionRef, Reference, Span, TownshipRef
from claims.generator import example_setup, generate
from rules.periods import Month
from tests.claims.engine.conftest import KEY, stay
from tests.claims.engine.test_generated import reference_of

JULY, SEPTEMBER = Month(2026, 7), Month(2026, 9)
TURN = date(2026, 8, 16)  # the middle of the quarter: some institutions change alliance, one township too
TOWNSHIPS = ("东乡镇", "西乡镇", "南乡镇")


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, str]], list[Path], Reference]:
    """Rows as text, the lake's files, and the place: two alliances, memberships and townships that change."""
    folder = tmp_path_factory.mktemp("facts")
    setup = example_setup(9_000, townships=TOWNSHIPS, header="ours")
    made = generate(setup, folder)
    institutions = []
    for number, place in enumerate(setup.institutions):
        spans: tuple[Span, ...] = ()
        if place.alliance:
            other = "YGT1B" if place.alliance == "YGT1A" else "YGT1A"
            spans = (Span(place.alliance, date(2020, 1, 1)),)
            if number % 5 == 0 and place.county == "990101":
                spans = (Span(place.alliance, date(2020, 1, 1), date(2026, 8, 15)), Span(other, TURN))
        institutions.append(InstitutionRef(place.code, place.county, place.kind, spans))
    reference = replace(
        reference_of(setup, folder),
        institutions=tuple(institutions),
        alliances=tuple(AllianceRef(code, "990101") for code in ("YGT1A", "YGT1B")),
        townships=(
            TownshipRef("东乡镇", "990101", "YGT1A"),
            TownshipRef("西乡镇", "990101", "YGT1B", date(2000, 1, 1), date(2026, 8, 15)),
            TownshipRef("西乡镇", "990101", "YGT1A", TURN),
        ),
    )
    result = check_file(made.extract, reference, [], KEY, folder / "work")
    assert result.rejected == 0
    rows = list(csv.DictReader(made.extract.open(encoding="utf-8")))
    return rows, [file.path for file in result.files], reference


def fen(text: str) -> int:
    return int((Decimal(text or "0") * 100).to_integral_exact())


def alliance_on(spans: tuple[Span, ...], day: date) -> str:
    return next((span.alliance for span in spans if span.holds(day)), "")


def counted(rows: list[dict[str, str]], reference: Reference, month: Month) -> dict[tuple[str, ...], dict[str, int]]:
    """The slow, plain way."""
    register = {entry.code: entry for entry in reference.institutions}
    facts: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    stays: dict[tuple[tuple[str, ...], str], int] = defaultdict(int)
    for row in rows:
        day = date.fromisoformat(row["settled_on"][:10])
        if Month.of(day) != month:
            continue
        place = register[row["institution_code"]]
        home = next((t.alliance for t in reference.townships if t.township == row["enrolment_township"]
                     and t.valid_from <= day <= (t.valid_to or date.max)), "")  # fmt: skip
        treating = alliance_on(place.memberships, day) if place.county == "990101" else ""
        if place.county == "990101":
            where = "in_county" if not treating else "own_alliance" if treating == home else "sister_alliance"
        elif place.county.startswith("9901"):
            where = "city"
        else:
            where = "province" if place.county.startswith("99") else "outside"
        kind = VISIT_TYPES[row["visit_type"][:2]]
        method = "bed_day" if row["method"] == "bed_day" else row["method"].lower()
        grain = (
            {"310": "EMP", "390": "RES"}[row["fund_type"]], str(kind), method, row["institution_code"],
            row["institution_area"], row["outflow_kind"], home, treating, where,
        )  # fmt: skip
        sign = -1 if row["reversal_of"] else 1
        fact = facts[grain]
        for name in SUMMED_MONEY:
            fact[name] += fen(row[name])
        payable = fen(row["fund_payable"]) if row["fund_payable"] else fen(row["pooled_fund_paid"])
        inpatient = kind in ("inpatient", "maternity_in")
        fact["fund_payable"] += payable
        fact["settlements"] += sign
        fact["payable_settlements"] += sign if row["fund_payable"] else 0
        fact["bed_days"] += sign * int(row["bed_days"] or 0)
        fact["weight_sum"] += sign * int(Decimal(row["group_weight"] or "0") * 10_000)
        fact["groupable_cases"] += sign if inpatient and method != "bed_day" else 0
        fact["grouped_cases"] += sign if inpatient and row["group_code"] else 0
        fact["referrals_up"] += sign if row["referral"] == "up" else 0
        fact["referrals_down"] += sign if row["referral"] == "down" else 0
        fact["excluded_fund"] += payable if row["public_health_emergency"] == "1" else 0
        if inpatient:
            stays[grain, row["visit_id"]] += sign
    for (grain, _), net in stays.items():
        facts[grain]["discharges"] += (net > 0) - (net < 0)
    return {grain: dict(fact) for grain, fact in facts.items() if any(fact.values())}


@pytest.mark.parametrize("month", [JULY, Month(2026, 8), SEPTEMBER], ids=str)
def test_every_cell_of_the_facts_is_what_a_plain_count_gives(extract, month: Month) -> None:
    rows, files, reference = extract
    wanted = counted(rows, reference, month)
    found = {
        tuple(fact[name] for name in GRAIN): {name: value for name, value in fact.items() if name not in GRAIN}
        for fact in monthly_facts(duckdb.connect(), files, reference, "990101", month)
    }
    assert found.keys() == wanted.keys()
    for grain, fact in found.items():
        assert fact == {name: wanted[grain].get(name, 0) for name in fact}, grain


def test_the_extract_holds_what_the_facts_can_get_wrong(extract) -> None:
    rows, _, reference = extract
    facts = [fact for month in (JULY, Month(2026, 8), SEPTEMBER) for fact in counted(rows, reference, month)]
    assert {fact[8] for fact in facts} == {"own_alliance", "sister_alliance", "in_county", "city", "province", "outside"}
    assert {fact[6] for fact in facts} == {"YGT1A", "YGT1B", ""}
    visits = [row["visit_id"] for row in rows if row["visit_type"].startswith("2") and not row["reversal_of"]]
    assert len(visits) > len(set(visits))  # interim settlements
    assert any(row["reversal_of"] for row in rows)


def test_distinct_persons_are_counted_once_a_level(extract) -> None:
    rows, files, _ = extract
    reversed_ids = {row["reversal_of"] for row in rows}
    standing = [row for row in rows if not row["reversal_of"] and row["settlement_id"] not in reversed_ids]
    inside = [row for row in standing if "2026-07" <= row["settled_on"][:7] <= "2026-08"]
    connection = duckdb.connect()
    everybody = distinct_persons(connection, files, "990101", JULY, Month(2026, 8))
    assert everybody == {(): len({row["person_id"] for row in inside})}
    wanted: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in inside:
        wanted[{"310": "EMP", "390": "RES"}[row["fund_type"]], row["institution_code"]].add(row["person_id"])
    by_place = distinct_persons(connection, files, "990101", JULY, Month(2026, 8), by=("fund_type", "institution_code"))
    assert by_place == {key: len(persons) for key, persons in wanted.items()}
    assert distinct_persons(connection, [], "990101", JULY, JULY) == {}
    with pytest.raises(ValueError, match="person"):
        distinct_persons(connection, files, "990101", JULY, JULY, by=("person",))


def test_a_stay_is_readmitted_when_the_same_person_is_admitted_again_within_the_days(check) -> None:
    def of(person: str, begin: str, end: str, **changes: Any) -> dict[str, str]:
        return stay(person_id=person, admission_date=begin, discharge_date=end, settled_on=end, bed_days="", **changes)

    taken_back = of("BACK-1", "2026-08-12", "2026-08-14")
    from tests.claims.engine.conftest import reversal

    rows = [
        of("AGAIN-1", "2026-08-01", "2026-08-05"), of("AGAIN-1", "2026-08-15", "2026-08-20"),
        of("LATER-1", "2026-08-01", "2026-08-05"), of("LATER-1", "2026-08-16", "2026-08-20"),
        of("BACK-1", "2026-08-01", "2026-08-05"), taken_back, reversal(taken_back),
        of("LONG-1", "2026-08-01", "2026-08-10", visit_id="LONG"), of("LONG-1", "2026-08-10", "2026-08-20", visit_id="LONG"),
        of("NEXT-1", "2026-08-25", "2026-08-30"), of("NEXT-1", "2026-09-02", "2026-09-04", institution_code="H99010100002"),
    ]  # fmt: skip
    result = check(rows)
    assert result.findings == ()
    files = [file.path for file in result.files]
    (found,) = readmissions(duckdb.connect(), files, "990101", Month(2026, 8), Month(2026, 8), within_days=10)
    # August: AGAIN ×2, LATER ×2, BACK, LONG (one stay), NEXT; followed within ten days: the first of AGAIN, and NEXT
    assert (found.institution_code, found.stays, found.readmitted) == ("H99010100001", 7, 2)
    assert readmissions(duckdb.connect(), [], "990101", SEPTEMBER, SEPTEMBER, 10) == []
