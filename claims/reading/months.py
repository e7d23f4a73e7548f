"""What is held of a county's month: its current facts and fund reports, and how new they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from claims.models import FactSet, FundMonthlyReport
from claims.models.reports import REPORT_FIELDS
from rules.periods import Month


@dataclass(frozen=True)
class Reported:
    """The current 基金月报 of a fund type; ``values`` by field name, yuan or persons, None where blank."""

    pk: int
    version: int
    values: Mapping[str, Decimal | int | None]


@dataclass(frozen=True)
class HeldMonth:
    """``factset`` None: nothing was delivered. ``reports`` by fund type."""

    factset: int | None
    version: int
    declared: bool
    data_to: date | None
    reason: str
    reports: Mapping[str, Reported]

    @property
    def identity(self) -> tuple[int | None, ...]:
        """Changes with every new version of the facts or a report."""
        return (self.factset, *sorted(report.pk for report in self.reports.values()))


class MonthSources(NamedTuple):
    """The current fact set of a month and when its newest current report was entered."""

    factset: int | None
    reported_at: datetime | None


def held_month(county: int, month: Month) -> HeldMonth:
    """Two queries."""
    at = {"county": county, "year": month.year, "month": month.month}
    factset = FactSet.objects.current().filter(**at).order_by().first()
    names = [field.name for field in REPORT_FIELDS]
    reports = {
        fund: Reported(pk, version, dict(zip(names, values, strict=True)))
        for fund, pk, version, *values in FundMonthlyReport.objects.current()
        .filter(**at)
        .order_by()
        .values_list("fund_type", "pk", "version", *names)
    }
    if factset is None:
        return HeldMonth(None, 0, False, None, "", reports)
    return HeldMonth(factset.pk, factset.version, factset.declared, factset.data_to, factset.reason, reports)


def month_sources(counties: Collection[int] | None = None) -> dict[tuple[int, Month], MonthSources]:
    """Every month of these counties (None: of all) that holds facts or a report; two queries."""
    sets, reports = FactSet.objects.current().order_by(), FundMonthlyReport.objects.current().order_by()
    if counties is not None:
        sets, reports = sets.filter(county__in=counties), reports.filter(county__in=counties)
    found = {
        (county, Month(year, month)): MonthSources(pk, None)
        for county, year, month, pk in sets.values_list("county_id", "year", "month", "pk")
    }
    for county, year, month, at in reports.values_list("county_id", "year", "month", "entered_at"):
        key = (county, Month(year, month))
        held = found.get(key, MonthSources(None, None))
        found[key] = held._replace(reported_at=max(filter(None, (held.reported_at, at))))
    return found
