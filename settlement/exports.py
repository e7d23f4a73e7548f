"""Workbooks of the settlement: the list as filtered, and a statement with every line and step. Totals equal the page's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.models import FundType
from core.templatetags.fund import fund_label, percent, signed
from core.workbook import Sheet
from rules.money import ZERO
from settlement.reading import YearRow
from settlement.statement import Statement

UNIT = "金额单位：元"
LIST_MONEY = ("package", "charged", "prepaid", "cash")


@dataclass(frozen=True)
class FundTotals:
    """Sums of the drafted rows of one fund type; the two funds are never added up (A3)."""

    fund_type: str
    package: Decimal
    charged: Decimal
    prepaid: Decimal
    cash: Decimal


def totals(rows: Sequence[YearRow]) -> list[FundTotals]:
    """One row of sums for each fund type that is drafted."""
    sums = []
    for fund in FundType:
        found = [row.computation for row in rows if row.fund_type == fund and row.computation is not None]
        if found:
            amounts = (sum((getattr(one, name) for one in found), ZERO) for name in LIST_MONEY)
            sums.append(FundTotals(fund.value, *amounts))
    return sums


def list_sheets(year: int, rows: Sequence[YearRow], said: Sequence[str]) -> list[Sheet]:
    """The yearly list as it is filtered and sorted."""
    header = [
        "县（区）", "医共体", "险种", "单号", "版本", "状态", "打包总额 B", "全年发生 S", "超支（结余）率", "落档", "已预付 P",
        "清算现金", "确认期限",
    ]  # fmt: skip
    body: list[list[Any]] = []
    for row in rows:
        head: list[Any] = [row.alliance.county.name, row.alliance.name, fund_label(row.fund_type)]
        if row.version is None or row.computation is None:
            body.append([*head, "", "", row.state_text, None, None, "", "", None, None, None])
            continue
        c = row.computation
        body.append(
            [*head, row.version.settlement.number, row.version.number, row.state_text, c.package, c.charged,
             signed(percent(c.ratio, 4)), c.label, c.prepaid, c.cash, row.due]
        )  # fmt: skip
    body += [
        [f"{fund_label(one.fund_type)}合计", "", "", "", "", "", one.package, one.charged, "", "", one.prepaid, one.cash, None]
        for one in totals(rows)
    ]
    return [
        Sheet(
            f"{year}年度清算",
            header,
            body,
            money_columns=frozenset({6, 7, 10, 11}),
            notes=[f"{year} 年度清算　{UNIT}　职工与居民分别清算，不相加", *said],
        )
    ]


def statement_sheets(statement: Statement) -> list[Sheet]:
    """Lines, tiers, identities and premises, every trace step, and the 待核实 notices."""
    settlement, version = statement.version.settlement, statement.version
    head = [
        f"{settlement}　{settlement.number}　第 {version.number} 版（{version.get_kind_display()}）　{version.get_state_display()}",
        f"方案 {statement.scheme_text}　数据截至 {statement.inputs.data_to or '—'}　{UNIT}",
    ]
    warned = [f"待核实：{notice['label']} 取 {notice['value']}。{notice['effect']}" for notice in statement.notices]
    warned += statement.remarks
    lines: list[list[Any]] = []
    for block in statement.blocks:
        lines.append([block.title, "", None, "", ""])
        lines += [[line.label, line.sign, line.amount, _formula(line.steps), _clause(line.steps)] for line in block.lines]
    return [
        Sheet("清算单", ["项目", "加减", "金额", "算式", "条款"], lines, money_columns=frozenset({2}), notes=[*head, *warned]),
        _tier_sheet(statement),
        Sheet(
            "核对",
            ["勾稽关系", "左边", "右边", "是否相等"],
            [[item["name"], item["left"], item["right"], "相等" if item["holds"] else "不等"] for item in statement.identities],
            money_columns=frozenset({1, 2}),
        ),
        Sheet("考核与前提", ["项目", "内容"], [list(pair) for pair in statement.premises]),
        Sheet("计算过程", ["序号", "步骤", "算式", "输入", "结果", "单位", "条款", "状态"], _steps(statement)),
        Sheet(
            "扣减与拒付",
            ["类别", "所属年度", "金额", "来源", "事由"],
            [
                [item.kind, item.origin_year, item.amount, item.source, item.reason]
                for item in (*statement.inputs.refused, *statement.inputs.deductions)
            ],
            money_columns=frozenset({2}),
        ),
    ]


def _tier_sheet(statement: Statement) -> Sheet:
    shared, rest = ("基金分担", "医共体承担") if statement.is_overrun else ("医共体留用", "返还统筹基金")
    rows: list[list[Any]] = [
        [tier.label, tier.lower, tier.upper, tier.amount, percent(tier.rate), tier.shared, tier.rest, tier.clause,
         "待核实" if tier.unconfirmed else ""]
        for tier in statement.tiers
    ]  # fmt: skip
    if statement.unreasonable:
        rows.append(["不合理超支", None, None, statement.unreasonable, "", ZERO, statement.unreasonable, "", ""])
    sums = statement.tier_totals
    rows.append(
        ["合计", None, None, sums["amount"] + statement.unreasonable, "", sums["shared"], sums["rest"] + statement.unreasonable, "", ""]
    )
    header = ["档", "下限（不含）", "上限（含）", "本档金额", "比例", shared, rest, "依据", "状态"]
    return Sheet("分档", header, rows, money_columns=frozenset({1, 2, 3, 5, 6}))


def _steps(statement: Statement) -> list[list[Any]]:
    return [
        [number, step["label"], step["expression"], "；".join(f"{one['name']} {one['value']}" for one in step["inputs"]),
         step["value"], step["unit"], step["clause"], "" if step["status"] == "confirmed" else "待核实"]
        for number, step in enumerate(statement.result["trace"], start=1)
    ]  # fmt: skip


def _formula(steps: list[dict[str, Any]]) -> str:
    """The last step in words and figures: what a pocket calculator needs."""
    if not steps:
        return ""
    last = steps[-1]
    inputs = "；".join(f"{one['name']} {one['value']}" for one in last["inputs"])
    return f"{last['expression']}（{inputs}）" if inputs else last["expression"]


def _clause(steps: list[dict[str, Any]]) -> str:
    return steps[-1]["clause"] if steps else ""
