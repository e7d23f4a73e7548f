"""Is a month closed, and what has changed in it since: asked by everything that recomputes a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from claims.reading import coverage_of
from core.models import County, FundType
from monitoring.models import PlaceMonth
from monitoring.models.periods import Period, PeriodState, StepRun
from monitoring.reading.places import refs_by_key
from rules.periods import Month

AFTER_CLOSE = "结账后更正"


@dataclass(frozen=True)
class LateChange:
    """A place's month that has another version than at the closing. Yuan; None where it was not known."""

    place: str
    kind_text: str
    fund_type: str
    version: int
    reason: str
    at: datetime
    charged_then: Decimal | None
    charged_now: Decimal | None

    @property
    def fund_label(self) -> str:
        return str(FundType(self.fund_type).label)

    @property
    def difference(self) -> Decimal | None:
        if self.charged_then is None or self.charged_now is None:
            return None
        return self.charged_now - self.charged_then


@dataclass(frozen=True)
class LateFacts:
    """A county whose monthly facts have another version than at the closing."""

    county: str
    version_then: int
    version_now: int
    at: datetime | None


def is_closed(area: int, month: Month) -> bool:
    """Whether the month of a pooling area (its id) is closed now."""
    return Period.objects.filter(
        pooling_area=area, year=month.year, month=month.month, state=PeriodState.CLOSED
    ).exists()


def closed_months(area: int) -> set[Month]:
    """All closed months of a pooling area: for callers that recompute many."""
    held = Period.objects.filter(pooling_area=area, state=PeriodState.CLOSED)
    return {Month(year, month) for year, month in held.values_list("year", "month")}


def closed_mark(area: int, month: Month) -> str:
    """What stands before the reason of a new version of the month's figures when it comes after the closing."""
    return f"{AFTER_CLOSE}：" if is_closed(area, month) else ""


def changed_places(period: Period, user: Any) -> list[LateChange]:
    """Every place the user reads and fund type whose figures have changed since the closing; a handful of queries."""
    if period.closed_at is None:
        return []
    held = PlaceMonth.objects.visible_to(user).filter(pooling_area=period.pooling_area_id, year=period.year, month=period.month)
    now = {(row.place, row.fund_type): row for row in held.filter(current=True, computed_at__gt=period.closed_at)}
    then: dict[tuple[str, str], Decimal | None] = {}
    before = held.filter(computed_at__lte=period.closed_at, place__in={place for place, _fund in now})
    for place, fund, charged in before.order_by("version").values_list("place", "fund_type", "charged"):
        then[(place, fund)] = charged
    names = refs_by_key({place for place, _fund in now})
    return [
        LateChange(
            names[place].name, str(row.get_kind_display()), fund, row.version, row.reason, row.computed_at,
            then.get((place, fund)), row.sums()["charged"],
        )
        for (place, fund), row in sorted(now.items())
        if place in names
    ]  # fmt: skip


def facts_of(area: int, month: Month) -> dict[str, int]:
    """The version of the month's facts by county code: kept at the closing."""
    return {cell.county.code: cell.version for cell in _cells(area, month) if cell.version}


def changed_facts(period: Period, user: Any) -> list[LateFacts]:
    """Counties the user sees whose facts moved on since the last closing."""
    closing: Any = period.changes.filter(act="close").last()
    if closing is None:
        return []
    seen = set(County.objects.visible_to(user).values_list("code", flat=True))
    return [
        LateFacts(cell.county.name, closing.facts.get(cell.county.code, 0), cell.version, cell.made_at)
        for cell in _cells(period.pooling_area_id, period.of)
        if cell.county.code in seen and cell.version != closing.facts.get(cell.county.code, 0)
    ]


def corrections(period: Period) -> int:
    """How often steps ran on the closed month."""
    ran = StepRun.objects.filter(
        alliance__county__pooling_area=period.pooling_area_id, year=period.year, month=period.month, after_close=True
    )
    return ran.aggregate(count=Sum("attempts"))["count"] or 0


def _cells(area: int, month: Month) -> list[Any]:
    counties = list(County.objects.filter(pooling_area=area).on(month.last_day).order_by("code"))
    return [cell for cell in coverage_of(counties, month.year) if cell.month == month]
