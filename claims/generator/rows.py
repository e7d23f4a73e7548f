"""Draws the rows of one chunk: who went where, for how long, what it cost and who paid (domain.md §7 magnitudes).

Everything is whole numbers (days since 1970, fen) in numpy arrays, so that each row balances to the fen before any
fault is planted. One chunk depends only on (seed, month, chunk number).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from claims.generator.setup import HOSPITAL_KINDS, TOWNSHIP_KINDS, Mix, Place, Setup

Arrays = dict[str, np.ndarray]

SEASON = (0.95, 0.82, 1.06, 1.03, 1.02, 1.00, 1.02, 1.01, 0.98, 0.99, 1.04, 1.08)
MIXED = 0x9E3779B97F4A7C15
MONEY_FIELDS = (
    "total", "drug", "tcm", "consumables", "exam", "treatment", "non_covered", "eligible", "deductible", "pooled",
    "serious", "supplement", "civil", "assistance", "account", "mutual", "cash", "hospital", "payable",
)
BLANK = -1  # for indexes and weights that a row does not have
GROUPS = 620
NO_PAYABLE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Category:
    """A kind of visit: share of a resident's and of an employee's rows, mean cost in yuan, spread, fund ratio."""

    name: str
    resident: float
    employee: float
    mean: float
    sigma: float
    ratio: float
    codes: tuple[str, ...]
    kinds: tuple[str, ...]
    stay: float = 0.0  # mean days in bed
    deductible: int = 0  # yuan


OUT = ("out",)
COUNTY = tuple(kind for kind in HOSPITAL_KINDS if kind != "private")
CATEGORIES: tuple[Category, ...] = (
    Category("village", 0.430, 0.080, 46, 0.5, 0.52, ("11",), ("village",)),
    Category("township_clinic", 0.200, 0.100, 85, 0.6, 0.56, ("11", "13"), TOWNSHIP_KINDS),
    Category("county_clinic", 0.120, 0.260, 245, 0.7, 0.50, ("11", "12"), HOSPITAL_KINDS),
    Category("chronic", 0.125, 0.130, 430, 0.6, 0.66, ("14", "15"), (*COUNTY, *TOWNSHIP_KINDS)),
    Category("pharmacy", 0.000, 0.310, 135, 0.6, 0.20, ("41",), ("pharmacy",)),
    Category("out_clinic", 0.017, 0.035, 420, 0.7, 0.38, ("11",), OUT),
    Category("township_stay", 0.030, 0.010, 2350, 0.70, 0.75, ("21", "2101"), TOWNSHIP_KINDS, 6, 200),
    Category("county_stay", 0.048, 0.042, 5600, 0.75, 0.65, ("21", "2101", "2107"), COUNTY, 8, 500),
    Category("out_stay", 0.024, 0.030, 15500, 0.85, 0.48, ("21", "22"), OUT, 9.5, 1000),
    Category("long_stay", 0.001, 0.001, 14000, 0.35, 0.72, ("21",), ("specialist", "general"), 85, 300),
    Category("maternity", 0.005, 0.002, 4300, 0.35, 0.60, ("52",), ("maternal", "general"), 4, 300),
)
INDEX = {category.name: number for number, category in enumerate(CATEGORIES)}
STAYS = tuple(number for number, category in enumerate(CATEGORIES) if category.stay)
VISIT_CODES: tuple[str, ...] = tuple(sorted({code for category in CATEGORIES for code in category.codes}))


def categories_of(setup: Setup) -> tuple[Category, ...]:
    """The kinds of visit as the setup mixes them; a kind its mix does not name does not occur."""
    if not setup.mix:
        return CATEGORIES
    given = {mix.name: mix for mix in setup.mix}
    found = []
    for built_in in CATEGORIES:
        if built_in.name not in given:
            found.append(replace(built_in, resident=0.0, employee=0.0))
            continue
        mix = given[built_in.name]
        mean = built_in.mean if mix.mean is None else mix.mean
        ratio = built_in.ratio if mix.ratio is None else mix.ratio
        found.append(replace(built_in, resident=mix.resident, employee=mix.employee, mean=mean, ratio=ratio))
    return tuple(found)


def month_rows(setup: Setup) -> list[int]:
    """Rows of each month in proportion to the season, adding up to the rows asked for."""
    weights = np.array([SEASON[month.month - 1] for month in setup.months])
    bounds = np.rint(np.cumsum(weights) / weights.sum() * setup.rows).astype(int)
    return [int(count) for count in np.diff(bounds, prepend=0)]


def mixed(numbers: np.ndarray, salt: int) -> np.ndarray:
    """A fixed property of a person: a well-mixed 63-bit number of (person, salt)."""
    value = (numbers.astype(np.uint64) + np.uint64(salt * MIXED % 2**64)) * np.uint64(MIXED)
    value ^= value >> np.uint64(29)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(32)
    return (value >> np.uint64(1)).astype(np.int64)


def persons_of(setup: Setup, draw: np.ndarray, employee: np.ndarray) -> np.ndarray:
    """Person numbers: a tenth of the insured are employees; the ill are seen more often than the healthy."""
    staff = max(1, setup.population // 10)
    skewed = draw**1.4
    return np.where(employee, skewed * staff, staff + skewed * (setup.population - staff)).astype(np.int64)


def describe_persons(person: np.ndarray) -> Arrays:
    """Sex and birth day follow from the person's number, so that they never change between visits."""
    return {"sex": 1 + mixed(person, 1) % 2, "birth": -14600 + mixed(person, 2) % 31000}  # born 1930 to 2014


