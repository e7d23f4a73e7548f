"""Workbooks of exactly what the projection's pages show."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from core.templatetags.fund import percent, signed
from core.workbook import Sheet
from monitoring.models import Projection
from monitoring.models.projections import amount_of
from monitoring.reading.projections import MonthLine, Past, Total
from rules.forecast import PROJECTION
from rules.periods import Month

NOT_ADDED = "县、市合计为各医共体预计数之和；80% 区间不能相加，合计不给区间。"
USE = "预测仅供预警，不作支付依据。"


def list_sheets(
    rows: Sequence[Projection], totals: Sequence[Total], month: Month | None, said: Sequence[str]
) -> list[Sheet]:
    header = [
        "县（区）", "编号", "医共体", "险种", "截至月", "打包总额（元）", "预计全年（元）", "80%区间下限（元）",
        "80%区间上限（元）", "预计超支（结余为负，元）", "偏离", "落档", "打包总额用完", "预付用完", "预计清算现金（元）",
        "现金下限（元）", "现金上限（元）", "往年同月平均误差", "说明",
    ]  # fmt: skip
    lines: list[list[Any]] = [
        [
            row.alliance.county.name, row.alliance.code, row.alliance.name, row.get_fund_type_display(), str(row.period),
            row.package, row.expected, row.low, row.high, row.difference, _signed(row.ratio), row.tier,
            row.package_runs_out, row.prepaid_runs_out, row.cash, row.cash_low, row.cash_high,
            _plain(amount_of(row.methods.get("same_month", {}).get("errors", {}).get(PROJECTION))), row.missing,
        ]
        for row in rows
    ]  # fmt: skip
    for total in totals:
        label = total.rows[0].get_fund_type_display()
        lines.append(
            ["合计", "", f"{len(total.rows)} 个医共体", label, str(month or ""), total.package, total.expected, None, None,
             total.difference, "", "", "", "", total.cash, None, None, "", ""]
        )  # fmt: skip
    notes = [*said, NOT_ADDED, USE]
    return [Sheet("趋势预测", header, lines, frozenset({5, 6, 7, 8, 9, 14, 15, 16}), notes)]


def page_sheets(
    found: Projection,
    lines: Sequence[MonthLine],
    parts: Sequence[tuple[str, Decimal]],
    factors: Sequence[dict[str, Any]],
    errors: Sequence[dict[str, Any]],
    past: Sequence[Past],
) -> list[Sheet]:
    notes = [f"{found.alliance.name} {found.get_fund_type_display()} 截至 {found.period} 第 {found.version} 版", USE]
    summary: list[list[Any]] = [
        [label, value]
        for label, value in (
            ("预计全年发生", found.expected), ("80%区间下限", found.low), ("80%区间上限", found.high),
            ("其中医共体内", found.in_alliance), ("其中医共体外", found.outflow), ("已知发生", found.known),
            ("补足的晚报金额", found.late), ("打包总额", found.package), ("预计超支（结余为负）", found.difference),
            ("预计留用", found.retained), ("预计返还基金", found.returned), ("预计基金分担", found.fund_bears),
            ("预计医共体承担", found.alliance_bears), ("假设全年预付", found.prepaid), ("预计清算现金", found.cash),
            ("清算现金下限", found.cash_low), ("清算现金上限", found.cash_high),
        )
    ]  # fmt: skip
    summary += [
        ["落档", found.tier], ["区间说明", found.range_text], ["打包总额用完", found.package_runs_out or "年内用不完"],
        ["预付用完", found.prepaid_runs_out or "年内用不完"], ["数据截至", found.data_to],
    ]  # fmt: skip
    months = [
        [str(line.month), line.kind_text, line.known, line.in_alliance, line.outflow, line.expected, line.pace]
        for line in lines
    ]
    sheets = [
        Sheet("预测结果", ["项目", "数值（金额为元）"], summary, frozenset({1}), notes),
        Sheet(
            "各月",
            ["月份", "性质", "已知（元）", "医共体内（元）", "医共体外（元）", "合计（元）", "序时额度（元）"],
            months,
            frozenset({2, 3, 4, 5, 6}),
            notes,
        ),
    ]
    if parts:
        rows: list[list[Any]] = [[row["label"], Decimal(row["amount"])] for row in found.changes if row["key"] != "part"]
        middle: list[list[Any]] = [[label, amount] for label, amount in parts]
        sheets.append(Sheet("较上月变化", ["项目", "金额（元）"], [rows[0], *middle, rows[-1]], frozenset({1}), notes))
    if factors:
        lags = range(len(factors[0]["cells"]))
        header = ["部分", *(f"满{lag}个月后的系数" for lag in lags), *(f"满{lag}个月时已知" for lag in lags)]
        table = [
            [row["label"], *(str(cell[0]) for cell in row["cells"]), *(str(percent(cell[1])) for cell in row["cells"])]
            for row in factors
        ]
        sheets.append(Sheet("进展系数", header, table, notes=notes))
    if errors:
        header = ["范围", "例数", *(name for name, _value in errors[0]["errors"]), "80%区间内占比"]
        table = [
            [row["label"], row["cases"], *(_plain(value) for _name, value in row["errors"]), _plain(row["coverage"])]
            for row in errors
        ]
        sheets.append(Sheet("往年回放误差", header, table, notes=notes))
    if past:
        header = ["截至月", "当时预计全年（元）", "下限（元）", "上限（元）", "当时预计次月（元）", "次月实际（元）", "次月误差"]
        table = [
            [str(row.projection.period), row.projection.expected, row.projection.low, row.projection.high, row.said, row.came,
             _signed(row.error)]
            for row in past
        ]  # fmt: skip
        sheets.append(Sheet("本年各月预测", header, table, frozenset({1, 2, 3, 4, 5}), notes))
    return sheets


def _signed(ratio: Decimal | None) -> str:
    return "" if ratio is None else str(signed(percent(ratio)))


def _plain(ratio: Decimal | None) -> str:
    return "" if ratio is None else str(percent(ratio))
