"""Monthly facts at real magnitudes whose years add up to the story's figures to the fen.

A year of one alliance and fund is a fixed amount for each place of care; it is split over institutions, kinds of visit
and months by weights (season with the Spring Festival where it falls, size, log-normal noise) with the largest
remainder. Everything else of a row (billed, total cost, settlements, days) follows from its payable amount.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from claims.services.fact_rows import FactRow
from core.models import InstitutionKind
from portal.demo import story
from portal.demo.places import CITY_HOSPITALS, COUNTIES, CountySpec, InstitutionSpec, institutions_of
from portal.demo.story import EMP, RES
from rules.money import allocate_count, to_fen
from rules.periods import Month

SEED = 20220101
OWN, SISTER, IN_COUNTY, CITY, PROVINCE, ABROAD = (
    "own_alliance", "sister_alliance", "in_county", "city", "province", "outside",
)  # fmt: skip
"""Where care was given, as the facts of an extract name it."""
SEASON = (0.95, 0.82, 1.06, 1.03, 1.02, 1.00, 1.02, 1.01, 0.98, 0.99, 1.04, 1.08)
FESTIVAL_IN_JANUARY = (2023, 2025)
PRIMARY_SHARE = {2022: 0.178, 2023: 0.174, 2024: 0.171, 2025: 0.168, 2026: 0.157}
PRICES = {2022: 1.0, 2023: 1.018, 2024: 1.034, 2025: 1.052, 2026: 1.068}
NO_PAYABLE_DELIVERED = ("990103", 2022)
"""A county and year whose extract named no payable amounts yet: its statements say so (A5)."""
EMERGENCY_YEAR = 2022


@dataclass(frozen=True)
class Care:
    """A kind of care: mean fund payment a settlement in yuan (resident), fund share of total cost, days, weight."""

    visit: str
    mean: float
    ratio: float
    days: float = 0.0
    weight: float = 0.0
    noise: float = 0.06

    @property
    def is_stay(self) -> bool:
        return self.days > 0


CARE: dict[str, Care] = {
    "village": Care("outpatient", 23, 0.52),
    "township_clinic": Care("outpatient", 47, 0.55),
    "county_clinic": Care("outpatient", 122, 0.50),
    "out_clinic": Care("outpatient", 168, 0.38, noise=0.14),
    "chronic": Care("chronic", 282, 0.64),
    "township_stay": Care("inpatient", 1730, 0.75, 6.1, 0.57),
    "county_stay": Care("inpatient", 3640, 0.65, 8.0, 0.84),
    "long_stay": Care("inpatient", 9900, 0.72, 86.0, noise=0.12),
    "out_stay": Care("inpatient", 7250, 0.47, 9.5, 1.24, noise=0.12),
    "maternity": Care("maternity_in", 2580, 0.60, 4.2, 0.52, noise=0.1),
    "pharmacy": Care("pharmacy", 41, 0.30),
}
BY_KIND: dict[str, tuple[tuple[str, float], ...]] = {
    InstitutionKind.GENERAL: (
        ("county_clinic", 7), ("chronic", 13), ("county_stay", 73), ("long_stay", 4), ("maternity", 3),
    ),
    InstitutionKind.TCM: (("county_clinic", 10), ("chronic", 13), ("county_stay", 74), ("long_stay", 3)),
    InstitutionKind.MATERNAL: (("county_clinic", 16), ("county_stay", 40), ("maternity", 44)),
    InstitutionKind.SPECIALIST: (("county_clinic", 5), ("chronic", 10), ("long_stay", 85)),
    InstitutionKind.TOWNSHIP: (("township_clinic", 29), ("chronic", 25), ("township_stay", 46)),
    InstitutionKind.COMMUNITY: (("township_clinic", 45), ("chronic", 37), ("township_stay", 18)),
    InstitutionKind.VILLAGE: (("village", 11), ("chronic", 2)),
    InstitutionKind.PRIVATE: (("county_clinic", 14), ("county_stay", 86)),
    InstitutionKind.PHARMACY: (("pharmacy", 100),),
}  # fmt: skip
PRIMARY = (InstitutionKind.TOWNSHIP, InstitutionKind.COMMUNITY, InstitutionKind.VILLAGE)
OUTSIDE: tuple[tuple[str, str, str, str, str, float], ...] = (
    ("out_stay", CITY, "990100", CITY_HOSPITALS[0], "referred", 23),
    ("out_stay", CITY, "990100", CITY_HOSPITALS[1], "referred", 11),
    ("out_stay", CITY, "990100", CITY_HOSPITALS[0], "self_chosen", 6),
    ("out_stay", CITY, "990100", CITY_HOSPITALS[2], "emergency", 3),
    ("chronic", CITY, "990100", CITY_HOSPITALS[0], "referred", 4),
    ("out_clinic", CITY, "990100", CITY_HOSPITALS[0], "", 3),
    ("out_stay", PROVINCE, "990200", "H99020000001", "referred", 17),
    ("out_stay", PROVINCE, "990200", "H99020000002", "self_chosen", 6),
    ("out_stay", PROVINCE, "990200", "H99020000001", "resettled", 4),
    ("out_stay", PROVINCE, "990300", "H99030000001", "emergency", 2),
    ("chronic", PROVINCE, "990200", "H99020000001", "resettled", 2),
    ("out_clinic", PROVINCE, "990200", "H99020000002", "", 2),
    ("out_stay", ABROAD, "980100", "H98010000001", "self_chosen", 5),
    ("out_stay", ABROAD, "980100", "H98010000002", "resettled", 5),
    ("out_stay", ABROAD, "980200", "H98020000001", "emergency", 2),
    ("chronic", ABROAD, "980100", "H98010000002", "resettled", 1.5),
    ("out_clinic", ABROAD, "980100", "H98010000001", "", 1.5),
)  # fmt: skip
IN_COUNTY_SHARE = {RES: 0.041, EMP: 0.052}
PHARMACY_SHARE, EMPLOYEE_MATERNITY_SHARE = 0.058, 0.011


@dataclass(frozen=True)
class Slot:
    """A row of every month: its grain, the care it is, and its weight among the rows of its group."""

    grain: FactRow
    care: Care
    weight: float


@cache
def year_rows(county_code: str, year: int) -> dict[Month, tuple[FactRow, ...]]:
    """The facts of a county's insured for a year, month by month as far as the story goes."""
    county = next(spec for spec in COUNTIES if spec.code == county_code)
    months = [month for month in story.MONTHS if month.year == year]
    found: dict[Month, list[FactRow]] = {month: [] for month in months}
    for alliance in county.alliances:
        for fund in story.FUNDS:
            for slots, fen in _groups(county, alliance.code, fund, year):
                rng = random.Random(
                    f"{SEED}/{county_code}/{alliance.code}/{fund}/{year}/{slots[0].grain.care_location}"
                )
                for month, row in _spread(slots, fen, year, months, rng):
                    found[month].append(row)
    if year == EMERGENCY_YEAR:
        found[months[-1]] = _with_emergency(found[months[-1]])
    return {month: tuple(rows) for month, rows in found.items()}


