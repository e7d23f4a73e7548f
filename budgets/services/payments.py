"""Paying an approved batch: the payment file for the bank, and the bank's receipts, whole, in part or failed.

Receipts post the fund's own accounts (暂付款 against 支出户存款, cash basis) and relieve the control account. A receipt
typed wrongly is voided with a reason: its entries are reversed, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Sum, prefetch_related_objects
from django.utils import timezone

from budgets.exports import payment_workbook
from budgets.models import BatchState, LeadAccount, PaymentFile, Prepayment, PrepaymentBatch, Receipt, ReceiptOutcome
from budgets.models.prepayments import DECIDED
from budgets.refusals import missing_text
from budgets.services.batches import totals_text
from budgets.services.packages import closed_problems, refuse_closed_year
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.files import store_bytes
from core.models import Role, User
from core.notices import notify, notify_role
from core.trail import record
from core.workbook import XLSX
from ledger.accounts import Account
from ledger.reading import entries_of
from ledger.services import Posting, Voucher, book_of, post_all, registering, reverse
from rules.money import ZERO


def open_amounts(lines: list[Prepayment]) -> dict[int, Decimal]:
    """What the bank still has to pay of each line (yuan), by line id; one query."""
    received = dict(
        Receipt.objects.filter(line__in=lines, voided_at=None)
        .order_by()
        .values_list("line_id")
        .annotate(total=Sum("amount"))
    )
    return {line.pk: line.payable - received.get(line.pk, ZERO) for line in lines}


@transaction.atomic
def make_payment_file(actor: User, batch: PrepaymentBatch) -> PaymentFile:
    """Write the xlsx for the bank with every line still to be paid; needs an approved account of each lead hospital."""
    require(actor, "budgets.pay", batch.pooling_area)
    batch = _locked(batch)
    if batch.state != BatchState.APPROVED:
        raise _not_payable(batch)
    today = timezone.localdate()
    lines = list(batch.lines.select_related("alliance__county__pooling_area").order_by("fund_type", "alliance"))
    due = open_amounts(lines)
    lines = [line for line in lines if due[line.pk] > 0]
    accounts = {
        account.alliance_id: account
        for account in LeadAccount.objects.approved_on(today)
        .filter(alliance__in=[line.alliance_id for line in lines])
        .select_related("institution")
        .order_by("pk")
    }
    problems = []
    for alliance in {line.alliance for line in lines}:
        account, lead = accounts.get(alliance.pk), alliance.lead_hospital(today)
        if account is None:
            problems.append(
                Problem("收款账户", str(alliance), f"{alliance}没有已审定的收款账户。", "请先录入并由复核审定。")
            )
        elif lead is None or account.institution_id != lead.pk:
            text = f"{alliance}的收款账户属于{account.institution}，现牵头医院是{lead or '（未登记）'}。"
            problems.append(Problem("收款账户", str(account), text, "请按现牵头医院录入新账户。"))
    if problems:
        raise Refused(problems)
    told = totals_text((line.fund_type, due[line.pk]) for line in lines)
    number = (batch.payment_files.aggregate(last=Max("number"))["last"] or 0) + 1
    rows = [(line, accounts[line.alliance_id], due[line.pk]) for line in lines]
    content = payment_workbook(batch, number, rows)
    made = PaymentFile.objects.create(
        batch=batch,
        number=number,
        total=sum((amount for _line, _account, amount in rows), ZERO),
        lines=[[line.pk, str(amount)] for line, _account, amount in rows],
        file=store_bytes(
            content, f"预付拨付-{batch.month}-{batch.sequence}-{number}.xlsx", "payment_file", actor, XLSX
        ),
        made_by=actor,
    )
    record(
        actor,
        "budgets.pay",
        batch,
        f"生成{batch}拨付文件第 {number} 份，{len(rows)} 笔，{told}",
        {"sha256": made.file.sha256, "total": made.total},
    )
    return made


@transaction.atomic
def record_receipt(
    actor: User,
    line: Prepayment,
    *,
    outcome: str,
    on: date,
    reference: str,
    amount: Decimal = ZERO,
    reason: str = "",
) -> Receipt:
    """Record what the bank did with a line: paid whole (the amount must equal), in part, or failed (returned).

    The same receipt again returns the held one. What is not paid stays open for another payment file.
    """
    require(actor, "budgets.pay", line.alliance)
    batch = _locked(line.batch)
    line = Prepayment.objects.select_related("alliance__county__pooling_area").get(pk=line.pk)
    held = line.receipts.filter(reference=reference.strip(), voided_at=None).first()
    if held is not None:
        if (held.outcome, held.on, held.amount) == (outcome, on, amount):
            return held
        raise Conflict(
            f"回单 {held.reference} 已登记为 {held.get_outcome_display()} {held.amount:,.2f} 元，请核对回单号。"
        )
    if batch.state not in DECIDED:
        raise _not_payable(batch)
    refuse_closed_year(line.alliance, line.year, line.fund_type)
    due = open_amounts([line])[line.pk]
    problems = _receipt_problems(line, batch, due, outcome, on, reference, amount, reason)
    if problems:
        raise Refused(problems)
    receipt = Receipt.objects.create(
        line=line,
        outcome=outcome,
        on=on,
        reference=reference.strip(),
        amount=amount,
        reason=reason.strip(),
        recorded_by=actor,
    )
    if amount:
        post_all(actor, book_of(line.alliance, line.fund_type), _vouchers(receipt))
    _note_state(batch)
    text = f"登记{line}回单 {receipt.reference}：{receipt.get_outcome_display()} {amount:,.2f} 元"
    if outcome == ReceiptOutcome.PAID:
        notify_role(
            {Role.HOSPITAL_FINANCE}, line.alliance, f"{line} {amount:,.2f} 元已拨付。", batch.get_absolute_url()
        )
    elif batch.submitted_by:
        notify([batch.submitted_by], f"{text}，{receipt.reason}", batch.get_absolute_url())
    record(actor, "budgets.pay", line, text, {"reference": receipt.reference, "on": on, "amount": amount})
    return receipt


@transaction.atomic
def record_receipts(actor: User, batch: PrepaymentBatch, *, on: date, references: Mapping[int, str]) -> list[Receipt]:
    """Record that the bank paid lines of a batch whole on one day: ``references`` is the receipt number by line id.

    All or none, with every problem of every line. A line whose same receipt is held is left as it is.
    """
    require(actor, "budgets.pay", batch.pooling_area)
    batch = _locked(batch)
    if batch.state not in DECIDED:
        raise _not_payable(batch)
    prefetch_related_objects([batch], "payment_files")
    lines = list(batch.lines.select_related("alliance__county__pooling_area").filter(pk__in=references).order_by("pk"))
    held = {(found.line_id, found.reference) for found in Receipt.objects.filter(line__in=lines, voided_at=None, on=on)}
    lines = [line for line in lines if (line.pk, references[line.pk].strip()) not in held]
    due = open_amounts(lines)
    problems = closed_problems(lines)
    for line in lines:
        found = _receipt_problems(
            line, batch, due[line.pk], ReceiptOutcome.PAID, on, references[line.pk], due[line.pk], ""
        )
        problems += [
            replace(problem, field=f"{line.alliance}（{line.get_fund_type_display()}）{problem.field}")
            for problem in found
        ]
    if problems:
        raise Refused(problems)
    receipts = Receipt.objects.bulk_create(
        Receipt(
            line=line,
            outcome=ReceiptOutcome.PAID,
            on=on,
            reference=references[line.pk].strip(),
            amount=due[line.pk],
            recorded_by=actor,
        )
        for line in lines
    )
    for fund_type in sorted({line.fund_type for line in lines}):
        mine = [receipt for receipt in receipts if receipt.line.fund_type == fund_type]
        post_all(actor, book_of(batch.pooling_area, fund_type), [v for receipt in mine for v in _vouchers(receipt)])
    if receipts:
        _note_state(batch)
        for alliance in sorted({line.alliance for line in lines}, key=lambda alliance: alliance.code):
            paid = [receipt for receipt in receipts if receipt.line.alliance_id == alliance.pk]
            told = totals_text((receipt.line.fund_type, receipt.amount) for receipt in paid)
            notify_role(
                {Role.HOSPITAL_FINANCE}, alliance, f"{batch.month} 预付已拨付：{told}。", batch.get_absolute_url()
            )
        told = totals_text((receipt.line.fund_type, receipt.amount) for receipt in receipts)
        record(
            actor,
            "budgets.pay",
            batch,
            f"登记{batch}足额到账 {len(receipts)} 笔：{told}",
            {"on": on, "receipts": [[receipt.line_id, receipt.reference, receipt.amount] for receipt in receipts]},
        )
    return receipts


@transaction.atomic
def void_receipt(actor: User, receipt: Receipt, reason: str) -> Receipt:
    """Take a wrongly typed receipt out of force; its entries are reversed on today's date."""
    require(actor, "budgets.pay", receipt.line.alliance)
    batch = _locked(receipt.line.batch)
    receipt = Receipt.objects.select_related("line__alliance__county__pooling_area").get(pk=receipt.pk)
    if receipt.voided_at is not None:
        raise Conflict(f"回单 {receipt.reference} 已由{receipt.voided_by}作废。")
    problems = missing_text("作废原因", reason, "请写明错在哪里。")
    if problems:
        raise Refused(problems)
    refuse_closed_year(receipt.line.alliance, receipt.line.year, receipt.line.fund_type)
    for entry in entries_of(receipt).filter(reverses=None, reversed_by=None):
        reverse(actor, entry, timezone.localdate(), f"{entry.key}:void", f"作废回单 {receipt.reference}")
    receipt.voided_by, receipt.voided_at, receipt.void_reason = actor, timezone.now(), reason.strip()
    receipt.save(update_fields=["voided_by", "voided_at", "void_reason"])
    _note_state(batch)
    record(actor, "budgets.pay", receipt.line, f"作废{receipt.line}回单 {receipt.reference}：{receipt.void_reason}")
    return receipt


