"""What a year of claims means for a package: S_in, X, T and the memos, with the measure each came from.

domain.md §2.4 and decisions A5 (fund-payable, else billed), A6 (out-of-county care inside), A9 (in-county care outside
the alliance is a memo), A15 (sister alliances), A17 (year of settlement). All amounts are Decimal yuan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from claims.models import OUT_OF_COUNTY, CareLocation, FactFundType, OpenReject
from claims.reading.package_scope import PackageScope
from claims.reading.sums import ZERO, Cell, SetHead, cells, counties_of, set_heads
from core.models import Alliance
from rules.money import round_ratio
from rules.periods import Month, months_of_year

MEASURES = {
    "fund_payable": "按付费方式应付金额",
    "pooled_fund_paid": "按记账金额（未提供应付金额或按项目付费）",
    "mixed": "部分按应付金额、部分按记账金额",
}


@dataclass(frozen=True)
class FundYear:
    """One alliance, year and fund type. ``measure`` speaks of the care inside the alliance: out-of-county care is what
    the fund paid elsewhere. ``open_reject_share`` is that of the worst month."""

    alliance: int
    year: int
    fund_type: str
    scope: PackageScope
    in_alliance: Decimal
    out_of_county: Decimal
    at_sisters: Decimal
    treated_for_sisters: Decimal
    primary: Decimal
    in_county_outside: Decimal
    out_of_scope: Decimal
    county_total: Decimal
    excluded_emergency: Decimal
    billed_in_alliance: Decimal
    measure: str
    months_present: tuple[Month, ...]
    months_missing: tuple[Month, ...]
    data_to: date | None
    open_reject_share: Decimal
    settlements: int
    factsets: tuple[int, ...]
    fingerprint: str

    @property
    def outflow(self) -> Decimal:
        """X: what the fund paid for the alliance's insured outside the county or at a sister alliance."""
        return self.out_of_county + self.at_sisters

    @property
    def charged(self) -> Decimal:
        """S = S_in + X."""
        return self.in_alliance + self.outflow

    @property
    def measure_text(self) -> str:
        return MEASURES[self.measure]


def fund_year(
    alliance: Alliance,
    year: int,
    fund_type: str,
    scope: PackageScope = PackageScope.DEFAULT,
    through: Month | None = None,
    frozen_factsets: Sequence[int] | None = None,
) -> FundYear:
    """What an alliance's package is charged for a year (to ``through``), from the current or the frozen fact sets."""
    heads = set_heads({alliance.county_id}, year, through, frozen_factsets)
    found = cells(heads, [fund_type])
    return _fund_year(alliance, year, fund_type, scope, through, heads, found, _reject_shares(heads, year, through))


def fund_years(
    alliances: Collection[Alliance],
    year: int,
    scopes: Mapping[tuple[int, str], PackageScope] | None = None,
    through: Month | None = None,
    fund_types: Collection[str] = (FactFundType.RESIDENT, FactFundType.EMPLOYEE),
) -> dict[tuple[int, str], FundYear]:
    """The same for many alliances in three queries, by (alliance id, fund type); ``scopes`` by the same key."""
    heads = set_heads(counties_of(alliances), year, through)
    found = cells(heads, fund_types)
    shares = _reject_shares(heads, year, through)
    years = {}
    for alliance in alliances:
        mine = [head for head in heads if head.county == alliance.county_id]
        for fund_type in map(str, fund_types):
            scope = (scopes or {}).get((alliance.pk, fund_type), PackageScope.DEFAULT)
            years[(alliance.pk, fund_type)] = _fund_year(alliance, year, fund_type, scope, through, mine, found, shares)
    return years


