"""Facts against a plain-Python count over the same rows: every grain, every measure, fen by fen."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from claims.engine.facts import SUMMED_MONEY, monthly_facts
from claims.engine.reference import AllianceRef, InstitutionRef, Reference, ShareRef, Span, TownshipRef
from rules.periods import Month

SEPTEMBER = Month(2026, 9)
START = date(2020, 1, 1)
EAST, WEST = "YL-E", "YL-W"
REFERENCE = Reference(
    pooling_area="990100",
    counties=frozenset({"990101", "990102"}),
    institutions=(
        InstitutionRef("H-EAST", "990102", "general", (Span(EAST, START),)),
        InstitutionRef("H-WEST", "990102", "general", (Span(WEST, START),)),
        InstitutionRef("H-PRIVATE", "990102", "private"),
        InstitutionRef("H-NEXT", "990101", "general", (Span("QX", START),)),
    ),
    alliances=(AllianceRef(EAST, "990102"), AllianceRef(WEST, "990102"), AllianceRef("QX", "990101")),
    townships=(TownshipRef("990102001", "990102", EAST),),
    shares=(ShareRef("990102", 2026, EAST, Decimal("0.6")), ShareRef("990102", 2026, WEST, Decimal("0.4"))),
)
COLUMNS = {
    "settlement_id": "VARCHAR", "visit_id": "VARCHAR", "fund_type": "VARCHAR", "insured_county": "VARCHAR",
    "enrolment_township": "VARCHAR", "institution_code": "VARCHAR", "institution_area": "VARCHAR",
    "visit_type": "VARCHAR", "settled_on": "DATE", "method": "VARCHAR", "group_code": "VARCHAR",
    "group_weight": "DECIMAL(18,4)", "bed_days": "INTEGER", **dict.fromkeys(SUMMED_MONEY, "BIGINT"),
    "fund_payable": "BIGINT", "outflow_kind": "VARCHAR", "referral": "VARCHAR",
    "public_health_emergency": "VARCHAR", "reversal_of": "VARCHAR",
}  # fmt: skip


def _row(settlement: str, **given: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= dict.fromkeys(SUMMED_MONEY, 0)
    row |= {
        "settlement_id": settlement, "visit_id": f"V{settlement}", "fund_type": "RES", "insured_county": "990102",
        "institution_code": "H-EAST", "institution_area": "990102", "visit_type": "outpatient",
        "settled_on": date(2026, 9, 10), "total_cost": 10001, "pooled_fund_paid": 6001, "public_health_emergency": "0",
    }  # fmt: skip
    return row | given


ROWS = [
    _row("1", enrolment_township="990102001"),
    _row("2", enrolment_township="990102001", institution_code="H-WEST"),
    _row("3", institution_code="H-EAST"),
    _row("4", institution_code="H-PRIVATE"),
    _row("5", enrolment_township="990102001", institution_code="H-NEXT", institution_area="990101", outflow_kind="referred"),
    _row("6", enrolment_township="990102001", institution_code="X1", institution_area="990777"),
    _row("7", enrolment_township="990102001", institution_code="X2", institution_area="119900"),
    _row("8", enrolment_township="990102001", visit_type="inpatient", visit_id="S", bed_days=9, method="drg",
         group_code="ES19", group_weight=Decimal("0.8125"), fund_payable=7000, referral="up"),
    _row("9", enrolment_township="990102001", visit_type="inpatient", visit_id="S", bed_days=4, method="drg",
         group_code="ES19", group_weight=Decimal("0.1000"), fund_payable=1000),
    _row("10", enrolment_township="990102001", visit_type="inpatient", visit_id="T", bed_days=3, method="drg",
         group_code="ES19", group_weight=Decimal("0.5"), fund_payable=500),
    _row("11", enrolment_township="990102001", visit_type="inpatient", visit_id="T", bed_days=3, method="drg",
         group_code="ES19", group_weight=Decimal("0.5"), fund_payable=-500, total_cost=-10001, pooled_fund_paid=-6001,
         reversal_of="10"),
    _row("12", enrolment_township="990102001", public_health_emergency="1"),
    _row("13", settled_on=date(2026, 8, 31)),
    _row("14", insured_county="990101"),
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lake") / "990102-2026-09.parquet"
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE c ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    connection.executemany(f"INSERT INTO c VALUES ({', '.join('?' * len(COLUMNS))})", [list(row.values()) for row in ROWS])
    connection.execute(f"COPY c TO '{path}' (FORMAT parquet)")
    return path


def facts_of(lake: Path, county: str = "990102", month: Month = SEPTEMBER) -> list[dict[str, Any]]:
    return monthly_facts(duckdb.connect(), [lake], REFERENCE, county, month)


def where(lake: Path, **wanted: str) -> list[dict[str, Any]]:
    return [fact for fact in facts_of(lake) if all(fact[name] == value for name, value in wanted.items())]


def test_the_township_decides_who_is_responsible_and_the_place_is_seen_from_there(lake: Path) -> None:
    places = {
        (fact["institution"], fact["care_location"])
        for fact in where(lake, alliance=EAST, visit_type="outpatient")
        if fact["institution"] not in ("H-PRIVATE",)
    }
    assert places == {
        ("H-EAST", "own_alliance"), ("H-WEST", "sister_alliance"), ("H-NEXT", "city"), ("X1", "province"), ("X2", "outside"),
    }  # fmt: skip


def test_insured_without_a_rule_are_split_by_the_agreed_shares_and_the_parts_sum_to_the_whole(lake: Path) -> None:
    private = where(lake, institution="H-PRIVATE")
    assert {fact["alliance"]: fact["pooled_fund_paid"] for fact in private} == {EAST: 3601, WEST: 2400}
    assert {fact["care_location"] for fact in private} == {"in_county"}
    (west,) = where(lake, alliance=WEST, institution="H-EAST")
    assert (west["care_location"], west["treating_alliance"]) == ("sister_alliance", EAST)


def test_every_measure_sums_to_what_the_rows_of_the_county_and_month_hold(lake: Path) -> None:
    kept = [row for row in ROWS if row["insured_county"] == "990102" and row["settled_on"] >= date(2026, 9, 1)]
    totals: dict[str, int] = defaultdict(int)
    for fact in facts_of(lake):
        for name, value in fact.items():
            if isinstance(value, int):
                totals[name] += value
    for name in SUMMED_MONEY:
        assert totals[name] == sum(row[name] for row in kept), name
    payable = [row["fund_payable"] if row["fund_payable"] is not None else row["pooled_fund_paid"] for row in kept]
    assert totals["fund_payable"] == sum(payable)
    assert totals["settlements"] == sum(-1 if row["reversal_of"] else 1 for row in kept)


def test_interim_settlements_are_one_discharge_and_a_reversed_stay_is_none(lake: Path) -> None:
    (stay,) = where(lake, visit_type="inpatient")
    assert (stay["settlements"], stay["discharges"], stay["bed_days"]) == (2, 1, 13)
    assert (stay["weight_sum"], stay["groupable_cases"], stay["grouped_cases"]) == (9125, 2, 2)
    assert (stay["fund_payable"], stay["payable_settlements"], stay["referrals_up"]) == (8000, 2, 1)


def test_emergency_care_is_told_apart_inside_what_is_owed(lake: Path) -> None:
    (own,) = where(lake, alliance=EAST, institution="H-EAST", visit_type="outpatient")
    assert own["excluded_fund"] == 6001
    assert own["fund_payable"] == 6001 + 6001 + 3601


def test_the_only_alliance_of_a_county_answers_for_all_its_insured(lake: Path) -> None:
    (fact,) = facts_of(lake, county="990101")
    assert (fact["alliance"], fact["care_location"]) == ("QX", "city")


def test_no_file_and_an_empty_month_give_no_facts(lake: Path) -> None:
    assert monthly_facts(duckdb.connect(), [], REFERENCE, "990102", SEPTEMBER) == []
    assert facts_of(lake, month=Month(2026, 7)) == []
