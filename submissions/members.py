"""The member-level summary of a table: average costs, drug share, budget execution and what stands out (seed 000 §四(六))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.models import FundType
from rules.quarterly import derived, execution_percent
from submissions.figures import Figures, MemberValues
from submissions.periods import TablePeriod

PACE_LIMIT = Decimal(5)
COST_TIMES = Decimal("1.5")
# The member sheet's columns under the row codes the formulas read.
CODES = {
    "visits": "7", "discharges": "8", "bed_days": "8.1", "outpatient_cost": "9.o", "inpatient_cost": "9.i", "drug_cost": "9.1",
}  # fmt: skip


@dataclass(frozen=True)
class MemberLine:
    """One member of one fund. Money in yuan, shares in per cent; None where it cannot be said."""

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
    signals: tuple[str, ...] = ()


@dataclass(frozen=True)
class MemberGroup:
    """The members of one fund, and all of them together."""

    fund_type: str
    lines: tuple[MemberLine, ...]
    total: MemberLine


def summary(figures: Figures, period: TablePeriod) -> list[MemberGroup]:
    """One group per fund type the sheet speaks of; the two are never added up."""
    groups = []
    for fund in FundType:
        rows = [member for member in figures.members if member.fund_type == fund]
        if not rows:
            continue
        total = _line(_added(rows, fund), period, None)
        groups.append(MemberGroup(fund.value, tuple(_line(row, period, total) for row in rows), total))
    return groups


def _added(rows: list[MemberValues], fund: str) -> MemberValues:
    keys = {key for row in rows for key in row.values if key != "score"}
    sums: dict[str, Decimal | None] = {}
    for key in keys:
        known = [value for row in rows if (value := row.values.get(key)) is not None]
        sums[key] = sum(known, Decimal(0)) if known else None
    return MemberValues("", "合计", fund, sums)


def _line(row: MemberValues, period: TablePeriod, total: MemberLine | None) -> MemberLine:
    values = row.values
    coded = {code: values.get(key) for key, code in CODES.items()}
    coded["9"] = _both(values)
    execution = execution_percent(values.get("spending"), values.get("budget"))
    inpatient = derived("average_inpatient_cost", coded, period.months)
    outpatient = derived("average_outpatient_cost", coded, period.months)
    return MemberLine(
        institution=row.institution,
        name=row.name,
        spending=values.get("spending"),
        budget=values.get("budget"),
        execution=execution,
        visits=values.get("visits"),
        discharges=values.get("discharges"),
        average_outpatient=outpatient,
        average_inpatient=inpatient,
        length_of_stay=derived("length_of_stay", coded, period.months),
        drug_share=derived("drug_share", coded, period.months),
        score=values.get("score"),
        signals=_signals(execution, period, outpatient, inpatient, total),
    )


def _both(values: Mapping[str, Decimal | None]) -> Decimal | None:
    outpatient, inpatient = values.get("outpatient_cost"), values.get("inpatient_cost")
    return None if outpatient is None or inpatient is None else outpatient + inpatient


def _signals(
    execution: Decimal | None,
    period: TablePeriod,
    outpatient: Decimal | None,
    inpatient: Decimal | None,
    total: MemberLine | None,
) -> tuple[str, ...]:
    """Plain words: spending ahead of the calendar, average costs far above the alliance's own."""
    told = []
    pace = Decimal(period.months) * 100 / 12
    if execution is not None and execution > pace + PACE_LIMIT:
        told.append(f"执行超序时（{period.months} 个月序时 {pace:.2f}%）")
    if total is not None:
        for label, own, average in (
            ("次均门诊费用", outpatient, total.average_outpatient),
            ("次均住院费用", inpatient, total.average_inpatient),
        ):
            if own is not None and average and own > average * COST_TIMES:
                told.append(f"{label}为医共体平均的 1.5 倍以上")
    return tuple(told)
