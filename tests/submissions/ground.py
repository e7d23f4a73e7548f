"""Quarterly tables at every point of their life, made by the services a person would use and workbooks filled like theirs.

The period is January to September 2026 of Qingxi's alliance. Builders file at any clock: where the deadline has passed
they are admitted late. No package, ledger or facts stand behind them unless a test puts them there.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from rules.money import round_fen
from submissions import services
from submissions.declaration import Table, shipped_table
from submissions.figures import Figures
from submissions.models import Assignment, Duty, Submission
from submissions.periods import TablePeriod
from submissions.sources import prefill_of
from submissions.states import AssignmentState
from submissions.workbook import Prefill, template_workbook
from tests.submissions.figures import sound_figures

PERIOD = TablePeriod.parse("2026Q3")
IN_TIME = "2026-10-12 09:00:00+08:00"
NAME = "青溪县2026年三季度基金运行情况表.xlsx"
LONG_ENOUGH = "本期住院人次因流感高发上升，已逐院核对结算明细，数据无误。"
Change = Callable[[Any, Table], object]


def duty(world: Any, **fields: Any) -> Duty:
    """Everybody of the city owes every quarter within 15 days."""
    values = {"pooling_area": world.area, "valid_from": date(2019, 1, 1), **fields}
    return services.save_duty(world.admin, Duty(**values))


def assignment(world: Any, period: TablePeriod = PERIOD, alliance: Any = None) -> Assignment:
    """What Qingxi's alliance owes for the period, open for filing."""
    if not Duty.objects.filter(pooling_area=world.area).exists():
        duty(world)
    services.assign_period(period)
    found = Assignment.objects.with_places().get(alliance=alliance or world.alliance, period=str(period))
    today = timezone.localdate()
    if today > found.last_day and found.state in (AssignmentState.DUE, AssignmentState.UPLOADED):
        found = services.admit_late(world.officer, found, today + timedelta(days=30), "系统切换期间统一准予迟报")
    return found


def figures(owed: Assignment, table: Table | None = None) -> Figures:
    """A sound table of the assignment's members."""
    table = table or shipped_table()
    members = [(member.institution, member.name) for member in prefill_of(owed, table).members]
    return sound_figures(table, owed.of, members)


def workbook(owed: Assignment, change: Change | None = None, filled_with: Figures | None = None) -> bytes:
    """The template filled with sound figures; ``change(book, table)`` spoils or corrects it before it is saved."""
    table = services.table_in_force(owed.alliance.county.pooling_area, owed.of)
    prefill = prefill_of(owed, table)
    content = _filled(table, prefill, filled_with or figures(owed, table))
    return content if change is None else changed(content, table, change)


def changed(content: bytes, table: Table, change: Change) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    change(book, table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_made: dict[str, bytes] = {}


def _filled(table: Table, prefill: Prefill, filled_with: Figures) -> bytes:
    """Most tests begin with the same workbook: it is made once."""
    key = repr((table.sha256, prefill, filled_with))
    if key not in _made:
        template = template_workbook(table, prefill)
        _made[key] = changed(template, table, lambda book, _table: fill(book, table, filled_with, set(prefill.values)))
    return _made[key]


def fill(book: Any, table: Table, filled_with: Figures, prefilled: set[tuple[str, str, str]]) -> None:
    """Type the figures where a hospital would: everywhere but in the prefilled cells."""
    for fund, rows in filled_with.funds.items():
        sheet = book[table.sheets[fund]]
        for code, values in rows.items():
            for column in ("current", "last", "budget"):
                value = getattr(values, column)
                if value is not None and (fund, code, column) not in prefilled:
                    sheet[table.cell(code, column)].value = shown(value, table.by_code[code].is_money)
    sheet = book[table.sheets["members"]]
    keys = [column.key for column in table.member_columns]
    lines = {(line.institution, table.sheets[line.fund_type]): line for line in filled_with.members}
    for row in sheet.iter_rows(min_row=table.header_row + 1):
        line = lines.get((row[keys.index("institution")].value, row[keys.index("fund_type")].value))
        for cell, column in zip(row, table.member_columns, strict=False):
            value = line.values.get(column.key) if line is not None else None
            if column.is_typed and value is not None:
                cell.value = shown(value, column.is_money)


def shown(value: Decimal, is_money: bool) -> float | int:
    """A figure as Excel stores what was typed."""
    number = round_fen(value / 10000) if is_money else value
    return int(number) if number == number.to_integral_value() else float(number)


def typed(fund: str, code: str, value: Any, column: str = "current") -> Change:
    """A change of one cell of a fund sheet."""

    def change(book: Any, table: Table) -> None:
        book[table.sheets[fund]][table.cell(code, column)].value = value

    return change


def both(*changes: Change) -> Change:
    def change(book: Any, table: Table) -> None:
        for one in changes:
            one(book, table)

    return change


def moved(count: int) -> Change:
    """Another number of referrals, in its own sheet and in the total: a different table, and a sound one."""
    return both(typed("RES", "14.1", count), typed("ALL", "14.1", count + 240))


ODD = both(typed("RES", "14.1", 60, "last"), typed("ALL", "14.1", 300, "last"))
"""Twice as many referrals as last year: no error, but to be explained."""


def upload_of(content: bytes, name: str = NAME) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def received(world: Any, owed: Assignment | None = None, change: Change | None = None, actor: Any = None) -> Submission:
    """Uploaded and waiting for its check."""
    owed = owed or assignment(world)
    return services.receive(actor or world.hospital, owed, upload_of(workbook(owed, change)))


def checked(world: Any, owed: Assignment | None = None, change: Change | None = None, actor: Any = None) -> Submission:
    """Uploaded and checked: without ``change`` nothing is found that stands in the way."""
    return services.check_submission(received(world, owed, change, actor))


def explained(world: Any, submission: Submission, actor: Any = None) -> Submission:
    """With every soft finding explained."""
    texts = {finding.pk: LONG_ENOUGH for finding in submission.findings.all() if finding.is_open_question}
    return services.explain(actor or world.hospital, submission, texts)


def filed(world: Any, owed: Assignment | None = None, change: Change | None = None, actor: Any = None) -> Submission:
    """Uploaded, checked, explained where asked, filed."""
    done = explained(world, checked(world, owed, change, actor), actor)
    return services.file(actor or world.hospital, done)


def accepted(world: Any, owed: Assignment | None = None, change: Change | None = None, actor: Any = None) -> Submission:
    """Filed and accepted by an officer."""
    return services.accept(world.officer, filed(world, owed, change, actor))


def returned(world: Any, owed: Assignment | None = None, change: Change | None = None) -> Submission:
    """Filed and given back."""
    return services.return_submission(world.officer, filed(world, owed, change), "成员表与总表口径不一致，请核对后重报")
