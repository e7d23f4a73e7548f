"""Writing the books: posting, reversing, closing a period. Called by the services whose acts move money.

``post`` checks no right and records no trail: it runs inside the transaction of an act that did the first and will do
the second (the trail's head is locked last, after every book, so that two acts never wait for each other). A service
that posts to both books of an area calls :func:`lock_books` first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, FundType, User
from core.models.places import Place, pooling_area_of
from core.trail import record
from ledger.accounts import Account
from ledger.models import Book, BookClosing, Entry, Line
from ledger.reading import closed_through
from rules.money import to_fen


@dataclass(frozen=True)
class Posting:
    """One line to write: ``amount`` in yuan, debit positive, credit negative; ``year`` is the package year."""

    account: Account
    amount: Decimal
    alliance: Alliance | None = None
    year: int | None = None


@dataclass(frozen=True)
class Voucher:
    """One entry to write; see :func:`post`."""

    key: str
    on: date
    lines: Sequence[Posting]
    memo: str
    source: models.Model | None = None


def book_of(place: Place, fund_type: str) -> Book:
    """The book of the place's pooling area for a fund type, opened on first use."""
    area = pooling_area_of(place)
    if area is None:
        raise ValueError(f"{place!r} lies in no pooling area")
    book, _created = Book.objects.get_or_create(pooling_area=area, fund_type=FundType(fund_type).value)
    return book