def draw_chunk(setup: Setup, rng: np.random.Generator, count: int, first_day: int, last_day: int) -> Arrays:
    """``count`` ordinary settlements of the days first_day..last_day, without ids."""
    employee = rng.random(count) < setup.employee_rows
    kinds = categories_of(setup)
    shares = np.array([[c.resident for c in kinds], [c.employee for c in kinds]])
    bounds = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    pick = rng.random(count)
    category = np.where(employee, np.searchsorted(bounds[1], pick), np.searchsorted(bounds[0], pick)).astype(np.int64)
    rows: Arrays = {"category": np.minimum(category, len(CATEGORIES) - 1), "employee": employee.astype(np.int64)}
    rows["person"] = persons_of(setup, rng.random(count), employee)
    maternity = rows["category"] == INDEX["maternity"]
    female = mixed(rows["person"], 1) % 2 == 1
    rows["category"][maternity & ~female] = INDEX["county_stay"]
    rows |= describe_persons(rows["person"])
    _places(setup, rng, rows, count)
    _dates(rng, rows, count, first_day, last_day)
    _money(setup, rng, rows, count)
    _codes(setup, rng, rows, count)
    rows["reversal_of"] = np.full(count, BLANK, np.int64)
    return rows


def _places(setup: Setup, rng: np.random.Generator, rows: Arrays, count: int) -> None:
    weighed = {mix.name: _weighed(setup, mix) for mix in setup.mix}
    rows["place"] = np.zeros(count, np.int64)
    even = rng.random(count)
    draw = even**1.3  # the first of each kind are the larger ones
    for number, category in enumerate(CATEGORIES):
        here = rows["category"] == number
        if category.name in weighed:
            pool, bounds = weighed[category.name]
            rows["place"][here] = pool[np.searchsorted(bounds, even[here], side="right")]
            continue
        pool = _pool(setup, category)
        rows["place"][here] = pool[(draw[here] * len(pool)).astype(np.int64)]
    kinds = ("blank", "referred", "resettled", "emergency", "self_chosen")
    outside = np.isin(rows["category"], (INDEX["out_clinic"], INDEX["out_stay"]))
    chosen = np.searchsorted(np.cumsum([0.06, 0.42, 0.14, 0.08]), rng.random(count))
    rows["outflow"] = np.where(outside, np.minimum(chosen, len(kinds) - 1), 0)
    direction = rng.random(count)
    rows["referral"] = np.where(direction < 0.012, 1, np.where(direction < 0.017, 2, 0))
    rows["emergency"] = (rng.random(count) < 0.002).astype(np.int64)


def _pool(setup: Setup, category: Category) -> np.ndarray:
    def fits(place: Place) -> bool:
        if category.kinds == OUT:
            return place.county != setup.county and place.kind in COUNTY
        return place.county == setup.county and place.kind in category.kinds

    found = [index for index, place in enumerate(setup.institutions) if fits(place)]
    fallback = [index for index, place in enumerate(setup.institutions) if place.county == setup.county]
    if not (found or fallback):
        raise ValueError(f"机构清单中没有 {setup.county} 的机构")
    return np.array(found or fallback, np.int64)


def _weighed(setup: Setup, mix: Mix) -> tuple[np.ndarray, np.ndarray]:
    """The institutions of a mix and where the share of each ends between 0 and 1."""
    numbers = {place.code: number for number, place in enumerate(setup.institutions)}
    known = [(numbers[code], weight) for code, weight in mix.places if code in numbers and weight > 0]
    if not known:
        raise ValueError(f"机构清单中没有 {mix.name} 的机构")
    bounds = np.cumsum(np.array([weight for _, weight in known]))
    bounds = bounds / bounds[-1]
    return np.array([number for number, _ in known], np.int64), bounds


def _dates(rng: np.random.Generator, rows: Arrays, count: int, first_day: int, last_day: int) -> None:
    stays = np.array([category.stay for category in CATEGORIES])[rows["category"]]
    settled = np.sort(rng.integers(first_day, last_day + 1, count))
    length = np.where(stays > 0, 1 + rng.gamma(2.2, np.maximum(stays - 1, 1) / 2.2), 0).astype(np.int64)
    lag = np.where((stays > 0) & (rng.random(count) < 0.15), rng.integers(1, 4, count), 0)
    rows["settled"], rows["end"] = settled, settled - lag
    rows["begin"] = rows["end"] - length
    rows["bed_days"] = np.where(stays > 0, np.maximum(length, 1), BLANK)
    rows["second"] = rng.integers(8 * 3600, 18 * 3600, count)


