"""Dated figures in TOML beside the code: what each rests on, when it holds, and whether an official document confirms it.

Every row carries ``basis`` and ``status`` (confirmed | 待核实) and may carry ``valid_from`` and ``valid_to`` (both days
included); a row without them holds always.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.trace import CONFIRMED, UNCONFIRMED

STATUSES = (CONFIRMED, UNCONFIRMED)


@dataclass(frozen=True)
class Source:
    """What a figure rests on; ``valid_to`` is the last day it holds, None while it is in force."""

    basis: str
    status: str
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def confirmed(self) -> bool:
        return self.status == CONFIRMED

    def holds(self, on: date) -> bool:
        """Whether the figure is in force on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


def read(path: Path) -> dict[str, Any]:
    """A shipped TOML file, its fractions as Decimal."""
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def source_of(row: Mapping[str, Any]) -> Source:
    """The source of a row; ValueError when its status is neither confirmed nor 待核实."""
    if row["status"] not in STATUSES:
        raise ValueError(f"status {row['status']!r} is none of {STATUSES}")
    return Source(row["basis"], row["status"], row.get("valid_from"), row.get("valid_to"))


def decimal_of(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A number of a row, written as text or number; None when it is not given."""
    return Decimal(str(row[name])) if name in row else None
