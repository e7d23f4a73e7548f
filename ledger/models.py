"""One book per pooling area and fund type; sealed double entries; lines in signed fen (debit +, credit −).

Employee and resident money never mix because every entry belongs to one book. ``objects`` sees sealed entries only;
``written`` sees everything and is for the service that writes and the verification. Each entry's hash covers its
content and the hash before it, so that a change made behind the triggers shows. Balances are derived, never stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import Alliance, FundType, PoolingArea, User
from core.models.trail import GENESIS
from core.scope import ScopedQuerySet
from ledger.accounts import Account
from rules.money import to_fen


class BookQuerySet(ScopedQuerySet["Book"]):
    scope_paths = {"pooling_area": "pooling_area"}


class Book(models.Model):
    """The account book of one fund (险种) of a pooling area; its head is the last entry written."""

    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, related_name="books", verbose_name="统筹区")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    head_seq = models.PositiveBigIntegerField("末号", default=0)
    head_hash = models.CharField("末号哈希", max_length=64, default=GENESIS)

    objects = BookQuerySet.as_manager()

    class Meta:
        verbose_name = "基金账"
        verbose_name_plural = "基金账"
        ordering = ["pooling_area", "-fund_type"]
        constraints = [models.UniqueConstraint(fields=["pooling_area", "fund_type"], name="one_book_per_fund")]

    def __str__(self) -> str:
        return f"{self.pooling_area}{self.get_fund_type_display()}医保基金账"


class EntryQuerySet(ScopedQuerySet["Entry"]):
    scope_paths = {"pooling_area": "book__pooling_area"}


class SealedEntries(models.Manager.from_queryset(EntryQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(sealed=True)


class Entry(models.Model):
    """A voucher (凭证). Inserted unsealed, given its lines, sealed; afterwards the database refuses every change."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="entries", verbose_name="账")
    seq = models.PositiveBigIntegerField("凭证号")
    on = models.DateField("日期", db_index=True)
    key = models.CharField("业务键", max_length=160, unique=True)
    memo = models.CharField("摘要", max_length=200)
    source_type = models.CharField("来源类型", max_length=60, blank=True)
    source_id = models.CharField("来源编号", max_length=40, blank=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", verbose_name="冲销"
    )
    actor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="经手人")
    at = models.DateTimeField("记账时间")
    prev_hash = models.CharField("前一哈希", max_length=64)
    hash = models.CharField("哈希", max_length=64)
    sealed = models.BooleanField("已封存", default=False)

    objects = SealedEntries()
    written = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "凭证"
        verbose_name_plural = "凭证"
        ordering = ["book", "seq"]
        constraints = [models.UniqueConstraint(fields=["book", "seq"], name="entry_number_in_its_book")]
        indexes = [models.Index(fields=["source_type", "source_id"], name="entry_source")]

    def __str__(self) -> str:
        return f"{self.number} {self.memo}"

    def get_absolute_url(self) -> str:
        return reverse("ledger:entry", args=[self.pk])

    @property
    def number(self) -> str:
        """The printed voucher number, gapless within the book."""
        return f"{self.book.fund_type}-{self.seq:06d}"

    def computed_hash(self, lines: Iterable[Line]) -> str:
        """The hash this entry with these lines must carry."""
        content = {
            "book": self.book_id,
            "seq": self.seq,
            "on": self.on.isoformat(),
            "key": self.key,
            "memo": self.memo,
            "source": [self.source_type, self.source_id],
            "reverses": self.reverses_id,
            "actor": self.actor_id,
            "at": self.at.isoformat(),
            "lines": [[line.account, line.alliance_id, line.year, to_fen(line.amount)] for line in lines],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256((self.prev_hash + text).encode()).hexdigest()


class LineQuerySet(ScopedQuerySet["Line"]):
    scope_paths = {"pooling_area": "entry__book__pooling_area"}


class SealedLines(models.Manager.from_queryset(LineQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(entry__sealed=True)


class Line(models.Model):
    """One side of an entry; ``year`` is the package year the money belongs to, not the date of the entry."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="lines", verbose_name="凭证")
    account = models.CharField("科目", max_length=40, choices=Account.choices)
    alliance = models.ForeignKey(
        Alliance, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="医共体"
    )
    year = models.PositiveSmallIntegerField("打包年度", null=True, blank=True)
    amount = MoneyField("金额")

    objects = SealedLines()
    written = LineQuerySet.as_manager()

    class Meta:
        verbose_name = "分录"
        verbose_name_plural = "分录"
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="line_moves_money")]
        indexes = [models.Index(fields=["account", "alliance", "year"], name="line_balance")]

    def __str__(self) -> str:
        return f"{Account(self.account).label} {self.amount}"

    @property
    def debit(self) -> Decimal | None:
        """The amount if it stands on the debit side."""
        return self.amount if self.amount > 0 else None

    @property
    def credit(self) -> Decimal | None:
        """The amount if it stands on the credit side, without its sign."""
        return -self.amount if self.amount < 0 else None


class BookClosing(models.Model):
    """Up to which date a book is closed; the newest row counts, older ones are its history. ``through`` None: open."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="closings", verbose_name="账")
    through = models.DateField("结账至", null=True)
    reason = models.CharField("说明", max_length=200)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="经手人")
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = "结账"
        verbose_name_plural = "结账"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.book} 结账至 {self.through or '—'}"
