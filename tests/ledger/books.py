"""Entries the ledger's tests share: a book with a package, an approved and a paid prepayment."""

from datetime import date
from decimal import Decimal

from ledger.accounts import Account
from ledger.services import Posting, book_of, post, registering

PACKAGE = Decimal("286543210.37")
MONTHLY = Decimal("14327160.52")
APPROVED_ON, PAID_ON = date(2026, 1, 20), date(2026, 1, 25)


def paying(alliance, amount=MONTHLY, year=2026):
    return [
        Posting(Account.TEMPORARY_PAYMENTS, amount, alliance, year),
        Posting(Account.EXPENDITURE_ACCOUNT, -amount),
    ]


def a_paid_month(world, fund="RES", alliance=None):
    """Package registered, January approved and paid; returns the book."""
    alliance = alliance or world.alliance
    book, name = book_of(world.area, fund), f"{alliance.code}:{fund}"

    def write(key, on, lines, memo):
        post(world.reviewer, book, key=f"{key}:{name}", on=on, lines=lines, memo=memo, source=alliance)

    write("package", date(2026, 1, 10), registering(Account.PACKAGE, PACKAGE, alliance, 2026), "审定打包总额")
    write("approved", APPROVED_ON, registering(Account.PREPAYMENT_APPROVED, MONTHLY, alliance, 2026), "审定一月预付")
    write("paid", PAID_ON, paying(alliance), "拨付一月预付款")
    write("relieved", PAID_ON, registering(Account.PREPAYMENT_APPROVED, -MONTHLY, alliance, 2026), "一月预付已拨付")
    return book
