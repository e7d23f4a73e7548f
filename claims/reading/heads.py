"""Insured heads from the 基金月报: of an alliance by its agreed share where a county has several (A15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from claims.models import FundMonthlyReport
from core.models import AgreedShare, Alliance
from rules.money import allocate_count


@dataclass(frozen=True)
class Heads:
    """``insured`` includes ``resettled`` (None: not reported). ``estimated``: split by the agreed share of the year."""

    insured: int
    resettled: int | None
    data_to: date
    estimated: bool = False


def insured_heads(alliance: Alliance, year: int, fund_type: str) -> Heads | None:
    """Heads at the end of the latest month of ``year`` that reports them; None when no month does.

    The report is the county's. A county with several alliances splits it by the agreed shares of the year; without
    shares it cannot be split and the answer is None.
    """
    report = (
        FundMonthlyReport.objects.current()
        .filter(county=alliance.county_id, fund_type=fund_type, year=year, insured_heads__isnull=False)
        .order_by("-month")
        .first()
    )
    if report is None or report.insured_heads is None:
        return None
    data_to = report.period.last_day
    sisters = list(Alliance.objects.on(data_to).filter(county=alliance.county_id).order_by("pk").values_list("pk", flat=True))
    if len(sisters) <= 1:
        return Heads(report.insured_heads, report.resettled_heads, data_to)
    shares = dict(AgreedShare.objects.filter(alliance__in=sisters, year=year).values_list("alliance_id", "share"))
    if alliance.pk not in shares or set(shares) != set(sisters):
        return None
    at = sisters.index(alliance.pk)
    weights = [shares[pk] for pk in sisters]
    resettled = report.resettled_heads
    return Heads(
        allocate_count(report.insured_heads, weights)[at],
        None if resettled is None else allocate_count(resettled, weights)[at],
        data_to,
        estimated=True,
    )
