"""Reading the books: balances by derivation, the trial balance, an account's lines, and the verification.

All amounts are yuan, debit positive. Only sealed entries count. Lists use :func:`balances`, which is one query whatever
their length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.access import Denied, NotAllowed, actions, may
from core.fields import MoneyField
from core.kept import kept
from core.models import Alliance, FundType, PoolingArea, User
from core.models.places import Place, pooling_area_of
from core.models.trail import GENESIS
from core.registries import Finding, SearchHit
from ledger.accounts import CHART, Account, Group, Nature
from ledger.models import Book, BookClosing, Entry, Line

ZERO = Decimal("0.00")


class BalanceKey(NamedTuple):
    """What a balance of :func:`balances` belongs to."""

    account: str
    fund_type: str
    alliance_id: int | None
    year: int | None


@dataclass(frozen=True)
class TrialRow:
    """One account: ``opening`` before the year of ``until``, debits and credits of that year, ``closing``; signed."""

    account: Account
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.debit - self.credit

    @property
    def closing_debit(self) -> Decimal | None:
        return self.closing if self.closing > 0 else None

    @property
    def closing_credit(self) -> Decimal | None:
        return -self.closing if self.closing < 0 else None

    @property
    def is_on_its_side(self) -> bool:
        """Whether the balance stands on the account's normal side."""
        return self.closing == 0 or (self.closing > 0) == (self.account.nature is Nature.DEBIT)


