"""Named lists that higher apps join from ``AppConfig.ready``.

``row_actions``: buttons for claim rows that were ticked on the page of an institution's rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.registries import Registry
from rules.periods import Month


@dataclass(frozen=True)
class RowAction:
    """The ticked rows are posted to ``url`` as ``settlement_id``."""

    label: str
    url: str


row_actions: Registry[Callable[[Any, Any, Month], RowAction | None]] = Registry()
"""``action(user, county, month) -> RowAction | None``: None where this person may not."""
