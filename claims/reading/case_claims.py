"""Single claims for audit cases: by settlement id, or searched at a provider; with who answers for the insured (A15).

Read from the manifest's files only and a page at a time; persons are keyed hashes throughout. Opening them is logged by
the service that shows them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from claims import lake
from claims.engine.facts import responsible_alliances
from claims.models import FactFundType, VisitType
from claims.services.registers import reference_for
from core.models import County
from rules.money import from_fen
from rules.periods import Month, months_between

Span = tuple[date, date]
VISIT_CHOICES: tuple[tuple[str, str], ...] = tuple(VisitType.choices)
"""Kinds of visit with their Chinese names, for filters."""


@dataclass(frozen=True)
class CaseClaim:
    """One settlement (yuan). ``alliance`` is the code of the alliance that answers for the insured person, blank where
    agreed shares or nobody do. ``reverses`` is the claim this row takes back, ``reversed_by`` the row that takes this one
    back. ``excluded``: treatment of a public health emergency, which no package pays."""

    settlement_id: str
    person: str
    fund_type: str
    institution_code: str
    visit_type: str
    settled_on: date
    admission_date: date | None
    discharge_date: date | None
    diagnosis_code: str
    total_cost: Decimal
    pooled_fund_paid: Decimal
    reverses: str
    excluded: bool
    reversed_by: str
    alliance: str

    @property
    def fund_text(self) -> str:
        return FactFundType(self.fund_type).label

    @property
    def visit_text(self) -> str:
        return VisitType(self.visit_type).label

    @property
    def standing(self) -> bool:
        """Neither a reversal nor reversed."""
        return not self.reverses and not self.reversed_by


@dataclass(frozen=True)
class FoundClaims:
    """A page of claims, how many there are and what the fund paid for them over all pages (yuan)."""

    total: int
    pooled_fund_paid: Decimal
    rows: list[CaseClaim]


_READ = {
    "settlement_id": "settlement_id", "person": "coalesce(person, '')", "fund_type": "fund_type",
    "institution_code": "coalesce(institution_code, '')", "visit_type": "visit_type", "settled_on": "settled_on",
    "admission_date": "admission_date", "discharge_date": "discharge_date",
    "diagnosis_code": "coalesce(diagnosis_code, '')", "total_cost": "total_cost", "pooled_fund_paid": "pooled_fund_paid",
    "reverses": "coalesce(reversal_of, '')",
    "excluded": "coalesce(CAST(public_health_emergency AS BOOLEAN), FALSE)", "township": "coalesce(enrolment_township, '')",
}  # fmt: skip
_SELECT = ", ".join(f"{sql} AS {name}" for name, sql in _READ.items())
_STORED = tuple(field.name for field in fields(CaseClaim) if field.name not in ("reversed_by", "alliance"))


def holds_claims(county: County, month: Month) -> bool:
    """Whether the lake holds the whole month of a county's insured."""
    return any(file.declared for file in lake.live_files(county, [month]))


def claims_by_id(county: County, ids: Collection[str], span: Span | None = None) -> dict[str, CaseClaim]:
    """The claims of a county's insured with these settlement ids, settled in ``span`` (any day without); others are absent."""
    if not ids:
        return {}
    where, values = ["settlement_id IN (SELECT unnest($2))"], [sorted(ids)]
    if span is not None:
        where.append("settled_on BETWEEN $3 AND $4")
        values += [*span]  # type: ignore[list-item]
    with lake.reader() as connection:
        found = _rows(connection, county, span, where, values, "")
        return {claim.settlement_id: claim for claim in _claims(connection, county, found)}


def search_claims(county: County, span: Span, chosen: dict[str, Any], offset: int, limit: int) -> FoundClaims:
    """Claims of a county's insured settled from the first to the last day of ``span``, by day and id.

    ``chosen`` may name ``institutions`` (codes), ``person`` (pseudonym or its beginning), ``diagnosis`` (beginning of the
    code), ``visit_type``, ``fund_type`` and ``settlement_id`` (beginning).
    """
    where, values = ["settled_on BETWEEN $2 AND $3"], list[Any](span)
    for name, condition in (
        ("institutions", "institution_code IN (SELECT unnest({}))"),
        ("person", "starts_with(person, {})"),
        ("diagnosis", "starts_with(upper(diagnosis_code), upper({}))"),
        ("visit_type", "visit_type = {}"),
        ("fund_type", "fund_type = {}"),
        ("settlement_id", "starts_with(settlement_id, {})"),
    ):
        given = chosen.get(name)
        if given is not None and (given or name == "institutions"):
            values.append(sorted(given) if name == "institutions" else str(given))
            where.append(condition.format(f"${len(values) + 1}"))
    files = _files(county, span)
    if not files:
        return FoundClaims(0, Decimal("0.00"), [])
    with lake.reader() as connection:
        total, paid = connection.execute(
            f"SELECT count(*), coalesce(sum(pooled_fund_paid), 0) FROM read_parquet($1, union_by_name=true) WHERE {' AND '.join(where)}",
            [files, *values],
        ).fetchall()[0]
        page = f"ORDER BY settled_on, settlement_id LIMIT {int(limit)} OFFSET {int(offset)}"
        found = _rows(connection, county, span, where, values, page)
        return FoundClaims(int(total), from_fen(int(paid)), _claims(connection, county, found))


def _files(county: County, span: Span | None) -> list[str]:
    months = None if span is None else months_between(Month.of(span[0]), Month.of(span[1]))
    return [str(file.path) for file in lake.live_files(county, months)]


def _rows(
    connection: Any, county: County, span: Span | None, where: Sequence[str], values: Sequence[Any], page: str
) -> list[dict[str, Any]]:
    files = _files(county, span)
    if not files:
        return []
    query = f"SELECT {_SELECT} FROM read_parquet($1, union_by_name=true) WHERE {' AND '.join(where)} {page}"
    return [dict(zip(_READ, row, strict=True)) for row in connection.execute(query, [files, *values]).fetchall()]


def _claims(connection: Any, county: County, rows: list[dict[str, Any]]) -> list[CaseClaim]:
    if not rows:
        return []
    reversals = _reversals(connection, county, [row["settlement_id"] for row in rows])
    told = [(row["township"], row["settled_on"]) for row in rows]
    answering = responsible_alliances(reference_for(county), county.code, told)
    found = []
    for row, alliance in zip(rows, answering, strict=True):
        values = {name: row[name] for name in _STORED}
        for name in ("total_cost", "pooled_fund_paid"):
            values[name] = from_fen(int(row[name]))
        found.append(CaseClaim(**values, reversed_by=reversals.get(row["settlement_id"], ""), alliance=alliance))
    return found


def _reversals(connection: Any, county: County, ids: Sequence[str]) -> dict[str, str]:
    """Claim → the row that takes it back, whenever that was settled."""
    query = """SELECT reversal_of, min(settlement_id) FROM read_parquet($1, union_by_name=true)
               WHERE reversal_of IS NOT NULL AND reversal_of IN (SELECT unnest($2)) GROUP BY 1"""
    return dict(connection.execute(query, [_files(county, None), list(ids)]).fetchall())
