"""What is held of one package year whatever its state: for whoever carries work on from where it stands."""

from __future__ import annotations

from django.db.models import QuerySet

from budgets.models import (
    AllocationVersion,
    DistributionPlan,
    LeadAccount,
    OtherPayment,
    PackageVersion,
    Prepayment,
    PrepaymentBatch,
    PrepaymentRatio,
    RevenueGrowth,
)
from core.models import Alliance, PoolingArea
from rules.periods import Month

__all__ = [
    "PackageVersion",
    "PrepaymentBatch",
    "account",
    "allocation",
    "batch",
    "growth",
    "lines",
    "other_payment",
    "plan",
    "ratio",
    "version",
]


def growth(area: PoolingArea, fund_type: str, year: int) -> RevenueGrowth | None:
    """The latest entered growth of a fund and year."""
    return RevenueGrowth.objects.filter(pooling_area=area, fund_type=fund_type, year=year).order_by("-pk").first()


def version(alliance: Alliance, fund_type: str, year: int, number: int) -> PackageVersion | None:
    """One numbered version of a package, with its places and people."""
    return (
        PackageVersion.objects.filter(
            package__alliance=alliance, package__fund_type=fund_type, package__year=year, number=number
        )
        .select_related("package__alliance__county__pooling_area", "prepared_by", "submitted_by")
        .first()
    )


def allocation(of: PackageVersion) -> AllocationVersion | None:
    """The latest allocation made of a package."""
    return AllocationVersion.objects.filter(package=of.package_id).order_by("-number").first()


def plan(alliance: Alliance, year: int) -> DistributionPlan | None:
    """The latest distribution plan an alliance filed for a year."""
    return DistributionPlan.objects.filter(alliance=alliance, year=year).order_by("-number").first()


def account(alliance: Alliance) -> LeadAccount | None:
    """The latest entered account of an alliance's lead hospital."""
    return LeadAccount.objects.filter(alliance=alliance).order_by("-pk").first()


def ratio(alliance: Alliance, year: int) -> PrepaymentRatio | None:
    """The latest entered prepayment ratio of an alliance and year."""
    return PrepaymentRatio.objects.filter(alliance=alliance, year=year).order_by("-pk").first()


def batch(area: PoolingArea, month: Month) -> PrepaymentBatch | None:
    """The first batch of a month."""
    return PrepaymentBatch.objects.filter(pooling_area=area, month=str(month)).order_by("sequence").first()


def lines(of: PrepaymentBatch) -> QuerySet[Prepayment]:
    """The lines of a batch with their places, in the order of its payment file."""
    found = Prepayment.objects.filter(batch=of).select_related("alliance__county__pooling_area", "batch")
    return found.order_by("fund_type", "alliance")


def other_payment(alliance: Alliance, year: int, fund_type: str) -> OtherPayment | None:
    """The latest other payment registered for a package year."""
    return OtherPayment.objects.filter(alliance=alliance, year=year, fund_type=fund_type).order_by("-pk").first()