def lock_books(books: Iterable[Book]) -> None:
    """Lock several books in one fixed order, before posting to any of them."""
    wanted = {book.pk for book in books}
    list(Book.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"))


def registering(account: Account, amount: Decimal, alliance: Alliance | None, year: int) -> list[Posting]:
    """The two lines that register ``amount`` on a control account (negative: relieve it)."""
    return [Posting(account, amount, alliance, year), Posting(Account.CONTROL_CONTRA, -amount, alliance, year)]


def post(
    actor: User,
    book: Book,
    *,
    key: str,
    on: date,
    lines: Sequence[Posting],
    memo: str,
    source: models.Model | None = None,
) -> Entry:
    """Write and seal one entry; the same key again returns the entry it already has.

    Raises ``ValueError`` for what no service may ask (lines not summing to zero, fund and control accounts in one
    entry, a foreign alliance), ``Conflict`` for other content under a used key, ``Refused`` for a date in a closed
    period. Lines of zero are left out; an entry needs at least two others.
    """
    return post_all(actor, book, [Voucher(key, on, lines, memo, source)])[0]


def post_all(actor: User, book: Book, vouchers: Sequence[Voucher]) -> list[Entry]:
    """Write and seal several entries of one book in their order, all or none; each is refused as by :func:`post`."""
    moving = [[line for line in voucher.lines if line.amount != 0] for voucher in vouchers]
    for voucher, lines in zip(vouchers, moving, strict=True):
        _check(book, voucher.key, lines)
    with transaction.atomic():
        locked = Book.objects.select_for_update(no_key=True).get(pk=book.pk)
        keys = [voucher.key for voucher in vouchers]
        entries = {entry.key: entry for entry in Entry.objects.filter(key__in=keys).select_related("book")}
        fresh = []
        for voucher, lines in zip(vouchers, moving, strict=True):
            held = entries.get(voucher.key)
            if held is None:
                fresh.append(_Written(voucher.key, voucher.on, lines, voucher.memo, _source_of(voucher.source)))
            else:
                _same_or_conflict(held, locked, voucher.on, lines, voucher.source, reverses=None)
        entries |= {entry.key: entry for entry in _write(actor, locked, fresh)}
        return [entries[key] for key in keys]


def reverse(actor: User, entry: Entry, on: date, key: str, memo: str) -> Entry:
    """Write the opposite of an entry, once. Raises ``Conflict`` if it was reversed under another key."""
    with transaction.atomic():
        locked = Book.objects.select_for_update(no_key=True).get(pk=entry.book_id)
        lines = [
            Posting(Account(line.account), -line.amount, line.alliance, line.year)
            for line in entry.lines.select_related("alliance")
        ]
        held = Entry.objects.filter(key=key).select_related("book").first()
        if held is not None:
            return _same_or_conflict(held, locked, on, lines, None, reverses=entry)
        done = Entry.objects.filter(reverses=entry).select_related("book").first()
        if done is not None:
            raise Conflict(
                [Problem("entry", entry.number, f"凭证 {entry.number} 已由 {done.number} 冲销。", "不必再次冲销。")]
            )
        if entry.reverses_id is not None:
            raise Refused(
                [
                    Problem(
                        "entry",
                        entry.number,
                        f"凭证 {entry.number} 本身是冲销凭证，不能再冲销。",
                        "请按正确内容另记一笔。",
                    )
                ]
            )
        return _write(actor, locked, [_Written(key, on, lines, memo, (entry.source_type, entry.source_id), entry)])[0]


def close_period(actor: User, book: Book, through: date, reason: str) -> BookClosing:
    """Close a book up to and including ``through``: no entry may carry a date up to it any more."""
    require(actor, "ledger.close_period", book.pooling_area)
    with transaction.atomic():
        book = Book.objects.select_for_update(no_key=True).select_related("pooling_area").get(pk=book.pk)
        closed, today = closed_through(book), timezone.localdate()
        problems = _reason_problems(reason)
        if through >= today:
            problems.append(Problem("through", str(through), "只能结已经过去的日期。", f"请选 {today} 之前的日期。"))
        if closed is not None and through <= closed:
            problems.append(
                Problem("through", str(through), f"本账已结至 {closed}。", "请选更晚的日期，或办理反结账。")
            )
        if problems:
            raise Refused(problems)
        return _note_closing(actor, book, through, reason, "ledger.close_period", f"{book}结账至 {through}")


def reopen_period(actor: User, book: Book, through: date | None, reason: str) -> BookClosing:
    """Move the closing date back to ``through`` (None: the book is open from its beginning)."""
    require(actor, "ledger.reopen_period", book.pooling_area)
    with transaction.atomic():
        book = Book.objects.select_for_update(no_key=True).select_related("pooling_area").get(pk=book.pk)
        closed = closed_through(book)
        problems = _reason_problems(reason)
        if closed is None:
            problems.append(Problem("through", "", "本账没有结过账。", "不必反结账。"))
        elif through is not None and through >= closed:
            problems.append(
                Problem("through", str(through), f"本账结至 {closed}，反结账须退到更早的日期。", "请选更早的日期。")
            )
        if problems:
            raise Refused(problems)
        text = f"{book}反结账，结账日由 {closed} 退回至 {through or '未结账'}"
        return _note_closing(actor, book, through, reason, "ledger.reopen_period", text)


def _reason_problems(reason: str) -> list[Problem]:
    return [] if reason.strip() else [Problem("reason", "", "没有填写说明。", "请写明原因，留痕备查。")]


def _note_closing(actor: User, book: Book, through: date | None, reason: str, action: str, text: str) -> BookClosing:
    closing = BookClosing.objects.create(book=book, through=through, reason=reason.strip()[:200], actor=actor)
    anchor = {"reason": closing.reason, "head_seq": book.head_seq, "head_hash": book.head_hash}
    record(actor, action, book, text, anchor)
    return closing


def _check(book: Book, key: str, lines: Sequence[Posting]) -> None:
    """What only a mistake in a calling service can cause."""
    if not key:
        raise ValueError("an entry needs a key")
    if len(lines) < 2:
        raise ValueError(f"{key}: an entry has at least two lines that move money")
    if sum(to_fen(line.amount) for line in lines):
        raise ValueError(f"{key}: the lines sum to {sum(line.amount for line in lines)}, not to zero")
    if len({Account(line.account).group for line in lines}) > 1:
        raise ValueError(f"{key}: fund and control accounts never meet in one entry")
    for line in lines:
        if Account(line.account).is_per_package and (line.alliance is None or line.year is None):
            raise ValueError(f"{key}: {line.account} needs the alliance and the package year")
        if line.alliance is not None and line.alliance.county.pooling_area_id != book.pooling_area_id:
            raise ValueError(f"{key}: {line.alliance} belongs to another pooling area than {book}")


@dataclass(frozen=True)
class _Written:
    """An entry as it is written: its lines move money, its source is named by type and number."""

    key: str
    on: date
    lines: Sequence[Posting]
    memo: str
    source: tuple[str, str]
    reverses: Entry | None = None


def _write(actor: User, book: Book, wanted: Sequence[_Written]) -> list[Entry]:
    """Insert the entries unsealed, give them their lines, seal them: five statements whatever their number."""
    if not wanted:
        return []
    _refuse_closed(book, min(each.on for each in wanted))
    entries: list[Entry] = []
    lines: list[Line] = []
    seq, head = book.head_seq, book.head_hash
    for each in wanted:
        seq += 1
        entry = Entry(
            book=book,
            seq=seq,
            on=each.on,
            key=each.key,
            memo=each.memo[:200],
            source_type=each.source[0],
            source_id=each.source[1],
            reverses=each.reverses,
            actor=actor,
            at=timezone.now(),
            prev_hash=head,
        )
        mine = [
            Line(entry=entry, account=Account(p.account).value, alliance=p.alliance, year=p.year, amount=p.amount)
            for p in each.lines
        ]
        entry.hash = head = entry.computed_hash(mine)
        entries.append(entry)
        lines += mine
    Entry.written.bulk_create(entries)
    Line.written.bulk_create(lines)
    Entry.written.filter(pk__in=[entry.pk for entry in entries]).update(sealed=True)
    Book.objects.filter(pk=book.pk).update(head_seq=seq, head_hash=head)
    for entry in entries:
        entry.sealed = True
    return entries


def _refuse_closed(book: Book, on: date) -> None:
    closed = closed_through(book)
    if closed is not None and on <= closed:
        text = f"{book}已结账至 {closed}，不能再记 {on} 的账。"
        raise Refused([Problem("on", str(on), text, "请记入结账日之后，或请基金财务反结账。")])


def _same_or_conflict(
    held: Entry, book: Book, on: date, lines: Sequence[Posting], source: models.Model | None, reverses: Entry | None
) -> Entry:
    """The held entry if it says the same thing in money; the wording of its memo does not count."""
    wanted = Counter(_content(line.account, line.alliance, line.year, line.amount) for line in lines)
    written = Counter(
        _content(line.account, line.alliance, line.year, line.amount) for line in held.lines.select_related("alliance")
    )
    same_source = reverses is not None or _source_of(source) == (held.source_type, held.source_id)
    same_reversal = held.reverses_id == (reverses.pk if reverses else None)
    if held.book_id == book.pk and held.on == on and written == wanted and same_source and same_reversal:
        return held
    raise Conflict(
        [
            Problem(
                "key",
                held.key,
                f"同一业务已记账为凭证 {held.number}，内容与这次不同。",
                "请刷新页面核对；更正须另记或冲销。",
            )
        ]
    )


def _content(account: str, alliance: Alliance | None, year: int | None, amount: Any) -> tuple[Any, ...]:
    return str(account), alliance.pk if alliance else None, year, Decimal(amount)


def _source_of(source: models.Model | None) -> tuple[str, str]:
    return ("", "") if source is None else (source._meta.label_lower, str(source.pk))
