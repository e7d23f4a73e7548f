"""Measures that do not add up over places or months: distinct persons, and stays followed by another within N days.

Persons are pseudonyms throughout. A settlement and its reversal cancel each other before anything is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claims.engine.lake import parquet_list
from claims.engine.reference import INPATIENT_TYPES
from rules.periods import Month

LEVELS = ("fund_type", "visit_type", "institution_code", "institution_area", "method", "outflow_kind")
_INPATIENT = ", ".join(f"'{kind.value}'" for kind in INPATIENT_TYPES)


@dataclass(frozen=True)
class Readmissions:
    """Stays of one institution and fund that ended in the months asked for, and those followed by another one."""

    institution_code: str
    fund_type: str
    stays: int
    readmitted: int


def distinct_persons(
    connection: Any, files: Sequence[Path], county: str, first: Month, last: Month, by: Sequence[str] = ()
) -> dict[tuple[str, ...], int]:
    """Persons with at least one standing settlement in the months, per value of ``by`` (of :data:`LEVELS`).

    Blank values are "". With no ``by`` the one key is ``()``. ValueError for an unknown level.
    """
    unknown = [name for name in by if name not in LEVELS]
    if unknown:
        raise ValueError(f"no level of aggregation: {', '.join(unknown)}")
    if not files:
        return {}
    keys = "".join(f"coalesce({name}, ''), " for name in by)
    group = f"GROUP BY {', '.join(str(index + 1) for index in range(len(by)))}" if by else ""
    rows = connection.execute(
        f"SELECT {keys}count(DISTINCT person) FROM ({_standing(files)}) WHERE insured_county = $1"
        f" AND settled_on BETWEEN $2 AND $3 {group}",
        [county, first.first_day, last.last_day],
    ).fetchall()
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


def readmissions(
    connection: Any, files: Sequence[Path], county: str, first: Month, last: Month, within_days: int
) -> list[Readmissions]:
    """Per institution and fund: stays discharged in the months, and how many were followed by another stay.

    A stay is a visit (its interim settlements together); it counts as readmitted when the same person is admitted
    anywhere again 0 to ``within_days`` days after the discharge. ``files`` must reach ``within_days`` beyond ``last``.
    """
    if not files:
        return []
    rows = connection.execute(
        f"""WITH stays AS (
            SELECT person, visit_id, arg_max(institution_code, settled_on) AS institution_code,
                   arg_max(fund_type, settled_on) AS fund_type, min(admission_date) AS admitted, max(discharge_date) AS discharged
            FROM ({_standing(files)}) WHERE insured_county = $1 AND visit_type IN ({_INPATIENT}) GROUP BY person, visit_id)
        SELECT coalesce(s.institution_code, ''), s.fund_type, count(*), count(*) FILTER (EXISTS (
            SELECT 1 FROM stays n WHERE n.person = s.person AND n.visit_id <> s.visit_id
            AND n.admitted >= s.discharged AND n.admitted <= s.discharged + $4::INTEGER
            AND (n.admitted, n.visit_id) > (s.admitted, s.visit_id)))
        FROM stays s WHERE s.discharged BETWEEN $2 AND $3 GROUP BY 1, 2 ORDER BY 1, 2""",
        [county, first.first_day, last.last_day, within_days],
    ).fetchall()
    return [Readmissions(code, fund, int(stays), int(again)) for code, fund, stays, again in rows]


def _standing(files: Sequence[Path]) -> str:
    """Settlements that are no reversals and were not reversed."""
    lake = parquet_list(files)
    return (
        f"SELECT * FROM {lake} c WHERE reversal_of IS NULL AND NOT EXISTS"
        f" (SELECT 1 FROM {lake} r WHERE r.reversal_of = c.settlement_id)"
    )
