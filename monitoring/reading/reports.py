"""What an analysis report is written from: sums, indicators, members, hospitals, warnings and what is still missing.

Every function takes the whole place at once; a report costs the same number of queries however many counties it covers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone

from core.models import (
    Alliance,
    County,
    FundType,
    Institution,
    InstitutionKind,
    Membership,
    PoolingArea,
    Role,
    RoleGrant,
    User,
)
from core.models.places import valid_on
from monitoring.models import PlaceMonth, Warning
from monitoring.reading.figures import Rows, month_rows
from monitoring.reading.places import PlaceRef, ref_of
from monitoring.states import OPEN_STATES
from rules.indicators import BASE_BY_KEY, add_up
from rules.money import round_ratio
from rules.periods import Month
from rules.spans import MONTH, Span

NO_HOSPITALS = (InstitutionKind.PHARMACY, InstitutionKind.CLINIC, InstitutionKind.VILLAGE)
SECOND_GRADE = 2
Sums = Mapping[str, Decimal | None]


@dataclass(frozen=True)
class Hospital:
    """An institution with what a report says of it beside its figures."""

    ref: PlaceRef
    county: str
    alliance: str
    grade: str


@dataclass(frozen=True)
class Gap:
    """Something a report lacks, and who owes it."""

    text: str
    owed_by: str


class BaseSums:
    """The bases of many places by span: ``now`` and a year earlier. A flow that one month lacks is not known."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def of(self, place: str, fund: str, span: Span) -> dict[str, Decimal | None]:
        months = self.rows.get((place, fund), {})
        if any(month not in months or not months[month].declared for month in span.months):
            return {}
        return add_up([months[month].sums for month in span.months])

    def missing(self, place: str, fund: str, span: Span) -> list[Month]:
        months = self.rows.get((place, fund), {})
        return [month for month in span.months if month not in months or not months[month].declared]

    def lacking(self, place: str, fund: str, span: Span, base: str) -> list[Month]:
        """Months that are there but do not know a base."""
        months = self.rows.get((place, fund), {})
        return [month for month in span.months if month in months and months[month].sums.get(base) is None]

    def data_to(self, place: str, span: Span) -> date | None:
        reach = [
            row.data_to
            for fund in FundType.values
            for month, row in self.rows.get((place, fund), {}).items()
            if span.first <= month <= span.last and row.data_to is not None
        ]
        return max(reach, default=None)


def spans_of(span: Span) -> list[Span]:
    """The span itself, and January to its end where that is longer."""
    to_date = Span.to_date(span.last)
    return [span] if to_date.first == span.first else [span, to_date]


def base_sums(places: Sequence[PlaceRef], span: Span, bases: Collection[str]) -> BaseSums:
    """Two years up to the span's end; one query."""
    return BaseSums(month_rows(places, Month(span.year - 1, 1), span.last, bases))


def county_refs(place: PoolingArea | County, on: date) -> list[PlaceRef]:
    """The counties of a city; of a county its sisters and itself. One query."""
    area = place if isinstance(place, PoolingArea) else place.pooling_area
    return [ref_of(county) for county in County.objects.on(on).filter(pooling_area=area).order_by("code")]


def alliances_of(place: PoolingArea | County, on: date) -> list[Alliance]:
    where = Q(county__pooling_area=place) if isinstance(place, PoolingArea) else Q(county=place)
    return list(Alliance.objects.on(on).filter(where).select_related("county__pooling_area").order_by("code"))


def institutions_of(place: PoolingArea | County, on: date) -> tuple[list[Hospital], list[Hospital]]:
    """Members of the place's alliances on a day, and its hospitals of the second grade and higher. Two queries."""
    where = Q(county__pooling_area=place) if isinstance(place, PoolingArea) else Q(county=place)
    found = list(Institution.objects.filter(where).select_related("county").order_by("code"))
    joined = dict(
        Membership.objects.filter(valid_on(on), institution__in=[one.pk for one in found]).values_list(
            "institution_id", "alliance__name"
        )
    )
    shown = {
        one.pk: Hospital(ref_of(one), one.county.name, joined.get(one.pk, ""), one.get_grade_display()) for one in found
    }
    members = [shown[one.pk] for one in found if one.pk in joined]
    hospitals = [shown[one.pk] for one in found if one.grade >= SECOND_GRADE and one.kind not in NO_HOSPITALS]
    return members, hospitals


