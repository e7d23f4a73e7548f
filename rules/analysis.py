"""Why spending changed: the difference of two periods split into volume, average, category and outflow, to the fen.

In-county inpatient and outpatient spending are persons × spending per person: more persons at the former average is
volume, the rest average. What has no count is its category; care outside the county is outflow. The parts add up exactly;
what cannot be split is said, never spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from rules.money import ZERO, round_fen
from rules.trace import Step, Trace, Value

CLAUSE = "宁医保〔2019〕128号 §三(四)：住院人次、次均住院费用、支出类别"
VOLUME, AVERAGE, CATEGORY, OUTFLOW = "volume", "average", "category", "outflow"
DRIVERS = {VOLUME: "人次变动", AVERAGE: "次均变动", CATEGORY: "其他类别变动", OUTFLOW: "县域外支出变动"}
NEEDED = ("charged", "fund_all", "fund_in_county", "fund_inpatient", "fund_outpatient")
SERVICES = (
    ("inpatient", "县域内住院", "fund_inpatient", "insured_discharges_in_county"),
    ("outpatient", "县域内门诊", "fund_outpatient", "visits"),
)
"""Category, its name, the base of its yuan and that of its persons."""
Sums = Mapping[str, Decimal | int | None]


@dataclass(frozen=True)
class Part:
    """One category: yuan now and before, and how much of the change each driver made."""

    key: str
    label: str
    now: Decimal
    before: Decimal
    drivers: Mapping[str, Decimal]
    note: str = ""

    @property
    def change(self) -> Decimal:
        return self.now - self.before


@dataclass(frozen=True)
class Decomposition:
    """``parts`` add up to ``change``, and so do ``drivers``. ``missing`` says why there is none."""

    now: Decimal | None
    before: Decimal | None
    parts: tuple[Part, ...]
    missing: str
    trace: Trace

    @property
    def change(self) -> Decimal | None:
        return None if self.now is None or self.before is None else self.now - self.before

    @property
    def drivers(self) -> dict[str, Decimal]:
        return {key: sum((part.drivers.get(key, ZERO) for part in self.parts), ZERO) for key in DRIVERS}


def decompose(now: Sums, before: Sums, labels: Mapping[str, str]) -> Decomposition:
    """Why ``charged`` changed. ``labels`` names the bases for the text that says what is missing."""
    total = _money(now, "charged"), _money(before, "charged")
    lacking = [
        f"{period}{labels.get(key, key)}"
        for period, sums in (("本期", now), ("上年同期", before))
        for key in NEEDED
        if sums.get(key) is None
    ]
    if lacking:
        return Decomposition(*total, (), f"缺少{'、'.join(lacking)}，不能分解。", Trace())
    parts, steps = [], []
    for key, label, yuan, persons in SERVICES:
        part, step = _service(key, label, yuan, persons, now, before)
        parts.append(part)
        steps.extend(step)
    rest = (
        ("other", "县域内其他", CATEGORY, ("fund_in_county", "-fund_inpatient", "-fund_outpatient")),
        ("out", "县域外就医", OUTFLOW, ("fund_all", "-fund_in_county")),
        ("scope", "打包范围以外的扣除", CATEGORY, ("charged", "-fund_all")),
    )
    for key, label, driver, bases in rest:
        here, then = _signed(now, bases), _signed(before, bases)
        parts.append(Part(key, label, here, then, {driver: here - then}))
    assert total[0] is not None and total[1] is not None
    inputs: tuple[tuple[str, Value], ...] = tuple((part.label, part.change) for part in parts)
    steps.append(Step("支出变动合计", "各类别变动相加", inputs, total[0] - total[1], CLAUSE))
    return Decomposition(total[0], total[1], tuple(parts), "", Trace(steps))


def _service(key: str, label: str, yuan: str, persons: str, now: Sums, before: Sums) -> tuple[Part, list[Step]]:
    here, then = _signed(now, (yuan,)), _signed(before, (yuan,))
    count, former = now.get(persons), before.get(persons)
    if count is None or former is None or former <= 0 or count < 0:
        why = "没有两期的人次，不能分为人次和次均" if count is None or former is None else "人次为零或为负，不能分为人次和次均"
        return Part(key, label, here, then, {CATEGORY: here - then}, why), []
    volume = round_fen(Decimal(count - former) * then / Decimal(former))
    average = here - then - volume
    steps = [
        Step(f"{label}人次变动", "（本期人次 − 上年同期人次）× 上年同期次均基金支出",
             (("本期人次", int(count)), ("上年同期人次", int(former)), ("上年同期基金支出", then)), volume, CLAUSE),
        Step(f"{label}次均变动", "本类变动 − 人次变动", (("本类变动", here - then), ("人次变动", volume)), average, CLAUSE),
    ]  # fmt: skip
    return Part(key, label, here, then, {VOLUME: volume, AVERAGE: average}), steps


def _signed(sums: Sums, bases: tuple[str, ...]) -> Decimal:
    total = ZERO
    for signed in bases:
        value = sums[signed.removeprefix("-")]
        assert value is not None
        total += -Decimal(value) if signed.startswith("-") else Decimal(value)
    return total


def _money(sums: Sums, key: str) -> Decimal | None:
    value = sums.get(key)
    return None if value is None else Decimal(value)


__all__ = ["CLAUSE", "DRIVERS", "Decomposition", "Part", "decompose"]
