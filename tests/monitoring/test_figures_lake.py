"""A county-month that has claims: every fact indicator and readmission again, in DuckDB SQL straight over the lake."""

from decimal import Decimal

import duckdb
import pytest

from claims.generator import Place, Setup, generate
from claims.models import LakeFile
from monitoring.reading.figures import figures
from monitoring.reading.places import ref_of
from monitoring.services.computing import compute_county_month
from rules.periods import Month
from rules.spans import Span
from tests.claims.extracts import accepted
from tests.monitoring.independent import near
from tests.monitoring.test_figures_sql import OF_FACTS

D = Decimal
AUGUST, SEPTEMBER = Month(2026, 8), Month(2026, 9)
PLACES = (
    Place("H99010100001", "县医院", "990101", "general", 2, "QX"),
    Place("H99010100011", "卫生院", "990101", "township", 1, "QX"),
    Place("H99010100021", "卫生室", "990101", "village", 1, "QX"),
    Place("H99010100031", "民营", "990101", "private", 2, ""),
    Place("H99010200001", "邻县医院", "990102", "general", 2, "YL-E"),
    Place("H99010000901", "市医院", "990100", "general", 3, ""),
    Place("H11010100901", "外省医院", "110101", "general", 3, ""),
)
MEMBERS = "institution_code IN ('H99010100001', 'H99010100011', 'H99010100021')"
LOCAL = "institution_code IN ('H99010100001', 'H99010100011', 'H99010100021', 'H99010100031')"
PRIMARY = "institution_code IN ('H99010100011', 'H99010100021')"
STAYING = "visit_type IN ('inpatient', 'maternity_in')"
SIGN = "(CASE WHEN reversal_of IS NULL THEN 1 ELSE -1 END)"
PAID = "(CASE WHEN CAST(public_health_emergency AS BOOLEAN) THEN 0 ELSE coalesce(fund_payable, pooled_fund_paid) END)"
EVERY, CARE, INSURED = "TRUE", "care", "insured"

AMOUNT = {
    "total": "total_cost", "settlements": SIGN, "days": f"abs(coalesce(bed_days, 0)) * {SIGN}", "paid": PAID,
    "covered": "pooled_fund_paid + coalesce(serious_illness_paid, 0)", "eligible": "coalesce(eligible_cost, 0)",
    "uncovered": "coalesce(non_covered_cost, 0)", "own": "coalesce(personal_account_paid, 0) + coalesce(cash_paid, 0)",
    "drugs": "coalesce(drug_cost, 0) + coalesce(tcm_cost, 0)", "consumables": "coalesce(consumables_cost, 0)",
    "exams": "coalesce(exam_cost, 0)", "weight": f"CAST(abs(coalesce(group_weight, 0)) * 10000 AS BIGINT) * {SIGN}",
    "grouped": f"CASE WHEN {STAYING} AND group_code IS NOT NULL THEN {SIGN} ELSE 0 END",
    "grouped10000": f"CASE WHEN {STAYING} AND group_code IS NOT NULL THEN {SIGN} * 10000 ELSE 0 END",
    "groupable": f"CASE WHEN {STAYING} AND method IS DISTINCT FROM 'bed_day' THEN {SIGN} ELSE 0 END",
    "up": f"CASE WHEN referral = 'up' THEN {SIGN} ELSE 0 END", "down": f"CASE WHEN referral = 'down' THEN {SIGN} ELSE 0 END",
}  # fmt: skip
LEFT = "left"  # discharges: stays, not rows
QUOTIENTS = {
    "inpatient_average": (("total", CARE, STAYING), (LEFT, CARE, EVERY)),
    "outpatient_average": (("total", CARE, f"NOT {STAYING}"), ("settlements", CARE, f"NOT {STAYING}")),
    "length_of_stay": (("days", CARE, STAYING), (LEFT, CARE, EVERY)),
    "daily_cost": (("total", CARE, STAYING), ("days", CARE, STAYING)),
    "in_county_rate": ((LEFT, INSURED, LOCAL), (LEFT, INSURED, EVERY)),
    "referred_out": ((LEFT, INSURED, f"(NOT {LOCAL})"), (LEFT, INSURED, EVERY)),
    "unregistered_out": ((LEFT, INSURED, f"(NOT {LOCAL}) AND outflow_kind = 'self_chosen'"), (LEFT, INSURED, f"(NOT {LOCAL})")),
    "in_county_fund": (("paid", INSURED, LOCAL), ("paid", INSURED, EVERY)),
    "primary_share": (("paid", INSURED, PRIMARY), ("paid", INSURED, MEMBERS)),
    "primary_visits": (("settlements", CARE, f"{PRIMARY} AND NOT {STAYING}"), ("settlements", CARE, f"NOT {STAYING}")),
    "reimbursement": (("covered", CARE, EVERY), ("total", CARE, EVERY)),
    "policy_reimbursement": (("covered", CARE, EVERY), ("eligible", CARE, EVERY)),
    "non_covered": (("uncovered", CARE, EVERY), ("total", CARE, EVERY)),
    "own_burden": (("own", CARE, EVERY), ("total", CARE, EVERY)),
    "drug_share": (("drugs", CARE, EVERY), ("total", CARE, EVERY)),
    "consumables_share": (("consumables", CARE, EVERY), ("total", CARE, EVERY)),
    "exam_share": (("exams", CARE, EVERY), ("total", CARE, EVERY)),
    "cmi": (("weight", CARE, EVERY), ("grouped10000", CARE, EVERY)),
    "grouping_rate": (("grouped", CARE, EVERY), ("groupable", CARE, EVERY)),
    "referral_ratio": (("up", CARE, EVERY), ("down", CARE, EVERY)),
}


