"""``verify`` finds what somebody changed behind the triggers."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from core import triggers
from core.registries import verifications
from ledger.accounts import Account
from ledger.models import Book, Entry, Line
from ledger.reading import verify_ledger
from ledger.services import post, registering
from tests.ledger.books import PAID_ON, a_paid_month


@pytest.fixture
def book(world):
    return a_paid_month(world)


def behind_the_triggers(statement, *values):
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def told():
    return " ".join(f"{finding.where} {finding.text}" for finding in verify_ledger())


def test_a_sound_book_has_no_findings(book):
    assert verify_ledger() == []


def test_an_amount_changed_on_one_side_shows_as_unbalanced_and_changed(book):
    line = Line.objects.filter(account=Account.TEMPORARY_PAYMENTS).get()
    behind_the_triggers("UPDATE ledger_line SET amount = amount + 1 WHERE id = %s", line.pk)
    assert "RES-000003 借贷不平，相差 0.01 元" in told()
    assert "RES-000003 内容与哈希不符" in told()


def test_an_amount_changed_on_both_sides_still_shows(book):
    entry = Entry.objects.get(seq=3)
    behind_the_triggers("UPDATE ledger_line SET amount = amount * 2 WHERE entry_id = %s", entry.pk)
    assert "RES-000003 内容与哈希不符" in told()


@pytest.mark.parametrize("change", ["memo = 'x'", "\"on\" = '2025-01-01'", "source_id = '99'", "key = 'x'"])
def test_any_changed_column_of_a_voucher_shows(book, change):
    behind_the_triggers(f"UPDATE ledger_entry SET {change} WHERE seq = %s", 2)
    assert "RES-000002 内容与哈希不符" in told()


def test_a_line_moved_to_the_sister_alliance_shows(world, book):
    behind_the_triggers(
        "UPDATE ledger_line SET alliance_id = %s WHERE account = %s", world.east.pk, "temporary_payments"
    )
    assert "RES-000003 内容与哈希不符" in told()


def test_a_removed_voucher_shows_as_a_gap(book):
    entry = Entry.objects.get(seq=2)
    behind_the_triggers("DELETE FROM ledger_line WHERE entry_id = %s", entry.pk)
    behind_the_triggers("DELETE FROM ledger_entry WHERE id = %s", entry.pk)
    assert "RES-000003 凭证号不连续" in told()


def test_a_cut_tail_shows_against_the_head_of_the_book(book):
    entry = Entry.objects.get(seq=4)
    behind_the_triggers("DELETE FROM ledger_line WHERE entry_id = %s", entry.pk)
    behind_the_triggers("DELETE FROM ledger_entry WHERE id = %s", entry.pk)
    assert "账首记到第 4 号，实存到第 3 号" in told()


def test_an_unsealed_leftover_shows(world, book):
    Entry.written.create(
        book=book, seq=5, on=PAID_ON, key="half", memo="半张", actor=world.finance, at=timezone.now(),
        prev_hash="0" * 64, hash="0" * 64,
    )  # fmt: skip
    assert "RES-000005 凭证没有封存" in told()


def test_an_unknown_account_shows(book):
    behind_the_triggers("UPDATE ledger_line SET account = 'pocket' WHERE account = %s", "temporary_payments")
    assert "科目“pocket”不在科目表中" in told()


def test_more_relieved_than_registered_shows_as_a_negative_control_balance(world, book):
    lines = registering(Account.PREPAYMENT_APPROVED, Decimal("-1.00"), world.alliance, 2026)
    post(world.finance, book, key="too much", on=PAID_ON, lines=lines, memo="多销")
    assert "青溪县紧密型县域医共体 2026 年 RES 已批预付 备查余额为负：-1.00 元" in told()


def test_a_head_set_forward_shows(book):
    Book.objects.filter(pk=book.pk).update(head_seq=F("head_seq") + 1)
    assert "账首记到第 5 号，实存到第 4 号" in told()


def test_the_verify_command_asks_the_ledger_and_fails_on_a_finding(book, capsys, monkeypatch):
    monkeypatch.setattr(verifications, "_entries", {"基金账": verifications._entries["基金账"]})
    call_command("verify")
    assert "通过  基金账" in capsys.readouterr().out
    behind_the_triggers("UPDATE ledger_entry SET memo = 'x' WHERE seq = %s", 1)
    with pytest.raises(CommandError, match="1 处问题"):
        call_command("verify")
