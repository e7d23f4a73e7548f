"""The member-level summary of a table: average costs, drug share, budget execution, what was found (seed 000 §四(六))."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.models import FundType
from rules.quarterly import derived, execution_percent
from submissions.figures import Figures, MemberValues
from submissions.models import Finding
from submissions.periods import TablePeriod

# The member sheet's columns under the row codes the formulas read.
CODES = {
    "visits": "7", "discharges": "8", "bed_days": "8.1", "outpatient_cost": "9.o", "inpatient_cost": "9.i", "drug_cost": "9.1",
}  # fmt: skip


@dataclass(frozen=True)
class MemberLine:
    """One member of one fund. Money in yuan, shares in per cent; None where it cannot be said.

    A total names in ``blank`` how many members left a column empty: what is added up there is not the whole alliance's.
    """

    institution: str
    name: str
    spending: Decimal | None
    budget: Decimal | None
    execution: Decimal | None
    visits: Decimal | None
    discharges: Decimal | None
    average_outpatient: Decimal | None
    average_inpatient: Decimal | None
    length_of_stay: Decimal | None
    drug_share: Decimal | None
    score: Decimal | None
    signals: tuple[Finding, ...] = ()
    blank: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MemberGroup:
    """The members of one fund, and all of them together."""

    fund_type: str
    lines: tuple[MemberLine, ...]
    total: MemberLine


def summary(figures: Figures, period: TablePeriod, findings: Iterable[Finding]) -> list[MemberGroup]:
    """One group per fund type the sheet speaks of; the two are never added up. Signals are what the checks found."""
    signals: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.institution:
            signals[(finding.institution, finding.fund_type)].append(finding)
    groups = []
    for fund in FundType:
        rows = [member for member in figures.members if member.fund_type == fund]
        if not rows:
            continue
        lines = tuple(_line(row, period, signals[(row.institution, row.fund_type)]) for row in rows)
        groups.append(MemberGroup(fund.value, lines, _total(rows, fund, period)))
    return groups


def _total(rows: list[MemberValues], fund: str, period: TablePeriod) -> MemberLine:
    """All members together. Averages and shares are made of columns everybody filled in: a blank is not a zero."""
    whole: dict[str, Decimal | None] = {}
    known: dict[str, Decimal | None] = {}
    blank: dict[str, int] = {}
    for key in sorted({key for row in rows for key in row.values} - {"score"}):
        filled = [value for row in rows if (value := row.values.get(key)) is not None]
        known[key] = sum(filled, Decimal(0)) if filled else None
        whole[key] = known[key] if len(filled) == len(rows) else None
        if filled and len(filled) < len(rows):
            blank[key] = len(rows) - len(filled)
    line = _line(MemberValues("", "合计", fund, whole), period, [])
    return replace(
        line,
        spending=known.get("spending"),
        budget=known.get("budget"),
        visits=known.get("visits"),
        discharges=known.get("discharges"),
        blank=blank,
    )


def _line(row: MemberValues, period: TablePeriod, signals: list[Finding]) -> MemberLine:
    values = row.values
    coded = {code: values.get(key) for key, code in CODES.items()}
    coded["9"] = _both(values)
    return MemberLine(
        institution=row.institution,
        name=row.name,
        spending=values.get("spending"),
        budget=values.get("budget"),
        execution=execution_percent(values.get("spending"), values.get("budget")),
        visits=values.get("visits"),
        discharges=values.get("discharges"),
        average_outpatient=derived("average_outpatient_cost", coded, period.months),
        average_inpatient=derived("average_inpatient_cost", coded, period.months),
        length_of_stay=derived("length_of_stay", coded, period.months),
        drug_share=derived("drug_share", coded, period.months),
        score=values.get("score"),
        signals=tuple(signals),
    )


def _both(values: Mapping[str, Decimal | None]) -> Decimal | None:
    outpatient, inpatient = values.get("outpatient_cost"), values.get("inpatient_cost")
    return None if outpatient is None or inpatient is None else outpatient + inpatient
