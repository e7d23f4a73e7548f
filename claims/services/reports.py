"""基金月报: entered by form or workbook, every field optional, every change a new version."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from claims.models import REPORT_FIELDS, FundMonthlyReport, ReportField
from claims.tables import Kind, TableColumn, choices_of, read_cell, read_table, refuse_if, template
from core.access import require
from core.errors import Problem, Refused
from core.files import store_bytes
from core.models import County, FundType, StoredFile, User
from core.trail import record
from core.workbook import XLSX
from rules.periods import Month

ENTER = "claims.enter_monthly_report"


def _column(field: ReportField) -> TableColumn:
    kind = Kind.WHOLE if field.kind == "persons" else Kind.YUAN
    return TableColumn(field.name, field.label, kind, required=False, signed=field.signed, note="可空；空白不等于零")


VALUE_COLUMNS = {field.name: _column(field) for field in REPORT_FIELDS}
COLUMNS = (
    TableColumn("month", "月份", Kind.MONTH),
    TableColumn("fund_type", "险种", Kind.CHOICE, choices=choices_of(FundType.choices)),
    *VALUE_COLUMNS.values(),
    TableColumn("note", "说明", Kind.TEXT, required=False),
)
# part ≤ whole, where both are given
_PARTS = (
    ("resettled_heads", "insured_heads"),
    ("retired_heads", "insured_heads"),
    ("hypertension_managed", "hypertension_registered"),
    ("diabetes_managed", "diabetes_registered"),
)


def report_template() -> bytes:
    """The empty 基金月报 workbook."""
    return template("基金月报", COLUMNS, ["每行一个月份、一个险种；没有的数据请留空，空白不等于零；金额单位为元。"])


def parse_values(typed: Mapping[str, str]) -> dict[str, Any]:
    """Texts of a form → values (None where blank). Raises ``Refused`` naming every bad field."""
    values: dict[str, Any] = {}
    problems = []
    for name, column in VALUE_COLUMNS.items():
        text = (typed.get(name) or "").strip()
        try:
            values[name] = read_cell(column, text) if text else None
        except ValueError as error:
            problems.append(Problem(name, text, f"“{column.title}”{error}", "请改正，或留空。"))
    if problems:
        raise Refused(problems)
    return values


@transaction.atomic
def enter_fund_report(
    actor: User | None,
    county: County,
    fund_type: str,
    month: Month,
    values: Mapping[str, Any],
    note: str = "",
    file: StoredFile | None = None,
) -> FundMonthlyReport:
    """Make ``values`` (by field name; missing or None is blank) the current report; the same again changes nothing.

    Persons are whole numbers, amounts Decimal yuan. ``actor`` None means a job. Raises ``Refused`` with all faults.
    """
    if actor is not None:
        require(actor, ENTER, county)
    _refuse_faults(fund_type, values)
    report, is_new = _store(actor, county, fund_type, month, values, note, file)
    if is_new:
        label = report.get_fund_type_display()
        record(actor, ENTER, report, f"填报{county}{label} {month} 基金月报第 {report.version} 版", _given(values))
    return report


@transaction.atomic
def import_fund_reports(actor: User, county: County, content: bytes, name: str) -> list[FundMonthlyReport]:
    """Enter every line of a workbook; nothing of it if one cell is wrong. Unchanged lines make no version."""
    require(actor, ENTER, county)
    rows, problems = read_table(content, name, COLUMNS)
    seen = set()
    for row in rows:
        key = (row.values["month"], row.values["fund_type"])
        if key in seen:
            problems.append(row.problem("month", "同一月份、同一险种出现两次。", "请合并或删去其中一行。"))
        seen.add(key)
        for part, whole in _PARTS:
            if _exceeds(row.values, part, whole):
                problems.append(row.problem(part, _part_text(part, whole), "请核对两项人数。"))
    refuse_if(problems)
    stored = store_bytes(content, name, "fund_monthly_report", actor, XLSX)
    made, versions = [], 0
    for row in rows:
        values = {field: row.values.get(field) for field in VALUE_COLUMNS}
        report, is_new = _store(
            actor, county, row.values["fund_type"], row.values["month"], values, row.values.get("note") or "", stored
        )
        made.append(report)
        versions += is_new
    record(actor, ENTER, made[0], f"{county}导入基金月报“{name}”：{len(rows)} 行，形成 {versions} 个新版本", place=county)
    return made


def _store(
    actor: User | None,
    county: County,
    fund_type: str,
    month: Month,
    values: Mapping[str, Any],
    note: str,
    file: StoredFile | None,
) -> tuple[FundMonthlyReport, bool]:
    locked = County.objects.select_for_update(no_key=True).get(pk=county.pk)
    held = FundMonthlyReport.objects.filter(
        county=locked, fund_type=fund_type, year=month.year, month=month.month
    )
    current = held.filter(current=True).first()
    given = {name: values.get(name) for name in VALUE_COLUMNS}
    if (
        current is not None
        and current.note == note.strip()[:300]
        and all(getattr(current, name) == value for name, value in given.items())
    ):
        return current, False
    last = held.aggregate(last=Max("version"))["last"] or 0
    held.filter(current=True).update(current=False)
    report = FundMonthlyReport.objects.create(
        county=locked,
        fund_type=fund_type,
        year=month.year,
        month=month.month,
        version=last + 1,
        note=note.strip()[:300],
        file=file,
        entered_by=actor,
        **given,
    )
    return report, True


def _refuse_faults(fund_type: str, values: Mapping[str, Any]) -> None:
    problems = []
    if fund_type not in FundType.values:
        problems.append(Problem("fund_type", fund_type, "险种无法识别。", "请选择居民或职工。"))
    for part, whole in _PARTS:
        if _exceeds(values, part, whole):
            problems.append(Problem(part, str(values[part]), _part_text(part, whole), "请核对两项人数。"))
    if problems:
        raise Refused(problems)


def _exceeds(values: Mapping[str, Any], part: str, whole: str) -> bool:
    return values.get(part) is not None and values.get(whole) is not None and values[part] > values[whole]


def _part_text(part: str, whole: str) -> str:
    return f"“{VALUE_COLUMNS[part].title}”大于“{VALUE_COLUMNS[whole].title}”。"


def _given(values: Mapping[str, Any]) -> dict[str, str | int]:
    return {
        name: str(value) if isinstance(value, Decimal) else value for name, value in values.items() if value is not None
    }
