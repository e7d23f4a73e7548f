"""What was prepaid and otherwise paid for a package's year, from the books; and the year's months beside its cap.

P (prepaid) and M (other payments) of the year-end formula are sums of ledger lines by what caused them, so that a
settlement that clears the account afterwards does not change them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from budgets.models import BatchState, OtherPayment, Prepayment, PrepaymentRatio, Receipt, RecoveryOffset
from budgets.models.prepayments import DECIDED
from budgets.reading.packages import package_in_force
from core.fields import MoneyField
from core.models import Alliance
from core.policies import scheme_in_force, thaw
from ledger.accounts import Account
from ledger.models import Line
from rules.money import ZERO, round_fen

RECEIPT = Receipt._meta.label_lower
OFFSET = RecoveryOffset._meta.label_lower
OTHER = OtherPayment._meta.label_lower


@dataclass(frozen=True)
class PrepaidMonth:
    """One month: proposed or decided ``amount`` (yuan), what the bank confirmed, and the state of its batch."""

    month: str
    amount: Decimal
    paid: Decimal
    held: Decimal
    withheld: Decimal
    offset: Decimal
    provisional: bool
    state: str
    state_label: str
    line: int
    batch: int


@dataclass(frozen=True)
class PrepaymentYear:
    """The prepayments of a year (yuan): ``decided`` was approved, ``paid`` left the account, ``cap`` is the limit."""

    months: tuple[PrepaidMonth, ...]
    package_total: Decimal
    cap: Decimal
    decided: Decimal
    paid: Decimal
    provisional: bool

    @property
    def cap_left(self) -> Decimal:
        return max(self.cap - self.decided, ZERO)


def ratio_in_force(alliance: Alliance, year: int) -> PrepaymentRatio | None:
    """The approved adjustment of an alliance's monthly ratio for a year, the newest one."""
    rows = PrepaymentRatio.objects.filter(alliance=alliance, year=year, approved_at__isnull=False)
    return rows.order_by("-pk").first()


def monthly_ratio(alliance: Alliance, year: int, on: date) -> Decimal | None:
    """The monthly prepayment ratio (0.05 for 5 %) of a year: adjusted, else of the scheme in force on a day; None: none set."""
    adjusted = ratio_in_force(alliance, year)
    return adjusted.monthly_ratio if adjusted is not None else scheme_in_force(alliance, on).scheme.prepayment_step


def prepaid(alliance: Alliance, year: int, fund_type: str) -> Decimal:
    """P: yuan prepaid for the year, from the ledger: bank receipts and approved offsets of an earlier recovery."""
    return prepaid_of([alliance], year).get((alliance.pk, str(fund_type)), ZERO)


def prepaid_of(
    alliances: Collection[Alliance], year: int, until: date | None = None
) -> dict[tuple[int, str], Decimal]:
    """P of many alliances in one query, by (alliance id, fund type); paid up to ``until``.

    A receipt voided later never was money: its reversal counts from the day of what it reverses.
    """
    offsets = Q(entry__source_type=OFFSET) & ~Q(entry__key__startswith=f"budgets.offset:{year}:")
    cause = Q(entry__source_type=RECEIPT) | offsets
    if until is not None:
        by_then = Q(entry__reverses=None, entry__on__lte=until) | Q(entry__reverses__on__lte=until)
        cause &= by_then
    return _paid(alliances, year, cause)


def other_payments(alliance: Alliance, year: int, fund_type: str) -> Decimal:
    """M: yuan otherwise paid for the year, from the ledger."""
    return _paid([alliance], year, Q(entry__source_type=OTHER)).get((alliance.pk, str(fund_type)), ZERO)


def reserve_withheld(alliance: Alliance, year: int, fund_type: str) -> Decimal:
    """K: the assessment reserve of the year (yuan): monthly withholdings of approved lines plus the scheme's reserve."""
    lines = Prepayment.objects.filter(alliance=alliance, year=year, fund_type=fund_type, batch__state__in=DECIDED)
    withheld = lines.aggregate(total=_sum("withheld"))["total"]
    package = package_in_force(alliance, year, fund_type)
    if package is None or package.provisional:
        return withheld  # type: ignore[no-any-return]
    rate = thaw(package.scheme_frozen).reserve_rate
    return withheld + (round_fen(package.total * rate) if rate else ZERO)  # type: ignore[no-any-return]


def prepayment_year(alliance: Alliance, year: int, fund_type: str) -> PrepaymentYear:
    """The months of a year as proposed, approved and paid, beside the cap of the latest line."""
    mine = Prepayment.objects.filter(alliance=alliance, year=year, fund_type=fund_type)
    lines = list(mine.select_related("batch").order_by("month"))
    received: dict[int, Decimal] = dict(
        Receipt.objects.filter(line__in=mine, voided_at=None)
        .order_by()
        .values_list("line_id")
        .annotate(total=_sum("amount"))
    )
    months = tuple(
        PrepaidMonth(
            month=line.month,
            amount=line.amount,
            paid=received.get(line.pk, ZERO) + (line.offset if line.batch.state in DECIDED else ZERO),
            held=line.held,
            withheld=line.withheld,
            offset=line.offset,
            provisional=line.provisional,
            state=line.batch.state,
            state_label=BatchState(line.batch.state).label,
            line=line.pk,
            batch=line.batch_id,
        )
        for line in lines
    )
    last = lines[-1] if lines else None
    return PrepaymentYear(
        months=months,
        package_total=last.package_total if last else ZERO,
        cap=last.cap if last else ZERO,
        decided=sum((line.amount for line in lines if line.batch.state in DECIDED), ZERO),
        paid=sum((month.paid for month in months), ZERO),
        provisional=bool(last and last.provisional),
    )


def _paid(alliances: Collection[Alliance], year: int, cause: Q) -> dict[tuple[int, str], Decimal]:
    rows = (
        Line.objects.filter(
            cause, account=Account.TEMPORARY_PAYMENTS, alliance__in=[alliance.pk for alliance in alliances], year=year
        )
        .order_by()
        .values_list("alliance_id", "entry__book__fund_type")
        .annotate(total=_sum("amount"))
    )
    return {(alliance, fund_type): total for alliance, fund_type, total in rows}


def _sum(field: str) -> Coalesce:
    return Coalesce(Sum(field), 0, output_field=MoneyField())
