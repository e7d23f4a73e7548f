"""Single claims of a generated extract: found by id and by search, with reversals and who answers for the insured (A15)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from claims.generator import Place, Setup, generate
from claims.models import LakeFile
from claims.reading import claims_by_id, holds_claims, search_claims
from core import triggers
from core.models import TownshipRule
from rules.periods import Month
from tests.claims.extracts import accepted, claim

AUGUST, SEPTEMBER = Month(2026, 8), Month(2026, 9)
SPAN = (date(2026, 8, 1), date(2026, 9, 30))
PLACES = (
    Place("H99010100001", "县医院", "990101", "general", 2, "QX"),
    Place("H99010100011", "卫生院", "990101", "township", 1, "QX"),
    Place("H99010100031", "民营", "990101", "private", 2, ""),
    Place("H99010000901", "市医院", "990100", "general", 3, ""),
)


@pytest.fixture
def lake(world, tmp_path):
    """Two months of a generated extract with reversals (and stragglers of July); asked straight of the lake's live files."""
    setup = Setup("990101", AUGUST, SEPTEMBER, 3000, PLACES, seed=11, frauds=0.02, persons=200)
    accepted(world, generate(setup, tmp_path).extract.read_bytes(), "2026-08", "2026-09")
    files = [str(file.path) for file in LakeFile.objects.filter(live=True, county=world.qingxi)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE claim AS SELECT * FROM read_parquet({files!r}, union_by_name=true)")
        yield connection


def test_every_claim_is_found_by_its_id_with_what_was_paid(world, lake):
    paid = dict(lake.execute("SELECT settlement_id, pooled_fund_paid FROM claim").fetchall())
    assert len(paid) > 2500
    found = claims_by_id(world.qingxi, [*paid, "NOT-THERE"])
    assert {key: claim.pooled_fund_paid * 100 for key, claim in found.items()} == paid
    assert {claim.alliance for claim in found.values()} == {"QX"}
    assert claims_by_id(world.qingxi, []) == {} and claims_by_id(world.yunling, list(paid)[:5]) == {}


def test_reversals_and_what_they_take_back_do_not_stand(world, lake):
    pairs = lake.execute("SELECT reversal_of, settlement_id FROM claim WHERE reversal_of IS NOT NULL").fetchall()
    assert pairs
    found = claims_by_id(world.qingxi, [key for pair in pairs for key in pair])
    for original, reversal in pairs:
        assert found[reversal].reverses == original and not found[reversal].standing
        if original in found:
            assert found[original].reversed_by and not found[original].standing
    taken_back = "SELECT reversal_of FROM claim WHERE reversal_of IS NOT NULL"
    query = f"SELECT count(*) FROM claim WHERE reversal_of IS NULL AND settlement_id NOT IN ({taken_back})"
    standing = lake.execute(query).fetchone()[0]
    every = claims_by_id(world.qingxi, [row[0] for row in lake.execute("SELECT settlement_id FROM claim").fetchall()])
    assert sum(claim.standing for claim in every.values()) == standing


@pytest.mark.parametrize(
    ("chosen", "where"),
    [
        ({}, "TRUE"),
        ({"institutions": ["H99010100011"]}, "institution_code = 'H99010100011'"),
        ({"institutions": []}, "FALSE"),
        ({"visit_type": "inpatient", "fund_type": "EMP"}, "visit_type = 'inpatient' AND fund_type = 'EMP'"),
        ({"diagnosis": "i"}, "diagnosis_code LIKE 'I%'"),
        ({"institutions": ["H99010100031"], "settlement_id": ""}, "institution_code = 'H99010100031'"),
    ],
)
def test_a_search_gives_the_same_rows_and_sums_as_the_lake(world, lake, chosen, where):
    where = f"{where} AND settled_on BETWEEN '{SPAN[0]}' AND '{SPAN[1]}'"
    count, paid = lake.execute(f"SELECT count(*), coalesce(sum(pooled_fund_paid), 0) FROM claim WHERE {where}").fetchone()
    found = search_claims(world.qingxi, SPAN, chosen, 0, 10)
    assert (found.total, found.pooled_fund_paid * 100) == (count, paid)
    ids = [row[0] for row in lake.execute(f"SELECT settlement_id FROM claim WHERE {where} ORDER BY settled_on, settlement_id").fetchall()]
    assert [row.settlement_id for row in found.rows] == ids[:10]
    assert [row.settlement_id for row in search_claims(world.qingxi, SPAN, chosen, 10, 10).rows] == ids[10:20]


def test_a_person_is_found_by_the_beginning_of_the_pseudonym(world, lake):
    inside = f"settled_on BETWEEN '{SPAN[0]}' AND '{SPAN[1]}'"
    query = f"SELECT person, count(*) FROM claim WHERE {inside} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    person, count = lake.execute(query).fetchone()
    found = search_claims(world.qingxi, SPAN, {"person": person[:16]}, 0, 500)
    assert found.total == count > 1 and {row.person for row in found.rows} == {person}


def test_the_span_is_kept_to_the_day_and_other_months_are_not_read(world, lake):
    first, last = date(2026, 8, 10), date(2026, 8, 20)
    count = lake.execute("SELECT count(*) FROM claim WHERE settled_on BETWEEN '2026-08-10' AND '2026-08-20'").fetchone()[0]
    found = search_claims(world.qingxi, (first, last), {}, 0, 1000)
    assert found.total == count and all(first <= row.settled_on <= last for row in found.rows)
    ids = [row.settlement_id for row in found.rows[:3]]
    assert set(claims_by_id(world.qingxi, ids, (first, last))) == set(ids)
    assert claims_by_id(world.qingxi, ids, (date(2026, 9, 1), date(2026, 9, 30))) == {}
    assert search_claims(world.qingxi, (date(2025, 1, 1), date(2025, 12, 31)), {}, 0, 10).total == 0


def test_files_that_left_the_manifest_are_not_read(world, lake):
    assert holds_claims(world.qingxi, SEPTEMBER) and not holds_claims(world.yunling, SEPTEMBER)
    ids = [row[0] for row in lake.execute("SELECT settlement_id FROM claim WHERE settled_on >= '2026-09-01' LIMIT 3").fetchall()]
    with triggers.lifted():
        LakeFile.objects.filter(month=9).update(live=False)
    assert not holds_claims(world.qingxi, SEPTEMBER) and holds_claims(world.qingxi, AUGUST)
    assert claims_by_id(world.qingxi, ids) == {}


def test_the_township_says_which_alliance_answers(world):
    TownshipRule.objects.create(alliance=world.west, township_code="990102101", township_name="西河镇", valid_from=date(2020, 1, 1))
    rows = [
        claim(1, insured_county="990102", enrolment_township="西河镇"),
        claim(2, insured_county="990102", enrolment_township="东河镇"),
        claim(3, insured_county="990102", enrolment_township="990102101", public_health_emergency="是"),
    ]
    accepted(world, rows, county=world.yunling)
    found = claims_by_id(world.yunling, ["S000001", "S000002", "S000003"])
    assert [found[f"S00000{n}"].alliance for n in (1, 2, 3)] == ["YL-W", "", "YL-W"]
    assert [found[f"S00000{n}"].excluded for n in (1, 2, 3)] == [False, False, True]
    assert found["S000001"].pooled_fund_paid == Decimal("600.00") and found["S000001"].visit_text == "住院"
