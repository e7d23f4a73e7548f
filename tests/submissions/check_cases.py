"""Workbooks of ``tests/workbooks`` for the checks: ``python -m tests.submissions.check_cases`` writes them.

Each is the sound table with one thing changed that the reader cannot see: sums, chains, past, package, ledger, facts.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from openpyxl import load_workbook

from rules.money import round_fen
from submissions.checks import CheckContext
from submissions.declaration import shipped_table
from submissions.figures import Cause, Figures
from submissions.workbook import Prefill, PrefillMember, template_workbook
from tests.submissions.books import WORKBOOKS, compact, saved
from tests.submissions.figures import LEAD, MEMBERS, Q3, TOWNSHIP, sound_context, sound_figures, yuan

D = Decimal
FAIL, PASS = WORKBOOKS / "should_fail", WORKBOOKS / "should_pass"
Change = Callable[[Figures], None]
READ_EARLIER = {"H7": ("V05", "V06")}
"""What a workbook cannot bring to the check because the reader says it first: their workbooks stand for it."""


def rows(fund: str = "RES", **wan: str) -> Change:
    """Figures of a fund sheet by row code (``_5_3="2308.15"``), and of the total so that both funds still add up."""

    def change(figures: Figures) -> None:
        for name, value in wan.items():
            code = name[1:].replace("_", ".")
            money = shipped_table().by_code[code].is_money
            held = figures.funds[fund][code]
            former, held.current = held.current, yuan(value) if money else D(value)
            whole = figures.funds["ALL"][code]
            if fund != "ALL" and whole.current is not None and former is not None:
                whole.current += held.current - former

    return change


def member(institution: str, **wan: str) -> Change:
    """Figures of a member's line of the residents."""

    def change(figures: Figures) -> None:
        line = next(one for one in figures.members if (one.institution, one.fund_type) == (institution, "RES"))
        for key, value in wan.items():
            line.values[key] = yuan(value) if shipped_table().member_by_key[key].is_money else D(value)

    return change


def note(code: str, text: str) -> Change:
    return lambda figures: setattr(figures.funds["RES"][code], "note", text)


def last(code: str, wan: str) -> Change:
    return lambda figures: setattr(figures.funds["RES"][code], "last", yuan(wan))


def causes(figures: Figures) -> None:
    figures.causes.append(Cause("RES", "县外就医", "转诊到市级医院增加", "开展日间手术，减少外转", "医务科", "2026-12-31"))


def both(*changes: Change) -> Change:
    def change(figures: Figures) -> None:
        for one in changes:
            one(figures)

    return change


OUTFLOW = rows(_5_1="5327.16", _5_a="7000.00", _5="9212.57", _3="24890.09")
FAILING: dict[str, Change] = {
    "H1/digits_swapped.xlsx": rows(_5_3="2308.15"),
    "H2/level_missing.xlsx": rows(_7_a="79000"),
    "H3/member_apart.xlsx": member(TOWNSHIP, visits="49000"),
    "H3/member_in_yuan.xlsx": member(TOWNSHIP, inpatient_cost="36048300.00"),
    "H4/below_last_period.xlsx": rows(_14_1="30"),
    "H5/total_apart.xlsx": rows("ALL", _9_6="55000.00"),
    "H6/eligible_above_total.xlsx": rows(_9_6="30000.00"),
    "H8/received_in_october.xlsx": rows(_2_1="15000.00"),
    "H9/other_package.xlsx": rows(_2="32000.00"),
    "H10/other_last_year.xlsx": last("9.2", "3999.00"),
    "H11/overspent_without_causes.xlsx": OUTFLOW,
    "H12/score_above_a_hundred.xlsx": member(LEAD, score="101"),
    "S1/examinations_up.xlsx": rows(_9_3="4926.74", _9_5="2278.09"),
    "S2/few_discharges.xlsx": both(rows(_8_b="7000", _8="11618"), member(LEAD, discharges="7000")),
    "S3/primary_low.xlsx": both(rows(_4_c="1844.70", _4_a="13500.00", _4_p="2177.52"), causes),
    "S4/outflow_up.xlsx": both(OUTFLOW, causes),
    "S5/drugs_up.xlsx": both(rows(_9_1="8800.00", _9_2="3000.00"), member(LEAD, drug_cost="7000.00")),
    "S6/apart_from_facts.xlsx": both(
        rows(_4_3="12244.70", _4="15977.52", _3="23190.09", _4_a="12800.00"),
        member(LEAD, inpatient_fund="10300.00", spending="12800.00"),
    ),
    "S7/long_stays.xlsx": both(rows(_8_1="460000"), member(TOWNSHIP, bed_days="300000")),
    "S8/costs_doubled.xlsx": both(
        rows(_9_i="40604.83", _9="47004.83", _9_5="22278.09"), member(LEAD, inpatient_cost="37000.00")
    ),
    "S9/ahead_of_the_calendar.xlsx": member(LEAD, budget="14000.00"),
}
PASSING: dict[str, Change] = {
    "H1/a_hundredth_for_every_line.xlsx": rows(_5="7212.61", _3="22890.13"),
    "H2-H3/sound.xlsx": lambda figures: None,
    "H4/corrected_and_said_so.xlsx": both(rows(_14_1="30"), note("14.1", "更正：剔除重复上报的人次")),
    "H5-H7/optional_row_of_one_fund.xlsx": lambda figures: setattr(figures.funds["RES"]["14.3"], "current", None),
    "H8-H10/rounded_to_the_hundredth.xlsx": both(rows(_2_1="13500.01"), last("9.2", "4000.01")),
    "H11-H12/overspent_with_causes.xlsx": both(OUTFLOW, causes, member(LEAD, score="100")),
    "S1-S2/just_within.xlsx": rows(_9_3="4500.00", _9_5="2704.83"),
    "S3-S5/sound.xlsx": lambda figures: None,
    "S6/half_a_per_cent.xlsx": rows(_5_1="3363.16", _5_a="5036.00", _5="7248.57", _3="22926.09"),
    "S7-S9/sound.xlsx": lambda figures: None,
}
"""File → what is changed; a passing file has none of the findings its folder names."""


