"""A month's facts for people: what was held when, and the institutions behind a sum."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from claims.models import CareLocation, FactFundType, FactSet, MonthlyFact
from claims.reading.sums import ZERO


@dataclass(frozen=True)
class InstitutionLine:
    """One institution of a fact set under the chosen filters (yuan)."""

    code: str
    name: str
    area: str
    care_location: str
    settlements: int
    discharges: int
    total_cost: Decimal
    pooled_fund_paid: Decimal
    fund_payable: Decimal

    @property
    def location_text(self) -> str:
        return CareLocation(self.care_location).label


@dataclass(frozen=True)
class LocationLine:
    """One fund type and care location of a fact set (yuan)."""

    fund_type: str
    care_location: str
    settlements: int
    total_cost: Decimal
    pooled_fund_paid: Decimal
    fund_payable: Decimal

    @property
    def fund_text(self) -> str:
        return FactFundType(self.fund_type).label

    @property
    def location_text(self) -> str:
        return CareLocation(self.care_location).label


SORTS = ("fund_payable", "pooled_fund_paid", "total_cost", "settlements", "discharges", "name")


def by_location(factset: FactSet) -> list[LocationLine]:
    """Fund type × care location, in the order of the enumerations; one query."""
    rows = (
        MonthlyFact.objects.filter(factset=factset)
        .order_by()
        .values("fund_type", "care_location")
        .annotate(count=Sum("settlements"), cost=Sum("total_cost"), billed=Sum("pooled_fund_paid"), payable=Sum("fund_payable"))
    )
    funds, locations = list(FactFundType.values), list(CareLocation.values)
    lines = [
        LocationLine(
            row["fund_type"], row["care_location"], row["count"], row["cost"], row["billed"], row["payable"],
        )
        for row in rows
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (funds.index(line.fund_type), locations.index(line.care_location)))


def by_institution(factset: FactSet, chosen: dict[str, Any], sort: str = "-fund_payable") -> list[InstitutionLine]:
    """Institutions of the set under filters (``q``, ``fund_type``, ``care_location``, ``visit_type``); one query."""
    facts = MonthlyFact.objects.filter(factset=factset)
    for name in ("fund_type", "care_location", "visit_type"):
        if chosen.get(name):
            facts = facts.filter(**{name: chosen[name]})
    if text := (chosen.get("q") or "").strip():
        facts = facts.filter(Q(institution_code__icontains=text) | Q(institution__name__icontains=text))
    rows = (
        facts.order_by()
        .values("institution_code", "institution__name", "institution_area", "care_location")
        .annotate(
            count=Sum("settlements"),
            left=Sum("discharges"),
            cost=Sum("total_cost"),
            billed=Sum("pooled_fund_paid"),
            payable=Sum("fund_payable"),
        )
    )
    lines = [
        InstitutionLine(
            row["institution_code"], row["institution__name"] or row["institution_code"] or "手工报销等未列机构",
            row["institution_area"], row["care_location"], row["count"], row["left"], row["cost"], row["billed"],
            row["payable"],
        )
        for row in rows
    ]  # fmt: skip
    key = sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "fund_payable"
    down = sort.startswith("-") or key != sort
    return sorted(sorted(lines, key=lambda line: line.code), key=lambda line: getattr(line, key), reverse=down)


def total_of(lines: list[Any]) -> dict[str, Any]:
    """Sums of the lines shown."""
    return {
        "settlements": sum(line.settlements for line in lines),
        **{
            name: sum((getattr(line, name) for line in lines), ZERO)
            for name in ("total_cost", "pooled_fund_paid", "fund_payable")
        },
    }
