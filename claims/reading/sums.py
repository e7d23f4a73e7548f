"""Facts summed by what a package asks about: the one grouped query behind fund years and monthly series."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, CharField, F, Q, Sum, Value, When

from claims.models import CareLocation, FactSet, Method, MonthlyFact
from core.models import Alliance
from core.models.places import PRIMARY_KINDS
from rules.periods import Month

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class SetHead:
    """What is needed of a fact set without its rows."""

    pk: int
    county: int
    period: Month
    declared: bool
    data_to: date | None
    pooled_fund_paid: Decimal
    content: str


@dataclass(frozen=True)
class Cell:
    """Sums in yuan of one county, alliance, fund type, visit type, location."""

    county: int
    alliance: int | None
    treating: int | None
    fund_type: str
    visit_type: str
    care_location: str
    primary: bool
    payable: Decimal
    excluded: Decimal
    billed: Decimal
    settlements: int
    by_method: int
    by_method_delivered: int

    @property
    def packaged(self) -> Decimal:
        """Fund-payable yuan without public health emergencies."""
        return self.payable - self.excluded


def set_heads(
    counties: Collection[int],
    year: int,
    through: Month | None = None,
    frozen: Iterable[int] | None = None,
    before: int | None = None,
) -> list[SetHead]:
    """The fact sets that count: the current ones of ``year`` (from ``before``), or exactly the frozen ones."""
    sets = FactSet.objects.filter(county__in=counties, year__lte=year, year__gte=before or year)
    sets = sets.filter(current=True) if frozen is None else sets.filter(pk__in=list(frozen))
    if through is not None:
        sets = sets.filter(Q(year__lt=through.year) | Q(year=through.year, month__lte=through.month))
    rows = sets.order_by("county_id", "year", "month").values_list(
        "pk", "county_id", "year", "month", "declared", "data_to", "pooled_fund_paid", "content"
    )
    return [
        SetHead(pk, county, Month(y, m), declared, data_to, billed, content)
        for pk, county, y, m, declared, data_to, billed, content in rows
    ]


def cells(heads: Sequence[SetHead], fund_types: Collection[str]) -> list[Cell]:
    """Everything the sets say about the fund types, in one query."""
    by_method = ~Q(method=Method.FFS)
    treating = Case(When(care_location=CareLocation.SISTER_ALLIANCE, then=F("treating_alliance_id")))
    primary = Case(When(institution_kind__in=PRIMARY_KINDS, then=Value("1")), default=Value(""), output_field=CharField())
    grouped = (
        MonthlyFact.objects.filter(factset__in=[head.pk for head in heads], fund_type__in=list(fund_types))
        .order_by()
        .annotate(treating=treating, primary=primary)
        .values(
            "factset__county_id", "alliance_id", "treating", "fund_type", "visit_type", "care_location", "primary"
        )
        .annotate(
            payable=Sum("fund_payable"),
            excluded=Sum("excluded_fund"),
            billed=Sum("pooled_fund_paid"),
            count=Sum("settlements"),
            by_method=Sum("settlements", filter=by_method, default=0),
            delivered=Sum("payable_settlements", filter=by_method, default=0),
        )
    )  # fmt: skip
    return [
        Cell(
            row["factset__county_id"], row["alliance_id"], row["treating"], row["fund_type"], row["visit_type"],
            row["care_location"], bool(row["primary"]), row["payable"], row["excluded"],
            row["billed"], row["count"], row["by_method"], row["delivered"],
        )
        for row in grouped
    ]  # fmt: skip


def counties_of(alliances: Iterable[Alliance]) -> set[int]:
    return {alliance.county_id for alliance in alliances}
