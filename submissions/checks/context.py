"""What a check is, what it is given, and how it says where something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from rules.money import ZERO
from submissions.checks.wording import shown
from submissions.declaration import MONEY_UNIT, MemberColumn, Row, Table
from submissions.figures import Figures, Found, MemberValues
from submissions.periods import TablePeriod

HARD, SOFT, NOTE = "hard", "soft", "note"
FUNDS = ("RES", "EMP")
SHEETS = ("RES", "EMP", "ALL")
STEP = Decimal(100)
"""0.01 万元 in yuan: what one rounded line may be out by."""


@dataclass(frozen=True)
class Limits:
    """The dated parameters of the checks, as fractions (0.20 is 20 %), multiples and days."""

    max_change: Decimal = Decimal("0.20")
    average_low: Decimal = Decimal("0.5")
    average_high: Decimal = Decimal(2)
    primary_floor: Decimal = Decimal("0.16")
    primary_base: str = "in_alliance"
    outflow_points: Decimal = Decimal("0.03")
    drug_points: Decimal = Decimal("0.03")
    facts_share: Decimal = Decimal("0.005")
    stay_low: Decimal = Decimal(1)
    stay_high: Decimal = Decimal(60)
    pace_points: Decimal = Decimal("0.10")


@dataclass(frozen=True)
class CheckContext:
    """One table as filed beside everything it is compared with. Money is yuan; a missing key means "not known".

    ``previous`` and ``last_year`` are accepted tables. ``facts`` holds a fund type only when every month was delivered;
    ``budgets`` is the yearly budget by fund type and row code.
    """

    table: Table
    period: TablePeriod
    figures: Figures
    previous: Figures | None = None
    last_year: Figures | None = None
    package: Mapping[str, Decimal] = field(default_factory=dict)
    prepaid: Mapping[str, Decimal] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    budgets: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    limits: Limits = Limits()

    def last(self, fund: str, code: str) -> Decimal | None:
        """上年同期: as accepted last year, else as typed in the column."""
        if self.last_year is not None:
            return self.last_year.current(fund, code)
        row = self.figures.funds.get(fund, {}).get(code)
        return row.last if row else None

    def last_values(self, fund: str) -> dict[str, Decimal | None]:
        return {row.code: self.last(fund, row.code) for row in self.table.typed_rows}

    def members(self, fund: str) -> list[MemberValues]:
        return [member for member in self.figures.members if member.fund_type == fund]

    def typed(self, fund: str, code: str, column: str) -> Decimal | None:
        row = self.figures.funds.get(fund, {}).get(code)
        return getattr(row, column) if row else None


@dataclass(frozen=True)
class Check:
    """``blocking_from``: tables of periods that end earlier get a hard finding as a note only."""

    code: str
    severity: str
    title: str
    remedy: str
    run: Callable[[CheckContext], Iterable[Found]]
    blocking_from: date = date(2019, 1, 1)

    def severity_on(self, period: TablePeriod) -> str:
        return NOTE if self.severity == HARD and period.last_day < self.blocking_from else self.severity


def at_row(
    context: CheckContext, fund: str, code: str, text: str, remedy: str = "", column: str = "current"
) -> Found:
    """Something about a cell of a fund sheet; code and severity are the check's."""
    row = context.table.by_code[code]
    value = context.typed(fund, code, column)
    return Found(
        code="", severity="", text=text, remedy=remedy, fund_type=fund, row_code=code, column=column,
        value=shown(value, row.unit), place=f"{code} {row.label}",
    )  # fmt: skip


def at_member(context: CheckContext, member: MemberValues, key: str, text: str, remedy: str = "") -> Found:
    """Something about a cell of the member sheet."""
    column = context.table.member_by_key[key]
    return Found(
        code="", severity="", text=text, remedy=remedy, fund_type=member.fund_type, row_code=key, column=key,
        institution=member.institution, value=shown(member.values.get(key), column.unit),
        place=f"{member.name} {column.label}",
    )  # fmt: skip


def name_of(row: Row | MemberColumn) -> str:
    """第 4 行“医共体内”; “医共体内支出” for a column of the member sheet."""
    return f"第 {row.code} 行“{row.label}”" if isinstance(row, Row) else f"“{row.label}”"


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one is blank, for blank is not zero."""
    found = list(values)
    return None if None in found else sum((value for value in found if value is not None), ZERO)


def tolerance(unit: str, lines: int = 1) -> Decimal:
    """What a sum of so many lines may be out by: 0.01 万元 a line, counts not at all."""
    return STEP * lines if unit == MONEY_UNIT else ZERO


def differs(one: Decimal, other: Decimal, unit: str, lines: int = 1) -> bool:
    return abs(one - other) > tolerance(unit, lines)


def sheets_rows(context: CheckContext, sheets: Iterable[str] = SHEETS) -> Iterator[tuple[str, Row]]:
    """Every typed row of the fund sheets that are there."""
    for fund in sheets:
        if fund in context.figures.funds:
            for row in context.table.typed_rows:
                yield fund, row
