"""The place a synthetic extract is made for: institutions, counties, months; nothing of the application is needed."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from rules.periods import Month

EXAMPLE_AREA = "990100"  # 99 is no allocated division: these places exist nowhere
EXAMPLE_COUNTIES = ("990101", "990102", "990103")
HOSPITAL_KINDS = ("general", "tcm", "maternal", "specialist", "private")
TOWNSHIP_KINDS = ("township", "community")
EXAMPLE_KINDS = {
    "general": 2, "tcm": 1, "maternal": 1, "township": 16, "village": 60, "private": 3, "pharmacy": 30,
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One institution. ``alliance`` may be blank; ``county`` is its division code."""

    code: str
    name: str
    county: str
    kind: str
    grade: int = 1
    alliance: str = ""


@dataclass(frozen=True)
class Mix:
    """How often a kind of visit is and what it costs in a certain county, in place of the built-in figures.

    ``name``: a category of :mod:`claims.generator.rows`; ``resident`` and ``employee`` weigh it among their rows;
    ``mean`` yuan a resident's visit and the fund's ``ratio`` of it, ``weight`` the mean relative weight of its groups, None
    as built in; ``places``: institution codes with their weights.
    """

    name: str
    resident: float
    employee: float
    mean: float | None
    ratio: float | None
    weight: float | None
    places: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Setup:
    """What to generate. ``faults``: share of rows with one planted fault; ``frauds``: share that start a fraud.

    ``header``: national, chinese or ours. ``encoding``: utf-8, utf-8-sig or gb18030 (text formats only).
    ``mutual_aid_inside``: whether 共济支出 is part of 个人账户支出. ``townships`` adds the column 参保乡镇.
    ``employee_rows``: the employees' share of the rows. ``mix``: of every kind of visit, or empty as built in.
    """

    county: str
    first: Month
    last: Month
    rows: int
    institutions: tuple[Place, ...]
    seed: int = 20260101
    faults: float = 0.0
    frauds: float = 0.001
    header: str = "national"
    encoding: str = "utf-8"
    delimiter: str = ","
    townships: tuple[str, ...] = ()
    mutual_aid_inside: bool = True
    earlier_rows: int = 0
    persons: int = 0
    employee_rows: float = 0.24
    mix: tuple[Mix, ...] = ()

    @property
    def months(self) -> list[Month]:
        found, month = [], self.first
        while month <= self.last:
            found.append(month)
            month = month.next()
        return found

    @property
    def population(self) -> int:
        """Insured persons to draw from: given, or in proportion to the yearly rows (some 2.9 a head)."""
        return self.persons or max(400, round(self.rows * 12 / len(self.months) / 2.9))


def example_institutions() -> tuple[Place, ...]:
    """A city of three counties and five alliances, hospitals of the city, the province and beyond."""
    places: list[Place] = []
    for index, county in enumerate(EXAMPLE_COUNTIES):
        alliances = (f"YGT{index + 1}A",) if index else ("YGT1A", "YGT1B")
        kinds = [kind for kind, count in EXAMPLE_KINDS.items() for _ in range(count)]
        for serial, kind in enumerate(kinds, start=1):
            alliance = "" if kind in ("private", "pharmacy") else alliances[serial % len(alliances)]
            code = f"{'P' if kind == 'pharmacy' else 'H'}{county}{serial:05d}"
            grade = 2 if kind in ("general", "tcm", "maternal") else 1
            places.append(Place(code, f"示例{kind}{serial:03d}", county, kind, grade, alliance))
    for area, count in ((EXAMPLE_AREA, 6), ("990201", 5), ("110101", 4), ("440301", 5)):
        places.extend(
            Place(f"H{area}{number:05d}", f"县域外医院{area}{number}", area, "general", 3) for number in range(1, count + 1)
        )
    return tuple(places)


def read_institutions(path: Path) -> tuple[Place, ...]:
    """Institutions from a CSV with the columns code,name,county,kind,grade,alliance. ValueError names a bad line."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        places = []
        for number, row in enumerate(csv.DictReader(handle), start=2):
            try:
                grade = int(row.get("grade") or 1)
                places.append(
                    Place(row["code"], row.get("name") or "", row["county"], row["kind"], grade, row.get("alliance") or "")
                )
            except (KeyError, ValueError) as problem:
                raise ValueError(f"{path.name} 第 {number} 行缺少 code、county、kind 或 grade 不是整数：{problem}") from problem
    return tuple(places)


def example_setup(rows: int, **changes: object) -> Setup:
    """The example county over the third quarter of 2026."""
    start = Setup(EXAMPLE_COUNTIES[0], Month(2026, 7), Month(2026, 9), rows, example_institutions())
    return replace(start, **changes)  # type: ignore[arg-type]


def days_of(month: Month) -> tuple[int, int]:
    """First and last day of a month as days since 1970-01-01."""
    epoch = date(1970, 1, 1)
    return (month.first_day - epoch) // timedelta(days=1), (month.last_day - epoch) // timedelta(days=1)
