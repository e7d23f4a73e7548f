"""The chart of accounts of a book (domain 6.7): fund accounts after 财会〔2017〕28号 and control accounts (备查).

The stored value of an account is its name and never changes; the printed ``code`` can be corrected when the official
chart is confirmed (待核实). Control accounts register what was approved: debit registers, credit relieves, so that a
positive balance is what stands; the other side is always :attr:`Account.CONTROL_CONTRA`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db import models


class Group(StrEnum):
    FUND = "fund"
    CONTROL = "control"

    @property
    def label(self) -> str:
        return "基金科目" if self is Group.FUND else "备查科目"


class Nature(StrEnum):
    """The side on which an account normally stands."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def label(self) -> str:
        return "借" if self is Nature.DEBIT else "贷"


class Element(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    NET_ASSETS = "net_assets"
    INCOME = "income"
    SPENDING = "spending"
    CONTROL = "control"

    @property
    def label(self) -> str:
        names = {"asset": "资产", "liability": "负债", "net_assets": "净资产", "income": "收入", "spending": "支出"}
        return names.get(self.value, "备查")


class Account(models.TextChoices):
    """Every account a line may name."""

    CASH = "cash", "库存现金"
    REVENUE_ACCOUNT = "revenue_account", "收入户存款"
    EXPENDITURE_ACCOUNT = "expenditure_account", "支出户存款"
    FISCAL_ACCOUNT = "fiscal_account", "财政专户存款"
    TREASURY = "treasury", "国库存款"
    TEMPORARY_PAYMENTS = "temporary_payments", "暂付款"
    BONDS = "bonds", "债券投资"
    ENTRUSTED_INVESTMENT = "entrusted_investment", "委托投资"

    TEMPORARY_RECEIPTS = "temporary_receipts", "暂收款"
    BORROWINGS = "borrowings", "借入款项"

    GENERAL_BALANCE = "general_balance", "一般基金结余"
    RISK_RESERVE = "risk_reserve", "风险基金结余"

    PREMIUMS = "premiums", "社会保险费收入"
    FISCAL_SUBSIDY = "fiscal_subsidy", "财政补贴收入"
    INTEREST = "interest", "利息收入"
    TRANSFERS_IN = "transfers_in", "转移收入"
    SUBSIDY_FROM_ABOVE = "subsidy_from_above", "上级补助收入"
    REMITTED_FROM_BELOW = "remitted_from_below", "下级上解收入"
    OTHER_INCOME = "other_income", "其他收入"

    BENEFITS_PACKAGED = "benefits_packaged", "社会保险待遇支出—打包结算"
    BENEFITS_INPATIENT = "benefits_inpatient", "社会保险待遇支出—住院"
    BENEFITS_OUTPATIENT = "benefits_outpatient", "社会保险待遇支出—门诊"
    BENEFITS_CHRONIC = "benefits_chronic", "社会保险待遇支出—门诊慢特病"
    SERIOUS_ILLNESS = "serious_illness", "大病保险支出"
    TRANSFERS_OUT = "transfers_out", "转移支出"
    SUBSIDY_TO_BELOW = "subsidy_to_below", "补助下级支出"
    REMITTED_TO_ABOVE = "remitted_to_above", "上解上级支出"
    OTHER_SPENDING = "other_spending", "其他支出"

    PACKAGE = "control_package", "打包总额"
    PREPAYMENT_APPROVED = "control_prepayment_approved", "已批预付"
    SETTLEMENT_PAYABLE = "control_settlement_payable", "应付清算款"
    RECOVERY_RECEIVABLE = "control_recovery_receivable", "应收追回款"
    AUDIT_RECEIVABLE = "control_audit_receivable", "应收稽核追回款"
    CONTROL_CONTRA = "control_contra", "备查对方"

    @property
    def code(self) -> str:
        """The printed number."""
        return CHART[self].code

    @property
    def element(self) -> Element:
        return CHART[self].element

    @property
    def group(self) -> Group:
        return Group.CONTROL if self.value.startswith(CONTROL_PREFIX) else Group.FUND

    @property
    def nature(self) -> Nature:
        debit = self.element in (Element.ASSET, Element.SPENDING)
        if self.element is Element.CONTROL:
            debit = self is not Account.CONTROL_CONTRA
        return Nature.DEBIT if debit else Nature.CREDIT

    @property
    def is_per_package(self) -> bool:
        """Whether every line must name the alliance and the package year (an audited provider may belong to none)."""
        return self.group is Group.CONTROL and self not in (Account.CONTROL_CONTRA, Account.AUDIT_RECEIVABLE)


CONTROL_PREFIX = "control_"
"""Control accounts begin with it; the database's own check reads it too."""


@dataclass(frozen=True)
class _Row:
    code: str
    element: Element


CHART: dict[Account, _Row] = {
    Account.CASH: _Row("1001", Element.ASSET),
    Account.REVENUE_ACCOUNT: _Row("1002", Element.ASSET),
    Account.EXPENDITURE_ACCOUNT: _Row("1003", Element.ASSET),
    Account.FISCAL_ACCOUNT: _Row("1004", Element.ASSET),
    Account.TREASURY: _Row("1005", Element.ASSET),
    Account.TEMPORARY_PAYMENTS: _Row("1101", Element.ASSET),
    Account.BONDS: _Row("1201", Element.ASSET),
    Account.ENTRUSTED_INVESTMENT: _Row("1202", Element.ASSET),
    Account.TEMPORARY_RECEIPTS: _Row("2001", Element.LIABILITY),
    Account.BORROWINGS: _Row("2101", Element.LIABILITY),
    Account.GENERAL_BALANCE: _Row("3001", Element.NET_ASSETS),
    Account.RISK_RESERVE: _Row("3101", Element.NET_ASSETS),
    Account.PREMIUMS: _Row("4001", Element.INCOME),
    Account.FISCAL_SUBSIDY: _Row("4101", Element.INCOME),
    Account.INTEREST: _Row("4201", Element.INCOME),
    Account.TRANSFERS_IN: _Row("4301", Element.INCOME),
    Account.SUBSIDY_FROM_ABOVE: _Row("4401", Element.INCOME),
    Account.REMITTED_FROM_BELOW: _Row("4402", Element.INCOME),
    Account.OTHER_INCOME: _Row("4501", Element.INCOME),
    Account.BENEFITS_PACKAGED: _Row("500101", Element.SPENDING),
    Account.BENEFITS_INPATIENT: _Row("500102", Element.SPENDING),
    Account.BENEFITS_OUTPATIENT: _Row("500103", Element.SPENDING),
    Account.BENEFITS_CHRONIC: _Row("500104", Element.SPENDING),
    Account.SERIOUS_ILLNESS: _Row("5101", Element.SPENDING),
    Account.TRANSFERS_OUT: _Row("5201", Element.SPENDING),
    Account.SUBSIDY_TO_BELOW: _Row("5301", Element.SPENDING),
    Account.REMITTED_TO_ABOVE: _Row("5302", Element.SPENDING),
    Account.OTHER_SPENDING: _Row("5401", Element.SPENDING),
    Account.PACKAGE: _Row("9001", Element.CONTROL),
    Account.PREPAYMENT_APPROVED: _Row("9002", Element.CONTROL),
    Account.SETTLEMENT_PAYABLE: _Row("9003", Element.CONTROL),
    Account.RECOVERY_RECEIVABLE: _Row("9004", Element.CONTROL),
    Account.AUDIT_RECEIVABLE: _Row("9005", Element.CONTROL),
    Account.CONTROL_CONTRA: _Row("9009", Element.CONTROL),
}


def by_code(code: str) -> Account | None:
    """The account printed under ``code``."""
    return next((account for account, row in CHART.items() if row.code == code), None)
