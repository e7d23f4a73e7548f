"""The limits of a case as its page shows them: how long, until when, extended, standing still, kept or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from audits.models import Case, Deadline
from audits.parameters import ALL_LIMITS, EXPERT_OPINION, count_key
from core.parameters import values
from rules.procedure import UNITS

AGREED = "与专家（鉴定机构）约定"
PARTY_RIGHTS = ("statement", "hearing_request")
"""What the party may do or let pass: such a limit ends by itself, nobody is late."""


@dataclass(frozen=True)
class LimitRow:
    """One limit; ``last_day`` counts to its end. ``confirmed``: whether the days in force are (待核实 otherwise)."""

    row: Deadline
    label: str
    length: str
    basis: str
    confirmed: bool
    today: date

    @property
    def last_day(self) -> date:
        return self.row.last_day  # type: ignore[no-any-return]

    @property
    def is_running(self) -> bool:
        return self.row.ended_on is None

    @property
    def stands(self) -> bool:
        """Whether its days do not count now."""
        return self.is_running and self.row.paused_on is not None

    @property
    def late(self) -> bool:
        return self.row.key not in PARTY_RIGHTS and not self.stands and self.last_day < (self.row.ended_on or self.today)

    @property
    def pauses(self) -> str:
        """The days not counted, in words."""
        return "、".join(f"{first} 至 {last}" for first, last in self.row.pauses)


def limit_rows(case: Case, held: Sequence[Deadline], today: date) -> list[LimitRow]:
    """Every limit of a case as it was begun; one query for what confirms the days."""
    keys = {row.key for row in held if row.key in ALL_LIMITS}
    found = values([count_key(key) for key in keys], case.at, today) if keys else {}
    rows = []
    for row in held:
        limit, known = ALL_LIMITS.get(row.key), found.get(count_key(row.key))
        label = "专家（鉴定）意见" if row.key == EXPERT_OPINION or limit is None else limit.label
        length = f"{row.count} {UNITS[row.unit]}" if row.count else "约定日期"
        rows.append(LimitRow(row, label, length, known.clause if known else AGREED, known is None or known.is_confirmed, today))
    return rows


def newest(rows: Sequence[LimitRow], key: str, track: int | None = None) -> LimitRow | None:
    """The last begun limit of a key on a track (None: on the case)."""
    return next((one for one in reversed(rows) if one.row.key == key and one.row.track_id == track), None)
