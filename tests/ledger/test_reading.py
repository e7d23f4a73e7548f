"""Balances, the trial balance and the lines of an account, derived from sealed lines to the fen."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum

from ledger import reading
from ledger.accounts import CHART, Account, Element, Group, Nature, by_code
from ledger.models import Line
from ledger.reading import BalanceKey
from ledger.services import Posting, book_of, post
from tests.ledger.books import MONTHLY, PACKAGE, PAID_ON, a_paid_month, paying


@pytest.fixture
def book(world):
    a_paid_month(world, "EMP")
    a_paid_month(world, "RES", world.east)
    return a_paid_month(world, "RES")


def test_the_balance_of_an_alliance_leaves_out_its_sister_and_the_other_fund(world, book):
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS, alliance=world.alliance, year=2026) == MONTHLY
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS) == 2 * MONTHLY
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS, alliance=world.alliance, year=2025) == 0


def test_the_balance_up_to_a_day_counts_that_day(book):
    assert reading.balance(book, Account.PREPAYMENT_APPROVED, until=date(2026, 1, 24)) == 2 * MONTHLY
    assert reading.balance(book, Account.PREPAYMENT_APPROVED, until=PAID_ON) == 0


def test_a_place_without_a_book_has_a_balance_of_nothing(world):
    assert reading.find_book(world.foreign_area, "RES") is None
    assert reading.balance(None, Account.PACKAGE) == Decimal("0.00")


def test_many_balances_come_in_one_query(world, book, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = reading.balances([Account.PACKAGE, Account.TEMPORARY_PAYMENTS], alliances=[world.alliance], year=2026)
    assert found[BalanceKey("control_package", "RES", world.alliance.pk, 2026)] == PACKAGE
    assert found[BalanceKey("temporary_payments", "EMP", world.alliance.pk, 2026)] == MONTHLY
    assert len(found) == 4


def test_many_balances_can_be_narrowed_to_a_fund_a_book_and_a_day(world, book):
    accounts = [Account.PREPAYMENT_APPROVED]
    assert len(reading.balances(accounts, fund_type="RES")) == 2
    assert set(reading.balances(accounts, book=book, until=date(2026, 1, 24)).values()) == {MONTHLY}


def test_the_trial_balance_keeps_fund_and_control_accounts_apart(book):
    trial = reading.trial_balance(book, date(2026, 12, 31))
    assert [row.account for row in trial.fund.rows] == [Account.EXPENDITURE_ACCOUNT, Account.TEMPORARY_PAYMENTS]
    assert {row.account for row in trial.control.rows} == {
        Account.PACKAGE, Account.PREPAYMENT_APPROVED, Account.CONTROL_CONTRA,
    }  # fmt: skip
    assert trial.balanced
    assert trial.fund.closing_debit == trial.fund.closing_credit == 2 * MONTHLY
    assert trial.control.debit == trial.control.credit == 2 * PACKAGE + 4 * MONTHLY


def test_the_trial_balance_carries_last_year_forward_as_the_opening(world, book):
    post(
        world.finance,
        book,
        key="february 2027",
        on=date(2027, 2, 25),
        lines=paying(world.alliance, year=2027),
        memo="拨付",
    )
    rows = {row.account: row for row in reading.trial_balance(book, date(2027, 12, 31)).fund.rows}
    paid = rows[Account.TEMPORARY_PAYMENTS]
    assert (paid.opening, paid.debit, paid.credit, paid.closing) == (2 * MONTHLY, MONTHLY, 0, 3 * MONTHLY)
    assert paid.is_on_its_side
    assert not rows[Account.EXPENDITURE_ACCOUNT].is_on_its_side


def test_the_trial_balance_is_one_query_whatever_the_number_of_accounts(book, django_assert_num_queries):
    with django_assert_num_queries(1):
        reading.trial_balance(book, date(2026, 12, 31))


def test_the_running_balance_ends_at_the_balance(world, book):
    lines = list(reading.account_lines(book, Account.PREPAYMENT_APPROVED, alliance=world.alliance))
    assert [line.running for line in lines] == [MONTHLY, Decimal("0.00")]
    assert reading.turnover(book, Account.PREPAYMENT_APPROVED) == (2 * MONTHLY, 2 * MONTHLY)


def test_the_running_balance_follows_the_date_before_the_number(world, book):
    late = paying(world.alliance, Decimal("5.00"))
    post(world.finance, book, key="late", on=date(2026, 1, 5), lines=late, memo="补记")
    lines = list(reading.account_lines(book, Account.TEMPORARY_PAYMENTS, alliance=world.alliance))
    assert [line.running for line in lines] == [Decimal("5.00"), MONTHLY + 5]


def test_sixteen_digits_keep_their_last_fen_in_sums(world):
    book = book_of(world.area, "RES")
    huge = Decimal("90071992547409.93")
    for number in range(3):
        post(world.finance, book, key=f"huge {number}", on=PAID_ON, lines=paying(world.alliance, huge), memo="大额")
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS) == Decimal("270215977642229.79")
    assert Line.objects.filter(amount__gt=0).aggregate(total=Sum("amount"))["total"] == Decimal("270215977642229.79")


def test_the_entries_of_a_source_are_found_by_it(world, book):
    assert [entry.memo for entry in reading.entries_of(world.east)] == [
        "审定打包总额", "审定一月预付", "拨付一月预付款", "一月预付已拨付",
    ]  # fmt: skip
    assert not reading.entries_of(world.west).exists()


def test_every_account_has_its_own_number_element_and_side():
    assert set(CHART) == set(Account)
    assert len({row.code for row in CHART.values()}) == len(CHART)
    assert by_code("1101") is Account.TEMPORARY_PAYMENTS
    assert by_code("0000") is None
    sides = {Element.ASSET: Nature.DEBIT, Element.SPENDING: Nature.DEBIT, Element.INCOME: Nature.CREDIT}
    assert all(account.nature is sides[account.element] for account in Account if account.element in sides)
    control = {account for account in Account if account.group is Group.CONTROL}
    assert {account for account in control if account.nature is Nature.CREDIT} == {Account.CONTROL_CONTRA}
    assert {account for account in Account if account.is_per_package} == control - {Account.CONTROL_CONTRA, Account.AUDIT_RECEIVABLE}


def test_no_name_of_an_account_is_longer_than_its_column():
    assert max(len(account.value) for account in Account) <= Line._meta.get_field("account").max_length


def test_income_and_spending_of_the_fund_post_like_any_other_account(world):
    book = book_of(world.area, "EMP")
    lines = [Posting(Account.REVENUE_ACCOUNT, Decimal("10.00")), Posting(Account.PREMIUMS, Decimal("-10.00"))]
    post(world.finance, book, key="premiums", on=PAID_ON, lines=lines, memo="保费收入")
    assert reading.balance(book, Account.PREMIUMS) == Decimal("-10.00")
