"""The lists behind the pages: packages of a year, prepayments of a year, what a person has to do. Constant queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from budgets.models import (
    BatchState,
    FigureSource,
    PackageState,
    PackageVersion,
    Prepayment,
    PrepaymentBatch,
    Receipt,
    RevenueGrowth,
)
from budgets.models.packages import OPEN
from budgets.models.prepayments import DECIDED
from budgets.reading.packages import packages_in_force
from core.fields import MoneyField
from core.kept import kept
from core.models import Alliance, FundType
from core.models.places import valid_on
from rules.money import ZERO
from rules.periods import Month

FUND_ORDER = {FundType.RESIDENT.value: 0, FundType.EMPLOYEE.value: 1}


@dataclass(frozen=True)
class PackageRow:
    """One alliance and fund of a year: the version in force and the one being worked on, if any."""

    alliance: Alliance
    fund_type: str
    in_force: PackageVersion | None
    opened: PackageVersion | None

    @property
    def shown(self) -> PackageVersion | None:
        return self.opened or self.in_force

    @property
    def state(self) -> str:
        return self.shown.state if self.shown else "none"

    @property
    def state_label(self) -> str:
        return PackageState(self.shown.state).label if self.shown else "未起草"

    @property
    def county(self) -> Any:
        return self.alliance.county

    @property
    def primary_entered(self) -> bool:
        return bool(self.shown and self.shown.primary_source not in ("", FigureSource.FACTS))

    @property
    def primary_low(self) -> bool:
        shown = self.shown
        return bool(
            shown
            and shown.primary_share is not None
            and shown.primary_floor is not None
            and shown.primary_share < shown.primary_floor
        )


SORTS = {
    "alliance": lambda row: (row.alliance.code, FUND_ORDER[row.fund_type]),
    "total": lambda row: row.shown.total if row.shown else ZERO,
    "growth": lambda row: row.shown.applied_growth if row.shown else Decimal(-1),
    "primary": lambda row: (row.shown.primary_share if row.shown else None) or Decimal(-1),
    "state": lambda row: row.state,
}


def alliances_seen(user: Any, year: int) -> list[Alliance]:
    """The alliances of the user's scope that stood in the year; an institution sees the one it belongs to."""
    day = Month(year, 12).last_day
    institutions = [grant.institution_id for grant in user.grants_on(timezone.localdate()) if grant.institution_id]
    seen = Alliance.objects.visible_to(user)
    if institutions:
        mine = Alliance.objects.filter(
            valid_on(timezone.localdate(), "memberships__"), memberships__institution__in=institutions
        )
        seen = Alliance.objects.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=mine.values("pk")))
    return list(
        seen.filter(Q(valid_to=None) | Q(valid_to__gte=Month(year, 1).first_day), valid_from__lte=day)
        .select_related("county__pooling_area")
        .order_by("code")
    )


def package_rows(user: Any, year: int) -> list[PackageRow]:
    """Every alliance and fund the user sees, with its versions of the year; kept until the trail moves."""
    return kept("package rows", (user.pk, year), lambda: _package_rows(user, year))


def _package_rows(user: Any, year: int) -> list[PackageRow]:
    alliances = alliances_seen(user, year)
    versions = (
        PackageVersion.objects.visible_to(user)
        .filter(package__year=year, state__in=(*OPEN, PackageState.APPROVED))
        .select_related("package")
        .order_by("number")
    )
    in_force: dict[tuple[int, str], PackageVersion] = {}
    opened: dict[tuple[int, str], PackageVersion] = {}
    for version in versions:
        key = (version.package.alliance_id, version.package.fund_type)
        (in_force if version.state == PackageState.APPROVED else opened)[key] = version
    return [
        PackageRow(alliance, fund_type, in_force.get((alliance.pk, fund_type)), opened.get((alliance.pk, fund_type)))
        for alliance in alliances
        for fund_type in FundType.values
    ]


def growths_of(user: Any, year: int) -> list[RevenueGrowth]:
    """Approved growth caps of the year the user sees."""
    return list(RevenueGrowth.objects.visible_to(user).filter(year=year, state="approved"))


