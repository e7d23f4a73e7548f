"""What the handbook says about the quarterly tables, from the declaration and the catalogues themselves."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from core.models import PoolingArea
from rules.quarterly import FORMULAS
from submissions.checks import CATALOGUE, Check
from submissions.declaration import UNITS, Row, Table, shipped_table
from submissions.models import Severity
from submissions.periods import TablePeriod
from submissions.services.tables import table_in_force


@dataclass(frozen=True)
class CodeText:
    """One code in words: ``severity`` as findings carry it."""

    code: str
    title: str
    remedy: str
    severity: str
    severity_text: str

    @property
    def tone(self) -> str:
        return "warn" if self.severity in (Severity.SOFT, Severity.NOTE) else "bad"


@dataclass(frozen=True)
class RowText:
    """One row of the fund sheets as the handbook tells it."""

    row: Row
    kind: str
    unit: str
    rules: tuple[str, ...]


KINDS = {"input": "填报", "sum": "填报合计", "derived": "系统计算"}
PREFILLED = {"package": "有效打包总额", "prepaid": "支付账"}


def table_for(area: PoolingArea | None) -> Table:
    """The table in force at the person's place today, else the shipped one."""
    if area is None:
        return shipped_table()
    return table_in_force(area, TablePeriod.ended_before(timezone.localdate()))


def row_texts(table: Table) -> list[RowText]:
    """Every row with its unit and, in words, everything the declaration asks of it."""
    return [RowText(row, KINDS[row.kind], UNITS[row.unit], tuple(_rules(row))) for row in table.rows]


def check_codes() -> list[CodeText]:
    """Every code of the checks and of the reader with its remedy."""
    from submissions.workbook.codes import CODES

    reader = [CodeText(one.code, one.title, one.remedy, one.severity, _severity(one.severity)) for one in CODES.values()]
    return [*(_check_text(check) for check in CATALOGUE), *sorted(reader, key=lambda one: one.code)]


def _check_text(check: Check) -> CodeText:
    return CodeText(check.code, check.title, check.remedy, check.severity, _severity(check.severity))


def _severity(value: str) -> str:
    return str(Severity(value).label)


def _rules(row: Row) -> list[str]:
    told = []
    if row.kind == "derived":
        told.append(f"＝ {FORMULAS[row.formula].text}")
    if row.sum:
        told.append(f"＝ {' ＋ '.join(row.sum)}")
    if row.parts:
        told.append(f"另按 {' ＋ '.join(row.parts)} 分，合计须相等")
    if row.within:
        told.append(f"不大于第 {row.within} 行")
    if row.at_least:
        told.append(f"不小于第 {row.at_least} 行")
    if row.at_least_sum:
        told.append(f"不小于 {' ＋ '.join(row.at_least_sum)}")
    if row.prefill:
        told.append(f"已预填（{PREFILLED.get(row.prefill, '系统记录')}）")
    if row.member:
        told.append("等于成员表各单位合计")
    if row.fact:
        told.append("受理后与系统月度数据对账")
    if row.optional:
        told.append("可以空着")
    if row.sign == "any":
        told.append("可为负数")
    return told