def _money(setup: Setup, rng: np.random.Generator, rows: Arrays, count: int) -> None:
    category, employee = rows["category"], rows["employee"] == 1
    kinds = categories_of(setup)

    def of(name: str) -> np.ndarray:
        return np.array([getattr(entry, name) for entry in kinds])[category]

    sigma, inpatient = of("sigma"), of("stay") > 0
    mean = of("mean") * np.where(employee & inpatient, 1.35, 1.0)
    total = np.maximum(np.exp(rng.normal(np.log(mean * 100) - sigma**2 / 2, sigma)), 200).astype(np.int64)
    total = np.minimum(total, 80_000_000)
    outside = np.isin(category, (INDEX["out_clinic"], INDEX["out_stay"]))
    eligible = (total * np.where(outside, rng.uniform(0.72, 0.92, count), rng.uniform(0.84, 0.98, count))).astype(np.int64)
    deductible = np.minimum(of("deductible") * 100, eligible // 3)
    rate = np.clip(of("ratio") * rng.normal(1.0, 0.08, count) + np.where(employee, 0.08, 0.0), 0.1, 0.93)
    pooled = np.minimum((total * rate).astype(np.int64), eligible - deductible)
    left = total - pooled
    serious = np.where(inpatient & (left > 1_500_000), ((left - 1_500_000) * 0.6).astype(np.int64), 0)
    left -= serious
    civil = np.where(employee & (rng.random(count) < 0.1), left // 5, 0)
    left -= civil
    poor = mixed(rows["person"], 3) % 100 < 4
    assistance = np.where(poor & ~employee & (left > 20_000), left // 2, 0)
    left -= assistance
    hospital = np.where(inpatient & (rng.random(count) < 0.01), left // 20, 0)
    left -= hospital
    account = np.where(employee, (left * rng.uniform(0.2, 0.9, count)).astype(np.int64), 0)
    mutual = np.where(employee & (rng.random(count) < 0.15), account // 3, 0)
    left -= account
    if not setup.mutual_aid_inside:
        account = account - mutual
    parts = rng.dirichlet((3.4, 0.8, 1.1, 2.0, 2.2, 0.5), count)[:, :5]
    cost = (total[:, None] * parts).astype(np.int64)
    stays = np.isin(category, (INDEX["county_stay"], INDEX["township_stay"]))
    factor = np.clip(rng.normal(0.985, 0.12, count), 0.5, 1.6)
    rows.update(
        total=total, eligible=eligible, deductible=deductible, pooled=pooled, non_covered=total - eligible,
        serious=np.where(employee, 0, serious), supplement=np.where(employee, serious, 0), civil=civil,
        assistance=assistance, account=account, mutual=mutual, cash=left, hospital=hospital,
        drug=cost[:, 0], tcm=cost[:, 1], consumables=cost[:, 2], exam=cost[:, 3], treatment=cost[:, 4],
        payable=np.where(stays, (pooled * factor).astype(np.int64), NO_PAYABLE),
    )


def group_weights() -> np.ndarray:
    """The relative weights of the example groups: 0.35 and more, a few of them far more."""
    return 0.35 + (np.arange(GROUPS) * 7919 % GROUPS) ** 2 / 90000


def _codes(setup: Setup, rng: np.random.Generator, rows: Arrays, count: int) -> None:
    category = rows["category"]
    rows["visit_code"] = np.zeros(count, np.int64)
    draw = rng.random(count)
    for number, entry in enumerate(CATEGORIES):
        here = category == number
        codes = np.array([VISIT_CODES.index(code) for code in entry.codes])
        rows["visit_code"][here] = codes[(draw[here] * len(codes)).astype(np.int64)]
    methods = ("ffs", "drg", "dip", "bed_day", "capitation", "case", "blank")
    by_category = {"county_stay": "drg", "township_stay": "drg", "long_stay": "bed_day", "village": "capitation",
                   "out_stay": "ffs", "maternity": "case"}
    table = np.array([methods.index(by_category.get(entry.name, "ffs")) for entry in CATEGORIES])
    rows["method"] = np.where(rng.random(count) < 0.02, methods.index("blank"), table[category])
    grouped = rows["method"] == methods.index("drg")
    used = np.where(category == INDEX["township_stay"], 90, 320)
    even = rng.random(count)
    rows["group"] = np.where(grouped, (even**1.6 * used).astype(np.int64), BLANK)
    lightest = np.argsort(group_weights())
    for mix in setup.mix:
        if mix.weight is not None:
            here = grouped & (category == INDEX[mix.name])
            rows["group"][here] = lightest[(even[here] ** _skew(mix.weight) * GROUPS).astype(np.int64)]
    rows["diagnosis"] = np.where(np.isin(category, STAYS), rng.integers(0, 400, count), rng.integers(0, 60, count))


def _skew(weight: float) -> float:
    """The power of an even draw among the groups from light to heavy whose mean weight is ``weight``."""
    heaviest = GROUPS**2 / 90000
    return max((heaviest / max(weight - 0.35, 0.01) - 1) / 2, 0.1)
