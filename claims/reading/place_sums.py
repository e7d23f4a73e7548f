"""What one version of a county's month comes to for the county, its alliances and its institutions: one grouped query.

The bases are those of :data:`rules.indicators.BASES` whose source is the facts. ``charged`` agrees to the fen with
:func:`claims.reading.fund_year`, care inside an alliance with :func:`claims.reading.measures`. The package's scope of the
responsible alliance decides which visits count, wherever care was given; employees' maternity is out unless it is packaged
(A21). Insured nobody answers for count in the county only. Plain SQL in fen: a group has some thirty sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from claims.models import OUT_OF_COUNTY, CareLocation, MonthlyFact, OutflowKind
from claims.reading.measures import INPATIENT, OUTSIDE, OWN, PACKAGED
from claims.reading.package_scope import PackageScope
from core.models.places import PRIMARY_KINDS
from rules.indicators import BASE_BY_KEY
from rules.money import from_fen

Key = tuple[int, str]
Sums = dict[str, Decimal | int | None]
LOCAL = tuple(place.value for place in CareLocation if place not in OUT_OF_COUNTY)
CARE = (
    "inpatient_cost", "discharges", "bed_days", "outpatient_cost", "visits", "visits_primary", "total_cost", "drug_cost",
    "consumables_cost", "exam_cost", "eligible_cost", "non_covered_cost", "pooled_paid", "serious_paid", "own_paid",
    "groupable", "grouped", "weight", "referrals_up", "referrals_down",
)  # fmt: skip
"""Care given inside the place."""
SPENT = (
    "charged", "fund_in_county", "fund_in_alliance", "fund_primary", "fund_inpatient", "fund_outpatient",
)  # fmt: skip
INSURED = (
    "fund_all", "insured_discharges", "insured_discharges_in_county", "insured_discharges_out",
    "insured_discharges_unregistered",
)  # fmt: skip
"""What became of the insured wherever they were treated; an institution has none."""
_SUMS = (
    "settlements", "discharges", "bed_days", "total_cost", "drug_cost + tcm_cost", "consumables_cost", "exam_cost",
    "eligible_cost", "non_covered_cost", "pooled_fund_paid", "serious_illness_paid", "personal_account_paid + cash_paid",
    "fund_payable - excluded_fund", "groupable_cases", "grouped_cases", "weight_sum", "referrals_up", "referrals_down",
)  # fmt: skip
_AT = {name: at for at, name in enumerate((*CARE, *SPENT, *INSURED))}
_WIDTH = len(_AT)


@dataclass(frozen=True)
class PlaceSums:
    """Sums by fund type of the county, by (id, fund type) of alliances and institutions; money is yuan.

    ``billed``: every yuan of the fund's facts as billed, whatever the package covers. What has no facts is not here:
    :func:`nothing` are its sums.
    """

    county: Mapping[str, Sums]
    alliances: Mapping[Key, Sums]
    institutions: Mapping[Key, Sums]
    billed: Mapping[str, Decimal]


@dataclass
class _Adding:
    county: dict[str, list[int]] = field(default_factory=dict)
    alliances: dict[Key, list[int]] = field(default_factory=dict)
    institutions: dict[Key, list[int]] = field(default_factory=dict)
    billed: dict[str, int] = field(default_factory=dict)


def nothing(institution: bool = False) -> Sums:
    """The sums of a place without a single fact in a month that was delivered: zero is known."""
    return _sums([0] * _WIDTH, institution)


def place_sums(factset: int, scopes: Mapping[Key, PackageScope] | None = None) -> PlaceSums:
    """The sums of one fact set; ``scopes`` by (alliance id, fund type), the default scope elsewhere."""
    adding = _Adding(county={fund: [0] * _WIDTH for fund in PACKAGED}, billed=dict.fromkeys(PACKAGED, 0))
    inside = {
        key: (scope.visit_types(key[1]), scope.locations()) for key, scope in (scopes or {}).items()
    }
    default = {fund: (PackageScope.DEFAULT.visit_types(fund), PackageScope.DEFAULT.locations()) for fund in PACKAGED}
    for row in _rows(factset):
        alliance, fund, visit, location, institution, kind, outflow = row[:7]
        values = row[7:]
        adding.billed[fund] += values[9]
        visits, locations = inside.get((alliance, fund), default[fund])
        if visit in visits:
            _add(adding, alliance, fund, visit, location, institution, kind, outflow, location in locations, values)
    return PlaceSums(
        county={fund: _sums(values) for fund, values in adding.county.items()},
        alliances={key: _sums(values) for key, values in adding.alliances.items()},
        institutions={key: _sums(values, institution=True) for key, values in adding.institutions.items()},
        billed={fund: from_fen(amount) for fund, amount in adding.billed.items()},
    )


def _add(
    adding: _Adding, alliance: int | None, fund: str, visit: str, location: str, institution: int | None, kind: str,
    outflow: str, in_package: bool, values: tuple[int, ...],
) -> None:  # fmt: skip
    inpatient, primary, local, own = visit in INPATIENT, kind in PRIMARY_KINDS, location in LOCAL, location == OWN
    packaged = values[12]
    charged = packaged if in_package and alliance is not None else 0
    care = _care(inpatient, primary, values) if local else None
    spent = (
        charged,
        packaged if local else 0,
        packaged if own else 0,
        packaged if own and primary else 0,
        packaged if local and inpatient else 0,
        packaged if local and not inpatient else 0,
    )
    left = values[1] if inpatient else 0
    outside = left if location in OUTSIDE else 0
    insured = (
        packaged, left, left if local else 0, outside, outside if outflow == OutflowKind.SELF_CHOSEN else 0,
    )  # fmt: skip
    _plus(adding.county[fund], care, spent, insured)
    if alliance is not None:
        mine = adding.alliances.setdefault((alliance, fund), [0] * _WIDTH)
        _plus(mine, care if own else None, spent, insured)
    if local and institution is not None:
        _plus(adding.institutions.setdefault((institution, fund), [0] * _WIDTH), care, spent, None)


def _care(inpatient: bool, primary: bool, values: tuple[int, ...]) -> tuple[int, ...]:
    settlements, discharges, bed_days, total = values[:4]
    visits = 0 if inpatient else settlements
    return (
        total if inpatient else 0,
        discharges if inpatient else 0,
        bed_days if inpatient else 0,
        0 if inpatient else total,
        visits,
        visits if primary else 0,
        total,
        *values[4:12],
        *values[13:18],
    )


def _plus(
    held: list[int], care: tuple[int, ...] | None, spent: tuple[int, ...], insured: tuple[int, ...] | None
) -> None:
    if care is not None:
        for at, value in enumerate(care):
            held[at] += value
    for at, value in enumerate(spent, len(CARE)):
        held[at] += value
    if insured is not None:
        for at, value in enumerate(insured, len(CARE) + len(SPENT)):
            held[at] += value


def _sums(values: list[int], institution: bool = False) -> Sums:
    found: Sums = {}
    for name, at in _AT.items():
        if institution and name in INSURED:
            found[name] = None
        else:
            found[name] = from_fen(values[at]) if BASE_BY_KEY[name].is_money else values[at]
    return found


def _rows(factset: int) -> list[tuple[Any, ...]]:
    """Institution by institution inside the county, everything outside together by how the insured got there."""
    local = ", ".join(f"'{place}'" for place in LOCAL)
    funds = ", ".join(f"'{fund}'" for fund in PACKAGED)
    here = f"care_location IN ({local})"
    sums = ", ".join(f"CAST(SUM({sql}) AS BIGINT)" for sql in _SUMS)
    table = connection.ops.quote_name(MonthlyFact._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT alliance_id, fund_type, visit_type, care_location, CASE WHEN {here} THEN institution_id END,"
            f" CASE WHEN {here} THEN institution_kind ELSE '' END, CASE WHEN {here} THEN '' ELSE outflow_kind END, {sums}"
            f" FROM {table} WHERE factset_id = %s AND fund_type IN ({funds}) GROUP BY 1, 2, 3, 4, 5, 6, 7",
            [factset],
        )
        return list(cursor.fetchall())