def _fund_year(
    alliance: Alliance,
    year: int,
    fund_type: str,
    scope: PackageScope,
    through: Month | None,
    heads: Sequence[SetHead],
    found: Sequence[Cell],
    shares: Mapping[tuple[int, Month], Decimal],
) -> FundYear:
    county = [cell for cell in found if cell.county == alliance.county_id and cell.fund_type == fund_type]
    mine = [cell for cell in county if cell.alliance == alliance.pk]
    charged = _charged(mine, alliance, fund_type, scope)
    own = [cell for cell in charged if cell.care_location == CareLocation.OWN_ALLIANCE]
    outside = [cell for cell in mine if cell.care_location == CareLocation.IN_COUNTY]
    visits = scope.visit_types(fund_type)
    for_sisters = [
        cell
        for cell in county
        if cell.treating == alliance.pk and cell.alliance != alliance.pk and cell.visit_type in visits
    ]
    present = tuple(head.period for head in heads if head.declared)
    wanted = [month for month in months_of_year(year) if through is None or month <= through]
    dates = [head.data_to for head in heads if head.declared and head.data_to]
    return FundYear(
        alliance=alliance.pk,
        year=year,
        fund_type=str(fund_type),
        scope=scope,
        in_alliance=_total(own),
        out_of_county=_at(charged, *OUT_OF_COUNTY),
        at_sisters=_at(charged, CareLocation.SISTER_ALLIANCE),
        treated_for_sisters=_total(for_sisters),
        primary=_total(cell for cell in own if cell.primary),
        in_county_outside=_total(outside),
        out_of_scope=_total(mine) - _total(charged) - _total(outside),
        county_total=sum((cell.payable for cell in county), ZERO),
        excluded_emergency=sum((cell.excluded for cell in mine), ZERO),
        billed_in_alliance=sum((cell.billed - cell.excluded for cell in own), ZERO),
        measure=_measure(own),
        months_present=present,
        months_missing=tuple(month for month in wanted if month not in present),
        data_to=max(dates, default=None),
        open_reject_share=max((shares.get((alliance.county_id, month), ZERO) for month in wanted), default=ZERO),
        settlements=sum(cell.settlements for cell in charged),
        factsets=tuple(head.pk for head in heads),
        fingerprint=_fingerprint(alliance, year, fund_type, scope, through, heads),
    )


def _charged(found: Iterable[Cell], alliance: Alliance, fund_type: str, scope: PackageScope) -> list[Cell]:
    visits, locations = scope.visit_types(fund_type), scope.locations()
    return [
        cell
        for cell in found
        if cell.alliance == alliance.pk
        and cell.fund_type == fund_type
        and cell.visit_type in visits
        and cell.care_location in locations
    ]


def _total(found: Iterable[Cell]) -> Decimal:
    return sum((cell.packaged for cell in found), ZERO)


def _at(found: Iterable[Cell], *locations: str) -> Decimal:
    return _total(cell for cell in found if cell.care_location in locations)


def _measure(found: Collection[Cell]) -> str:
    by_method = sum(cell.by_method for cell in found)
    delivered = sum(cell.by_method_delivered for cell in found)
    if delivered == 0:
        return "pooled_fund_paid"
    return "fund_payable" if delivered == by_method else "mixed"


def _reject_shares(heads: Sequence[SetHead], year: int, through: Month | None) -> dict[tuple[int, Month], Decimal]:
    """Open rejects' share of a month's yuan: rejected ÷ (held + rejected), by county and month."""
    held = {(head.county, head.period): head.pooled_fund_paid for head in heads}
    rows = OpenReject.objects.open().filter(county__in={head.county for head in heads}, year=year)
    rejected: dict[tuple[int, Month], Decimal] = {}
    for county, found_year, month, amount in rows.values_list("county_id", "year", "month", "pooled_fund_paid"):
        key = (county, Month(found_year, month))
        if through is None or key[1] <= through:
            rejected[key] = rejected.get(key, ZERO) + abs(amount)
    shares = {}
    for key, amount in rejected.items():
        whole = held.get(key, ZERO) + amount
        shares[key] = round_ratio(amount / whole) if whole > 0 else ZERO
    return shares


def _fingerprint(
    alliance: Alliance, year: int, fund_type: str, scope: PackageScope, through: Month | None, heads: Sequence[SetHead]
) -> str:
    told = {
        "alliance": alliance.code,
        "year": year,
        "fund_type": str(fund_type),
        "scope": scope.as_json(),
        "through": str(through or ""),
        "factsets": [[head.pk, head.content] for head in heads],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
