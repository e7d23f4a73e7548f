"""Monthly facts from claims in the lake: what the insured of one county cost in one month, by every grain of the facts.

Answers, row by row: which alliance is responsible for the insured (A15: township rule, the county's only alliance, else
the agreed shares of the year), where care was given as seen from that alliance, and what the payment method owes (A5).
A reversal counts minus one. A stay is counted as discharged once a month however many interim settlements it has.
Parts split by agreed shares add up to the whole, fen by fen. Nothing here is rounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from claims.engine.lake import parquet_list
from claims.engine.reference import INPATIENT_TYPES, Reference
from rules.money import allocate_count
from rules.periods import Month

GRAIN = (
    "fund_type", "visit_type", "method", "institution", "institution_area", "outflow_kind", "alliance",
    "treating_alliance", "care_location",
)  # fmt: skip
SUMMED_MONEY = (
    "total_cost", "drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost", "eligible_cost",
    "non_covered_cost", "deductible_paid", "pooled_fund_paid", "serious_illness_paid", "medical_assistance_paid",
    "other_paid", "personal_account_paid", "cash_paid", "hospital_borne",
)  # fmt: skip
_LOCAL = "local"
_INPATIENT = ", ".join(f"'{kind.value}'" for kind in INPATIENT_TYPES)
_UNKNOWN = ""

# measure → SQL over a row ``r`` with ``sign`` (−1 for a reversal) and ``payable``
_MEASURES: Mapping[str, str] = {
    "settlements": "sum(sign)",
    "bed_days": "sum(sign * abs(coalesce(bed_days, 0)))",
    **{name: f"sum(coalesce({name}, 0))" for name in SUMMED_MONEY},
    "fund_payable": "sum(payable)",
    "payable_settlements": "sum(CASE WHEN fund_payable IS NULL THEN 0 ELSE sign END)",
    "weight_sum": "sum(sign * CAST(round(abs(coalesce(group_weight, 0)) * 10000) AS BIGINT))",
    "groupable_cases": f"sum(CASE WHEN visit_type IN ({_INPATIENT}) AND coalesce(method, '') <> 'bed_day' THEN sign ELSE 0 END)",
    "grouped_cases": f"sum(CASE WHEN visit_type IN ({_INPATIENT}) AND coalesce(group_code, '') <> '' THEN sign ELSE 0 END)",
    "referrals_up": "sum(CASE WHEN referral = 'up' THEN sign ELSE 0 END)",
    "referrals_down": "sum(CASE WHEN referral = 'down' THEN sign ELSE 0 END)",
    "excluded_fund": "sum(CASE WHEN CAST(public_health_emergency AS VARCHAR) IN ('1', 'true') THEN payable ELSE 0 END)",
}
_GROUPED = (
    "fund_type", "visit_type", "method", "institution", "institution_area", "outflow_kind", "responsible", "treating",
    "place",
)  # fmt: skip

Fact = dict[str, Any]


def monthly_facts(
    connection: Any, files: Sequence[Path], reference: Reference, county: str, month: Month
) -> list[Fact]:
    """One dict per grain (:data:`GRAIN`) with every measure, money in fen, for the insured of ``county`` in ``month``.

    ``connection`` is an open DuckDB connection with its limits set; ``files`` are the live lake files to read. The
    alliance is blank where nobody answers for these insured. Rows whose every measure is zero are left out.
    """
    if not files:
        return []
    _register(connection, reference, county, month)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW fact_rows AS {_placed_rows(files, county, month)}")
    dims = ", ".join(_GROUPED)
    measures = ", ".join(f"CAST({sql} AS BIGINT) AS {name}" for name, sql in _MEASURES.items())
    sums = connection.execute(f"SELECT {dims}, {measures} FROM fact_rows GROUP BY ALL").fetchall()
    stays = connection.execute(
        f"""SELECT {dims}, CAST(sum(sign(net)) AS BIGINT) FROM (
            SELECT {dims}, sum(sign) AS net FROM fact_rows WHERE visit_type IN ({_INPATIENT})
            GROUP BY {dims}, coalesce(nullif(visit_id, ''), settlement_id)
        ) GROUP BY {dims}"""
    ).fetchall()
    discharges = {row[: len(_GROUPED)]: row[-1] for row in stays}
    shares = {row.alliance: row.share for row in reference.shares if (row.county, row.year) == (county, month.year)}
    facts: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in sums:
        grouped = row[: len(_GROUPED)]
        values = dict(zip(_MEASURES, row[len(_GROUPED) :], strict=True)) | {"discharges": discharges.get(grouped, 0)}
        for alliance, part in _by_alliance(dict(zip(_GROUPED, grouped, strict=True))["responsible"], values, shares):
            held = facts[_grain(grouped, alliance)]
            for name, amount in part.items():
                held[name] += amount
    return [
        {**dict(zip(GRAIN, grain, strict=True)), **measured}
        for grain, measured in sorted(facts.items())
        if any(measured.values())
    ]


def _by_alliance(
    responsible: str, values: dict[str, int], shares: Mapping[str, Decimal]
) -> Iterable[tuple[str, dict[str, int]]]:
    """The values as they fall on alliances: whole to the responsible one, else split by the agreed shares."""
    if responsible or not shares:
        return [(responsible, values)]
    weights = list(shares.values())
    parts: dict[str, dict[str, int]] = {alliance: {} for alliance in shares}
    for name, value in values.items():
        for alliance, part in zip(shares, allocate_count(abs(value), weights), strict=True):
            parts[alliance][name] = part if value >= 0 else -part
    return parts.items()


def _grain(grouped: tuple[str, ...], alliance: str) -> tuple[str, ...]:
    """The grain of a grouped row once its alliance is known: in-county care is own, sister or outside alliances."""
    row = dict(zip(_GROUPED, grouped, strict=True))
    place = row["place"]
    if place == _LOCAL:
        if not row["treating"]:
            place = "in_county"
        else:
            place = "own_alliance" if row["treating"] == alliance else "sister_alliance"
    return (
        row["fund_type"], row["visit_type"], row["method"], row["institution"], row["institution_area"],
        row["outflow_kind"], alliance, row["treating"], place,
    )  # fmt: skip


def _placed_rows(files: Sequence[Path], county: str, month: Month) -> str:
    """The month's rows of the county with sign, payable, responsible and treating alliance, and where care was given."""
    area = "coalesce(c.institution_area, '')"
    located = f"coalesce(i.county, {area})"  # the register knows better than the extract
    return f"""
        SELECT c.* EXCLUDE (method, institution_area, outflow_kind),
               coalesce(c.method, '') AS method, coalesce(c.institution_code, '') AS institution,
               {area} AS institution_area, coalesce(c.outflow_kind, '') AS outflow_kind,
               CASE WHEN coalesce(c.reversal_of, '') = '' THEN 1 ELSE -1 END AS sign,
               coalesce(c.fund_payable, c.pooled_fund_paid, 0) AS payable,
               coalesce(t.alliance, o.alliance, '{_UNKNOWN}') AS responsible,
               CASE WHEN {located} = '{county}' THEN coalesce(m.alliance, '') ELSE '' END AS treating,
               CASE WHEN {located} = '{county}' THEN '{_LOCAL}'
                    WHEN {located} IN (SELECT code FROM fact_counties) OR {located}[1:4] = '{county[:4]}' THEN 'city'
                    WHEN {located}[1:2] = '{county[:2]}' THEN 'province'
                    ELSE 'outside' END AS place
        FROM {parquet_list(files)} c
        LEFT JOIN fact_institutions i ON i.code = c.institution_code
        LEFT JOIN fact_members m
            ON m.code = c.institution_code AND CAST(c.settled_on AS DATE) BETWEEN m.valid_from AND m.valid_to
        LEFT JOIN fact_townships t
            ON t.township = c.enrolment_township AND CAST(c.settled_on AS DATE) BETWEEN t.valid_from AND t.valid_to
        LEFT JOIN fact_only_alliance o ON o.day = CAST(c.settled_on AS DATE)
        WHERE c.insured_county = '{county}'
          AND CAST(c.settled_on AS DATE) BETWEEN DATE '{month.first_day}' AND DATE '{month.last_day}'"""


