"""Workbooks of exactly what the pages show: same lines, same totals, the date the data reach in the notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.models import FundType
from core.registries import Todo
from core.templatetags.fund import day, percent
from core.workbook import Sheet
from portal.figures import FundTotal
from portal.reading.members import MemberTable
from portal.reading.outlook import FundOutlook


def todo_sheet(todos: Iterable[Todo]) -> Sheet:
    rows = [
        [
            todo.title,
            todo.detail,
            FundType(todo.fund_type).label if todo.fund_type else "",
            todo.amount,
            todo.due,
            todo.verb,
        ]
        for todo in todos
    ]
    return Sheet("我的待办", ["事项", "说明", "险种", "涉及金额（元）", "期限", "办理"], rows, frozenset({3}))


def member_sheet(outlook: FundOutlook, table: MemberTable) -> Sheet:
    header = [
        "机构", "类别", "年度分解额度（元）", "额度性质", "累计发生（元）", "执行率", "较序时", "占医共体内",
        "预计全年发生（元）", "预计结余（超支为负，元）",
    ]  # fmt: skip
    rows = [
        [
            row.name, row.kind, row.allocation, "参考额" if row.reference else "", row.charged, _ratio(row.execution),
            _ratio(row.ahead), _ratio(row.share), row.expected, row.balance,
        ]
        for row in table.lines
    ]  # fmt: skip
    return Sheet(FundType(outlook.fund_type).label, header, rows, frozenset({2, 4, 8, 9}), _notes(outlook))


def month_sheet(outlook: FundOutlook) -> Sheet:
    header = [
        "月份", "医共体内（元）", "市内县外（元）", "省内市外（元）", "省外（元）", "县内其他医共体（元）", "合计（元）",
        "结算人次", "数据截至",
    ]  # fmt: skip
    places = ("own_alliance", "city", "province", "outside", "sister_alliance")
    rows: list[list[Any]] = []
    for month in outlook.months:
        amounts = [month.at.get(place, 0) for place in places]
        rows.append([str(month.month), *amounts, month.charged, month.settlements, month.data_to])
    sums = [sum(row[at] for row in rows) for at in range(1, 8)] if rows else []
    if rows:
        rows.append(["合计", *sums, None])
    return Sheet(FundType(outlook.fund_type).label, header, rows, frozenset(range(1, 7)), _notes(outlook))


def alliance_sheets(totals: Sequence[FundTotal]) -> list[Sheet]:
    """One sheet a fund type: the two are never mixed."""
    header = [
        "县（区）", "医共体", "打包总额（元）", "状态", "累计预付（元）", "预付比例", "累计发生（元）", "执行率",
        "县域外占比", "预计全年发生（元）", "预计超支（结余为负，元）", "预计落档", "数据截至",
    ]  # fmt: skip
    sheets = []
    for total in totals:
        rows: list[list[Any]] = [
            [
                row.alliance.county.name, row.alliance.name, row.total, state_of(row), row.prepaid,
                _ratio(row.prepaid_ratio), row.charged if row.has_data else None, _ratio(row.execution),
                _ratio(row.outflow_share), row.end.expected if row.end else None, row.difference,
                row.shared.label if row.shared else "", row.data_to,
            ]
            for row in total.rows
        ]  # fmt: skip
        rows.append(
            [
                "合计", "", total.package, "", total.prepaid, _ratio(total.prepaid_ratio), total.charged,
                _ratio(total.execution), _ratio(total.outflow_share), total.expected, total.difference,
                "", total.data_to,
            ]
        )  # fmt: skip
        sheets.append(Sheet(FundType(total.fund).label, header, rows, frozenset({2, 4, 6, 9, 10})))
    return sheets


def state_of(row: FundOutlook) -> str:
    """What stands behind the package of a row."""
    if row.package is None:
        return "未审定"
    return "暂按上年" if row.package.provisional else f"第 {row.package.number} 版"


def _ratio(value: Any) -> str:
    return "" if value is None else percent(value)


def _notes(outlook: FundOutlook) -> list[str]:
    return [
        f"{outlook.alliance} {outlook.year} 年度 {FundType(outlook.fund_type).label}，数据截至 {day(outlook.data_to)}；金额单位：元"
    ]
