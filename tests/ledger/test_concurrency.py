"""Two people posting at once: numbers stay gapless, one key gives one entry."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction

from ledger import reading
from ledger.accounts import Account
from ledger.models import Entry
from ledger.services import book_of, lock_books, post
from tests.ledger.books import paying
from tests.together import at_once
from tests.world import build_world

ON = date(2026, 1, 25)


@pytest.fixture
def world(transactional_db):
    return build_world()


def test_numbers_stay_gapless_when_many_post_at_once(world):
    book = book_of(world.area, "RES")

    def posting(name):
        def act():
            for turn in range(5):
                post(world.finance, book, key=f"{name}:{turn}", on=ON, lines=paying(world.alliance), memo="拨付")

        return act

    assert at_once(*(posting(name) for name in "abcd")) == [None] * 4
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 21))
    assert reading.verify_ledger() == []


def test_two_people_posting_under_one_key_get_one_entry(world):
    book = book_of(world.area, "RES")

    def act():
        return post(world.finance, book, key="same", on=ON, lines=paying(world.alliance), memo="拨付")

    first, second = at_once(act, act)
    assert first == second
    assert reading.balance(book, Account.TEMPORARY_PAYMENTS) == Decimal("14327160.52")


def test_two_people_opening_the_same_book_get_the_same_one(world):
    first, second = at_once(lambda: book_of(world.area, "EMP"), lambda: book_of(world.area, "EMP"))
    assert first == second


def test_acts_that_lock_both_books_in_opposite_order_do_not_block_each_other(world):
    residents, employees = book_of(world.area, "RES"), book_of(world.area, "EMP")

    def both(name, books):
        def act():
            for turn in range(5):
                with transaction.atomic():
                    lock_books(books)
                    for book in books:
                        key = f"{name}:{turn}:{book.fund_type}"
                        post(world.finance, book, key=key, on=ON, lines=paying(world.alliance), memo="拨付")

        return act

    assert at_once(both("a", [residents, employees]), both("b", [employees, residents])) == [None, None]
    assert Entry.objects.count() == 20