def changed(change: Change) -> Figures:
    figures = sound_figures()
    change(figures)
    for code in ("14.3",):
        if figures.funds["RES"][code].current is None:
            figures.funds["ALL"][code].current = figures.funds["EMP"][code].current
    return figures


def context(figures: Figures) -> CheckContext:
    """The sound surroundings; a third of everything was accepted for the period before."""
    before = sound_figures()
    for fund in before.funds.values():
        for held in fund.values():
            held.current = None if held.current is None else held.current / 3
    return sound_context(figures=figures, previous=before)


@cache
def template() -> bytes:
    table = shipped_table()
    members = tuple(PrefillMember(code, name, "成员单位") for code, name in MEMBERS)
    return template_workbook(
        table, Prefill("QX", "青溪县紧密型县域医共体", "青溪县", "青溪县人民医院", Q3, 7, members)
    )  # fmt: skip


def workbook(change: Change) -> bytes:
    """The template filled with the changed figures, without guide and drop-downs, pressed hard."""
    table, figures = shipped_table(), changed(change)
    book = load_workbook(io.BytesIO(template()))
    del book[table.sheets["guide"]]
    for sheet in book.worksheets:
        sheet.data_validations.dataValidation = []
        for cell in list(sheet._cells.values()):
            if cell.data_type == "f":
                cell.value = None
    for fund, held in figures.funds.items():
        for code, values in held.items():
            row = table.by_code[code]
            for column in ("current", "last", "budget"):
                _type(book[table.sheets[fund]][table.cell(code, column)], getattr(values, column), row.is_money)
            if values.note:
                book[table.sheets[fund]][table.cell(code, "note")].value = values.note
    _fill_members(book[table.sheets["members"]], figures)
    for line, cause in enumerate(figures.causes, table.header_row + 1):
        for at, column in enumerate(table.cause_columns, 1):
            text = getattr(cause, column.key)
            book[table.sheets["causes"]].cell(line, at).value = table.sheets.get(text, text)
    book[table.sheets["causes"]].delete_rows(table.header_row + 4, 60)
    return compact(saved(book))


def _fill_members(sheet: Any, figures: Figures) -> None:
    table = shipped_table()
    keys = [column.key for column in table.member_columns]
    lines = {(one.institution, table.sheets[one.fund_type]): one.values for one in figures.members}
    for cells in sheet.iter_rows(min_row=table.header_row + 1, max_col=len(keys)):
        values = lines.get((cells[keys.index("institution")].value, cells[keys.index("fund_type")].value), {})
        for cell, column in zip(cells, table.member_columns, strict=True):
            _type(cell, values.get(column.key) if column.is_typed else None, column.is_money)


def _type(cell: Any, value: Decimal | None, money: bool) -> None:
    """As Excel keeps what a hospital types: 万元 with two decimals."""
    if value is not None:
        cell.value = round_fen(value / 10000) if money else value


def write() -> None:
    """Make every file anew; files of cases that are gone are removed."""
    for folder, cases in ((FAIL, FAILING), (PASS, PASSING)):
        for path in sorted(folder.glob("[HS]*/*.xlsx")):
            if path.relative_to(folder).as_posix() not in cases:
                path.unlink()
        for name, change in cases.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(workbook(change))


if __name__ == "__main__":
    import django

    django.setup()
    write()