@dataclass(frozen=True)
class TrialGroup:
    """The rows of one group with their totals; ``balanced`` when both sides agree."""

    group: Group
    rows: tuple[TrialRow, ...]

    @property
    def opening(self) -> Decimal:
        return sum((row.opening for row in self.rows), ZERO)

    @property
    def debit(self) -> Decimal:
        return sum((row.debit for row in self.rows), ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((row.credit for row in self.rows), ZERO)

    @property
    def closing_debit(self) -> Decimal:
        return sum((row.closing_debit or ZERO for row in self.rows), ZERO)

    @property
    def closing_credit(self) -> Decimal:
        return sum((row.closing_credit or ZERO for row in self.rows), ZERO)

    @property
    def balanced(self) -> bool:
        return self.opening == 0 and self.debit == self.credit


@dataclass(frozen=True)
class TrialBalance:
    book: Book
    until: date
    fund: TrialGroup
    control: TrialGroup

    @property
    def groups(self) -> tuple[TrialGroup, TrialGroup]:
        return self.fund, self.control

    @property
    def balanced(self) -> bool:
        return self.fund.balanced and self.control.balanced


def areas_of(user: Any) -> list[PoolingArea]:
    """The pooling areas whose books the user may read: by a post at the area itself, not below it."""
    wanted = actions["ledger.read"].roles
    found = {
        grant.pooling_area
        for grant in user.grants_on(timezone.localdate())
        if grant.pooling_area is not None and grant.role in wanted
    }
    return sorted(found, key=lambda area: area.code)


def require_reader(user: User, area: PoolingArea) -> None:
    """Raise ``NotAllowed`` for somebody of the area whose post does not read books (an administrator)."""
    answer = may(user, "ledger.read", area)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def find_book(place: Place, fund_type: str) -> Book | None:
    """The book of the place's pooling area, or None before its first entry."""
    return Book.objects.filter(pooling_area=pooling_area_of(place), fund_type=fund_type).first()


def closed_through(book: Book) -> date | None:
    """The last closed day of a book."""
    latest = BookClosing.objects.filter(book=book).order_by("-pk").first()
    return latest.through if latest else None


def balance(
    book: Book | None,
    account: Account,
    *,
    alliance: Alliance | None = None,
    year: int | None = None,
    until: date | None = None,
) -> Decimal:
    """The balance of an account in yuan (debit positive), of one alliance and package year if given; 0 without a book."""
    if book is None:
        return ZERO
    lines = _narrowed(Line.objects.filter(entry__book=book, account=account), alliance, year, None, until)
    return lines.aggregate(total=_sum())["total"]  # type: ignore[no-any-return]


def balances(
    accounts: Iterable[Account],
    *,
    alliances: Iterable[Alliance] | None = None,
    fund_type: str | None = None,
    year: int | None = None,
    until: date | None = None,
    book: Book | None = None,
) -> dict[BalanceKey, Decimal]:
    """Balances by account, fund type, alliance and package year in one query; what is absent has none (zero)."""
    lines = Line.objects.filter(account__in=list(accounts))
    if alliances is not None:
        lines = lines.filter(alliance__in=list(alliances))
    if fund_type is not None:
        lines = lines.filter(entry__book__fund_type=fund_type)
    if book is not None:
        lines = lines.filter(entry__book=book)
    if year is not None:
        lines = lines.filter(year=year)
    if until is not None:
        lines = lines.filter(entry__on__lte=until)
    rows = (
        lines.order_by().values_list("account", "entry__book__fund_type", "alliance_id", "year").annotate(total=_sum())
    )
    return {BalanceKey(*row[:4]): row[4] for row in rows}


def entries_of(source: models.Model) -> models.QuerySet[Entry]:
    """The entries an object caused, oldest first."""
    found: models.QuerySet[Entry] = Entry.objects.filter(
        source_type=source._meta.label_lower, source_id=str(source.pk)
    )
    return found.select_related("book", "actor").order_by("book", "seq")


def search(user: Any, text: str) -> list[SearchHit]:
    """Vouchers whose number or business key the search box may mean, among the books the user reads."""
    prefix, _dash, number = text.strip().upper().rpartition("-")
    wanted = Q(key__iexact=text.strip())
    if prefix in FundType.values and number.isdecimal() and len(number) < 12:
        wanted |= Q(book__fund_type=prefix, seq=int(number))
    found = Entry.objects.filter(wanted, book__pooling_area__in=areas_of(user)).select_related("book")[:5]
    return [SearchHit(str(entry), entry.get_absolute_url(), "凭证") for entry in found]


def trial_balance(book: Book, until: date | None = None) -> TrialBalance:
    """Every account that ever moved up to ``until`` (default: today), fund and control groups apart."""
    day = until or timezone.localdate()
    return kept("trial balance", (book.pk, day), lambda: _trial_balance(book, day))


def _trial_balance(book: Book, until: date) -> TrialBalance:
    new_year = date(until.year, 1, 1)
    before, during = Q(entry__on__lt=new_year), Q(entry__on__gte=new_year)
    found = {
        row["account"]: row
        for row in Line.objects.filter(entry__book=book, entry__on__lte=until)
        .order_by()
        .values("account")
        .annotate(opening=_sum(before), debit=_sum(during & Q(amount__gt=0)), credit=_sum(during & Q(amount__lt=0)))
    }
    rows = [
        TrialRow(account, found[account]["opening"], found[account]["debit"], -found[account]["credit"])
        for account in CHART
        if account.value in found
    ]
    groups = {group: TrialGroup(group, tuple(row for row in rows if row.account.group is group)) for group in Group}
    return TrialBalance(book, until, groups[Group.FUND], groups[Group.CONTROL])


def account_lines(
    book: Book,
    account: Account,
    *,
    alliance: Alliance | None = None,
    year: int | None = None,
    since: date | None = None,
    until: date | None = None,
) -> models.QuerySet[Line]:
    """Lines of an account by date and number, each with ``running``: the sum of the selection up to it."""
    lines = _narrowed(Line.objects.filter(entry__book=book, account=account), alliance, year, since, until)
    order = [F("entry__on").asc(), F("entry__seq").asc(), F("pk").asc()]
    running = Window(Sum("amount"), order_by=order, output_field=MoneyField())
    return lines.select_related("entry__book", "alliance").annotate(running=running).order_by(*order)


def with_debits(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Vouchers with the total of their debit side (yuan), for lists."""
    lines = Line.objects.filter(entry__in=[entry.pk for entry in entries], amount__gt=0).order_by()
    debits = dict(lines.values_list("entry").annotate(total=_sum()))
    return [{"entry": entry, "amount": debits.get(entry.pk, ZERO)} for entry in entries]


def turnover(
    book: Book,
    account: Account,
    *,
    alliance: Alliance | None = None,
    year: int | None = None,
    since: date | None = None,
    until: date | None = None,
) -> tuple[Decimal, Decimal]:
    """Debit and credit totals (yuan) of the lines :func:`account_lines` gives."""
    lines = _narrowed(Line.objects.filter(entry__book=book, account=account), alliance, year, since, until)
    found = lines.order_by().aggregate(debit=_sum(Q(amount__gt=0)), credit=_sum(Q(amount__lt=0)))
    return found["debit"], -found["credit"]


def verify_ledger() -> list[Finding]:
    """Numbers without gap, hashes, zero sums, both sides, no mixing, nothing unsealed, heads and control balances."""
    findings: list[Finding] = []
    for book in Book.objects.select_related("pooling_area"):
        findings.extend(_verify_book(book))
    for row in Entry.written.order_by().values("key").annotate(times=Count("pk")).filter(times__gt=1):
        findings.append(Finding(f"业务键 {row['key']}", f"有 {row['times']} 张凭证使用同一业务键"))
    findings.extend(_verify_control())
    return findings


def _verify_book(book: Book) -> Iterator[Finding]:
    seq, previous = 0, GENESIS
    lines = models.Prefetch("lines", queryset=Line.written.order_by("pk"), to_attr="all_lines")
    for entry in Entry.written.filter(book=book).order_by("seq").prefetch_related(lines).iterator(chunk_size=1000):
        entry.book = book
        where = f"{book} 凭证 {entry.number}"
        if entry.seq != seq + 1:
            yield Finding(where, f"凭证号不连续：前一张是第 {seq} 号")
        if not entry.sealed:
            yield Finding(where, "凭证没有封存（记账未完成）")
        if entry.prev_hash != previous or entry.hash != entry.computed_hash(entry.all_lines):  # type: ignore[attr-defined]
            yield Finding(where, "内容与哈希不符，或与前一张不相接，已被改动")
        yield from _verify_lines(where, entry.all_lines)  # type: ignore[attr-defined]
        seq, previous = entry.seq, entry.hash
    if (book.head_seq, book.head_hash) != (seq, previous):
        yield Finding(str(book), f"账首记到第 {book.head_seq} 号，实存到第 {seq} 号")


def _verify_lines(where: str, lines: list[Line]) -> Iterator[Finding]:
    total = sum((line.amount for line in lines), ZERO)
    if total != 0:
        yield Finding(where, f"借贷不平，相差 {total} 元")
    if len(lines) < 2:
        yield Finding(where, f"只有 {len(lines)} 条分录")
    if len({Account(line.account).group for line in lines if line.account in Account.values}) > 1:
        yield Finding(where, "基金科目与备查科目混在一张凭证里")
    for line in lines:
        if line.account not in Account.values:
            yield Finding(where, f"科目“{line.account}”不在科目表中")


def _verify_control() -> Iterator[Finding]:
    """What is registered and still stands can be nothing, never less."""
    accounts = [account for account in Account if account.is_per_package]
    names = dict(Alliance.objects.values_list("pk", "name"))
    for key, standing in balances(accounts).items():
        if standing < 0:
            where = f"{names.get(key.alliance_id or 0, '')} {key.year} 年 {key.fund_type} {Account(key.account).label}"
            yield Finding(where, f"备查余额为负：{standing} 元")


def _narrowed(
    lines: models.QuerySet[Line],
    alliance: Alliance | None,
    year: int | None,
    since: date | None,
    until: date | None,
) -> models.QuerySet[Line]:
    if alliance is not None:
        lines = lines.filter(alliance=alliance)
    if year is not None:
        lines = lines.filter(year=year)
    if since is not None:
        lines = lines.filter(entry__on__gte=since)
    if until is not None:
        lines = lines.filter(entry__on__lte=until)
    return lines


def _sum(condition: Q | None = None) -> Coalesce:
    return Coalesce(Sum("amount", filter=condition), 0, output_field=MoneyField())
