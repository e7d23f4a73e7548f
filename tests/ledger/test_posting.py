"""Posting, reversing and closing: what goes into a book and what is refused."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import TrailEvent
from ledger import reading
from ledger.accounts import Account
from ledger.models import Book, BookClosing, Entry, Line
from ledger.services import Posting, book_of, close_period, post, registering, reopen_period, reverse

JANUARY = date(2026, 1, 20)
AMOUNT = Decimal("14327160.52")


@pytest.fixture
def book(world):
    return book_of(world.area, "RES")


def pay(world, book, key="prepayment:2026-01", on=JANUARY, amount=AMOUNT, **changes):
    lines = [
        Posting(Account.TEMPORARY_PAYMENTS, amount, world.alliance, 2026),
        Posting(Account.EXPENDITURE_ACCOUNT, -amount),
    ]
    given = {"key": key, "on": on, "lines": lines, "memo": "拨付一月预付款", "source": world.alliance, **changes}
    return post(world.reviewer, book, **given)


def test_an_entry_is_sealed_numbered_and_counts_in_the_balance(world, book):
    entry = pay(world, book)
    assert (entry.sealed, entry.number) == (True, "RES-000001")
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS, alliance=world.alliance, year=2026) == AMOUNT
    assert reading.balance(book, Account.EXPENDITURE_ACCOUNT) == -AMOUNT


def test_one_book_is_opened_per_fund_type_whatever_place_asks(world):
    residents = book_of(world.alliance, "RES")
    assert book_of(world.qingxi, "RES") == book_of(world.lead, "RES") == book_of(world.area, "RES") == residents
    assert book_of(world.area, "EMP") != residents
    assert book_of(world.foreign_area, "RES") != residents


def test_an_unknown_fund_type_opens_no_book(world):
    with pytest.raises(ValueError):
        book_of(world.area, "ALL")


def test_the_same_key_again_returns_the_entry_it_already_has(world, book):
    first = pay(world, book)
    assert pay(world, book, memo="同一笔，换了摘要") == first
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"on": date(2026, 1, 21)}, {"amount": Decimal("1.00")}, {"source": None}],
    ids=["another day", "another amount", "another source"],
)
def test_other_content_under_a_used_key_is_a_conflict(world, book, change):
    pay(world, book)
    with pytest.raises(Conflict, match="RES-000001"):
        pay(world, book, **change)


def test_a_key_used_in_the_residents_book_cannot_serve_the_employees(world, book):
    pay(world, book)
    with pytest.raises(Conflict):
        pay(world, book_of(world.area, "EMP"))


def test_lines_that_do_not_sum_to_zero_are_a_mistake_of_the_caller(world, book):
    lines = [Posting(Account.BENEFITS_PACKAGED, Decimal("1.00")), Posting(Account.TEMPORARY_PAYMENTS, Decimal("-0.99"))]
    with pytest.raises(ValueError, match=r"0\.01"):
        pay(world, book, lines=lines)


def test_fund_and_control_accounts_never_meet_in_one_entry(world, book):
    lines = [
        Posting(Account.PREPAYMENT_APPROVED, AMOUNT, world.alliance, 2026),
        Posting(Account.EXPENDITURE_ACCOUNT, -AMOUNT),
    ]
    with pytest.raises(ValueError, match="never meet"):
        pay(world, book, lines=lines)


def test_a_control_line_names_its_alliance_and_package_year(world, book):
    lines = [Posting(Account.PACKAGE, AMOUNT, world.alliance), Posting(Account.CONTROL_CONTRA, -AMOUNT)]
    with pytest.raises(ValueError, match="package year"):
        pay(world, book, lines=lines)


def test_an_alliance_of_another_pooling_area_has_no_place_in_the_book(world, book):
    with pytest.raises(ValueError, match="another pooling area"):
        pay(world, book, lines=registering(Account.PACKAGE, AMOUNT, world.foreign_alliance, 2026))


def test_lines_of_zero_are_left_out_and_an_entry_of_nothing_is_refused(world, book):
    moved = pay(world, book, lines=[*_pair(world), Posting(Account.BENEFITS_PACKAGED, Decimal("0.00"))])
    assert moved.lines.count() == 2
    with pytest.raises(ValueError, match="at least two"):
        pay(world, book, key="nothing", amount=Decimal("0.00"))


def test_a_third_decimal_never_reaches_the_book(world, book):
    with pytest.raises(ValueError):
        pay(world, book, amount=Decimal("1.005"))


def test_a_failing_act_takes_its_entry_and_its_number_back(world, book):
    with pytest.raises(RuntimeError), transaction.atomic():
        pay(world, book)
        raise RuntimeError("the act fails after posting")
    assert not Entry.written.exists()
    assert pay(world, book).seq == 1


def test_numbers_run_without_gap_in_each_book(world, book):
    employees = book_of(world.area, "EMP")
    for month in range(1, 4):
        pay(world, book, key=f"r{month}", on=date(2026, month, 5))
        pay(world, employees, key=f"e{month}", on=date(2026, month, 5))
    assert list(Entry.objects.filter(book=book).values_list("seq", flat=True)) == [1, 2, 3]
    assert list(Entry.objects.filter(book=employees).values_list("seq", flat=True)) == [1, 2, 3]


def test_a_reversal_takes_every_line_back_and_points_to_its_entry(world, book):
    entry = pay(world, book)
    undone = reverse(world.reviewer, entry, JANUARY, "reverse:prepayment:2026-01", "退回：账号有误")
    assert undone.reverses == entry
    assert (undone.source_type, undone.source_id) == (entry.source_type, entry.source_id)
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS) == 0
    assert Line.objects.count() == 4


def test_reversing_twice_under_one_key_is_done_once(world, book):
    entry = pay(world, book)
    first = reverse(world.reviewer, entry, JANUARY, "back", "退回")
    assert reverse(world.reviewer, entry, JANUARY, "back", "退回") == first


def test_an_entry_is_not_reversed_under_a_second_key(world, book):
    entry = pay(world, book)
    reverse(world.reviewer, entry, JANUARY, "back", "退回")
    with pytest.raises(Conflict, match="RES-000002"):
        reverse(world.reviewer, entry, JANUARY, "back again", "退回")


def test_a_reversal_is_not_reversed_itself(world, book):
    undone = reverse(world.reviewer, pay(world, book), JANUARY, "back", "退回")
    with pytest.raises(Refused, match="冲销凭证"):
        reverse(world.reviewer, undone, JANUARY, "back and forth", "退回")


def test_the_key_of_a_posting_cannot_serve_a_reversal(world, book):
    entry = pay(world, book)
    with pytest.raises(Conflict):
        reverse(world.reviewer, entry, JANUARY, entry.key, "退回")


def test_a_closed_month_takes_no_entry_until_it_is_reopened(world, book):
    close_period(world.finance, book, date(2026, 1, 31), "一月结账")
    with pytest.raises(Refused, match="已结账至 2026-01-31"):
        pay(world, book)
    reopen_period(world.finance, book, None, "补记一月退款")
    assert pay(world, book).on == JANUARY


def test_a_closed_month_still_answers_for_a_key_it_holds(world, book):
    first = pay(world, book)
    close_period(world.finance, book, date(2026, 1, 31), "一月结账")
    assert pay(world, book) == first


def test_closing_keeps_its_history_and_anchors_the_head_of_the_book_in_the_trail(world, book):
    entry = pay(world, book)
    close_period(world.finance, book, date(2026, 1, 31), "一月结账")
    reopen_period(world.finance, book, date(2026, 1, 10), "补记")
    assert [row.through for row in BookClosing.objects.order_by("pk")] == [date(2026, 1, 31), date(2026, 1, 10)]
    noted = TrailEvent.objects.get(action="ledger.close_period")
    assert (noted.data["head_seq"], noted.data["head_hash"]) == (1, entry.hash)
    assert TrailEvent.objects.get(action="ledger.reopen_period").data["reason"] == "补记"


def test_only_fund_finance_closes_and_reopens(world, book):
    for person in (world.officer, world.reviewer, world.admin, world.hospital, world.stranger_officer):
        with pytest.raises(NotAllowed):
            close_period(person, book, date(2026, 1, 31), "结账")
        with pytest.raises(NotAllowed):
            reopen_period(person, book, None, "反结账")


def test_closing_lists_everything_that_is_wrong_with_it(world, book, time_machine):
    time_machine.move_to(date(2026, 2, 10))
    with pytest.raises(Refused) as refusal:
        close_period(world.finance, book, date(2026, 2, 10), " ")
    assert [problem.field for problem in refusal.value.problems] == ["reason", "through"]


def test_a_book_is_not_closed_backwards_nor_reopened_forwards(world, book):
    with pytest.raises(Refused, match="没有结过账"):
        reopen_period(world.finance, book, None, "反结账")
    close_period(world.finance, book, date(2026, 3, 31), "结账")
    with pytest.raises(Refused, match="已结至 2026-03-31"):
        close_period(world.finance, book, date(2026, 2, 28), "结账")
    with pytest.raises(Refused, match="更早"):
        reopen_period(world.finance, book, date(2026, 4, 30), "反结账")


def test_a_book_cannot_be_opened_twice_for_one_fund(world, book):
    with pytest.raises(IntegrityError), transaction.atomic():
        Book.objects.create(pooling_area=world.area, fund_type="RES")


def _pair(world):
    return [
        Posting(Account.TEMPORARY_PAYMENTS, AMOUNT, world.alliance, 2026),
        Posting(Account.EXPENDITURE_ACCOUNT, -AMOUNT),
    ]
