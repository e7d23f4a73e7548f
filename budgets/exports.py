"""Workbooks of this app: the payment file for the bank; lists and a package exactly as the pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from budgets.models import LeadAccount, OtherPayment, PackageVersion, Prepayment, PrepaymentBatch
from core.models import FundType
from core.workbook import Sheet, write_workbook
from rules.budget import PACKAGE_CLAUSE
from rules.money import ZERO, round_ratio
from rules.trace import percent

if TYPE_CHECKING:
    from budgets.reading.worklist import PackageRow, PrepaidRow

PAYMENT_HEADER = ("序号", "收款单位", "开户行", "账号", "金额（元）", "用途", "医共体", "险种", "单号")


def payment_workbook(
    batch: PrepaymentBatch, number: int, rows: Sequence[tuple[Prepayment, LeadAccount, Decimal]]
) -> bytes:
    """The bank's payment file: one sheet per fund, because the two funds pay from separate accounts."""
    sheets = []
    for fund_type in FundType:
        mine = [row for row in rows if row[0].fund_type == fund_type]
        if not mine:
            continue
        total = sum((amount for _line, _account, amount in mine), ZERO)
        lines: list[Sequence[object]] = [
            (
                place,
                account.account_name,
                account.bank,
                account.account_number,
                amount,
                f"{line.month}医共体打包基金{'暂付' if line.provisional else '预付'}",
                line.alliance.name,
                fund_type.label,
                f"YF{line.month.replace('-', '')}-{line.pk}",
            )
            for place, (line, account, amount) in enumerate(mine, start=1)
        ]
        lines.append(("合计", "", "", "", total, "", "", fund_type.label, ""))
        notes = (f"{batch} 拨付文件第 {number} 份 · {fund_type.label}基金 · 共 {len(mine)} 笔",)
        sheets.append(Sheet(f"{fund_type.label}拨付", PAYMENT_HEADER, lines, frozenset({4}), notes))
    return write_workbook(sheets)


def packages_sheet(year: int, rows: Sequence[PackageRow]) -> Sheet:
    """The list of a year's packages with the totals of each fund."""
    header = (
        "医共体", "县（区）", "险种", "状态", "版本", "上年结算基数（元）", "打包总额（元）", "其中医共体内（元）", "其中县域外（元）",
        "增幅", "增幅上限", "上限金额（元）", "基层支出占比", "审定日期",
    )  # fmt: skip
    lines: list[Sequence[object]] = []
    for row in rows:
        shown = row.shown
        place = (row.alliance.name, row.county.name, FundType(row.fund_type).label, row.state_label)
        if shown is None:
            lines.append((*place, *[None] * 10))
            continue
        lines.append(
            (
                *place,
                shown.number,
                shown.last_year_base,
                shown.total,
                shown.in_alliance,
                shown.out_of_county,
                percent(shown.applied_growth),
                percent(shown.growth_cap),
                shown.ceiling,
                percent(shown.primary_share) if shown.primary_share is not None else None,
                shown.decided_on,
            )
        )
    for fund in FundType:
        mine = [row.shown for row in rows if row.fund_type == fund and row.shown]
        if mine:
            sums = [
                sum((getattr(found, name) for found in mine), ZERO)
                for name in ("total", "in_alliance", "out_of_county")
            ]
            base = sum((found.last_year_base for found in mine), ZERO)
            lines.append(("合计", "", fund.label, "", None, base, *sums, "", "", None, "", None))
    return Sheet(f"{year}年打包预算", header, lines, frozenset({5, 6, 7, 8, 11}), (f"{year}年打包预算，金额单位：元",))


def package_sheets(version: PackageVersion) -> list[Sheet]:
    """One version: its steps with clauses, base years, negotiation rounds and the member allocation."""
    steps = [
        (
            step["label"],
            step["expression"],
            "；".join(f"{pair['name']} {pair['value']}" for pair in step["inputs"]),
            step["value"],
            step["unit"],
            step["clause"],
            "" if step["status"] == "confirmed" else "待核实",
        )
        for step in (*version.trace, *version.primary_trace)
    ]
    steps.append(("打包总额", "协商审定", "", str(version.total), "元", PACKAGE_CLAUSE, ""))
    years = [
        (
            used.year,
            used.in_alliance,
            used.out_of_county,
            used.in_alliance + used.out_of_county,
            used.get_source_display(),
            used.note,
        )
        for used in version.base_years.all()
    ]
    rounds = [
        (
            found.number, found.held_on, found.bureau_participants, found.alliance_participants, found.bureau_position,
            found.alliance_position, found.minutes, found.outcome,
        )
        for found in version.rounds.all()
    ]  # fmt: skip
    sheets = [
        Sheet("测算", ("步骤", "算式", "输入", "结果", "单位", "条款", "核实"), steps, notes=(str(version),)),
        Sheet(
            "基数年度",
            ("年度", "医共体内（元）", "县域外（元）", "合计（元）", "来源", "说明"),
            years,
            frozenset({1, 2, 3}),
        ),
        Sheet(
            "谈判协商",
            (
                "轮次",
                "日期",
                "医保部门参加人",
                "医共体参加人",
                "医保部门意见（元）",
                "医共体意见（元）",
                "纪要",
                "结论",
            ),
            rounds,
            frozenset({4, 5}),
        ),
    ]
    allocation = version.allocations.order_by("-number").first()
    if allocation is not None:
        lines = [
            (
                line.institution.name,
                line.weight,
                line.amount,
                "额度管理" if line.is_quota else "预算执行管理（不设额度）",
            )
            for line in allocation.lines.select_related("institution")
        ]
        lines.append(("合计", None, allocation.total, ""))
        header = ("成员单位", "上年支出（元）", "分配额（元）", "管理方式")
        sheets.append(Sheet("成员分配", header, lines, frozenset({1, 2}), (str(allocation),)))
    return sheets


