"""What is held per county and month: rows, yuan, rejected yuan, up to which date, by whom, from where, which version."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Sum

from claims.models import ClaimsImport, FactSet, FactSource, LakeFile, OpenReject
from claims.models.imports import FINISHED
from claims.reading.sums import ZERO
from core.kept import kept
from core.models import County
from rules.money import round_ratio
from rules.periods import Month, months_of_year


@dataclass(frozen=True)
class MonthCoverage:
    """One county and month. ``rows`` are claims (of the lake, else settlements of a table); yuan are pooled-fund."""

    county: County
    month: Month
    factset: int | None = None
    version: int = 0
    declared: bool = False
    source: str = ""
    claims_import: int | None = None
    rows: int = 0
    settlements: int = 0
    pooled_fund_paid: Decimal = ZERO
    fund_payable: Decimal = ZERO
    late_rows: int = 0
    open_reject_rows: int = 0
    open_reject_yuan: Decimal = ZERO
    data_to: date | None = None
    made_at: datetime | None = None
    made_by: str = ""
    pending_import: int | None = None

    @property
    def source_text(self) -> str:
        return FactSource(self.source).label if self.source else ""

    @property
    def reject_share(self) -> Decimal:
        """Open rejects ÷ (held + open rejects), as a fraction of the yuan."""
        whole = self.pooled_fund_paid + self.open_reject_yuan
        return round_ratio(self.open_reject_yuan / whole) if whole > 0 else ZERO


def coverage(county: County, year: int) -> list[MonthCoverage]:
    """The twelve months of one county."""
    return coverage_of([county], year)


def versions_held(county: County) -> dict[Month, int]:
    """The number of the current version of each month that is held."""
    sets = FactSet.objects.current().filter(county=county).order_by()
    return {Month(year, month): version for year, month, version in sets.values_list("year", "month", "version")}


def coverage_of(counties: Collection[County], year: int) -> list[MonthCoverage]:
    """The twelve months of each county, in four queries whatever their number; kept until the trail moves."""
    key = (tuple(county.pk for county in counties), year)
    return kept("coverage", key, lambda: _coverage_of(counties, year))


def _coverage_of(counties: Collection[County], year: int) -> list[MonthCoverage]:
    cells = {
        (county.pk, month): MonthCoverage(county, month) for county in counties for month in months_of_year(year)
    }
    sets = FactSet.objects.current().filter(county__in=counties, year=year).select_related("created_by")
    for held in sets:
        key = (held.county_id, held.period)
        cells[key] = replace(
            cells[key],
            factset=held.pk,
            version=held.version,
            declared=held.declared,
            source=held.source,
            claims_import=held.claims_import_id,
            rows=held.settlements,
            settlements=held.settlements,
            pooled_fund_paid=held.pooled_fund_paid,
            fund_payable=held.fund_payable,
            data_to=held.data_to,
            made_at=held.created_at,
            made_by=str(held.created_by or "系统"),
        )
    files = (
        LakeFile.objects.live()
        .filter(county__in=counties, year=year)
        .order_by()
        .values_list("county_id", "month", "declared")
        .annotate(Sum("rows"))
    )
    counted: set[tuple[int, Month]] = set()
    for county, number, declared, rows in files:
        key = (county, Month(year, number))
        known = cells[key]
        before = known.rows if key in counted else 0
        counted.add(key)
        cells[key] = replace(
            known, rows=before + rows, late_rows=known.late_rows if declared else known.late_rows + rows
        )
    rejects = (
        OpenReject.objects.open()
        .filter(county__in=counties, year=year)
        .order_by()
        .values_list("county_id", "month")
        .annotate(Sum("rows"), Sum("pooled_fund_paid"), Count("pk"))
    )
    for county, number, rows, amount, _count in rejects:
        key = (county, Month(year, number))
        cells[key] = replace(cells[key], open_reject_rows=rows, open_reject_yuan=amount)
    pending = ClaimsImport.objects.exclude(state__in=FINISHED).filter(
        county__in=counties, period_from__lte=date(year, 12, 31), period_to__gte=date(year, 1, 1)
    )
    for waiting in pending.order_by("pk").only("pk", "county_id", "period_from", "period_to"):
        for month in waiting.months:
            key = (waiting.county_id, month)
            if key in cells:
                cells[key] = replace(cells[key], pending_import=waiting.pk)
    return [cells[(county.pk, month)] for county in counties for month in months_of_year(year)]