def month_rows(county_code: str, month: Month) -> tuple[FactRow, ...]:
    return year_rows(county_code, month.year)[month]


def with_late_claims(rows: tuple[FactRow, ...]) -> tuple[FactRow, ...]:
    """December 2025 of 青溪 with the claims from other provinces that came after the first settlement."""
    late = story.EXAMPLE_17
    slot = Slot(
        FactRow(
            RES, "inpatient", PROVINCE, "H99030000009", "990300", story.QX,
            outflow_kind="referred",
        ),
        CARE["out_stay"],
        1,
    )  # fmt: skip
    row = _row(slot, to_fen(late.late_out_of_county), 2025, random.Random(SEED))
    return (*rows, replace(row, settlements=late.late_settlements))


def first_days(rows: tuple[FactRow, ...], share: float) -> tuple[FactRow, ...]:
    """A month as far as it was delivered: every count and amount cut to ``share`` of it."""
    cut = []
    for row in rows:
        values = {
            name: int(value * share) for name in FactRow.__slots__ if isinstance(value := getattr(row, name), int)
        }
        left = values["total_cost"] - sum(
            values[name]
            for name in (
                "pooled_fund_paid", "serious_illness_paid", "medical_assistance_paid", "other_paid",
                "personal_account_paid", "hospital_borne",
            )
        )  # fmt: skip
        changed: dict[str, Any] = {**values, "cash_paid": left}
        cut.append(replace(row, **changed))
    return tuple(cut)


def spent(rows: tuple[FactRow, ...], fund: str) -> int:
    """Fund-payable fen of a fund in these rows, whoever answers for it."""
    return sum(row.fund_payable for row in rows if row.fund_type == fund)


