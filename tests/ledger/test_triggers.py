"""The database refuses what the services never do, on SQLite and on PostgreSQL alike."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core import triggers
from ledger.accounts import Account
from ledger.models import BookClosing, Entry, Line
from ledger.services import book_of, close_period, post
from tests.ledger.books import paying


@pytest.fixture
def entry(world):
    book = book_of(world.area, "RES")
    return post(world.finance, book, key="paid", on=date(2026, 1, 25), lines=paying(world.alliance), memo="拨付")


def refused(message):
    return pytest.raises(DatabaseError, match=message)


def unsealed(entry, seq=2, **changes):
    given = {
        "book": entry.book, "seq": seq, "on": entry.on, "key": f"by hand {seq}", "memo": "手工", "actor": entry.actor,
        "at": timezone.now(), "prev_hash": entry.hash, "hash": "0" * 64, **changes,
    }  # fmt: skip
    return Entry.written.create(**given)


def add(entry, account, yuan):
    return Line.written.create(entry=entry, account=account.value, amount=Decimal(yuan))


def seal(entry):
    with transaction.atomic():
        return Entry.written.filter(pk=entry.pk).update(sealed=True)


def test_an_entry_cannot_be_born_sealed(entry):
    with refused("sealed only after its lines"), transaction.atomic():
        unsealed(entry, sealed=True)


def test_lines_that_miss_zero_by_one_fen_are_refused_at_the_sealing(entry):
    crooked = unsealed(entry)
    add(crooked, Account.BENEFITS_PACKAGED, "100.01")
    add(crooked, Account.TEMPORARY_PAYMENTS, "-100.00")
    with refused("sum to zero"):
        seal(crooked)


def test_an_entry_without_lines_is_refused_at_the_sealing(entry):
    with refused("at least two lines"):
        seal(unsealed(entry))


def test_control_and_fund_accounts_in_one_entry_are_refused_at_the_sealing(entry):
    mixed = unsealed(entry)
    add(mixed, Account.CONTROL_CONTRA, "100.00")
    add(mixed, Account.TEMPORARY_PAYMENTS, "-100.00")
    with refused("never meet"):
        seal(mixed)


def test_a_balanced_entry_of_one_group_is_sealed(entry):
    straight = unsealed(entry)
    add(straight, Account.BENEFITS_PACKAGED, "100.00")
    add(straight, Account.TEMPORARY_PAYMENTS, "-100.00")
    assert seal(straight) == 1


@pytest.mark.parametrize("change", [{"memo": "改"}, {"on": date(2026, 2, 1)}, {"sealed": False}, {"seq": 9}])
def test_a_sealed_entry_takes_no_update(entry, change):
    with refused("never changed"), transaction.atomic():
        Entry.written.filter(pk=entry.pk).update(**change)


def test_a_sealed_entry_and_its_lines_cannot_be_deleted(entry):
    line = entry.lines.first()
    with refused("never changed"), transaction.atomic():
        _sql("DELETE FROM ledger_entry WHERE id = %s", entry.pk)
    with refused("never changed"), transaction.atomic():
        _sql("DELETE FROM ledger_line WHERE id = %s", line.pk)


def test_a_line_of_a_sealed_entry_cannot_change_its_amount(entry):
    with refused("never changed"), transaction.atomic():
        _sql("UPDATE ledger_line SET amount = amount + 1 WHERE entry_id = %s", entry.pk)


def test_a_sealed_entry_takes_no_further_line(entry):
    with refused("never changed"), transaction.atomic():
        add(entry, Account.BENEFITS_PACKAGED, "1.00")


def test_a_line_cannot_move_into_or_out_of_a_sealed_entry(entry):
    loose = unsealed(entry)
    line = add(loose, Account.BENEFITS_PACKAGED, "1.00")
    with refused("never changed"), transaction.atomic():
        _sql("UPDATE ledger_line SET entry_id = %s WHERE id = %s", entry.pk, line.pk)
    with refused("never changed"), transaction.atomic():
        _sql("UPDATE ledger_line SET entry_id = %s WHERE entry_id = %s", loose.pk, entry.pk)


def test_a_line_of_zero_is_refused_by_the_database(entry):
    loose = unsealed(entry)
    with pytest.raises(DatabaseError), transaction.atomic():
        add(loose, Account.BENEFITS_PACKAGED, "0.00")


def test_a_closing_is_never_changed_or_deleted(world, entry):
    closing = close_period(world.finance, entry.book, date(2026, 3, 31), "一季度结账")
    with refused("history"), transaction.atomic():
        BookClosing.objects.filter(pk=closing.pk).update(through=None)
    with refused("history"), transaction.atomic():
        BookClosing.objects.filter(pk=closing.pk).delete()


def test_a_missing_trigger_of_the_ledger_is_reported(entry):
    _drop_trigger()
    assert [finding.where for finding in triggers.missing()] == ["触发器 ledger_line_no_update"]
    triggers.install()
    assert triggers.missing() == []


def test_a_trigger_that_was_made_toothless_is_reported(entry):
    if connection.vendor == "sqlite":
        _drop_trigger()
        _sql("CREATE TRIGGER ledger_line_no_update BEFORE UPDATE ON ledger_line WHEN 0 BEGIN SELECT 1; END")
    else:
        body = "BEGIN RETURN NEW; END"
        _sql(f"CREATE OR REPLACE FUNCTION ledger_line_no_update() RETURNS trigger LANGUAGE plpgsql AS '{body}'")
    (finding,) = triggers.missing()
    assert "已被改写" in finding.text
    triggers.install()
    assert triggers.missing() == []


def _drop_trigger():
    on_table = "" if connection.vendor == "sqlite" else " ON ledger_line"
    _sql(f"DROP TRIGGER ledger_line_no_update{on_table}")


def _sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
