"""Workbooks of the ledger's pages: the same rows and the same totals as on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import models

from core.workbook import Sheet
from ledger.accounts import Account, Nature
from ledger.models import Book, Entry, Line
from ledger.reading import ZERO, TrialBalance, TrialRow

UNIT = "金额单位：元"


def trial_sheets(trial: TrialBalance) -> list[Sheet]:
    """One sheet a group, each with its totals."""
    year = trial.until.year
    header = [
        "科目编号",
        "科目",
        "年初余额（借正贷负）",
        f"{year}年借方",
        f"{year}年贷方",
        "期末借方余额",
        "期末贷方余额",
    ]
    return [
        Sheet(
            group.group.label,
            header,
            [
                *(_trial_row(row) for row in group.rows),
                ["合计", "", group.opening, group.debit, group.credit, group.closing_debit, group.closing_credit],
            ],
            money_columns=frozenset(range(2, 7)),
            notes=[f"{trial.book}　截至 {trial.until}　{UNIT}", "试算平衡" if group.balanced else "试算不平衡"],
        )
        for group in trial.groups
    ]


def _trial_row(row: TrialRow) -> list[Any]:
    return [
        row.account.code, row.account.label, row.opening, row.debit, row.credit, row.closing_debit, row.closing_credit
    ]  # fmt: skip


def account_sheets(
    book: Book, account: Account, lines: models.QuerySet[Line], opening: Decimal, said: Sequence[str]
) -> list[Sheet]:
    """The lines of an account with their running balance (debit positive) and the totals of the page."""
    rows: list[list[Any]] = [["", "", "期初余额", "", "", None, None, opening]]
    total_debit = total_credit = ZERO
    for line in lines:
        total_debit, total_credit = total_debit + (line.debit or 0), total_credit + (line.credit or 0)
        alliance = line.alliance.name if line.alliance else ""
        standing = opening + line.running  # type: ignore[attr-defined]
        rows.append(
            [line.entry.on, line.entry.number, line.entry.memo, alliance, line.year, line.debit, line.credit, standing]
        )
    rows.append(["合计", "", "", "", "", total_debit, total_credit, opening + total_debit - total_credit])
    header = ["日期", "凭证号", "摘要", "医共体", "打包年度", "借方", "贷方", "余额（借正贷负）"]
    side = "借" if account.nature is Nature.DEBIT else "贷"
    notes = [f"{book}　{account.code} {account.label}（余额方向：{side}）　{UNIT}", *said]
    return [Sheet(account.label, header, rows, money_columns=frozenset({5, 6, 7}), notes=notes)]


def entry_sheets(book: Book, entries: models.QuerySet[Entry], said: Sequence[str]) -> list[Sheet]:
    """Every line of the chosen vouchers."""
    rows: list[list[Any]] = []
    total_debit = total_credit = ZERO
    chosen = Line.objects.filter(entry__in=entries.order_by().values("pk"))
    for line in chosen.select_related("entry__book", "entry__actor", "alliance").order_by("-entry__seq", "pk"):
        total_debit, total_credit = total_debit + (line.debit or 0), total_credit + (line.credit or 0)
        account, entry = Account(line.account), line.entry
        alliance = line.alliance.name if line.alliance else ""
        rows.append(
            [entry.number, entry.on, entry.memo, account.code, account.label, alliance, line.year, line.debit, line.credit,
             str(entry.actor), entry.key]
        )  # fmt: skip
    rows.append(["合计", "", "", "", "", "", "", total_debit, total_credit, "", ""])
    header = ["凭证号", "日期", "摘要", "科目编号", "科目", "医共体", "打包年度", "借方", "贷方", "经手人", "业务键"]
    return [Sheet("凭证", header, rows, money_columns=frozenset({7, 8}), notes=[f"{book}　{UNIT}", *said])]