def _groups(county: CountySpec, alliance: str, fund: str, year: int) -> Iterator[tuple[list[Slot], int]]:
    """Rows that share a fixed amount, with that amount (fen) for the months of the story."""
    share = sum(_season(month) for month in story.MONTHS if month.year == year) / 12.0
    inside, outside, sisters = (
        allocate_count(to_fen(part), [round(share * 10**9), round((1 - share) * 10**9)])[0]
        if share < 1
        else to_fen(part)
        for part in story.parts(alliance, fund, year)
    )
    listed = institutions_of(county)
    members = [entry for entry in listed if entry.alliance == alliance]
    yield _member_slots(county, alliance, fund, year, members), inside
    yield _outside_slots(alliance, fund), outside
    if sisters:
        hosts = [entry for entry in listed if entry.alliance == story.SISTERS[alliance] and entry.grade == 2]
        yield _slots(county, alliance, fund, hosts, SISTER), sisters
    private = [entry for entry in listed if entry.kind == InstitutionKind.PRIVATE]
    yield _slots(county, alliance, fund, private, IN_COUNTY), int(inside * IN_COUNTY_SHARE[fund])
    if fund == EMP:
        shops = [entry for entry in listed if entry.kind == InstitutionKind.PHARMACY]
        yield _slots(county, alliance, fund, shops, IN_COUNTY), int(inside * PHARMACY_SHARE)
        births = [entry for entry in members if entry.kind in (InstitutionKind.GENERAL, InstitutionKind.MATERNAL)]
        slots = [
            Slot(
                _grain(county, alliance, fund, entry, "maternity", OWN),
                CARE["maternity"],
                entry.size,
            )
            for entry in births
        ]
        yield slots, int(inside * EMPLOYEE_MATERNITY_SHARE)


def _member_slots(
    county: CountySpec, alliance: str, fund: str, year: int, members: list[InstitutionSpec]
) -> list[Slot]:
    """Hospitals and primary institutions, the latter with the share of the money they had that year (A14)."""
    primary = PRIMARY_SHARE[year] * (0.965 if fund == EMP else 1.0) * (0.984 if county.code == "990101" else 1.0)
    sizes = {
        kinds: sum(_size(entry) for entry in members if (entry.kind in PRIMARY) == kinds) for kinds in (True, False)
    }
    slots = []
    for entry in members:
        of_kind = primary if entry.kind in PRIMARY else 1 - primary
        for care, part, whole in _care_of(entry, fund):
            weight = of_kind * _size(entry) / sizes[entry.kind in PRIMARY] * part / whole
            grain = _grain(county, alliance, fund, entry, care, OWN)
            slots.append(Slot(grain, CARE[care], weight))
    return slots


def _slots(county: CountySpec, alliance: str, fund: str, hosts: list[InstitutionSpec], location: str) -> list[Slot]:
    return [
        Slot(_grain(county, alliance, fund, entry, care, location), CARE[care], entry.size * part / whole)
        for entry in hosts
        for care, part, whole in _care_of(entry, fund)
    ]


def _outside_slots(alliance: str, fund: str) -> list[Slot]:
    return [
        Slot(
            FactRow(fund, CARE[care].visit, location, code, area, alliance, outflow_kind=kind, method="ffs"),
            CARE[care],
            weight,
        )
        for care, location, area, code, kind, weight in OUTSIDE
    ]


def _care_of(entry: InstitutionSpec, fund: str) -> list[tuple[str, float, float]]:
    """Kinds of care with their part of the whole; employees' maternity stands apart (A21)."""
    kinds = [(care, part) for care, part in BY_KIND[entry.kind] if not (fund == EMP and care == "maternity")]
    whole = sum(part for _care, part in kinds)
    return [(care, part, whole) for care, part in kinds]


def _size(entry: InstitutionSpec) -> float:
    return entry.size * (0.08 if entry.kind == InstitutionKind.VILLAGE else 1.0)


def _grain(county: CountySpec, alliance: str, fund: str, entry: InstitutionSpec, care: str, location: str) -> FactRow:
    methods = {
        "county_stay": county.method, "township_stay": county.method, "long_stay": "bed_day",
        "maternity": "case", "township_clinic": "capitation", "village": "capitation",
    }  # fmt: skip
    method = methods.get(care, "ffs") if location != IN_COUNTY else "ffs"
    return FactRow(fund, CARE[care].visit, location, entry.code, county.code, alliance, method=method)