def prepaid_sheet(year: int, rows: Sequence[PrepaidRow]) -> Sheet:
    """The year's prepayments per alliance and fund."""
    header = (
        "医共体", "县（区）", "险种", "打包总额（元）", "暂付", "年度上限（元）", "已批预付（元）", "已拨付（元）", "上限余额（元）",
        "已批占比", "预计年终现金（元）",
    )  # fmt: skip
    lines: list[Sequence[object]] = [
        (
            row.alliance.name,
            row.alliance.county.name,
            FundType(row.fund_type).label,
            row.package_total,
            "暂付" if row.provisional else "",
            row.cap,
            row.decided,
            row.paid,
            row.cap_left,
            percent(round_ratio(row.decided / row.package_total)) if row.package_total else None,
            row.projected_cash,
        )
        for row in rows
    ]
    for fund in FundType:
        mine = [row for row in rows if row.fund_type == fund]
        if mine:
            decided, paid = sum((row.decided for row in mine), ZERO), sum((row.paid for row in mine), ZERO)
            lines.append(("合计", "", fund.label, None, "", None, decided, paid, None, None, None))
    return Sheet(
        f"{year}年月度预付", header, lines, frozenset({3, 5, 6, 7, 8, 10}), (f"{year}年月度预付，金额单位：元",)
    )


def batches_sheet(year: int, batches: Sequence[Any]) -> Sheet:
    """The batches of a year, the funds apart."""
    header = ("月份", "批次", "状态", "笔数", "居民预付（元）", "职工预付（元）", "报审人", "审定人")
    rows: list[Sequence[object]] = [
        (
            batch.month, batch.sequence, batch.get_state_display(), batch.count, batch.residents, batch.employees,
            str(batch.submitted_by or ""), str(batch.decided_by or ""),
        )
        for batch in batches
    ]  # fmt: skip
    return Sheet(f"{year}年预付批次", header, rows, frozenset({4, 5}), ("金额单位：元",))


def batch_sheet(batch: PrepaymentBatch, lines: Sequence[Prepayment], due: Mapping[int, Decimal]) -> Sheet:
    """The lines of a batch as its page shows them."""
    header = (
        "医共体", "险种", "打包总额（元）", "暂付", "此前累计（元）", "本月建议（元）", "暂缓（元）", "暂扣（元）", "冲抵（元）",
        "本月预付（元）", "应拨付（元）", "未到账（元）", "上限余额（元）", "预计年终现金（元）",
    )  # fmt: skip
    rows: list[Sequence[object]] = [
        (
            line.alliance.name,
            line.get_fund_type_display(),
            line.package_total,
            "暂付" if line.provisional else "",
            line.before,
            line.planned,
            line.held,
            line.withheld,
            line.offset,
            line.amount,
            line.payable,
            due[line.pk],
            line.cap_left,
            line.projected_cash,
        )
        for line in lines
    ]
    for fund in FundType:
        mine = [line for line in lines if line.fund_type == fund]
        if mine:
            sums = [
                sum((getattr(line, name) for line in mine), ZERO)
                for name in ("planned", "held", "withheld", "offset", "amount", "payable")
            ]
            rows.append(
                ("合计", fund.label, None, "", None, *sums, sum((due[line.pk] for line in mine), ZERO), None, None)
            )
    notes = (f"{batch} · {batch.get_state_display()} · 金额单位：元",)
    return Sheet(f"{batch.month}预付", header, rows, frozenset({2, *range(4, 14)}), notes)


def payments_sheet(payments: Sequence[OtherPayment]) -> Sheet:
    """Other payments as listed."""
    header = ("医共体", "年度", "险种", "种类", "用途", "金额（元）", "状态", "到账日期", "银行回单号")
    rows: list[Sequence[object]] = [
        (
            found.alliance.name, found.year, found.get_fund_type_display(), found.get_kind_display(), found.purpose,
            found.amount, found.get_state_display(), found.paid_on, found.bank_reference,
        )
        for found in payments
    ]  # fmt: skip
    for fund in FundType:
        mine = [found.amount for found in payments if found.fund_type == fund]
        if mine:
            rows.append(("合计", None, fund.label, "", "", sum(mine, ZERO), "", None, ""))
    return Sheet("其他已付", header, rows, frozenset({5}), ("金额单位：元",))
