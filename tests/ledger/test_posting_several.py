"""Several entries written at once are what they would be one by one."""

from datetime import date
from decimal import Decimal

import pytest

from core.errors import Conflict, Refused
from core.models import FundType
from ledger.accounts import Account
from ledger.models import Book, Entry, Line
from ledger.reading import balance, verify_ledger
from ledger.services import Posting, Voucher, book_of, close_period, post, post_all

pytestmark = pytest.mark.django_db
DAY = date(2025, 3, 3)


def voucher(world, key, amount, on=DAY):
    yuan = Decimal(amount)
    lines = [
        Posting(Account.TEMPORARY_PAYMENTS, yuan, world.alliance, 2025),
        Posting(Account.EXPENDITURE_ACCOUNT, -yuan),
        Posting(Account.CASH, Decimal("0.00")),
    ]
    return Voucher(key, on, lines, f"预付 {key}", world.alliance)


@pytest.fixture
def book(world):
    return book_of(world.area, FundType.RESIDENT)


def test_several_entries_are_numbered_chained_and_sealed_in_their_order(world, book):
    entries = post_all(world.finance, book, [voucher(world, "a", "10.00"), voucher(world, "b", "20.00")])
    assert [entry.seq for entry in entries] == [1, 2]
    assert entries[1].prev_hash == entries[0].hash
    assert Entry.objects.count() == 2
    assert Line.objects.count() == 4
    held = Book.objects.get(pk=book.pk)
    assert (held.head_seq, held.head_hash) == (2, entries[1].hash)
    assert balance(book, Account.TEMPORARY_PAYMENTS, alliance=world.alliance, year=2025) == Decimal("30.00")
    assert verify_ledger() == []


def test_a_key_that_is_held_returns_its_entry_and_only_the_others_are_written(world, book):
    first = voucher(world, "a", "10.00")
    held = post(world.finance, book, key="a", on=DAY, lines=first.lines, memo="", source=world.alliance)
    entries = post_all(world.finance, book, [voucher(world, "b", "20.00"), first])
    assert [entry.pk for entry in entries] == [Entry.objects.get(key="b").pk, held.pk]
    assert Entry.objects.count() == 2


def test_one_conflict_among_them_writes_none(world, book):
    post_all(world.finance, book, [voucher(world, "a", "10.00")])
    with pytest.raises(Conflict):
        post_all(world.finance, book, [voucher(world, "b", "20.00"), voucher(world, "a", "11.00")])
    assert Entry.objects.count() == 1


def test_one_that_does_not_sum_to_zero_writes_none(world, book):
    bad = Voucher("b", DAY, [Posting(Account.CASH, Decimal("1.00")), Posting(Account.INTEREST, Decimal("-2.00"))], "")
    with pytest.raises(ValueError, match="not to zero"):
        post_all(world.finance, book, [voucher(world, "a", "10.00"), bad])
    assert not Entry.written.exists()


def test_one_date_in_a_closed_period_refuses_all_of_them(world, book):
    close_period(world.finance, book, DAY, "结账")
    with pytest.raises(Refused, match="已结账"):
        post_all(world.finance, book, [voucher(world, "a", "1.00", date(2025, 4, 1)), voucher(world, "b", "1.00")])
    assert not Entry.written.exists()


def test_the_number_of_statements_does_not_grow_with_the_number_of_entries(world, book, django_assert_max_num_queries):
    vouchers = [voucher(world, f"k{number}", "1.00") for number in range(20)]
    with django_assert_max_num_queries(10):
        post_all(world.finance, book, vouchers)


def test_nothing_to_write_writes_nothing(world, book):
    assert post_all(world.finance, book, []) == []
