"""What ``manage.py verify`` asks of budgets: do the books hold what was approved and received, and do the parts add up.

The packages in force stand on 打包总额, what was approved and not yet paid on 已批预付, what the bank confirmed in P.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from budgets.models import (
    AllocationState,
    AllocationVersion,
    OtherPayment,
    OtherPaymentState,
    PackageState,
    PackageVersion,
    Prepayment,
    Receipt,
)
from budgets.models.prepayments import DECIDED
from budgets.reading import prepaid_of
from core.models import Alliance
from core.registries import Finding
from ledger.accounts import Account
from ledger.reading import balances
from rules.money import ZERO

Key = tuple[int, int, str]


def verify_budgets() -> list[Finding]:
    """Packages, approved and paid prepayments against the ledger; allocations against their packages."""
    return [*_packages(), *_approved(), *_paid(), *_allocations()]


def _packages() -> Iterator[Finding]:
    held = _balances(Account.PACKAGE)
    wanted: dict[Key, Decimal] = {}
    for version in (
        PackageVersion.objects.filter(state=PackageState.APPROVED).select_related("package").order_by("number")
    ):
        package = version.package
        wanted[(package.alliance_id, package.year, package.fund_type)] = version.total
    yield from _compare("打包总额", wanted, held)


def _approved() -> Iterator[Finding]:
    wanted: dict[Key, Decimal] = defaultdict(lambda: ZERO)
    _add(wanted, Prepayment.objects.filter(batch__state__in=DECIDED), "payable", 1)
    _add(wanted, Receipt.objects.filter(voided_at=None), "amount", -1, "line__")
    _add(wanted, OtherPayment.objects.filter(state=OtherPaymentState.APPROVED), "amount", 1)
    yield from _compare("已批未付", wanted, _balances(Account.PREPAYMENT_APPROVED))


def _paid() -> Iterator[Finding]:
    wanted: dict[Key, Decimal] = defaultdict(lambda: ZERO)
    _add(wanted, Receipt.objects.filter(voided_at=None), "amount", 1, "line__")
    _add(wanted, Prepayment.objects.filter(batch__state__in=DECIDED), "offset", 1)
    alliances = list(Alliance.objects.all())
    held: dict[Key, Decimal] = {}
    for year in sorted({year for _alliance, year, _fund in wanted}):
        for (alliance, fund), amount in prepaid_of(alliances, year).items():
            held[(alliance, year, fund)] = amount
    yield from _compare("已预付", wanted, held)


def _allocations() -> Iterator[Finding]:
    approved = AllocationVersion.objects.filter(state=AllocationState.APPROVED).select_related("package__alliance")
    sums = dict(approved.order_by().values_list("pk").annotate(total=Sum("lines__amount")))
    for allocation in approved:
        if sums[allocation.pk] != allocation.total:
            yield Finding(
                str(allocation), f"成员合计 {sums[allocation.pk]:,.2f} 元，分配总额 {allocation.total:,.2f} 元"
            )


def _add(into: dict[Key, Decimal], rows: Any, field: str, sign: int, path: str = "") -> None:
    grouped = rows.order_by().values_list(f"{path}alliance_id", f"{path}year", f"{path}fund_type")
    for alliance, year, fund, amount in grouped.annotate(total=Sum(field)):
        into[(alliance, year, fund)] += sign * amount


def _balances(account: Account) -> dict[Key, Decimal]:
    return {
        (key.alliance_id, key.year, key.fund_type): amount
        for key, amount in balances([account]).items()
        if key.alliance_id is not None and key.year is not None
    }


def _compare(what: str, wanted: dict[Key, Decimal], held: dict[Key, Decimal]) -> Iterator[Finding]:
    names = dict(Alliance.objects.values_list("pk", "name"))
    for key in sorted({*wanted, *held}):
        expected, found = wanted.get(key, ZERO), held.get(key, ZERO)
        if expected != found:
            where = f"{names.get(key[0], key[0])} {key[1]} 年 {key[2]} {what}"
            yield Finding(where, f"业务合计 {expected:,.2f} 元，账上 {found:,.2f} 元")
