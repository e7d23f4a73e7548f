"""A row of facts before it is stored, and how rows become table rows and back.

Rows are written and read in whole fen by plain SQL: a city's year is some hundred thousand rows of forty columns, and
building model objects for them would take longer than all the rest of an import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from django.db import connection

from claims.models import COUNT_MEASURES, MONEY_MEASURES, FactSet, MonthlyFact
from core.models import Alliance, County, Institution, Membership
from rules.periods import Month

ROWS_PER_INSERT = 400


@dataclass(frozen=True, slots=True)
class FactRow:
    """One row of facts as its maker knows it: codes for places, whole fen for money, whole numbers for the rest.

    ``alliance`` is the code of the responsible alliance (blank: nobody answers for these insured); ``institution``
    that of the institution (blank or unregistered codes are kept as text). Kind, grade and ownership come from the
    register; ``treating_alliance`` too where blank. ``payable_settlements`` counts settlements with a payable
    delivered; where none is, ``fund_payable`` equals what was billed. ``weight_sum`` is in ten-thousandths.
    """

    fund_type: str
    visit_type: str
    care_location: str
    institution: str = ""
    institution_area: str = ""
    alliance: str = ""
    treating_alliance: str = ""
    method: str = ""
    outflow_kind: str = ""
    settlements: int = 0
    discharges: int = 0
    bed_days: int = 0
    total_cost: int = 0
    drug_cost: int = 0
    tcm_cost: int = 0
    consumables_cost: int = 0
    exam_cost: int = 0
    treatment_cost: int = 0
    eligible_cost: int = 0
    non_covered_cost: int = 0
    deductible_paid: int = 0
    pooled_fund_paid: int = 0
    fund_payable: int = 0
    payable_settlements: int = 0
    serious_illness_paid: int = 0
    medical_assistance_paid: int = 0
    other_paid: int = 0
    personal_account_paid: int = 0
    cash_paid: int = 0
    hospital_borne: int = 0
    weight_sum: int = 0
    groupable_cases: int = 0
    grouped_cases: int = 0
    referrals_up: int = 0
    referrals_down: int = 0
    excluded_fund: int = 0


@dataclass(frozen=True, slots=True)
class EffectiveFact:
    """A row with the payable that counts: the extract's own, or the one a monthly payable table allots to it."""

    row: FactRow
    fund_payable: int
    payable_settlements: int


GRAIN = (
    "fund_type", "visit_type", "care_location", "institution", "institution_area", "alliance", "method", "outflow_kind",
)  # fmt: skip
_TEXTS = ("fund_type", "visit_type", "method", "care_location", "outflow_kind", "institution_area")
_PLACES = (
    "alliance_id", "institution_id", "institution_code", "institution_kind", "institution_grade", "ownership",
    "treating_alliance_id",
)  # fmt: skip
MEASURES = tuple(field.name for field in fields(FactRow) if field.name in {*COUNT_MEASURES, *MONEY_MEASURES})
_COLUMNS = (*_PLACES, *_TEXTS, *MEASURES, "own_payable", "own_payable_settlements")
_AT = {name: index for index, name in enumerate(_COLUMNS)}
_values = attrgetter(*_TEXTS, *MEASURES)

StoredRow = tuple[Any, ...]


class PlaceCodes:
    """The registers a month's rows are written with: codes → rows of the registers, read with three queries."""

    def __init__(self, county: County, month: Month, rows: Sequence[FactRow]) -> None:
        self.alliances = dict(Alliance.objects.filter(county=county).values_list("code", "pk"))
        codes = {row.institution for row in rows if row.institution}
        self.institutions = {
            found[0]: found[1:]
            for chunk in _chunks(sorted(codes), 900)
            for found in Institution.objects.filter(code__in=chunk).values_list(
                "code", "pk", "kind", "grade", "ownership"
            )
        }
        members = Membership.objects.filter(
            valid_from__lte=month.last_day, institution__county__pooling_area=county.pooling_area_id
        ).order_by("valid_from")
        self.member_of = {
            institution: alliance
            for institution, alliance, until in members.values_list("institution_id", "alliance_id", "valid_to")
            if until is None or until >= month.first_day
        }
        self.all_alliances = dict(
            Alliance.objects.filter(county__pooling_area=county.pooling_area_id).values_list("code", "pk")
        )

    def unknown_alliances(self, rows: Iterable[FactRow]) -> set[str]:
        """Codes of responsible alliances that are not of this county."""
        return {row.alliance for row in rows if row.alliance} - self.alliances.keys()

    def places(self, row: FactRow) -> tuple[Any, ...]:
        found = self.institutions.get(row.institution)
        pk, kind, grade, ownership = found if found else (None, "", None, "")
        if row.treating_alliance:
            treating = self.all_alliances.get(row.treating_alliance)
        else:
            treating = None if pk is None else self.member_of.get(pk)
        return (self.alliances.get(row.alliance), pk, row.institution, kind, grade, ownership, treating)


def to_stored(facts: Iterable[EffectiveFact], codes: PlaceCodes) -> list[StoredRow]:
    """Table rows without the fact set's id, in the order of the columns."""
    stored = []
    payable, count = _AT["fund_payable"], _AT["payable_settlements"]
    for fact in facts:
        row = fact.row
        values = [*codes.places(row), *_values(row), row.fund_payable, row.payable_settlements]
        values[payable], values[count] = fact.fund_payable, fact.payable_settlements
        stored.append(tuple(values))
    return stored


def total(rows: Iterable[StoredRow], measure: str) -> int:
    at = _AT[measure]
    return sum(row[at] for row in rows)


def content_of(rows: Iterable[StoredRow]) -> str:
    """sha-256 of rows as they are stored, whatever their order."""
    digest = hashlib.sha256()
    for line in sorted(map(repr, map(tuple, rows))):
        digest.update(line.encode())
    return digest.hexdigest()


def insert(factset: FactSet, rows: Sequence[StoredRow]) -> None:
    """Write the rows of a set."""
    columns = ", ".join(map(connection.ops.quote_name, ("factset_id", *_COLUMNS)))
    table = connection.ops.quote_name(MonthlyFact._meta.db_table)
    one = f"({', '.join(['%s'] * (len(_COLUMNS) + 1))})"
    with connection.cursor() as cursor:
        for chunk in _chunks(rows, ROWS_PER_INSERT):
            values = [value for row in chunk for value in (factset.pk, *row)]
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * len(chunk))}", values)


def read(factset: FactSet) -> list[StoredRow]:
    """The rows of a set as they are stored."""
    columns = ", ".join(map(connection.ops.quote_name, _COLUMNS))
    table = connection.ops.quote_name(MonthlyFact._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} WHERE factset_id = %s", [factset.pk])
        return [tuple(row) for row in cursor.fetchall()]


def to_facts(rows: Iterable[StoredRow]) -> list[FactRow]:
    """Stored rows as their maker gave them: before any payable table."""
    codes = dict(Alliance.objects.values_list("pk", "code"))
    found = []
    for stored in rows:
        values = dict(zip(_COLUMNS, stored, strict=True))
        measures = {name: values[name] for name in MEASURES}
        measures["fund_payable"] = values["own_payable"]
        measures["payable_settlements"] = values["own_payable_settlements"]
        found.append(
            FactRow(
                institution=values["institution_code"],
                alliance=codes.get(values["alliance_id"], ""),
                treating_alliance=codes.get(values["treating_alliance_id"], ""),
                **{name: values[name] for name in _TEXTS},
                **measures,
            )
        )
    return found


def _chunks(rows: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
