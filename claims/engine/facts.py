"""Monthly facts from claims in the lake: what the insured of one county cost in one month, by every grain of the facts.

Answers, row by row: which alliance is responsible for the insured (A15: township rule, the county's only alliance, else
the agreed shares of the year), where care was given as seen from that alliance, and what the payment method owes (A5).
A reversal counts minus one. A stay is counted as discharged once a month however many interim settlements it has.
Parts split by agreed shares add up to the whole, fen by fen. Nothing here is rounded.

DuckDB adds up the rows by what they say; who is responsible and where care was given is then decided per group. Where a
membership or a rule changes within the month, its days fall into stretches that are added up apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from claims.engine.lake import parquet_list
from claims.engine.reference import INPATIENT_TYPES, AllianceRef, Reference, ShareRef, Span, TownshipRef
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
WEIGHT_UNITS = 1_000_000
"""Agreed shares have six decimals; amounts of a group stay far below 2**63 / this."""

# measure → SQL over a row of the lake; ``sign`` is −1 for a reversal
_SIGN = "CASE WHEN reversal_of IS NULL THEN 1 ELSE -1 END"
_PAYABLE = "coalesce(fund_payable, pooled_fund_paid)"
_MEASURES: Mapping[str, str] = {
    "settlements": "count(*) - 2 * count(reversal_of)",
    "bed_days": f"sum(abs(bed_days) * {_SIGN})",
    **{name: f"sum({name})" for name in SUMMED_MONEY},
    "fund_payable": f"sum({_PAYABLE})",
    "payable_settlements": f"sum({_SIGN}) FILTER (fund_payable IS NOT NULL)",
    "weight_sum": f"sum(CAST(abs(group_weight) * 10000 AS BIGINT) * {_SIGN})",
    "groupable_cases": f"sum({_SIGN}) FILTER (visit_type IN ({_INPATIENT}) AND method IS DISTINCT FROM 'bed_day')",
    "grouped_cases": f"sum({_SIGN}) FILTER (visit_type IN ({_INPATIENT}) AND group_code IS NOT NULL)",
    "referrals_up": f"sum({_SIGN}) FILTER (referral = 'up')",
    "referrals_down": f"sum({_SIGN}) FILTER (referral = 'down')",
    "excluded_fund": f"sum({_PAYABLE}) FILTER (CAST(public_health_emergency AS BOOLEAN))",
}
_SAID = ("fund_type", "visit_type", "method", "institution_code", "institution_area", "outflow_kind", "enrolment_township")

Fact = dict[str, Any]
Grain = tuple[str, ...]


def monthly_facts(
    connection: Any, files: Sequence[Path], reference: Reference, county: str, month: Month
) -> list[Fact]:
    """One dict per grain (:data:`GRAIN`) with every measure, money in fen, for the insured of ``county`` in ``month``.

    ``connection`` is an open DuckDB connection with its limits set; ``files`` are the live lake files to read. The
    alliance is blank where nobody answers for these insured. Rows whose every measure is zero are left out.
    """
    if not files:
        return []
    places = _Places(reference, county, month)
    names = (*_MEASURES, "discharges")
    whole: dict[Grain, list[int]] = {}
    shared: dict[Grain, list[int]] = {}
    for said, stretch, values in _added_up(connection, files, county, month, places.stretches):
        day = places.stretches[stretch]
        responsible = places.responsible(said[6], day)
        grain = (*said[:6], responsible, *places.care(said[3], said[4], day))
        _add(shared if not responsible and places.shares else whole, grain, values)
    for grain, values in _split(shared, places.shares):
        _add(whole, grain, values)
    facts: dict[Grain, list[int]] = {}
    for grain, values in whole.items():
        _add(facts, (*grain[:8], _seen_from(grain[6], grain[7], grain[8])), values)
    return [
        {**dict(zip(GRAIN, grain, strict=True)), **dict(zip(names, values, strict=True))}
        for grain, values in sorted(facts.items())
        if any(values)
    ]


def responsible_alliances(reference: Reference, county: str, rows: Sequence[tuple[str, date]]) -> list[str]:
    """The alliance that answers for each insured person (A15) by (enrolment township, day of settlement).

    Blank where agreed shares or nobody answer: a single claim cannot be split.
    """
    if not rows:
        return []
    places = _Places(reference, county, Month.of(rows[0][1]))
    return [places.responsible(township, day) for township, day in rows]


def _added_up(
    connection: Any, files: Sequence[Path], county: str, month: Month, stretches: Sequence[date]
) -> Iterable[tuple[Grain, int, list[int]]]:
    """(what the rows say, stretch of the month, measures with discharges last) of the county's rows in the month."""
    stretch = "0"
    if len(stretches) > 1:
        later = [f"WHEN settled_on >= DATE '{day}' THEN {number}" for number, day in enumerate(stretches)][:0:-1]
        stretch = f"CASE {' '.join(later)} ELSE 0 END"
    said = f"{', '.join(_SAID)}, {stretch}"
    keys = ", ".join(_SAID) + (f", {len(_SAID) + 1}" if len(stretches) > 1 else "")
    rows = (
        f"{parquet_list(files)} WHERE insured_county = '{county}'"
        f" AND settled_on BETWEEN DATE '{month.first_day}' AND DATE '{month.last_day}'"
    )
    measures = ", ".join(f"CAST(coalesce({sql}, 0) AS BIGINT)" for sql in _MEASURES.values())
    sums = connection.execute(f"SELECT {said}, {measures} FROM {rows} GROUP BY {keys}").fetchall()
    stays = connection.execute(
        f"""SELECT * EXCLUDE (visit, net), CAST(sum(sign(net)) AS BIGINT) FROM (
            SELECT {said} AS stretch, coalesce(visit_id, settlement_id) AS visit, count(*) - 2 * count(reversal_of) AS net
            FROM {rows} AND visit_type IN ({_INPATIENT}) GROUP BY {keys}, visit) GROUP BY ALL"""
    ).fetchall()
    width = len(_SAID)
    discharges = {row[:-1]: row[-1] for row in stays}
    for row in sums:
        yield tuple(text or "" for text in row[:width]), row[width], [*row[width + 1 :], discharges.get(row[: width + 1], 0)]


