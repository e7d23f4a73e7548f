"""Months of Qingxi worked out by hand, for the report tests: the same every month, a year before smaller by round sums.

A month of 居民 2026: charged 1,100,000.00, of it inpatient 600,000.00 by 300 discharges, outpatient 200,000.00 by 4,000
visits, other in the county 50,000.00, outside 250,000.00; a month of 2025: charged 1,000,000.00 = 500,000.00 by 250,
200,000.00 by 5,000, 40,000.00, 260,000.00.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.models import County, Institution, PoolingArea
from monitoring.models import PlaceMonth
from monitoring.reading.places import ref_of
from rules.periods import Month
from rules.spans import Span
from tests.world import World

Q3 = Span.parse("2026Q3")
SEPTEMBER = Span.parse("2026-09")
D = Decimal
NOW = {
    "charged": D("1100000.00"), "fund_all": D("1100000.00"), "fund_in_county": D("850000.00"), "fund_in_alliance": D("800000.00"),
    "fund_primary": D("200000.00"), "fund_inpatient": D("600000.00"), "fund_outpatient": D("200000.00"),
    "insured_discharges": 400, "insured_discharges_in_county": 300, "insured_discharges_out": 100, "discharges": 320,
    "inpatient_cost": D("1280000.00"), "bed_days": 2560, "outpatient_cost": D("400000.00"), "visits": 4000,
    "total_cost": D("1680000.00"), "drug_cost": D("420000.00"), "income": D("1200000.00"), "income_collected": D("900000.00"),
    "fund_spending": D("1150000.00"), "balance": D("9200000.00"), "insured": 200000, "package": D("13000000.00"),
    "prepaid": D("5000000.00"),
}  # fmt: skip
BEFORE = {
    **NOW, "charged": D("1000000.00"), "fund_all": D("1000000.00"), "fund_in_county": D("740000.00"),
    "fund_inpatient": D("500000.00"), "insured_discharges_in_county": 250, "visits": 5000, "income": D("1250000.00"),
    "fund_spending": D("1000000.00"), "balance": D("8600000.00"), "package": D("12000000.00"), "discharges": 300,
}  # fmt: skip


def months(
    place: PoolingArea | County | Institution, fund: str, first: str, last: str, values: dict[str, Any], **more: Any
) -> list[PlaceMonth]:
    """One row a month."""
    ref = ref_of(place)
    county = place if isinstance(place, County) else getattr(place, "county", None)
    area = place if isinstance(place, PoolingArea) else county.pooling_area  # type: ignore[union-attr]
    made, month, end = [], Month.parse(first), Month.parse(last)
    while month <= end:
        made.append(PlaceMonth.objects.create(
            kind=ref.kind, place=ref.key, pooling_area=area, county=county,
            institution=place if isinstance(place, Institution) else None, alliance=more.get("alliance"),
            fund_type=fund, year=month.year, month=month.month, data_to=month.last_day, inputs=f"{ref.key}{fund}{month}",
            computed_at=timezone.now(), **values,
        ))  # fmt: skip
        month = month.plus(1)
    return made


def two_years(world: World, *, through: str = "2026-09", employees: bool = True) -> None:
    """Qingxi with 居民 as above and 职工 at a tenth, its hospitals and the township centre."""
    for fund, part in (("RES", D(1)), ("EMP", D("0.1"))):
        if fund == "EMP" and not employees:
            continue
        months(world.qingxi, fund, "2025-01", "2025-12", scaled(BEFORE, part))
        months(world.qingxi, fund, "2026-01", through, scaled(NOW, part))
    for place, before, now in (
        (world.lead, "500000.00", "600000.00"), (world.outsider, "100000.00", "90000.00"), (world.township, "80000.00", "100000.00"),
    ):
        alliance = None if place == world.outsider else world.alliance
        months(place, "RES", "2025-01", "2025-12", _own(before), alliance=alliance)
        months(place, "RES", "2026-01", through, _own(now), alliance=alliance)


def _own(amount: str) -> dict[str, Any]:
    return {
        "charged": D(amount), "fund_all": D(amount), "inpatient_cost": D("800000.00"), "discharges": 160, "bed_days": 1280,
        "outpatient_cost": D("90000.00"), "visits": 900, "drug_cost": D("200000.00"), "total_cost": D("890000.00"),
    }  # fmt: skip


def scaled(values: dict[str, Any], part: Decimal) -> dict[str, Any]:
    """Every sum times ``part``, money to the fen, counts whole."""
    return {
        key: (value * part).quantize(D("0.01")) if isinstance(value, Decimal) else int(value * part) for key, value in values.items()
    }


def corrected(world: World, month: str, charged: str) -> PlaceMonth:
    """A late version of Qingxi's 居民 month: ``charged`` anew, all the rest as before."""
    old = _current(world, month, "RES")
    return renewed(world, month, "RES", charged=D(charged), fund_all=old.fund_all + D(charged) - old.charged)


def renewed(world: World, month: str, fund: str, **changes: Any) -> PlaceMonth:
    """The next version of a month of Qingxi with some bases changed."""
    row = _current(world, month, fund)
    gone(world, month, fund)
    row.pk, row.version, row.inputs, row.reason = None, row.version + 1, row.inputs + "+", "迟到结算"
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def gone(world: World, month: str, fund: str) -> None:
    """No month any more: its version is no longer the current one."""
    PlaceMonth.objects.filter(pk=_current(world, month, fund).pk).update(current=False)


def _current(world: World, month: str, fund: str) -> PlaceMonth:
    when = Month.parse(month)
    return PlaceMonth.objects.get(
        place=ref_of(world.qingxi).key, fund_type=fund, year=when.year, month=when.month, current=True
    )


def text_of(content: dict[str, Any], section: str) -> str:
    return "\n".join(one["text"] for part in content["sections"] if part["key"] == section for one in part["sentences"])


def table_of(content: dict[str, Any], key: str) -> dict[str, Any]:
    return next(one for part in content["sections"] for one in part["tables"] if one["key"] == key)


def cells(content: dict[str, Any], key: str, label: str) -> list[Any]:
    return next(line["cells"] for line in table_of(content, key)["rows"] if line["label"] == label)


TODAY = date(2026, 10, 8)
