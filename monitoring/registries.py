"""Named lists that other parts and later capabilities join from ``AppConfig.ready``.

``figure_sources``: who else knows bases of a month. A source is asked once a county-month and answers only for what it
knows; a later one (order) wins over an earlier one. It may answer for the bases of :data:`JOINED`.

``warning_actions``: buttons other apps put on a warning's page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.registries import Registry
from monitoring.reading.places import PlaceRef
from rules.indicators import BASES
from rules.periods import Month

Answer = Mapping[tuple[str, str], Mapping[str, Decimal | int | None]]
"""(place key, fund type) → base → value; ``None`` and absence both mean: not known."""
FigureSource = Callable[[Sequence[PlaceRef], Month], Answer]

_SETTLED = ("recovery_due", "recovered")
JOINED = frozenset(base.key for base in BASES if base.source == "other" and base.key not in _SETTLED)
"""Bases that only a source can know."""

figure_sources: Registry[FigureSource] = Registry()


@dataclass(frozen=True)
class WarningAction:
    """A button on a warning's page: ``effect`` is asked about before the POST to ``url``; without it a link opens ``url``."""

    label: str
    url: str
    effect: str = ""


warning_actions: Registry[Callable[[Any, Any], WarningAction | None]] = Registry()
"""``action(user, warning) -> WarningAction | None``: None where this person may not, or the warning does not fit."""
