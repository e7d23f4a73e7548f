"""The dated parameters of the checks: each with its clause and whether that is confirmed (A1's rule)."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.models import ConfirmationStatus
from core.parameters import define, values
from submissions.checks import Limits

_DESIGN = "设计默认值：季度报表检查阈值（待地方确定）"
_NAMES = {
    "max_change": ("submissions.max_change", "与上年同期变动须说明的幅度", "ratio", "0.20"),
    "average_low": ("submissions.average_low", "次均费用与历史相比的下限（倍）", "number", "0.5"),
    "average_high": ("submissions.average_high", "次均费用与历史相比的上限（倍）", "number", "2"),
    "outflow_points": ("submissions.outflow_points", "县外支出占比上升须说明的幅度", "ratio", "0.03"),
    "drug_points": ("submissions.drug_points", "药占比上升须说明的幅度", "ratio", "0.03"),
    "facts_share": ("submissions.facts_share", "报表与结算系统差异须说明的幅度", "ratio", "0.005"),
    "stay_low": ("submissions.stay_low", "平均住院日下限", "number", "1"),
    "stay_high": ("submissions.stay_high", "平均住院日上限", "number", "60"),
    "pace_points": ("submissions.pace_points", "成员单位执行快于序时进度须说明的幅度", "ratio", "0.10"),
}
"""Field of :class:`Limits` → key, label, kind, default."""
_FLOOR, _BASE = "budgets.primary_share_floor", "budgets.primary_share_base"
FACTS_SHARE = _NAMES["facts_share"][0]


def define_parameters() -> None:
    """Called when the app is ready: the administrator's pages list what is defined."""
    for key, label, kind, default in _NAMES.values():
        define(key, label, kind=kind, default=default, clause=_DESIGN, status=ConfirmationStatus.UNCONFIRMED)


def limits_at(place: Any, on: date) -> Limits:
    """What holds at a place on a day; the primary share's floor and base are those of the package (A14)."""
    held = values([_FLOOR, _BASE, *(key for key, *_rest in _NAMES.values())], place, on)
    numbers = {name: held[key].decimal for name, (key, *_rest) in _NAMES.items()}
    return Limits(primary_floor=held[_FLOOR].decimal, primary_base=held[_BASE].text, **numbers)
