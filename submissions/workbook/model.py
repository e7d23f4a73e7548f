"""What a template is filled with and what an upload must agree with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from submissions.declaration import Table
from submissions.periods import TablePeriod

TABLE = "situation"


@dataclass(frozen=True)
class PrefillMember:
    institution: str
    name: str
    level_text: str


@dataclass(frozen=True)
class Prefill:
    """Everything a template knows before it is filled; money in yuan.

    ``values`` by (fund type, row code, column kind current, last or budget); ``member_values`` by (institution code, fund
    type, column key). ``causes``: lines of the cause analysis by column key. What is prefilled is locked, causes are not.
    """

    alliance_code: str
    alliance_name: str
    county_name: str
    lead_name: str
    period: TablePeriod
    assignment: int
    members: tuple[PrefillMember, ...] = ()
    values: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    member_values: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    causes: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Expected:
    """What the workbook must have been made for. ``tables`` gives the declaration of a version that may be read."""

    alliance_code: str
    period: TablePeriod
    assignment: int
    members: frozenset[str]
    tables: Callable[[str, str], Table | None]
    table: str = TABLE
