"""Workbooks of this app: the payment file for the bank; lists and a package exactly as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from budgets.models import LeadAccount, Prepayment, PrepaymentBatch
from core.models import FundType
from core.workbook import Sheet, write_workbook
from rules.money import ZERO

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
