"""The fund books beside the packages: opening balance, income, the month's allotment and care paid outside packages.

Posted to the ledger like everything else; without it the account the prepayments leave from would stand below zero.
Amounts are those of the fund reports and facts of all counties together.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import transaction

from core.models import PoolingArea
from core.trail import record
from ledger.accounts import Account, Element
from ledger.models import Book, Entry
from ledger.reading import balance
from ledger.services import Posting, book_of, post
from portal.demo import facts, reports, story
from portal.demo.people import FINANCE, user
from portal.demo.places import AREA_CODE, COUNTIES
from portal.demo.story import EMP, RES
from rules.money import ZERO, from_fen
from rules.periods import Month

ACTION = "demo.book"
CUSHION = {RES: Decimal("420000000.00"), EMP: Decimal("130000000.00")}
"""Yuan the expenditure account is filled up to at the beginning of a month."""
INCOME = {
    "income_personal": Account.PREMIUMS,
    "income_employer": Account.PREMIUMS,
    "income_subsidy": Account.FISCAL_SUBSIDY,
    "income_interest": Account.INTEREST,
}
CARE = {
    "inpatient": Account.BENEFITS_INPATIENT,
    "maternity_in": Account.BENEFITS_INPATIENT,
    "chronic": Account.BENEFITS_CHRONIC,
}
IN_PACKAGES = (facts.OWN, facts.SISTER)


def open_books() -> None:
    """The balances brought forward on the first day of the story."""
    for fund in story.FUNDS:
        total = Decimal(sum(amount for (_county, of), amount in reports.OPENING.items() if of == fund))
        lines = [Posting(Account.FISCAL_ACCOUNT, total), Posting(Account.GENERAL_BALANCE, -total)]
        _post(fund, "opening", story.FIRST_MONTH.first_day, lines, "上年结转")


def allot(month: Month) -> None:
    """Fill the expenditure account from the fiscal account for the month."""
    for fund in story.FUNDS:
        if Entry.objects.filter(key=_key(fund, f"allotment:{month}")).exists():
            continue
        held = balance(_book(fund), Account.EXPENDITURE_ACCOUNT)
        missing = (CUSHION[fund] - held) // 10_000 * 10_000
        if missing > 0:
            lines = [Posting(Account.EXPENDITURE_ACCOUNT, missing), Posting(Account.FISCAL_ACCOUNT, -missing)]
            _post(fund, f"allotment:{month}", month.first_day, lines, f"{month} 用款拨入支出户")


def close_month(month: Month) -> None:
    """Income received and care paid outside the packages, on the last day of the month."""
    for fund in story.FUNDS:
        of_month = [reports.all_reports()[(county.code, fund, month)] for county in COUNTIES]
        credits: dict[Account, Decimal] = {}
        for values in of_month:
            for name, account in INCOME.items():
                credits[account] = credits.get(account, ZERO) + Decimal(values.get(name, 0))
        income = [Posting(account, -amount) for account, amount in credits.items() if amount]
        income.append(Posting(Account.FISCAL_ACCOUNT, sum(credits.values(), ZERO)))
        _post(fund, f"income:{month}", month.last_day, income, f"{month} 基金收入")
        paid = _paid_outside(fund, month)
        for name in ("spending_critical_illness", "spending_maternity_allowance"):
            amount = sum((Decimal(values.get(name, 0)) for values in of_month), ZERO)
            account = Account.SERIOUS_ILLNESS if name.endswith("illness") else Account.OTHER_SPENDING
            paid[account] = paid.get(account, ZERO) + amount
        spending = [Posting(account, amount) for account, amount in paid.items() if amount]
        spending.append(Posting(Account.EXPENDITURE_ACCOUNT, -sum(paid.values(), ZERO)))
        _post(fund, f"spending:{month}", month.last_day, spending, f"{month} 打包以外待遇支出及划转")


def close_year(year: int) -> None:
    """Income and spending of a year go to the general balance."""
    for fund in story.FUNDS:
        book, last_day = _book(fund), date(year, 12, 31)
        results = {
            account: balance(book, account, until=last_day)
            for account in Account
            if account.element in (Element.INCOME, Element.SPENDING)
        }
        lines = [Posting(account, -amount) for account, amount in results.items() if amount]
        lines.append(Posting(Account.GENERAL_BALANCE, sum(results.values(), ZERO)))
        _post(fund, f"closing:{year}", last_day, lines, f"{year} 年收支结转")


def _paid_outside(fund: str, month: Month) -> dict[Account, Decimal]:
    fen: dict[Account, int] = {}
    for county in COUNTIES:
        for row in facts.month_rows(county.code, month):
            if row.fund_type == fund and (row.care_location not in IN_PACKAGES or row.excluded_fund):
                account = CARE.get(row.visit_type, Account.BENEFITS_OUTPATIENT)
                outside = row.fund_payable if row.care_location not in IN_PACKAGES else row.excluded_fund
                fen[account] = fen.get(account, 0) + outside
    return {account: from_fen(amount) for account, amount in fen.items()}


@transaction.atomic
def _post(fund: str, name: str, on: date, lines: list[Posting], memo: str) -> None:
    key = _key(fund, name)
    if Entry.objects.filter(key=key).exists():
        return
    actor, book = user(FINANCE), _book(fund)
    entry = post(actor, book, key=key, on=on, lines=lines, memo=memo)
    record(actor, ACTION, entry, f"{book}：{memo}", place=book.pooling_area)


def _key(fund: str, name: str) -> str:
    return f"demo:{fund}:{name}"


def _book(fund: str) -> Book:
    return book_of(PoolingArea.objects.get(code=AREA_CODE), fund)
