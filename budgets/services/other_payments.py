"""Other payments of the year (M): registered, approved by a second person, paid with the bank's receipt.

Monthly settlements by payment method where a scheme pays them, released deposits. Together with what was prepaid they
never reach the whole package before year end (seed 001 §四(二), A8).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from budgets.models import OtherPayment, OtherPaymentKind, OtherPaymentState, Prepayment
from budgets.reading.packages import package_in_force
from budgets.refusals import missing_text, refused
from budgets.services.packages import refuse_closed_year
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.files import store_evidence
from core.models import Alliance, FundType, Role, User
from core.notices import notify, notify_role
from core.trail import record
from ledger.accounts import Account
from ledger.services import Posting, book_of, post, registering
from rules.budget import REFUSAL_CLAUSE
from rules.errors import RuleError
from rules.money import ZERO, positive


@transaction.atomic
def register_payment(
    actor: User,
    alliance: Alliance,
    year: int,
    fund_type: str,
    *,
    kind: str,
    amount: Decimal,
    purpose: str,
    evidence: Any = None,
) -> OtherPayment:
    """Register a payment of ``amount`` yuan for a package's year; a reviewer approves it."""
    require(actor, "budgets.register_payment", alliance)
    problems = missing_text("用途", purpose, "请写明结算月份或返还依据。")
    if kind not in OtherPaymentKind.values:
        problems.append(Problem("种类", kind, "没有选择种类。", "请选择种类。"))
    if fund_type not in FundType.values:
        problems.append(Problem("险种", fund_type, "职工与居民须分别登记。", "请选择一个险种。"))
    try:
        amount = positive(amount, "金额")
    except RuleError as error:
        problems += refused(error).problems
    if problems:
        raise Refused(problems)
    Alliance.objects.select_for_update(no_key=True).get(pk=alliance.pk)
    refuse_closed_year(alliance, year, fund_type)
    _refuse_whole_package(alliance, year, fund_type, amount)
    payment = OtherPayment.objects.create(
        alliance=alliance,
        year=year,
        fund_type=fund_type,
        kind=kind,
        amount=amount,
        purpose=purpose.strip(),
        evidence=store_evidence(evidence, "other_payment", actor) if evidence is not None else None,
        registered_by=actor,
    )
    notify_role({Role.FUND_REVIEWER}, alliance, f"{payment} {amount:,.2f} 元待审定。", reverse("budgets:payments"))
    record(actor, "budgets.register_payment", payment, f"登记{payment} {amount:,.2f} 元：{payment.purpose}")
    return payment


@transaction.atomic
def approve_payment(actor: User, payment: OtherPayment) -> OtherPayment:
    """A second person approves; the amount is registered as approved and unpaid."""
    require(actor, "budgets.approve_payment", payment.alliance)
    payment = _locked(payment, OtherPaymentState.SUBMITTED)
    different_person(actor, payment.registered_by, "审定其他已付")
    refuse_closed_year(payment.alliance, payment.year, payment.fund_type)
    _refuse_whole_package(payment.alliance, payment.year, payment.fund_type, ZERO)
    payment.state, payment.decided_by, payment.decided_at = OtherPaymentState.APPROVED, actor, timezone.now()
    payment.save()
    post(
        actor,
        book_of(payment.alliance, payment.fund_type),
        key=f"budgets.payment-approved:{payment.pk}",
        on=timezone.localdate(),
        lines=registering(Account.PREPAYMENT_APPROVED, payment.amount, payment.alliance, payment.year),
        memo=f"{payment}审定",
        source=payment,
    )
    notify_role(
        {Role.FUND_FINANCE},
        payment.alliance,
        f"{payment} {payment.amount:,.2f} 元待拨付。",
        reverse("budgets:payments"),
    )
    record(actor, "budgets.approve_payment", payment, f"审定{payment} {payment.amount:,.2f} 元")
    return payment