@pytest.fixture
def lake(world, tmp_path):
    """Two months of a generated extract, one of them reversed in part; what is asked of the lake's live files."""
    setup = Setup("990101", AUGUST, SEPTEMBER, 5000, PLACES, seed=7, frauds=0.02, persons=250)
    made = generate(setup, tmp_path)
    accepted(world, made.extract.read_bytes(), "2026-08", "2026-09")
    for month in (AUGUST, SEPTEMBER):
        compute_county_month(world.qingxi, month)
    files = [str(file.path) for file in LakeFile.objects.filter(live=True, county=world.qingxi)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE claim AS SELECT * FROM read_parquet({files!r}, union_by_name=true)")
        yield connection


def condition(fund, month):
    born = " AND visit_type NOT LIKE 'maternity%'" if fund == "EMP" else ""
    return f"fund_type = '{fund}' AND settled_on BETWEEN '{month.first_day}' AND '{month.last_day}'{born}"


def asked(lake, what, where):
    if what != LEFT:
        return int(lake.execute(f"SELECT coalesce(sum({AMOUNT[what]}), 0) FROM claim WHERE {where}").fetchone()[0])
    stays = (
        f"SELECT sign(sum({SIGN})) AS net FROM claim WHERE {STAYING} AND {where}"
        " GROUP BY coalesce(visit_id, settlement_id), institution_code, fund_type, visit_type, outflow_kind, method"
    )
    return int(lake.execute(f"SELECT coalesce(sum(net), 0) FROM ({stays})").fetchone()[0])


def places(world):
    """Place → (care given there, its insured)."""
    return {
        world.qingxi: (LOCAL, EVERY),
        world.alliance: (MEMBERS, EVERY),
        **{place: (f"institution_code = '{place.code}'",) * 2 for place in (world.lead, world.township, world.outsider)},
    }


def test_the_lake_gives_every_fact_indicator_of_the_month_once_more(world, lake):
    assert set(QUOTIENTS) | {"spending_growth"} == set(OF_FACTS)
    assert asked(lake, "settlements", "reversal_of IS NOT NULL") < 0  # the extract holds reversals
    span, compared = Span.month(SEPTEMBER), 0
    found = figures(list(map(ref_of, places(world))), [span], QUOTIENTS)
    for place, conditions in places(world).items():
        for fund in ("RES", "EMP"):
            for key, figure in found[(ref_of(place).key, fund, span)].items():
                values = []
                for what, whose, where in QUOTIENTS[key]:
                    of_place = conditions[0] if whose == CARE else conditions[1]
                    values.append(asked(lake, what, f"{of_place} AND {where} AND {condition(fund, SEPTEMBER)}"))
                money = figure.indicator.unit == "yuan"
                expected = D(values[0]) / values[1] / (100 if money else 1) if values[1] > 0 else None
                assert near(figure.value, expected, money), (place, fund, key, figure.value, expected)
                compared += expected is not None
    assert compared > 120


def test_the_lake_gives_the_same_charged_yuan(world, lake):
    span = Span.month(SEPTEMBER)
    for fund in ("RES", "EMP"):
        found = figures([ref_of(world.alliance)], [span], ["spending_growth"])[(ref_of(world.alliance).key, fund, span)]
        outside = f"({MEMBERS} OR NOT {LOCAL})"
        assert found["spending_growth"].reading.volume * 100 == asked(lake, "paid", f"{outside} AND {condition(fund, SEPTEMBER)}")


READMITTED = """
    WITH stay AS (
        SELECT coalesce(visit_id, settlement_id) AS visit, person, fund_type, institution_code, min(admission_date) AS came,
               max(discharge_date) AS went, upper(left(arg_max(diagnosis_code, settled_on), 3)) AS illness, sum({sign}) AS net,
               sum(CASE WHEN settled_on >= '{first}' THEN {sign} ELSE 0 END) AS now
        FROM claim WHERE {staying} AND settled_on <= '{last}' AND {where}
              AND NOT (fund_type = 'EMP' AND visit_type LIKE 'maternity%')
        GROUP BY ALL)
    SELECT coalesce(sum(sign(later.now)), 0),
           coalesce(sum(sign(later.now)) FILTER (EXISTS (
               SELECT 1 FROM stay AS earlier WHERE earlier.person = later.person AND earlier.illness = later.illness
               AND earlier.net > 0 AND earlier.visit <> later.visit AND {same}
               AND later.came - earlier.went BETWEEN 0 AND 15
               AND (earlier.came, earlier.went, earlier.visit) < (later.came, later.went, later.visit))), 0)
    FROM stay AS later WHERE fund_type = '{fund}'"""


def test_the_lake_gives_the_same_readmissions_at_every_level(world, lake):
    span, returns = Span.month(SEPTEMBER), 0
    for place, (care, _insured) in places(world).items():
        found = figures([ref_of(place)], [span], ["readmission"])
        for fund in ("RES", "EMP"):
            stays, readmitted = lake.execute(READMITTED.format(
                sign=SIGN, staying=STAYING, where=care, fund=fund, first=SEPTEMBER.first_day, last=SEPTEMBER.last_day, same="TRUE",
            )).fetchone()  # fmt: skip
            reading = found[(ref_of(place).key, fund, span)]["readmission"].reading
            if stays:
                assert (reading.bottom, reading.top) == (stays, readmitted), (place, fund)
            returns += readmitted
    assert returns > 20
