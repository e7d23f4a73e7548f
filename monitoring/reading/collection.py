"""Enrolment and collection of every county against last year and the 95 % of 128号 §二(二); the expected headcounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from core.models import FundType
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.models.collection import EnrolmentTarget, TargetState
from monitoring.reading.figures import Figure, figures
from monitoring.reading.places import PlaceRef, visible_places
from rules.periods import Month
from rules.spans import Span

KEYS = ("income_change", "insured_change", "enrolment")
ENROLMENT_FLOOR = Decimal("0.95")
CLAUSE = "宁医保〔2019〕128号 §二(二)"


@dataclass(frozen=True)
class CollectionLine:
    """A county and fund type: three figures and what about them asks for a look."""

    place: PlaceRef
    fund_type: str
    found: Mapping[str, Figure]
    hints: tuple[str, ...]

    @property
    def income(self) -> Figure:
        return self.found["income_change"]

    @property
    def heads(self) -> Figure:
        return self.found["insured_change"]

    @property
    def enrolment(self) -> Figure:
        return self.found["enrolment"]

    @property
    def fund_label(self) -> str:
        return str(FundType(self.fund_type).label)

    @property
    def data_to(self) -> date | None:
        return self.income.data_to


def latest_month(user: Any) -> Month | None:
    """The last month any of the user's counties has a 基金月报 for."""
    held = PlaceMonth.objects.visible_to(user).current().filter(kind=PlaceKind.COUNTY)
    held = held.filter(Q(income__isnull=False) | Q(insured__isnull=False))
    newest = held.order_by("-year", "-month").values_list("year", "month").first()
    return Month(*newest) if newest else None


def collection_lines(user: Any, month: Month) -> list[CollectionLine]:
    """Every county the user sees × fund type, January to ``month``; the same few queries for any number."""
    places = visible_places(user, PlaceKind.COUNTY)
    span = Span.to_date(month)
    found = figures(places, [span], KEYS)
    return [
        CollectionLine(place, fund, line, tuple(_hints(line)))
        for place in places
        for fund in FundType.values
        if (line := found.get((place.key, fund, span))) and all(key in line for key in KEYS)
    ]


def expected_heads(places: Sequence[PlaceRef], month: Month) -> dict[tuple[str, str], dict[str, Decimal | int | None]]:
    """The confirmed expected headcounts of the counties among ``places``: a source of ``expected_insured``."""
    counties = {place.pk: place.key for place in places if place.kind == PlaceKind.COUNTY}
    rows = EnrolmentTarget.objects.filter(county__in=counties, year=month.year, state=TargetState.CONFIRMED)
    return {
        (counties[county], fund): {"expected_insured": expected}
        for county, fund, expected in rows.order_by().values_list("county_id", "fund_type", "expected")
    }


def _hints(line: Mapping[str, Figure]) -> list[str]:
    said = []
    income, heads, enrolment = (line[key].value for key in KEYS)
    if income is not None and income < 0:
        said.append("征缴收入低于上年同期")
    if heads is not None and heads < 0:
        said.append("参保人数低于上年同期")
    if enrolment is not None and enrolment < ENROLMENT_FLOOR:
        said.append("参保率低于 95%")
    return said
