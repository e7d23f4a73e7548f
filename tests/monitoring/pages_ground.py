"""Months of places for the tests of the indicator pages: round numbers that are easy to check by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.models import Alliance, County, Institution, InstitutionKind, Membership
from core.models.places import Place
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.reading.places import LETTERS
from rules.periods import Month
from tests.world import START, World

D = Decimal
NOW = datetime(2026, 10, 8, 2, 0, tzinfo=UTC)
BASES: dict[str, Any] = {
    "charged": D("1000000.00"), "fund_all": D("1200000.00"), "fund_in_county": D("900000.00"),
    "fund_in_alliance": D("800000.00"), "fund_primary": D("160000.00"), "insured_discharges": 400,
    "insured_discharges_in_county": 300, "insured_discharges_out": 100, "insured_discharges_unregistered": 10,
    "inpatient_cost": D("2000000.00"), "discharges": 250, "bed_days": 2000, "outpatient_cost": D("300000.00"), "visits": 1500,
    "visits_primary": 900, "total_cost": D("2300000.00"), "drug_cost": D("575000.00"), "consumables_cost": D("230000.00"),
    "exam_cost": D("460000.00"), "eligible_cost": D("2000000.00"), "non_covered_cost": D("115000.00"),
    "pooled_paid": D("1150000.00"), "serious_paid": D("115000.00"), "own_paid": D("690000.00"), "groupable": 240,
    "grouped": 230, "weight": 2_530_000,
}  # fmt: skip
"""One month: next day's average 8000.00 a stay, 8 days a stay, 25 % drugs, 55 % reimbursed."""
MONTHS = tuple(Month(2025, number) for number in range(1, 13)) + tuple(Month(2026, number) for number in range(1, 10))


def months(place: Place, fund: str = "RES", wanted: Iterable[Month] = MONTHS, **bases: Any) -> list[PlaceMonth]:
    """A current month of the place for each of ``wanted``."""
    rows = [month_row(place, fund, month, **bases) for month in wanted]
    return PlaceMonth.objects.bulk_create(rows)


def month_row(place: Place, fund: str, month: Month, **given: Any) -> PlaceMonth:
    """One row, not saved; ``given`` overrides bases and fields."""
    kind, above = _above(place, month)
    fields = {
        "version": 1, "data_to": month.last_day, "inputs": "0" * 64, "reason": "月末处理", "computed_at": NOW,
        **BASES, **given,
    }  # fmt: skip
    return PlaceMonth(
        kind=kind, place=f"{LETTERS[kind]}{place.pk}", fund_type=fund, year=month.year, month=month.month, **above, **fields
    )


def _above(place: Place, month: Month) -> tuple[PlaceKind, dict[str, Any]]:
    if isinstance(place, Institution):
        member = Membership.objects.on(month.last_day).filter(institution=place).first()
        return PlaceKind.INSTITUTION, {
            "pooling_area_id": place.county.pooling_area_id, "county_id": place.county_id,
            "alliance_id": member.alliance_id if member else None, "institution_id": place.pk,
        }  # fmt: skip
    if isinstance(place, Alliance):
        return PlaceKind.ALLIANCE, {
            "pooling_area_id": place.county.pooling_area_id, "county_id": place.county_id, "alliance_id": place.pk
        }
    if isinstance(place, County):
        return PlaceKind.COUNTY, {"pooling_area_id": place.pooling_area_id, "county_id": place.pk}
    return PlaceKind.CITY, {"pooling_area_id": place.pk}


def township(world: World, number: int, alliance: Alliance | None = None) -> Institution:
    """One more township centre of an alliance (of Qingxi's unless named)."""
    home = alliance or world.alliance
    made = Institution.objects.create(
        county=home.county, code=f"H9901990{number:04d}", name=f"测试{number}镇卫生院", kind=InstitutionKind.TOWNSHIP
    )
    Membership.objects.create(alliance=home, institution=made, valid_from=START)
    return made
