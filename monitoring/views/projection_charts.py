"""Data of the projection's charts, in 万元 as text with two decimals; None where a month has nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.templatetags.fund import percent, signed, wan
from monitoring.models import Projection
from monitoring.models.projections import amount_of
from monitoring.reading.projections import MonthLine
from rules.forecast import COMPLETED
from rules.money import ZERO, round_fen

NAMES = [f"{month}月" for month in range(1, 13)]


def months_chart(lines: Sequence[MonthLine]) -> dict[str, Any] | None:
    """Each month's known care inside and outside, what completes it, what is projected, beside the package's pace."""
    if not lines:
        return None
    inside, outside, coming = [], [], []
    for line in lines:
        over = line.is_over
        known_out = line.known - line.in_alliance if line.kind == COMPLETED else line.outflow
        split = over and 0 <= known_out <= line.outflow
        inside.append(_wan(line.in_alliance if split else line.known) if over else None)
        outside.append(_wan(known_out if split else ZERO) if over else None)
        late = _wan(line.expected - line.known) if line.kind == COMPLETED else None
        coming.append(late if over else _wan(line.expected))
    series: list[dict[str, Any]] = [
        {"name": "医共体内", "look": "solid", "data": inside},
        {"name": "医共体外", "look": "soft", "data": outside},
        {"name": "预计（含补足晚报）", "look": "expected", "data": coming},
    ]
    if lines[0].pace is not None:
        pace = [_wan(line.pace) for line in lines]
        series.append({"name": "序时额度", "look": "ink", "type": "line", "step": True, "data": pace})
    return {"categories": NAMES, "series": series}


def gap_chart(projection: Projection, lines: Sequence[MonthLine]) -> dict[str, Any] | None:
    """How far spending is from the package's pace, month by month, to the projected year end, its range and the tiers.

    ``kind`` is that of the chart: a band, or plain lines where no range is given.
    """
    if not lines or projection.package is None or projection.expected is None or lines[0].pace is None:
        return None
    actual: list[str | None] = []
    path: list[str | None] = [None] * 12
    low: list[str | None] = [None] * 12
    high: list[str | None] = [None] * 12
    gap = spent = ZERO
    at = max((number for number, line in enumerate(lines) if line.is_over), default=-1)
    for line in lines[: at + 1]:
        spent += line.expected
        gap += line.expected - (line.pace or ZERO)
        actual.append(_wan(gap))
    actual += [None] * (12 - len(actual))
    rest = projection.expected - spent
    stretch = [_stretch(edge, spent, rest) for edge in (projection.low, projection.high)]
    if at >= 0:
        path[at] = _wan(gap)
        if None not in stretch:
            low[at] = high[at] = _wan(gap)
    level, edges = gap, [gap, gap]
    for number in range(at + 1, 12):
        line, pace = lines[number], lines[number].pace or ZERO
        level += line.expected - pace
        path[number] = _wan(level)
        for which, factor in enumerate(stretch):
            if factor is not None:
                edges[which] += line.expected * factor - pace
                (low, high)[which][number] = _wan(edges[which])
    data: dict[str, Any] = {
        "categories": NAMES,
        "actual": actual,
        "projected": path,
        "low": low,
        "high": high,
        "limits": limits(projection),
        "end_label": f"{signed(wan(projection.difference))} · {signed(percent(projection.ratio))}",
        "end_red": projection.is_overrun,
        "range_name": "80% 区间",
    }
    if projection.low is not None:
        return {"kind": "band", **data}
    series = [{"name": "实际", "look": "solid", "data": actual}, {"name": "预计", "look": "expected", "data": path}]
    return {"kind": "line", "categories": NAMES, "series": series, "limits": data["limits"]}


def limits(projection: Projection) -> list[dict[str, Any]]:
    """The package itself and the tier bounds on the side the projection falls to, up to one beyond its range."""
    assert projection.package is not None
    found: list[dict[str, Any]] = [{"name": "打包总额", "value": "0.00", "at": "end"}]
    sign = 1 if projection.is_overrun else -1
    ratios = (projection.ratio, projection.low_ratio, projection.high_ratio)
    reach = max((abs(ratio) for ratio in ratios if ratio is not None), default=Decimal(0))
    tiers = projection.tiers if sign > 0 else list(reversed(projection.tiers))
    for here, beyond in zip(tiers, tiers[1:], strict=False):
        bound = amount_of(here["upper"] if sign > 0 else here["lower"])
        if bound is None or bound * sign <= 0:
            continue
        name = f"{here['label']} / {beyond['label']}  {signed(percent(bound, 0))}"
        found.append({"name": name, "value": _wan(projection.package * bound), "red": sign > 0})
        if bound * sign > reach:
            break
    return found


def change_chart(parts: Sequence[tuple[str, Decimal]]) -> dict[str, Any] | None:
    """The parts of the change to last month's projection."""
    if not parts:
        return None
    series = [{"name": "较上月变化", "look": "solid", "data": [_wan(amount) for _label, amount in parts]}]
    return {"categories": [label for label, _amount in parts], "series": series}


def describe(projection: Projection, lines: Sequence[MonthLine]) -> str:
    """The figures of the charts in words."""
    if projection.expected is None:
        return "暂无预测"
    over = "、".join(f"{line.month.month}月 {wan(line.expected)}" for line in lines if line.is_over)
    band = f"，80% 区间 {wan(projection.low)} 至 {wan(projection.high)}" if projection.low is not None else ""
    side = ""
    if projection.difference is not None:
        word = "超支" if projection.is_overrun else "结余"
        side = f"，预计{word} {wan(abs(projection.difference))}（{signed(percent(projection.ratio))}）落档 {projection.tier or '—'}"
    return f"各月发生（万元）：{over}；预计全年 {wan(projection.expected)} 万元{band}{side}"


def _stretch(edge: Decimal | None, spent: Decimal, rest: Decimal) -> Decimal | None:
    """By what the coming months must be multiplied for the year to end at the edge of the range."""
    return None if edge is None or rest <= 0 else (edge - spent) / rest


def _wan(amount: Decimal | None) -> str | None:
    return None if amount is None else str(round_fen(amount / 10000))
