"""The past years of a fund that a medium-term estimate starts from, of many places in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from claims import reading as claims
from core.models import County
from monitoring.models import PlaceKind
from monitoring.reading.figures import MonthRow, month_rows
from monitoring.reading.places import PlaceRef
from rules.midterm import YEARS_LOOKED_BACK, BaseYear, PastFundYear
from rules.money import ZERO
from rules.periods import Month, months_of_year

BASES = ("insured", "income", "fund_spending", "balance", "insured_discharges")
NEEDED = {"insured": "期末参保人数", "income": "基金收入", "fund_spending": "基金支出", "balance": "累计结余"}
Key = tuple[str, str]


@dataclass(frozen=True)
class FundPast:
    """The whole years of a place and fund type, oldest first; ``gaps`` says of each other year what is missing."""

    years: tuple[PastFundYear, ...]
    gaps: tuple[str, ...]

    @property
    def latest(self) -> BaseYear | None:
        return self.years[-1].base if self.years else None


def fund_pasts(places: Sequence[PlaceRef], fund_types: Collection[str], last: int) -> dict[Key, FundPast]:
    """The whole years up to ``last`` by (place key, fund type): at most three years back, three queries."""
    first = last - YEARS_LOOKED_BACK + 1
    rows = month_rows(places, Month(first, 1), Month(last, 12), BASES, fund_types)
    cities = {place.area for place in places if place.kind == PlaceKind.CITY}
    inside: dict[int, list[int]] = {}
    for pk, area in County.objects.filter(pooling_area__in=cities).values_list("pk", "pooling_area_id") if cities else ():
        inside.setdefault(area, []).append(pk)
    counties = {place.county for place in places if place.county is not None} | {pk for pks in inside.values() for pk in pks}
    reports = claims.report_years(counties, first, last)
    found = {}
    for place in places:
        mine = inside.get(place.area, []) if place.kind == PlaceKind.CITY else [place.county]
        for fund in fund_types:
            years, gaps = [], []
            for year in range(first, last + 1):
                flows = [reports[(pk, fund, year)].flows for pk in mine if pk is not None and (pk, fund, year) in reports]
                told = _year(year, rows.get((place.key, fund), {}), flows)
                if isinstance(told, str):
                    gaps.append(told)
                else:
                    years.append(told)
            found[(place.key, fund)] = FundPast(tuple(years), tuple(gaps))
    return found


def _year(
    year: int, rows: Mapping[Month, MonthRow], reports: Sequence[Mapping[str, Decimal | None]]
) -> PastFundYear | str:
    """The year, or what it lacks."""
    months = months_of_year(year)
    lacking = [
        label
        for base, label in NEEDED.items()
        if any(month not in rows or rows[month].sums[base] is None for month in (months[-1:] if base in ("insured", "balance") else months))
    ]
    if lacking:
        return f"{year} 年缺少{'、'.join(lacking)}（须 12 个月的基金月报与数据齐全）"

    def total(base: str) -> Decimal:
        return sum((Decimal(rows[month].sums[base]) for month in months), ZERO)

    def reported(*names: str) -> Decimal:
        return sum((report[name] or ZERO for report in reports for name in names), ZERO)

    interest, transfers_in = reported("income_interest"), reported("income_transfer")
    critical, transfers_out = reported("spending_critical_illness"), reported("spending_transfer")
    discharges = [rows[month].sums["insured_discharges"] for month in months]
    base = BaseYear(
        year=year,
        heads=int(rows[months[-1]].sums["insured"]),
        contributions=total("income") - interest - transfers_in,
        interest=interest,
        transfers_in=transfers_in,
        benefits=total("fund_spending") - critical - transfers_out,
        critical_illness=critical,
        transfers_out=transfers_out,
        balance=Decimal(rows[months[-1]].sums["balance"]),
    )
    return PastFundYear(base, None if any(count is None for count in discharges) else int(sum(discharges)))