def growth(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Change on the year before as a fraction; None where the year before is unknown or not positive."""
    return None if now is None or before is None or before <= 0 else round_ratio(now / before - 1)


def median(values: Iterable[Decimal]) -> Decimal | None:
    """The middle value; None below three values, so that nobody is told by a difference."""
    held = sorted(values)
    if len(held) < 3:
        return None
    middle = len(held) // 2
    return held[middle] if len(held) % 2 else round_ratio((held[middle - 1] + held[middle]) / 2)


def warnings_of(place: PoolingArea | County, span: Span) -> list[Warning]:
    """Warnings of the place that were raised in the span, are open from before, or were closed in it; newest first."""
    first, last = span.first, span.last
    where = Q(pooling_area=place) if isinstance(place, PoolingArea) else Q(county=place)
    begun = Q(year__lt=last.year) | Q(year=last.year, month__lte=last.month)
    inside = Q(year=last.year, month__gte=first.month) & Q(month__lte=last.month)
    alive = Q(state__in=OPEN_STATES) | Q(closed_at__date__gte=first.first_day)
    rows = Warning.objects.with_places().filter(where & begun & (inside | alive))
    return list(rows.prefetch_related("answers", "figures").order_by("-year", "-month", "-pk"))


def raised_in(warning: Warning, span: Span) -> bool:
    return span.first <= warning.period <= span.last


def gaps(place: PoolingArea | County, counties: Sequence[PlaceRef], span: Span, sums: BaseSums) -> list[Gap]:
    """Months, fund monthly reports and quarterly tables that the report should have and has not, with who owes them."""
    from submissions.reading import unfiled
    from submissions.reading.held import TablePeriod

    found: list[Gap] = []
    wanted = Span.to_date(span.last)
    for county in counties:
        owes = f"{county.name}基金经办"
        missing = sorted({month for fund in FundType.values for month in sums.missing(county.key, fund, wanted)})
        if missing:
            found.append(Gap(f"{county.name} {_named(missing)} 结算数据尚未接入", owes))
        for fund in FundType:
            lacking = sums.lacking(county.key, fund.value, wanted, "income")
            if lacking:
                found.append(Gap(f"{county.name} {_named(lacking)} {fund.label}基金月报尚未报送", owes))
    if span.kind != MONTH:
        owing = alliances_of(place, span.last.last_day)
        for row in unfiled(owing, TablePeriod(span.last.quarter)):
            text = f"{row.alliance}{row.of.text.replace(' ', '')}《基金运行情况表》{row.get_state_display()}"
            found.append(Gap(text, f"{row.alliance}财务" if row.state != "filed" else f"{row.alliance.county}基金经办（待受理）"))
    return found


def inputs_of(place: PoolingArea | County, span: Span) -> str:
    """Digest of which rows a report of the span is made of: rows are only ever added, so number and newest id tell."""
    where = Q(pooling_area=place) if isinstance(place, PoolingArea) else Q(county=place)
    until = Q(year__lt=span.year) | Q(year=span.year, month__lte=span.last.month)
    held = PlaceMonth.objects.current().filter(where & until, year__gte=span.year - 1)
    told = held.aggregate(rows=Count("pk"), newest=Max("pk"))
    return sha256(f"{span}|{told['rows']}|{told['newest']}".encode()).hexdigest()


def latest_projections(place: PoolingArea | County, span: Span) -> list[Any]:
    """The newest projection of each alliance and fund type that was made for a month up to the span's end."""
    from monitoring.models.projections import Projection

    where = Q(pooling_area=place) if isinstance(place, PoolingArea) else Q(county=place)
    rows = Projection.objects.current().filter(where, year=span.year, month__lte=span.last.month)
    newest: dict[tuple[int, str], Any] = {}
    for row in rows.select_related("alliance").order_by("alliance__code", "fund_type", "-month"):
        newest.setdefault((row.alliance_id, row.fund_type), row)
    return list(newest.values())


def hospital_people(place: PoolingArea | County) -> list[User]:
    """Everybody who keeps the finances of an alliance of the place today."""
    grants = RoleGrant.objects.filter(
        valid_on(timezone.localdate()), role=Role.HOSPITAL_FINANCE, alliance__in=alliances_of(place, timezone.localdate()),
        user__is_active=True,
    )  # fmt: skip
    return list({grant.user_id: grant.user for grant in grants.select_related("user")}.values())


LABELS = {base.key: base.label for base in BASE_BY_KEY.values()}
ALL_BASES = tuple(base.key for base in BASE_BY_KEY.values())


def _named(months: Sequence[Month]) -> str:
    shown = "、".join(str(month) for month in months[:6])
    return f"{shown}{f'等 {len(months)} 个月' if len(months) > 6 else ''}"


__all__ = [
    "ALL_BASES", "LABELS", "BaseSums", "Gap", "Hospital", "alliances_of", "base_sums", "county_refs", "gaps",
    "growth", "hospital_people", "inputs_of", "institutions_of", "latest_projections", "median", "raised_in", "spans_of",
    "warnings_of",
]  # fmt: skip
