"""Figures that satisfy every check, so that a failing case changes one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from rules.money import round_fen
from submissions.checks import CheckContext
from submissions.declaration import Table, shipped_table
from submissions.figures import Figures, MemberValues, RowValues
from submissions.periods import TablePeriod

D = Decimal
Q3 = TablePeriod.parse("2026Q3")
LEAD, TOWNSHIP, VILLAGE = "H99010100001", "H99010100011", "H99010100021"
MEMBERS = ((LEAD, "青溪县人民医院"), (TOWNSHIP, "石桥镇中心卫生院"), (VILLAGE, "石桥村卫生室"))
TIMES = {"RES": 1, "EMP": 2}
"""The employees' sheet holds the residents' figures twice."""

# 万元 and counts of the residents' sheet; sums are made below
BASE = {
    "1": "352816", "1.3": "9874", "2.1": "13500.00",
    "4.1": "2223.07", "4.2": "1509.75", "4.3": "11944.70",
    "4.a": "12500.00", "4.b": "0.00", "4.c": "2844.70", "4.d": "332.82", "4.e": "0.00",
    "5.1": "3327.16", "5.2": "1068.18", "5.3": "2380.15", "5.4": "437.08", "5.5": "0.00",
    "5.a": "5000.00", "5.b": "1800.00", "5.c": "412.57",
    "7.a": "80000", "7.b": "60000", "7.1": "40000", "8.a": "4618", "8.b": "20000", "8.o": "6000", "8.1": "183207",
    "9.o": "6400.00", "9.i": "21604.83", "9.1": "7800.00", "9.2": "4000.00", "9.3": "3926.74", "9.4": "9000.00",
    "9.5": "3278.09", "9.6": "18452.15", "14.1": "120", "14.2": "80", "14.3": "5.00", "15.1": "310.00",
}  # fmt: skip
MEMBER_BASE = {
    "outpatient_fund": ("1500.00", "500.00", "223.07"),
    "chronic_fund": ("1000.00", "400.00", "109.75"),
    "inpatient_fund": ("10000.00", "1944.70", "0.00"),
    "visits": ("60000", "50000", "30000"),
    "discharges": ("20000", "4618", "0"),
    "bed_days": ("160000", "23207", "0"),
    "outpatient_cost": ("4500.00", "1400.00", "500.00"),
    "inpatient_cost": ("18000.00", "3604.83", "0.00"),
    "drug_cost": ("6000.00", "1500.00", "300.00"),
}


def yuan(wan: str | Decimal) -> Decimal:
    return round_fen(D(wan) * 10000)


def sound_figures(
    table: Table | None = None, period: TablePeriod = Q3, members: Sequence[tuple[str, str]] = MEMBERS
) -> Figures:
    """A whole table without a fault: three members (code, name), both fund types and the total, last year the same."""
    table = table or shipped_table()
    funds = {fund: _sheet(table, period, times) for fund, times in TIMES.items()}
    funds["ALL"] = {
        row.code: RowValues(*(_added(funds, row.code, column) for column in ("current", "last", "budget")))
        for row in table.typed_rows
    }
    lines = [
        MemberValues(code, name, fund, _member(at, period, times))
        for at, (code, name) in enumerate(members)
        for fund, times in TIMES.items()
    ]
    return Figures(funds, lines, [])


def sound_context(table: Table | None = None, period: TablePeriod = Q3, **changes: Any) -> CheckContext:
    """Sound figures beside a ledger, a package, facts and accepted tables that agree with them."""
    table = table or shipped_table()
    figures = sound_figures(table, period)
    before = sound_figures(table, period)
    context = CheckContext(
        table=table,
        period=period,
        figures=figures,
        previous=before if period.previous else None,
        last_year=sound_figures(table, period),
        package={fund: figures.current(fund, "2") or D(0) for fund in TIMES},
        prepaid={fund: figures.current(fund, "2.1") or D(0) for fund in TIMES},
        facts={
            fund: {row.fact: value for row in table.rows if row.fact and (value := figures.current(fund, row.code)) is not None}
            for fund in TIMES
        },
        budgets={fund: {code: figures.funds[fund][code].budget or D(0) for code in ("3", "4", "5")} for fund in TIMES},
    )
    return replace(context, **changes)


def _sheet(table: Table, period: TablePeriod, times: int) -> dict[str, RowValues]:
    current: dict[str, Decimal | None] = {}
    for row in table.typed_rows:
        if row.code in BASE:
            value = D(BASE[row.code]) * times
            current[row.code] = yuan(value) if row.is_money else value
    for row in reversed(table.typed_rows):
        if row.sum:
            current[row.code] = sum((current[code] or D(0) for code in row.sum), D(0))
    package = _yearly(current["3"], period)
    outside = _yearly(current["5"], period)
    current["2"] = package
    budgets = {"3": package, "4": package - outside, "5": outside}
    return {
        row.code: RowValues(current.get(row.code), current.get(row.code), budgets.get(row.code)) for row in table.typed_rows
    }


def _yearly(value: Decimal | None, period: TablePeriod) -> Decimal:
    """A budget the spending keeps within: two per cent above its pace, in whole hundredths of a 万元."""
    return yuan(round_fen((value or D(0)) * 12 * D("1.02") / period.months / 10000))


def _member(at: int, period: TablePeriod, times: int) -> dict[str, Decimal | None]:
    values: dict[str, Decimal | None] = {}
    for key, column in MEMBER_BASE.items():
        value = D(column[at % 3]) * times
        values[key] = value if key in ("visits", "discharges", "bed_days") else yuan(value)
    values["spending"] = sum((values[key] or D(0) for key in ("outpatient_fund", "chronic_fund", "inpatient_fund")), D(0))
    values["budget"] = _yearly(values["spending"], period)
    values["score"] = D(92)
    return values


def _added(funds: dict[str, dict[str, RowValues]], code: str, column: str) -> Decimal | None:
    parts = [getattr(funds[fund][code], column) for fund in TIMES]
    return None if None in parts else sum(parts, D(0))
