"""The double entry of a settlement, thought through once.

Control accounts, at the final approval (备查; each against the contra account, per alliance and package year):
    应付清算款 = max(cash − settled, 0), 应收追回款 = max(settled − cash, 0), where
    ``settled`` is what earlier versions already paid less what came back. Only the difference to what the ledger holds
    is posted, so a correction posts the difference and a second approval posts nothing.

Fund accounts, on the bank receipt (cash basis, 财会〔2017〕28号). Before the first booking 暂付款 of the alliance and year
holds exactly P + M (advances and other payments not yet spent). The year's benefit spending to recognise is
E = cash + P + M + D: what the alliance earned, recoveries of other years included. One entry per booking:
    debit  待遇支出 (year)            E less what earlier bookings recognised
    credit 待遇支出 (years of D)      D less what earlier bookings deducted
    credit 支出户存款                 what is paid (debit: what comes back)
    credit 暂付款 (year)              the remainder
Payment:        remainder = P + M, so 暂付款 of the year is zero afterwards.
First recovery r of |cash|: remainder = P + M − |cash| + r, so |cash| − r stays in 暂付款 until it came back too.
Offset against next year's prepayment: the approved prepayment itself moves r from 暂付款 of this year to 暂付款 of the
    next and relieves 应收追回款 (the bank pays the net amount); the booking here recognises the spending, once.
A correction recognises only the difference; its remainder is zero unless P or M changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.models import User
from ledger.accounts import Account
from ledger.models import Entry, Line
from ledger.reading import balance, find_book
from ledger.services import Posting, book_of, post, registering
from rules.money import ZERO
from settlement.models import Booking, BookingKind, Computation, Settlement, SettlementVersion


@dataclass(frozen=True)
class Position:
    """Where the money of a settlement stands, in yuan, over all its versions."""

    paid: Decimal
    recovered: Decimal
    offset: Decimal
    recognised: Decimal
    deducted: Decimal

    @property
    def settled(self) -> Decimal:
        """Net cash that went to the alliance through the settlement."""
        return self.paid - self.recovered - self.offset

    @property
    def cleared(self) -> Decimal:
        """What the bookings took out of 暂付款 of the year; offsets leave it through the prepayments' own entries."""
        return self.recognised - self.deducted - (self.paid - self.recovered)


def position(settlement: Settlement) -> Position:
    """Summed from the bookings of every version; offsets from the entries of the prepayments that made them."""
    rows = list(
        Booking.objects.filter(version__settlement=settlement).values_list("kind", "amount", "recognised", "deducted")
    )
    return Position(
        paid=sum((amount for kind, amount, *_ in rows if kind == BookingKind.PAYMENT), ZERO),
        recovered=sum((amount for kind, amount, *_ in rows if kind == BookingKind.RECOVERY), ZERO),
        offset=moved_by_offsets(settlement),
        recognised=sum((recognised for *_, recognised, _deducted in rows), ZERO),
        deducted=sum((deducted for *_, deducted in rows), ZERO),
    )


def outstanding(computation: Computation, where: Position) -> Decimal:
    """Yuan still to pay (positive) or to get back (negative) under this version."""
    return Decimal(computation.cash - where.settled)


def advances(settlement: Settlement) -> Decimal:
    """暂付款 of the alliance and year as the ledger holds it."""
    book = find_book(settlement.alliance, settlement.fund_type)
    return balance(book, Account.TEMPORARY_PAYMENTS, alliance=settlement.alliance, year=settlement.year)


def moved_by_offsets(settlement: Settlement) -> Decimal:
    """What approved prepayments of later years took out of 暂付款 of this year, reversals taken off."""
    book = find_book(settlement.alliance, settlement.fund_type)
    lines = Line.objects.filter(
        entry__book=book,
        entry__key__startswith=f"budgets.offset:{settlement.year}:",
        account=Account.TEMPORARY_PAYMENTS,
        alliance=settlement.alliance,
        year=settlement.year,
    )
    return -sum(lines.values_list("amount", flat=True), ZERO)


def advanced(computation: Computation) -> Decimal:
    """P + M: what the statement says was paid before it."""
    return Decimal(computation.prepaid + computation.other_payments)


def control_balance(settlement: Settlement, account: Account) -> Decimal:
    book = find_book(settlement.alliance, settlement.fund_type)
    return balance(book, account, alliance=settlement.alliance, year=settlement.year)


def post_control(actor: User, version: SettlementVersion, key: str, on: date, owed: Decimal, memo: str) -> Entry | None:
    """Bring payable and receivable to ``owed`` (positive: to pay, negative: to get back); None if they already are."""
    settlement = version.settlement
    targets = {
        Account.SETTLEMENT_PAYABLE: max(owed, ZERO),
        Account.RECOVERY_RECEIVABLE: max(-owed, ZERO),
    }
    lines: list[Posting] = []
    for account, target in targets.items():
        moved = target - control_balance(settlement, account)
        if moved:
            lines += registering(account, moved, settlement.alliance, settlement.year)
    if not lines:
        return None
    book = book_of(settlement.alliance, settlement.fund_type)
    return post(actor, book, key=key, on=on, lines=lines, memo=memo, source=version)


@dataclass(frozen=True)
class FundEntry:
    """What a booking posts to the fund accounts, in yuan."""

    lines: list[Posting]
    recognised: Decimal
    deducted: Decimal


def fund_lines(version: SettlementVersion, kind: str, amount: Decimal, where: Position) -> FundEntry:
    """The fund entry of a booking of ``amount`` after ``where``; sums to zero by construction."""
    computation, settlement = version.figures, version.settlement
    alliance, year = settlement.alliance, settlement.year
    recognised = computation.cash + advanced(computation) + computation.deductions - where.recognised
    deducted = computation.deductions - where.deducted
    moved = {BookingKind.PAYMENT: amount, BookingKind.RECOVERY: -amount}.get(BookingKind(kind), ZERO)
    lines = [Posting(Account.BENEFITS_PACKAGED, recognised, alliance, year)]
    lines += [
        Posting(Account.BENEFITS_PACKAGED, -part, alliance, origin)
        for origin, part in sorted(_newly_deducted(version).items())
    ]
    lines.append(Posting(Account.EXPENDITURE_ACCOUNT, -moved))
    lines.append(Posting(Account.TEMPORARY_PAYMENTS, -(recognised - deducted - moved), alliance, year))
    return FundEntry([line for line in lines if line.amount], recognised, deducted)


def post_fund(actor: User, version: SettlementVersion, key: str, on: date, entry: FundEntry, memo: str) -> Entry | None:
    """Post a booking's fund entry; None when nothing moves (a correction that changes no money)."""
    if not entry.lines:
        return None
    book = book_of(version.settlement.alliance, version.settlement.fund_type)
    return post(actor, book, key=key, on=on, lines=entry.lines, memo=memo, source=version)


def _newly_deducted(version: SettlementVersion) -> dict[int, Decimal]:
    """D by year of origin, less what the last booked version already took off."""
    found = _deductions_by_year(version.figures)
    last = Booking.objects.filter(version__settlement=version.settlement).select_related("version__computation").last()
    if last is not None:
        for origin, part in _deductions_by_year(last.version.figures).items():
            found[origin] = found.get(origin, ZERO) - part
    return found


def _deductions_by_year(computation: Computation) -> dict[int, Decimal]:
    by_year: dict[int, Decimal] = {}
    for item in computation.inputs["deductions"]:
        by_year[item["origin_year"]] = by_year.get(item["origin_year"], ZERO) + Decimal(item["amount"])
    return by_year