@dataclass(frozen=True)
class PrepaidRow:
    """The prepayment of one alliance and fund in a year (yuan)."""

    alliance: Alliance
    fund_type: str
    package_total: Decimal | None
    provisional: bool
    cap: Decimal | None
    decided: Decimal
    paid: Decimal
    months: int
    last_month: str
    projected_cash: Decimal | None
    last_line: int | None

    @property
    def cap_left(self) -> Decimal | None:
        return None if self.cap is None else max(self.cap - self.decided, ZERO)

    @property
    def percent(self) -> Decimal | None:
        return self.decided * 100 / self.package_total if self.package_total else None

    @property
    def cap_percent(self) -> Decimal | None:
        return self.cap * 100 / self.package_total if self.package_total and self.cap is not None else None


def prepaid_rows(user: Any, year: int) -> list[PrepaidRow]:
    """Every alliance and fund the user sees, with what was approved and paid of its year; kept until the trail moves."""
    return kept("prepaid rows", (user.pk, year), lambda: _prepaid_rows(user, year))


def _prepaid_rows(user: Any, year: int) -> list[PrepaidRow]:
    alliances = alliances_seen(user, year)
    packages = packages_in_force(alliances, year)
    lines = Prepayment.objects.visible_to(user).filter(year=year)
    decided = {
        (row["alliance_id"], row["fund_type"]): row
        for row in lines.filter(batch__state__in=DECIDED)
        .order_by()
        .values("alliance_id", "fund_type")
        .annotate(total=_sum("amount"), set_off=_sum("offset"), months=Count("pk"), last=Max("month"))
    }
    received = {
        (alliance, fund): total
        for alliance, fund, total in Receipt.objects.filter(line__in=lines, voided_at=None)
        .order_by()
        .values_list("line__alliance_id", "line__fund_type")
        .annotate(total=_sum("amount"))
    }
    latest: dict[tuple[int, str], Prepayment] = {}
    for found in lines.order_by("month"):
        latest[(found.alliance_id, found.fund_type)] = found
    rows = []
    for alliance in alliances:
        for fund_type in FundType.values:
            key = (alliance.pk, fund_type)
            package, line, sums = packages.get(key), latest.get(key), decided.get(key)
            rows.append(
                PrepaidRow(
                    alliance=alliance,
                    fund_type=fund_type,
                    package_total=package.total if package else None,
                    provisional=bool(package and package.provisional),
                    cap=line.cap if line else None,
                    decided=sums["total"] if sums else ZERO,
                    paid=received.get(key, ZERO) + (sums["set_off"] if sums else ZERO),
                    months=sums["months"] if sums else 0,
                    last_month=sums["last"] if sums else "",
                    projected_cash=line.projected_cash if line else None,
                    last_line=line.pk if line else None,
                )
            )
    return rows


def batches_of(user: Any, year: int) -> Any:
    """Batches of the year with the sums of the lines the user sees."""
    seen = Q(lines__in=Prepayment.objects.visible_to(user))
    return (
        PrepaymentBatch.objects.visible_to(user)
        .filter(month__startswith=f"{year}-")
        .select_related("pooling_area", "submitted_by", "decided_by")
        .annotate(
            count=Count("lines", filter=seen, distinct=True),
            residents=_sum("lines__amount", seen & Q(lines__fund_type=FundType.RESIDENT)),
            employees=_sum("lines__amount", seen & Q(lines__fund_type=FundType.EMPLOYEE)),
        )
        .order_by("-month", "sequence")
    )


def waiting_batches(states: Iterable[BatchState]) -> Any:
    """Batches in one of the states with each fund's total (yuan)."""
    return PrepaymentBatch.objects.filter(state__in=list(states)).annotate(
        residents=_sum("lines__amount", Q(lines__fund_type=FundType.RESIDENT)),
        employees=_sum("lines__amount", Q(lines__fund_type=FundType.EMPLOYEE)),
    )


def _sum(field: str, condition: Q | None = None) -> Coalesce:
    return Coalesce(Sum(field, filter=condition), 0, output_field=MoneyField())
