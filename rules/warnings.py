"""May a figure stand as it is? Levels, the yuan a breach concerns, worsening and recovery (seed 001 §二(二)3, R-065).

A figure is held against levels that worsen from yellow to red: as it is, against last year, against its peers or against
the pace of the year. A breach is strictly beyond the level: what stands exactly on it is within it. Decisions are taken
on the sums (top ÷ bottom), never on the rounded ratio that is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.indicators import BASE_BY_KEY, Indicator, Kind, Reading
from rules.money import round_fen, round_rate, round_ratio
from rules.trace import Step, Trace, Value, percent

NONE, YELLOW, ORANGE, RED = "", "yellow", "orange", "red"
RANK = {NONE: 0, YELLOW: 1, ORANGE: 2, RED: 3}
LEVEL_NAMES = {NONE: "正常", YELLOW: "黄", ORANGE: "橙", RED: "红"}
ABSOLUTE, LAST_YEAR, PEERS, PACE = "absolute", "last_year", "peers", "pace"
COMPARED = {ABSOLUTE: "", LAST_YEAR: "上年同期", PEERS: "同类中位数", PACE: "序时进度"}
UNIT_NAMES = {"ratio": "", "points": " 个百分点", "yuan": " 元", "days": " 日", "months": " 个月", "number": ""}
SIGNS = {"ratio": "%", "points": " 个百分点"}


@dataclass(frozen=True)
class Levels:
    """What a threshold says. ``relative``: levels are fractions of the compared value, else differences from it."""

    basis: str
    above: bool
    relative: bool
    yellow: Decimal | None
    orange: Decimal | None
    red: Decimal | None
    clause: str

    def held(self) -> list[tuple[str, Decimal]]:
        """The levels that are set, mildest first."""
        pairs = ((YELLOW, self.yellow), (ORANGE, self.orange), (RED, self.red))
        return [(name, level) for name, level in pairs if level is not None]

    def is_ordered(self) -> bool:
        """Whether the levels worsen from yellow to red, each strictly."""
        values = [level for _name, level in self.held()]
        pairs = zip(values, values[1:], strict=False)
        return all(first < second if self.above else first > second for first, second in pairs)


@dataclass(frozen=True)
class Judgement:
    """``level`` empty: within. ``bound`` is the indicator's value where the breached level (or the mildest, if none is)
    begins; ``norm`` where the mildest begins; ``affected`` the yuan beyond ``norm``, None where no money stands behind
    it, 0 when nothing is breached. ``cannot`` says why it could not be judged."""

    level: str
    bound: Decimal | None
    norm: Decimal | None
    affected: Decimal | None
    trace: Trace
    cannot: str = ""


def exact_value(reading: Reading) -> Decimal | None:
    """The indicator without rounding: what levels are compared with."""
    indicator = reading.indicator
    if reading.value is None or reading.top is None or not reading.bottom:
        return reading.value
    value = reading.top * indicator.scale / reading.bottom
    if indicator.key == "cmi":
        return value / 10_000
    if indicator.kind == Kind.CHANGE:
        return value - 1
    if indicator.kind == Kind.PACE:
        return value - _pace(reading)
    return value


def judge(value: Decimal, compared: Decimal | None, levels: Levels) -> tuple[str, Decimal | None, Decimal | None, str]:
    """(level, bound breached, norm, why not judged). ``compared`` is not asked for with an absolute basis."""
    if levels.basis != ABSOLUTE and compared is None:
        return NONE, None, None, f"没有{COMPARED[levels.basis]}可比。"
    if levels.relative and (compared is None or compared <= 0):
        return NONE, None, None, f"{COMPARED[levels.basis]}为零或负，不能按比例比较。"
    bounds = [(name, _bound(level, compared, levels)) for name, level in levels.held()]
    breached = [(name, bound) for name, bound in bounds if (value > bound if levels.above else value < bound)]
    name, bound = breached[-1] if breached else (NONE, bounds[0][1])
    return name, bound, bounds[0][1], ""


def judge_reading(reading: Reading, compared: Decimal | None, levels: Levels) -> Judgement:
    """A reading that has a value against a threshold, with the yuan concerned and the trace."""
    value = exact_value(reading)
    if value is None:
        return Judgement(NONE, None, None, None, Trace(), reading.missing)
    level, bound, norm, cannot = judge(value, compared, levels)
    if cannot or bound is None or norm is None:
        return Judgement(NONE, None, None, None, reading.trace, cannot)
    steps = [_judging_step(reading.indicator, value, compared, levels, level, bound)]
    amount = Decimal("0.00") if level == NONE else None
    if level != NONE:
        amount, told = _affected(reading, value, norm, levels)
        steps.extend(told)
    return Judgement(level, bound, norm, amount, reading.trace + Trace(steps))


def worsens(former: str, level: str) -> bool:
    """Whether a level is worse than the former one."""
    return RANK[level] > RANK[former]


def is_recovered(levels: Sequence[str | None], months: int) -> bool:
    """Whether the newest ``months`` known months were all within. ``levels`` oldest first, None: not known.

    A month that is not known neither counts nor breaks the row.
    """
    known = [level for level in levels if level is not None]
    return len(known) >= months > 0 and all(level == NONE for level in known[-months:])


def shown(unit: str, value: Decimal) -> str:
    """A value of a unit as titles name it: 16%, 5 个百分点, 4,385.20 元, 5.20 个月."""
    if unit == "ratio":
        return percent(round_ratio(value))
    if unit == "points":
        return f"{(round_ratio(value) * 100).normalize():f} 个百分点"
    return f"{round_fen(value):,f}{UNIT_NAMES[unit]}"


def printed(unit: str, value: Decimal) -> str:
    """A value of a unit as traces print it, always two decimals: 16.00%, 5.00 个百分点, 4,385.20 元."""
    if unit in SIGNS:
        return f"{round_rate(value) * 100:.2f}{SIGNS[unit]}"
    return shown(unit, value)


def _side_by_side(unit: str, value: Decimal, bound: Decimal) -> tuple[str, str]:
    """Value and bound in words; with four decimals where two would make different ratios look the same."""
    texts = printed(unit, value), printed(unit, bound)
    if unit in SIGNS and value != bound and texts[0] == texts[1]:
        return f"{round_ratio(value) * 100:.4f}{SIGNS[unit]}", f"{round_ratio(bound) * 100:.4f}{SIGNS[unit]}"
    return texts


def _bound(level: Decimal, compared: Decimal | None, levels: Levels) -> Decimal:
    if levels.basis == ABSOLUTE or compared is None:
        return level
    return compared * (1 + level) if levels.relative else compared + level


def _pace(reading: Reading) -> Decimal:
    """The share of the year the gap was measured from: execution less gap, both as they are shown."""
    assert reading.top is not None and reading.bottom and reading.value is not None
    return round_ratio(reading.top / reading.bottom) - reading.value


def _judging_step(
    indicator: Indicator, value: Decimal, compared: Decimal | None, levels: Levels, level: str, bound: Decimal
) -> Step:
    name = "上限" if levels.above else "下限"
    value_text, bound_text = _side_by_side(indicator.unit, value, bound)
    inputs: list[tuple[str, Value]] = [(indicator.label, value_text)]
    if levels.basis != ABSOLUTE and compared is not None:
        inputs.append((COMPARED[levels.basis], printed(indicator.unit, compared)))
        inputs += [
            (f"{LEVEL_NAMES[one]}线幅度", printed("ratio", size) if levels.relative else printed(_points(indicator.unit), size))
            for one, size in levels.held()
        ]
    inputs.append((f"{LEVEL_NAMES[level]}线" if level else name, bound_text))
    sign = ">" if levels.above else "<"
    words = f"{indicator.label} {sign} {name}" if level else f"{indicator.label}在{name}以内"
    return Step("预警等级", words, tuple(inputs), LEVEL_NAMES[level], levels.clause, "")


def _points(unit: str) -> str:
    return "points" if unit == "ratio" else unit


def _affected(reading: Reading, value: Decimal, norm: Decimal, levels: Levels) -> tuple[Decimal | None, list[Step]]:
    """The yuan beyond the norm: the sum itself less what the norm allows, or the part of the money concerned."""
    indicator = reading.indicator
    if not indicator.affected:
        return None, []
    top, bottom = reading.top, reading.bottom
    name = indicator.top[0].removeprefix("-")
    if top is not None and bottom and BASE_BY_KEY[name].is_money:
        factor = norm
        if indicator.kind == Kind.CHANGE:
            factor = norm + 1
        elif indicator.kind == Kind.PACE:
            factor = norm + _pace(reading)
        allowed = factor * bottom / indicator.scale
        amount = round_fen(top - allowed if levels.above else allowed - top)
        words = "实际数 − 界限 × 分母" if levels.above else "界限 × 分母 − 实际数"
        if indicator.scale != 1:
            words += f"（分母 ÷ {indicator.scale}）"
        unit = "ratio" if indicator.unit == "points" else indicator.unit
        if levels.basis != ABSOLUTE:
            words += "；界限由比较数算出，按未舍入的数计算"
        told: tuple[tuple[str, Value], ...] = (("实际数", top), ("分母", bottom), ("界限", printed(unit, factor)))
        return amount, [Step("涉及金额", words, told, amount, levels.clause)]
    money = reading.affected
    if money is None:
        return None, []
    excess = value - norm if levels.above else norm - value
    base = BASE_BY_KEY[indicator.affected].label
    if indicator.unit in ("ratio", "points"):
        amount = round_fen(excess * money)
        words, part = f"超出部分 × {base}", printed(_points(indicator.unit), excess)
    elif value > 0:
        amount = round_fen(excess / value * money)
        words, part = f"超出部分 ÷ 指标值 × {base}", printed(indicator.unit, excess)
    else:
        return None, []
    return amount, [Step("涉及金额", words, (("超出部分", part), (base, money)), amount, levels.clause)]