def _vouchers(receipt: Receipt) -> list[Voucher]:
    """The advance in the fund's own accounts, and its relief on the control account."""
    line = receipt.line
    return [
        Voucher(
            f"budgets.receipt:{receipt.pk}",
            receipt.on,
            [
                Posting(Account.TEMPORARY_PAYMENTS, receipt.amount, line.alliance, line.year),
                Posting(Account.EXPENDITURE_ACCOUNT, -receipt.amount),
            ],
            f"{line}拨付，回单 {receipt.reference}",
            receipt,
        ),
        Voucher(
            f"budgets.receipt-control:{receipt.pk}",
            receipt.on,
            registering(Account.PREPAYMENT_APPROVED, -receipt.amount, line.alliance, line.year),
            f"{line}拨付核销",
            receipt,
        ),
    ]


def _receipt_problems(
    line: Prepayment,
    batch: PrepaymentBatch,
    due: Decimal,
    outcome: str,
    on: date,
    reference: str,
    amount: Decimal,
    reason: str,
) -> list[Problem]:
    problems = missing_text("银行回单号", reference, "请照回单填写。")
    if not any(line.pk == pk for file in batch.payment_files.all() for pk, _amount in file.lines):
        problems.append(Problem("拨付文件", "", "该笔还没有列入拨付文件。", "请先生成拨付文件并送银行。"))
    approved_on = timezone.localdate(batch.decided_at)
    if on > timezone.localdate():
        problems.append(Problem("银行日期", str(on), "银行日期不能晚于今天。", "请照回单填写。"))
    elif on < approved_on:
        text = f"银行日期早于本批预付的审定日期 {approved_on}。"
        problems.append(Problem("银行日期", str(on), text, "请核对回单对应的批次。"))
    if due <= 0:
        problems.append(Problem("到账金额", str(amount), "该笔已付清。", "请核对回单对应的批次。"))
    elif outcome == ReceiptOutcome.PAID and amount != due:
        text = f"到账金额 {amount:,.2f} 元与应拨付 {due:,.2f} 元不符。"
        problems.append(Problem("到账金额", str(amount), text, "不足额的请选“部分到账”并写明原因。"))
    elif outcome == ReceiptOutcome.PARTIAL and not ZERO < amount < due:
        problems.append(
            Problem("到账金额", str(amount), f"部分到账须大于零、小于应拨付 {due:,.2f} 元。", "请照回单填写。")
        )
    elif outcome == ReceiptOutcome.FAILED and amount != 0:
        problems.append(Problem("到账金额", str(amount), "退票没有到账，金额须为零。", "请改为 0 或改选结果。"))
    elif outcome not in ReceiptOutcome.values:
        problems.append(Problem("结果", outcome, "没有选择回单结果。", "请选择足额、部分或退票。"))
    if outcome in (ReceiptOutcome.PARTIAL, ReceiptOutcome.FAILED):
        problems += missing_text("原因", reason, "请写明银行退回或少付的原因。")
    return problems


def _note_state(batch: PrepaymentBatch) -> None:
    lines = list(batch.lines.all())
    whole = not any(open_amounts(lines).values())
    batch.state = BatchState.PAID if whole else BatchState.APPROVED
    batch.paid_at = timezone.now() if whole else None
    batch.save(update_fields=["state", "paid_at"])


def _locked(batch: PrepaymentBatch) -> PrepaymentBatch:
    return (
        PrepaymentBatch.objects.select_for_update(of=("self",), no_key=True)
        .select_related("pooling_area", "submitted_by")
        .get(pk=batch.pk)
    )


def _not_payable(batch: PrepaymentBatch) -> Conflict:
    text = f"{batch}现为“{batch.get_state_display()}”，不能拨付。"
    return Conflict([Problem("状态", batch.get_state_display(), text, "请刷新页面查看最新状态。")])