def _season(month: Month) -> float:
    if month.year in FESTIVAL_IN_JANUARY and month.month in (1, 2):
        return {1: 0.80, 2: 0.97}[month.month]
    return SEASON[month.month - 1]


def _spread(
    slots: list[Slot], fen: int, year: int, months: list[Month], rng: random.Random
) -> Iterator[tuple[Month, FactRow]]:
    """The amount over rows and months; the parts add up to it exactly."""
    weights = [
        round(slot.weight * _season(month) * rng.lognormvariate(0, slot.care.noise) * 10**7)
        for slot in slots
        for month in months
    ]
    amounts = iter(allocate_count(fen, weights))
    for slot in slots:
        for month in months:
            yield month, _row(slot, next(amounts), year, rng)


def _row(slot: Slot, payable: int, year: int, rng: random.Random) -> FactRow:
    """Everything else of a row from what the fund owes for it; the payments add up to the total cost."""
    care, fund = slot.care, slot.grain.fund_type
    employee = fund == EMP
    mean = care.mean * PRICES[year] * (1.42 if employee and care.is_stay else 1.2 if employee else 1.0)
    settlements = max(1, round(payable / 100 / (mean * rng.lognormvariate(0, 0.03))))
    by_method = slot.grain.method not in ("", "ffs")
    delivered = by_method and (slot.grain.institution_area, year) != NO_PAYABLE_DELIVERED
    billed = int(payable * rng.lognormvariate(0.018 if care.is_stay else -0.01, 0.03)) if delivered else payable
    total = int(billed / (care.ratio * (1.1 if employee else 1.0)))
    left = total - billed
    serious = left * 9 // 100 if care.is_stay else 0
    assistance = left * 3 // 100 if care.is_stay and not employee else 0
    other = left // 25 if employee else 0
    hospital = left // 120 if care.is_stay else 0
    account = (left - serious - other - hospital) * 45 // 100 if employee else 0
    cash = left - serious - assistance - other - hospital - account
    stays = settlements if care.is_stay else 0
    grouped = slot.grain.method in ("drg", "dip")
    drug = rng.uniform(0.42, 0.48) if slot.grain.institution.startswith("P") else rng.uniform(0.27, 0.35)
    eligible = max(int(total * rng.uniform(0.86, 0.95)), billed)
    return replace(
        slot.grain,
        settlements=settlements,
        discharges=stays,
        bed_days=round(stays * care.days * rng.lognormvariate(0, 0.04)),
        total_cost=total,
        drug_cost=int(total * drug),
        tcm_cost=int(total * 0.06),
        consumables_cost=int(total * rng.uniform(0.08, 0.13)) if care.is_stay else int(total * 0.03),
        exam_cost=int(total * rng.uniform(0.18, 0.23)),
        treatment_cost=int(total * rng.uniform(0.12, 0.17)),
        eligible_cost=eligible,
        non_covered_cost=total - eligible,
        deductible_paid=min(stays * (20_000 if care.days < 7 else 50_000), total - eligible + left // 3),
        pooled_fund_paid=billed,
        fund_payable=payable,
        payable_settlements=settlements if delivered else 0,
        serious_illness_paid=serious,
        medical_assistance_paid=assistance,
        other_paid=other,
        personal_account_paid=account,
        cash_paid=cash,
        hospital_borne=hospital,
        weight_sum=round(stays * care.weight * 10_000 * rng.lognormvariate(0, 0.02)) if grouped else 0,
        groupable_cases=stays if grouped else 0,
        grouped_cases=stays * 98 // 100 if grouped else 0,
        referrals_up=stays * 4 // 100 if care is CARE["township_stay"] else 0,
        referrals_down=stays * 3 // 200 if care is CARE["county_stay"] else 0,
    )


def _with_emergency(rows: list[FactRow]) -> list[FactRow]:
    """A public health emergency at the largest hospital: billed and owed, and outside the package (seed 001 §二(二)2)."""
    at = max(range(len(rows)), key=lambda index: (rows[index].visit_type == "inpatient", rows[index].settlements))
    row, extra = rows[at], rows[at].fund_payable * 7 // 100
    rows[at] = replace(
        row,
        fund_payable=row.fund_payable + extra,
        pooled_fund_paid=row.pooled_fund_paid + extra,
        total_cost=row.total_cost + extra,
        eligible_cost=row.eligible_cost + extra,
        excluded_fund=extra,
    )
    return rows