def _add(facts: dict[Grain, list[int]], grain: Grain, values: list[int]) -> None:
    held = facts.get(grain)
    facts[grain] = values if held is None else [one + other for one, other in zip(held, values, strict=True)]


def _seen_from(alliance: str, treating: str, place: str) -> str:
    """Care location once the responsible alliance is known: in-county care is own, sister or outside alliances."""
    if place != _LOCAL:
        return place
    if not treating:
        return "in_county"
    return "own_alliance" if treating == alliance else "sister_alliance"


def _split(shared: dict[Grain, list[int]], shares: Sequence[ShareRef]) -> Iterable[tuple[Grain, list[int]]]:
    """Every group split by the agreed shares, by largest remainder as ``rules.money.allocate_count`` does it."""
    if not shared:
        return
    import numpy as np

    weights = allocate_count(WEIGHT_UNITS, [row.share for row in shares])
    amounts = np.array(list(shared.values()), dtype=np.int64)
    sizes = np.abs(amounts)[:, :, None] * np.array(weights, dtype=np.int64)
    parts, remainders = sizes // WEIGHT_UNITS, sizes % WEIGHT_UNITS
    left = np.abs(amounts) - parts.sum(axis=2)
    rank = np.argsort(np.argsort(-remainders, axis=2, kind="stable"), axis=2, kind="stable")
    parts = (parts + (rank < left[:, :, None])) * np.sign(amounts)[:, :, None]
    for number, row in enumerate(shares):
        for grain, values in zip(shared, parts[:, :, number].tolist(), strict=True):
            yield (*grain[:6], row.alliance, *grain[7:]), values


@dataclass(frozen=True)
class _Rule:
    """A dated rule: an alliance from a day to a day."""

    alliance: str
    valid_from: date
    valid_to: date

    @classmethod
    def of(cls, alliance: str, row: Span | AllianceRef | TownshipRef) -> _Rule:
        return cls(alliance, row.valid_from, row.valid_to or date.max)

    def holds(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


class _Places:
    """The registers as they stood in the month: who answers for whom, who treats where."""

    def __init__(self, reference: Reference, county: str, month: Month) -> None:
        self.county, self.counties = county, reference.counties
        self.located = {row.code: row.county for row in reference.institutions}
        self.members = {
            row.code: [_Rule.of(span.alliance, span) for span in row.memberships]
            for row in reference.institutions
            if row.county == county
        }
        self.townships: dict[str, list[_Rule]] = {}
        for row in reference.townships:
            if row.county == county:
                self.townships.setdefault(row.township, []).append(_Rule.of(row.alliance, row))
        self.alliances = [_Rule.of(row.code, row) for row in reference.alliances if row.county == county]
        self.shares = [row for row in reference.shares if (row.county, row.year) == (county, month.year)]
        self.stretches = self._stretches(month)

    def _stretches(self, month: Month) -> list[date]:
        """First days of the stretches of the month within which no rule changes."""
        rules = [*self.alliances, *(rule for found in (self.members, self.townships) for row in found.values() for rule in row)]
        turns = {rule.valid_from for rule in rules}
        turns |= {rule.valid_to + timedelta(days=1) for rule in rules if rule.valid_to < date.max}
        return [month.first_day, *sorted(day for day in turns if month.first_day < day <= month.last_day)]

    def responsible(self, township: str, day: date) -> str:
        """A15: the township's alliance, else the county's only one; blank where shares or nobody answer."""
        by_rule = _standing(self.townships.get(township, ()), day)
        if by_rule:
            return by_rule
        standing = {rule.alliance for rule in self.alliances if rule.holds(day)}
        return standing.pop() if len(standing) == 1 else ""

    def care(self, institution: str, area: str, day: date) -> tuple[str, str]:
        """(treating alliance of the county, where): the register knows better than the extract where a place lies."""
        located = self.located.get(institution, area)
        if located == self.county:
            return _standing(self.members.get(institution, ()), day), _LOCAL
        if located in self.counties or (located and located[:4] == self.county[:4]):
            return "", "city"
        return "", "province" if located and located[:2] == self.county[:2] else "outside"


def _standing(rules: Sequence[_Rule], day: date) -> str:
    return next((rule.alliance for rule in rules if rule.holds(day)), "")
