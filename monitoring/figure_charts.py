"""Charts of the indicator pages: trend beside last year with threshold lines, members as bars, a small trend in a row."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from monitoring.models import Level, Threshold
from monitoring.reading.indicator_text import UNITS, chart_value, value_text
from monitoring.reading.league import LeagueRow
from monitoring.reading.series import Point
from rules.indicators import Indicator

WIDTH, HEIGHT, EDGE = 72, 22, 2
MOST_BARS = 24


def unit_of(indicator: Indicator) -> str:
    return UNITS[indicator.unit]


def trend_chart(indicator: Indicator, points: Sequence[Point], rules: Sequence[Threshold]) -> dict[str, Any]:
    """24 months, the same months a year earlier dashed, one line for every level of a threshold in force."""
    limits = [
        {
            "name": f"{level.label}线 {value_text(indicator, limit)}",
            "value": chart_value(indicator, limit),
            "red": level == Level.RED,
        }
        for rule in rules
        for level in Level
        if (limit := getattr(rule, level.value)) is not None
    ]
    return {
        "categories": [str(point.month) for point in points],
        "series": [
            {
                "name": indicator.label,
                "look": "solid",
                "data": [chart_value(indicator, point.now.value) for point in points],
            },
            {
                "name": "上年同月",
                "look": "dashed",
                "data": [chart_value(indicator, point.before.value) for point in points],
            },
        ],
        "limits": limits,
    }


def describe_trend(indicator: Indicator, points: Sequence[Point]) -> str:
    told = [f"{point.month} {value_text(indicator, point.now.value)}" for point in points if point.now.value is not None]
    return f"{indicator.label}近 {len(points)} 个月：{'、'.join(told)}" if told else "暂无数据"


def member_chart(indicator: Indicator, rows: Sequence[LeagueRow]) -> dict[str, Any]:
    """The members with a value, highest first, at most 24 of them."""
    known = sorted((row for row in rows if row.now.value is not None), key=lambda row: row.now.value or 0, reverse=True)
    shown = known[:MOST_BARS]
    return {
        "categories": [row.place.name for row in shown],
        "series": [
            {"name": "本期", "look": "solid", "data": [chart_value(indicator, row.now.value) for row in shown]},
            {"name": "上年同期", "look": "soft", "data": [chart_value(indicator, row.before.value) for row in shown]},
        ],
    }


def describe_members(indicator: Indicator, rows: Sequence[LeagueRow]) -> str:
    told = [f"{row.place.name} {value_text(indicator, row.now.value)}" for row in rows if row.now.value is not None]
    return "；".join(told[:MOST_BARS]) or "暂无数据"


def spark(indicator: Indicator, values: Sequence[Decimal | None]) -> dict[str, Any] | None:
    """A small trend as SVG lines; a month without a value breaks the line. None with fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    width = Decimal(WIDTH - 2 * EDGE) / (len(values) - 1)
    height = Decimal(HEIGHT - 2 * EDGE)
    lines: list[list[str]] = [[]]
    last = None
    for at, value in enumerate(values):
        if value is None:
            lines.append([])
            continue
        y = height / 2 if high == low else height - (value - low) / (high - low) * height
        last = (f"{EDGE + at * width:.1f}", f"{EDGE + y:.1f}")
        lines[-1].append(",".join(last))
    return {
        "lines": [" ".join(line) for line in lines if len(line) > 1],
        "last": last,
        "text": f"近 {len(values)} 个月最低 {value_text(indicator, low)}，最高 {value_text(indicator, high)}，"
        f"最近 {value_text(indicator, known[-1])}",
    }
