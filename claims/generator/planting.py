"""Plants what real extracts hold besides ordinary rows: interim and late settlements, reversals, frauds, faults.

Frauds are lawful rows that tell a story together and must pass the checks; faults are cells changed so that exactly
one code of the catalogue finds them. Both are noted for the answer key by their row.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from claims.generator.rows import BLANK, INDEX, MONEY_FIELDS, NO_PAYABLE, STAYS, Arrays, describe_persons
from claims.generator.setup import Setup

FRAUDS = ("split_stay", "overlapping_stays", "duplicate_billing", "after_death", "sex_mismatch", "clinic_during_stay")
INPATIENT_FAULTS = ("C13", "C14", "C20", "C28")
GROUPED_FAULTS = ("C17", "C18", "C19")
REVERSAL_FAULTS = ("C27",)
ANY_FAULTS = (
    "C01",
    "C02",
    "C04",
    "C05",
    "C06",
    "C07",
    "C08",
    "C09",
    "C10",
    "C11",
    "C12",
    "C15",
    "C16",
    "C21",
    "C22",
    "C23",
    "C24",
    "C25",
    "C26",
    "C29",
    "C30",
    "C31",
)
SOFT = ("C24",)


@dataclass
class Planted:
    """Rows of one chunk with what was planted in them. Rows are named by ``uid``, their order of creation."""

    rows: Arrays
    frauds: list[tuple[str, list[int]]] = field(default_factory=list)
    deaths: list[tuple[int, int]] = field(default_factory=list)  # (person, day)
    late: list[int] = field(default_factory=list)
    reversals: list[int] = field(default_factory=list)
    protected: set[int] = field(default_factory=set)
    overrides: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # column → (position, text)
    faults: dict[str, list[int]] = field(default_factory=dict)  # code → positions

    @property
    def size(self) -> int:
        return len(self.rows["settled"])

    def append(self, source: np.ndarray, **changes: np.ndarray | int) -> np.ndarray:
        """Copies of rows with some fields changed; a new visit unless ``visit`` is given. Returns their uids."""
        uids = np.arange(self.size, self.size + len(source))
        changes.setdefault("visit", uids)
        for name, values in self.rows.items():
            new = changes.get(name, values[source])
            self.rows[name] = np.concatenate([values, np.broadcast_to(np.asarray(new, values.dtype), len(source))])
        self.rows["uid"][uids] = uids
        self.protected.update(source.tolist(), uids.tolist())
        return uids

    def free(self, condition: np.ndarray) -> np.ndarray:
        """Uids that fulfil a condition and are not part of a story yet."""
        allowed = condition.copy()
        allowed[list(self.protected)] = False
        return np.flatnonzero(allowed)


def extra_rows(count: int, frauds: float) -> tuple[int, int, int]:
    """How many interim settlements, reversals and fraud stories of each kind a chunk of ``count`` rows holds."""
    stories = round(count * frauds / len(FRAUDS)) if frauds else 0
    return round(count * 0.0006), round(count * 0.0015), max(stories, 1) if frauds and count >= 200 else stories


def add_stories(
    setup: Setup,
    rng: np.random.Generator,
    rows: Arrays,
    sizes: tuple[int, int, int],
    first_day: int,
    last_day: int,
    reserve: int,
) -> Planted:
    """Interim settlements, reversals, frauds and late rows. ``reserve``: first person number kept for the frauds."""
    count = len(rows["settled"])
    rows["uid"] = np.arange(count)
    rows["visit"] = np.arange(count)
    planted = Planted(rows)
    interims, reversals, stories = sizes
    _interims(planted, rng, interims, last_day)
    _reversals(planted, rng, reversals, last_day)
    for kind in FRAUDS:
        for _ in range(stories):
            _fraud(planted, rng, kind, first_day, last_day, reserve + sum(len(f[1]) for f in planted.frauds))
    _late(setup, planted, rng, first_day)
    return planted


def _choose(rng: np.random.Generator, candidates: np.ndarray, count: int) -> np.ndarray:
    return np.sort(rng.choice(candidates, min(count, len(candidates)), replace=False))


def _fill(planted: Planted, wanted: int, made: int, last_day: int) -> None:
    """Keep the row count exact: ordinary copies stand in for stories that found no room."""
    if made < wanted:
        source = np.arange(wanted - made) % planted.size
        planted.append(source, person=planted.rows["person"][source])
        planted.protected.difference_update(source.tolist())


def _interims(planted: Planted, rng: np.random.Generator, wanted: int, last_day: int) -> None:
    rows = planted.rows
    able = np.isin(rows["category"], STAYS) & (rows["settled"] + 6 <= last_day)
    source = _choose(rng, planted.free(able), wanted)
    if len(source):
        end = rows["end"][source] + 5
        planted.append(source, visit=source, begin=rows["end"][source], end=end, settled=end + 1, bed_days=5)
    _fill(planted, wanted, len(source), last_day)


def _reversals(planted: Planted, rng: np.random.Generator, wanted: int, last_day: int) -> None:
    rows = planted.rows
    source = _choose(rng, planted.free(rows["settled"] + 3 <= last_day), wanted)
    if len(source):
        money = {name: -rows[name][source] for name in MONEY_FIELDS if name != "payable"}
        payable = rows["payable"][source]
        money["payable"] = np.where(payable == NO_PAYABLE, NO_PAYABLE, -payable)
        settled = rows["settled"][source] + rng.integers(1, 4, len(source))
        uids = planted.append(
            source,
            visit=source,
            reversal_of=source,
            settled=settled,
            **money,
        )
        planted.reversals.extend(uids.tolist())
    _fill(planted, wanted, len(source), last_day)


def _fraud(planted: Planted, rng: np.random.Generator, kind: str, first_day: int, last_day: int, person: int) -> None:
    """One story with a person of its own, so that the answer key names every row of it."""
    rows = planted.rows
    county_stay = (rows["category"] == INDEX["county_stay"]) & (rows["employee"] == 0)
    clinic = np.isin(rows["category"], (INDEX["township_clinic"], INDEX["county_clinic"])) & (rows["employee"] == 0)
    room = (rows["end"] + 10 <= last_day) & (rows["begin"] > first_day)
    wanted = {
        "split_stay": county_stay & room,
        "overlapping_stays": county_stay & room,
        "duplicate_billing": clinic,
        "after_death": clinic,
        "sex_mismatch": rows["category"] == INDEX["maternity"],
        "clinic_during_stay": county_stay & room,
    }[kind]
    candidates = planted.free(wanted)
    if not len(candidates):
        return
    uid = int(rng.choice(candidates))
    one = np.array([uid])
    about = {"person": person, **{name: int(values[0]) for name, values in describe_persons(np.array([person])).items()}}
    for name, value in about.items():
        rows[name][uid] = value
    planted.protected.add(uid)
    begin, end = int(rows["begin"][uid]), int(rows["end"][uid])
    story = [uid]
    if kind == "split_stay":
        length = int(rng.integers(3, 8))
        story += planted.append(
            one, begin=end + 1, end=end + 1 + length, settled=end + 1 + length, bed_days=length
        ).tolist()
    elif kind == "overlapping_stays":
        others = rows["place"][county_stay & (rows["place"] != rows["place"][uid])]
        if len(others):
            middle = begin + (end - begin) // 2
            story += planted.append(
                one, begin=middle, end=end + 2, settled=end + 3, bed_days=end + 2 - middle, place=int(others[0])
            ).tolist()
    elif kind == "duplicate_billing":
        story += planted.append(one).tolist()
    elif kind == "after_death":
        planted.deaths.append((person, begin - int(rng.integers(5, 60))))
    elif kind == "sex_mismatch":
        rows["sex"][uid] = 1
    else:
        middle = begin + max(1, (end - begin) // 2)
        clinics = np.flatnonzero(clinic)
        if len(clinics):
            other = np.array([int(clinics[0])])
            free_before = int(other[0]) in planted.protected
            story += planted.append(other, **about, begin=middle, end=middle, settled=middle).tolist()
            if not free_before:
                planted.protected.discard(int(other[0]))
    planted.frauds.append((kind, story))


def _late(setup: Setup, planted: Planted, rng: np.random.Generator, first_day: int) -> None:
    """Some rows of the first month were settled before the period: late claims, lawful."""
    rows = planted.rows
    chosen = _choose(rng, planted.free(np.ones(planted.size, bool)), round(planted.size * 0.003))
    start = (setup.first.first_day.toordinal()) - 719163
    shift = rows["settled"][chosen] - (start - 1 - rng.integers(0, 45, len(chosen)))
    for name in ("settled", "begin", "end"):
        rows[name][chosen] -= shift
    planted.late = chosen.tolist()


def settle_order(planted: Planted) -> np.ndarray:
    """Uids in the order of the file: by settlement day, later creations last."""
    return np.argsort(planted.rows["settled"], kind="stable")


def plant_faults(setup: Setup, planted: Planted, order: np.ndarray, rng: np.random.Generator, *, every: bool) -> None:
    """Faulty cells in ``faults`` of the rows; with ``every`` each code at least once where the chunk has room."""
    count = round(len(order) * setup.faults)
    if not count:
        return
    rows = {name: values[order] for name, values in planted.rows.items()}
    blocked = np.isin(order, np.fromiter(planted.protected, np.int64, len(planted.protected)))
    blocked |= np.isin(order, np.array(planted.late, np.int64))
    blocked[0] = True
    inpatient = np.isin(rows["category"], STAYS)
    fit = {
        **dict.fromkeys(INPATIENT_FAULTS, inpatient & (rows["end"] > rows["begin"])),
        **dict.fromkeys(GROUPED_FAULTS, rows["group"] != BLANK),
        **dict.fromkeys(REVERSAL_FAULTS, rows["reversal_of"] != BLANK),
        **dict.fromkeys(ANY_FAULTS, np.ones(len(order), bool)),
    }
    here = np.array([place.county == setup.county for place in setup.institutions])[rows["place"]]
    fit["C10"] = here
    fit["C24"] = rows["pooled"] > 500
    codes = sorted(fit)
    picks = list(codes) if every else []
    picks += [codes[number] for number in rng.integers(0, len(codes), max(0, count - len(picks)))]
    for code in picks[: max(count, len(picks) if every else count)]:
        open_rows = fit[code] if code in REVERSAL_FAULTS else fit[code] & ~blocked
        candidates = np.flatnonzero(open_rows)
        taken = planted.faults.setdefault(code, [])
        candidates = candidates[~np.isin(candidates, taken)] if code in REVERSAL_FAULTS else candidates
        if not len(candidates):
            continue
        position = int(rng.choice(candidates))
        if code == "C02" and position and blocked[position - 1]:
            continue  # the row whose id is repeated must be sound itself
        blocked[position] = True
        if code == "C02":
            blocked[position - 1] = True
        taken.append(position)
        for column, text in cells(setup, rows, code, position, int(rng.integers(0, 3))):
            planted.overrides.setdefault(column, []).append((position, text))


def cells(setup: Setup, rows: Arrays, code: str, at: int, variant: int) -> list[tuple[str, str]]:
    """The changed cells (our column, text) that make the row at position ``at`` break exactly this code."""

    def fen(value: int) -> str:
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"

    def day(number: int) -> str:
        return str(np.datetime64(int(number), "D"))

    total, cash = int(rows["total"][at]), int(rows["cash"][at])
    begin, end = int(rows["begin"][at]), int(rows["end"][at])
    beyond = str(setup.last.next().first_day)
    table: dict[str, list[tuple[str, str]]] = {
        "C01": [("settlement_id", "")],
        "C02": [("settlement_id", f"@{at - 1}")],
        "C04": [("person_id", "")],
        "C05": [("sex", "3")],
        "C06": [("birth_date", ("1990-02-30", day(end + 400), "x")[variant])],
        "C07": [("fund_type", "999")],
        "C08": [("insured_county", "999999")],
        "C09": [("institution_code", "")],
        "C10": [("institution_code", "H00000000000"), ("institution_area", setup.county)],
        "C11": [("visit_type", ("99", "急", "0")[variant])],
        "C12": [("admission_date", ("2026-02-30", "x", "44000.5")[variant])],
        "C13": [("discharge_date", day(begin - 1 - variant))],
        "C14": [("admission_date", "")],
        "C15": [("settled_on", ("", "2026-13-01", "昨天")[variant])],
        "C16": [("settled_on", beyond)],
        "C17": [("group_code", "")],
        "C18": [("group_code", "ZZ99")],
        "C19": [("group_weight", ("0", "-1.2", "x")[variant])],
        "C20": [("bed_days", str(end - begin + 2 + variant))],
        "C21": [("eligible_cost", ("12,345.00", "10000000.00", "12.345")[variant])],
        "C22": [("drug_cost", fen(abs(total) + 100))],
        "C23": [("eligible_cost", fen(total + 1))],
        "C24": [("eligible_cost", fen(int(rows["pooled"][at]) - 1 - variant))],
        "C25": [(("outflow_kind", "referral", "public_health_emergency")[variant], "7")],
        "C26": [("reversal_of", f"{setup.county}000000XXXX"), ("reversal_flag", "1")],
        "C27": [("total_cost", fen(total - 100)), ("cash_paid", fen(cash - 100)), ("person_total", "")],
        "C28": [("visit_id", "")],
        "C29": [("method", "按心情")],
        "C30": [("cash_paid", fen(cash + 2 + variant))],
        "C31": [("drug_cost", "-1.00")],
    }
    return table[code]