def _register(connection: Any, reference: Reference, county: str, month: Month) -> None:
    """The small tables of places as they stood in the month."""
    open_end = date(9999, 12, 31)
    local = [row for row in reference.institutions if row.county == county]
    days = [month.first_day + timedelta(days=n) for n in range((month.last_day - month.first_day).days + 1)]
    alliances = [row for row in reference.alliances if row.county == county]
    only = []
    for day in days:
        standing = [row.code for row in alliances if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)]
        if len(standing) == 1:
            only.append((day, standing[0]))
    tables: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "fact_counties": ("code VARCHAR", [(code,) for code in sorted(reference.counties)]),
        "fact_institutions": ("code VARCHAR, county VARCHAR", [(row.code, row.county) for row in reference.institutions]),
        "fact_members": (
            "code VARCHAR, alliance VARCHAR, valid_from DATE, valid_to DATE",
            [
                (row.code, span.alliance, span.valid_from, span.valid_to or open_end)
                for row in local
                for span in row.memberships
            ],
        ),
        "fact_townships": (
            "township VARCHAR, alliance VARCHAR, valid_from DATE, valid_to DATE",
            [
                (row.township, row.alliance, row.valid_from, row.valid_to or open_end)
                for row in reference.townships
                if row.county == county
            ],
        ),
        "fact_only_alliance": ("day DATE, alliance VARCHAR", only),
    }
    for name, (columns, rows) in tables.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
        if rows:
            filled = [list(column) for column in zip(*rows, strict=True)]
            unnested = ", ".join(f"unnest(${number})" for number in range(1, len(filled) + 1))
            connection.execute(f"INSERT INTO {name} SELECT {unnested}", filled)