@transaction.atomic
def return_payment(actor: User, payment: OtherPayment, reason: str) -> OtherPayment:
    require(actor, "budgets.approve_payment", payment.alliance)
    payment = _locked(payment, OtherPaymentState.SUBMITTED)
    problems = missing_text("退回原因", reason, "请写明原因。")
    if problems:
        raise Refused(problems)
    different_person(actor, payment.registered_by, "退回其他已付")
    payment.state, payment.decided_by, payment.decided_at = OtherPaymentState.RETURNED, actor, timezone.now()
    payment.decision_note = reason.strip()
    payment.save()
    notify([payment.registered_by], f"{payment}被退回：{payment.decision_note}", reverse("budgets:payments"))
    record(actor, "budgets.approve_payment", payment, f"退回{payment}：{payment.decision_note}")
    return payment


@transaction.atomic
def receive_payment(actor: User, payment: OtherPayment, *, on: date, reference: str, amount: Decimal) -> OtherPayment:
    """Fund finance records the bank's receipt; the amount must equal what was approved."""
    require(actor, "budgets.pay", payment.alliance)
    payment = _locked(payment, OtherPaymentState.APPROVED)
    refuse_closed_year(payment.alliance, payment.year, payment.fund_type)
    problems = missing_text("银行回单号", reference, "请照回单填写。")
    if amount != payment.amount:
        text = f"到账金额 {amount:,.2f} 元与审定金额 {payment.amount:,.2f} 元不符。"
        problems.append(Problem("到账金额", str(amount), text, "请核对回单。"))
    if on > timezone.localdate():
        problems.append(Problem("银行日期", str(on), "银行日期不能晚于今天。", "请照回单填写。"))
    if problems:
        raise Refused(problems)
    payment.state, payment.paid_on, payment.paid_by = OtherPaymentState.PAID, on, actor
    payment.bank_reference = reference.strip()
    payment.save()
    book = book_of(payment.alliance, payment.fund_type)
    post(
        actor,
        book,
        key=f"budgets.payment:{payment.pk}",
        on=on,
        lines=[
            Posting(Account.TEMPORARY_PAYMENTS, payment.amount, payment.alliance, payment.year),
            Posting(Account.EXPENDITURE_ACCOUNT, -payment.amount),
        ],
        memo=f"{payment}拨付，回单 {payment.bank_reference}",
        source=payment,
    )
    post(
        actor,
        book,
        key=f"budgets.payment-control:{payment.pk}",
        on=on,
        lines=registering(Account.PREPAYMENT_APPROVED, -payment.amount, payment.alliance, payment.year),
        memo=f"{payment}拨付核销",
        source=payment,
    )
    record(actor, "budgets.pay", payment, f"登记{payment}回单 {payment.bank_reference} {payment.amount:,.2f} 元")
    return payment


def _refuse_whole_package(alliance: Alliance, year: int, fund_type: str, amount: Decimal) -> None:
    package = package_in_force(alliance, year, fund_type)
    if package is None or package.provisional:
        text = f"{alliance} {year} 年打包总额尚未审定，不能登记其他已付。"
        raise Refused([Problem("打包预算", "", text, "请先审定打包预算。")])
    mine = {"alliance": alliance, "year": year, "fund_type": fund_type}
    prepaid = Prepayment.objects.decided().filter(**mine).aggregate(total=Sum("amount"))["total"] or ZERO
    held = (
        OtherPayment.objects.filter(**mine).exclude(state=OtherPaymentState.RETURNED).aggregate(total=Sum("amount"))
    )["total"] or ZERO
    total = prepaid + held + amount
    if total >= package.total:
        text = (
            f"本年预付与其他已付合计 {total:,.2f} 元，达到打包总额 {package.total:,.2f} 元，"
            f"不得按打包预算额度直接拨付（{REFUSAL_CLAUSE}）。"
        )
        raise Refused([Problem("金额", str(amount), text, "余款在年度清算时结清。")])


def _locked(payment: OtherPayment, wanted: OtherPaymentState) -> OtherPayment:
    found = (
        OtherPayment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance__county__pooling_area", "registered_by")
        .get(pk=payment.pk)
    )
    if found.state != wanted:
        raise Conflict(f"{found}现为“{found.get_state_display()}”，不能再办理此步。请刷新页面。")
    return found
