"""How the value of an indicator is written: percent, percentage points, yuan, days; blank is a dash and never zero."""

from __future__ import annotations

from decimal import Decimal

from core.templatetags.fund import BLANK, percent, points, signed, yuan
from monitoring.models import PlaceKind
from rules.indicators import BASE_BY_KEY, INDICATORS, Better, Indicator
from rules.money import round_fen, round_ratio

UNITS = {"ratio": "%", "points": "个百分点", "yuan": "元", "days": "日", "months": "个月", "number": "倍"}
BETTER = {Better.LOW: "越低越好", Better.HIGH: "越高越好", Better.NEITHER: "看变化"}
OVER = {"now": "当期", "to_date": "1 月至期末", "year": "近 12 个月"}
HUNDRED = Decimal(100)


def value_text(indicator: Indicator, value: Decimal | None) -> str:
    """76.30%, +3.09 个百分点, 1,234.56, 8.1; a dash where there is none."""
    if value is None:
        return BLANK
    if indicator.unit == "ratio":
        return percent(value)
    if indicator.unit == "points":
        return points(value)
    return yuan(value)


def unit_text(indicator: Indicator) -> str:
    """The unit behind the number where the number does not carry it (percent signs do)."""
    return "" if indicator.unit in ("ratio", "points") else UNITS[indicator.unit]


def change_of(indicator: Indicator, now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Difference of ratios, else the relative change; None where one is missing or the earlier one is not positive."""
    if now is None or before is None:
        return None
    if indicator.unit in ("ratio", "points"):
        return round_ratio(now - before)
    return round_ratio(now / before - 1) if before > 0 else None


def change_text(indicator: Indicator, change: Decimal | None) -> str:
    """``+1.20 个百分点`` for ratios, ``+8.00%`` for everything else."""
    if change is None:
        return BLANK
    return points(change) if indicator.unit in ("ratio", "points") else signed(percent(change))


def sheet_value(indicator: Indicator, value: Decimal | None) -> Decimal | None:
    """The same number as :func:`value_text` shows, for a cell: percent and points times a hundred, two decimals."""
    if value is None:
        return None
    return round_fen(value * HUNDRED) if indicator.unit in ("ratio", "points") else round_fen(value)


def sheet_change(indicator: Indicator, change: Decimal | None) -> Decimal | None:
    """A change is in percentage points or percent, whatever the unit."""
    return None if change is None else round_fen(change * HUNDRED)


def chart_value(indicator: Indicator, value: Decimal | None) -> str | None:
    cell = sheet_value(indicator, value)
    return None if cell is None else str(cell)


def volume_text(indicator: Indicator, volume: Decimal | None) -> str:
    """How much stands behind a value, in whole units of the base."""
    if volume is None or not indicator.volume:
        return BLANK
    return f"{yuan(volume).removesuffix('.00')} {BASE_BY_KEY[indicator.volume].unit}"


def window_text(indicator: Indicator) -> str:
    return OVER[indicator.over]


def indicators_of(kind: str) -> list[Indicator]:
    """The indicators a kind of place has, in the catalogue's order."""
    return [indicator for indicator in INDICATORS if kind in indicator.places]


def kinds_text(indicator: Indicator) -> str:
    return "、".join(str(PlaceKind(kind).label) for kind in reversed(indicator.places))


def indicator_texts() -> list[dict[str, str]]:
    """The whole catalogue in words, for the handbook."""
    return [
        {
            "key": one.key,
            "label": one.label,
            "group": one.group,
            "unit": UNITS[one.unit],
            "expression": one.expression,
            "note": one.note,
            "window": window_text(one),
            "kinds": kinds_text(one),
            "better": BETTER[one.better],
            "clause": one.clause,
        }
        for one in INDICATORS
    ]
