"""What the 基金月报 of whole years add up to, by county and fund type: for budgets and estimates of years, not of months."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from claims.models import REPORT_FIELDS, FundMonthlyReport
from rules.periods import Month

FLOWS = tuple(field.name for field in REPORT_FIELDS if field.kind == "yuan" and not field.name.startswith("balance_"))


@dataclass(frozen=True)
class ReportYear:
    """``months`` are those reported; ``flows`` sums of yuan by field, None where no month told it (blank is not zero)."""

    months: tuple[Month, ...]
    flows: dict[str, Decimal | None]


def report_years(counties: Collection[int], first: int, last: int) -> dict[tuple[int, str, int], ReportYear]:
    """By (county id, fund type, year); one query."""
    rows = FundMonthlyReport.objects.current().filter(county__in=counties, year__gte=first, year__lte=last)
    months: dict[tuple[int, str, int], list[Month]] = {}
    sums: dict[tuple[int, str, int], dict[str, Any]] = {}
    for row in rows.order_by("year", "month").values("county_id", "fund_type", "year", "month", *FLOWS):
        key = (row["county_id"], row["fund_type"], row["year"])
        months.setdefault(key, []).append(Month(row["year"], row["month"]))
        held = sums.setdefault(key, dict.fromkeys(FLOWS))
        for name in FLOWS:
            if row[name] is not None:
                held[name] = (held[name] or Decimal("0.00")) + row[name]
    return {key: ReportYear(tuple(found), sums[key]) for key, found in months.items()}
