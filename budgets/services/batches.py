"""From proposal to approval of a month's prepayments: hold, release, submit, approve, return, withdraw, reopen.

Guards the cap (60 % of the package unless the scheme says otherwise) and refuses handing over a whole package
(seed 001 §四(二), R-017). Approval registers each line on the control account; money moves in :mod:`payments`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from budgets.models import BatchState, LineChange, LineChangeKind, Prepayment, PrepaymentBatch, RecoveryOffset
from budgets.models.prepayments import DECIDED, EDITABLE
from budgets.refusals import missing_text
from budgets.services.packages import closed_problems
from budgets.services.proposals import compute_amount, fitting_offsets, ids_in_force
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import FundType, Role, User
from core.notices import notify, notify_role
from core.policies import scheme_in_force
from core.trail import record
from ledger.accounts import Account
from ledger.models import Entry
from ledger.reading import balance
from ledger.services import Posting, Voucher, book_of, lock_books, post, post_all, registering
from ledger.services import reverse as reverse_entry
from rules.budget import REFUSAL_CLAUSE
from rules.errors import RuleError
from rules.money import ZERO, exact
from rules.periods import Month


@transaction.atomic
def change_line(actor: User, line: Prepayment, kind: str, amount: Decimal | None, reason: str) -> Prepayment:
    """Hold all (``hold``, amount None), reduce by ``amount`` yuan, or release ``amount`` of what was held this year."""
    require(actor, "budgets.prepare_prepayment", line.alliance)
    line = _locked_line(line)
    problems = missing_text("原因", reason, "请写明原因，医共体将看到。")
    amount = line.planned - line.held if kind == LineChangeKind.HOLD and amount is None else amount
    if kind not in LineChangeKind.values:
        problems.append(Problem("办理", kind, "没有这种办理。", "请选择暂缓、减付或补付。"))
    if amount is None or amount <= 0:
        problems.append(Problem("金额", str(amount or ""), "金额须大于零。", "请填写元，最多两位小数。"))
    else:
        try:
            amount = exact(amount)
        except RuleError as error:
            problems.append(Problem("金额", str(amount), str(error), "请填写到分。"))
    if problems or amount is None:
        raise Refused(problems)
    if kind == LineChangeKind.RELEASE:
        _check_release(line, amount)
        line.held -= amount
    elif amount > line.planned - line.held:
        left = line.planned - line.held
        raise Refused(
            [
                Problem(
                    "金额",
                    str(amount),
                    f"减付 {amount:,.2f} 元大于本月可付 {left:,.2f} 元。",
                    "请填写不超过本月可付的金额。",
                )
            ]
        )
    else:
        line.held += amount
    compute_amount(line, scheme_in_force(line.alliance, Month.parse(line.month).last_day).scheme)
    line.save()
    RecoveryOffset.objects.filter(line=line, settled_at=None).update(line=None)
    RecoveryOffset.objects.filter(pk__in=[offset.pk for offset in fitting_offsets(line)]).update(line=line)
    made = LineChange.objects.create(line=line, kind=kind, amount=amount, reason=reason.strip(), by=actor)
    record(
        actor,
        "budgets.prepare_prepayment",
        line,
        f"{line}{made.get_kind_display()} {amount:,.2f} 元：{made.reason}，本月预付 {line.amount:,.2f} 元",
        {"amount": amount, "after": line.amount},
    )
    return line


@transaction.atomic
def submit_batch(actor: User, batch: PrepaymentBatch) -> PrepaymentBatch:
    """Lay a batch before the reviewer after checking every line against the cap."""
    require(actor, "budgets.prepare_prepayment", batch.pooling_area)
    batch = _locked(batch)
    if batch.state not in EDITABLE:
        raise _moved(batch)
    lines = _lines(batch)
    problems = _line_problems(lines)
    if not lines:
        problems.append(Problem("预付明细", "", "批次里没有明细。", "请先生成本月建议。"))
    if problems:
        raise Refused(problems)
    batch.state, batch.submitted_by, batch.submitted_at = BatchState.SUBMITTED, actor, timezone.now()
    batch.prepared_by = batch.prepared_by or actor
    batch.decided_by = batch.decided_at = None
    batch.save()
    told = _told(lines)
    notify_role({Role.FUND_REVIEWER}, batch.pooling_area, f"{batch}（{told}）待审定。", batch.get_absolute_url())
    record(actor, "budgets.prepare_prepayment", batch, f"报审{batch}，{len(lines)} 笔，{told}")
    return batch


@transaction.atomic
def approve_batch(actor: User, batch: PrepaymentBatch, note: str = "") -> PrepaymentBatch:
    """A second person approves: each line is registered as approved and unpaid; approved offsets are booked."""
    require(actor, "budgets.approve_prepayment", batch.pooling_area)
    batch = _locked(batch)
    if batch.state != BatchState.SUBMITTED:
        raise _moved(batch)
    different_person(actor, batch.submitted_by, "审定月度预付")
    different_person(actor, batch.prepared_by, "审定月度预付")
    lines = _lines(batch)
    problems = _line_problems(lines)
    if problems:
        raise Refused(problems)
    batch.state, batch.decided_by, batch.decided_at = BatchState.APPROVED, actor, timezone.now()
    batch.decision_note = note.strip()
    batch.approvals += 1
    lock_books(book_of(batch.pooling_area, fund_type) for fund_type in sorted({line.fund_type for line in lines}))
    _register(actor, batch, lines)
    if not any(line.payable for line in lines):
        batch.state, batch.paid_at = BatchState.PAID, timezone.now()
    batch.save()
    told = _told(lines)
    if batch.submitted_by:
        notify([batch.submitted_by], f"{batch}已审定，{told}。", batch.get_absolute_url())
    notify_role({Role.FUND_FINANCE}, batch.pooling_area, f"{batch}已审定，待拨付：{told}。", batch.get_absolute_url())
    record(
        actor,
        "budgets.approve_prepayment",
        batch,
        f"审定{batch}，{len(lines)} 笔，{told}",
        {"lines": [[line.alliance.code, line.fund_type, line.amount, line.payable] for line in lines]},
    )
    return batch


@transaction.atomic
def return_batch(actor: User, batch: PrepaymentBatch, reason: str) -> PrepaymentBatch:
    """The reviewer sends a submitted batch back with a reason."""
    require(actor, "budgets.approve_prepayment", batch.pooling_area)
    batch = _locked(batch)
    if batch.state != BatchState.SUBMITTED:
        raise _moved(batch)
    problems = missing_text("退回原因", reason, "请写明要改什么。")
    if problems:
        raise Refused(problems)
    different_person(actor, batch.submitted_by, "退回月度预付")
    different_person(actor, batch.prepared_by, "退回月度预付")
    batch.state, batch.decided_by, batch.decided_at = BatchState.RETURNED, actor, timezone.now()
    batch.decision_note = reason.strip()
    batch.save()
    if batch.submitted_by:
        notify([batch.submitted_by], f"{batch}被退回：{batch.decision_note}", batch.get_absolute_url())
    record(actor, "budgets.approve_prepayment", batch, f"退回{batch}：{batch.decision_note}")
    return batch


@transaction.atomic
def withdraw_batch(actor: User, batch: PrepaymentBatch, reason: str) -> PrepaymentBatch:
    """The officer takes a submitted batch back to work on it again."""
    require(actor, "budgets.prepare_prepayment", batch.pooling_area)
    batch = _locked(batch)
    if batch.state != BatchState.SUBMITTED:
        raise _moved(batch)
    problems = missing_text("撤回原因", reason, "请写明为何撤回。")
    if problems:
        raise Refused(problems)
    batch.state, batch.decision_note = BatchState.PROPOSED, reason.strip()
    batch.save()
    record(actor, "budgets.prepare_prepayment", batch, f"撤回{batch}：{batch.decision_note}")
    return batch


@transaction.atomic
def reopen_batch(actor: User, batch: PrepaymentBatch, reason: str) -> PrepaymentBatch:
    """A reviewer takes an approval back before any money moved: the registrations are reversed."""
    require(actor, "budgets.approve_prepayment", batch.pooling_area)
    batch = _locked(batch)
    if batch.state not in DECIDED:
        raise _moved(batch)
    problems = missing_text("撤销原因", reason, "请写明为何撤销审定。")
    lines = _lines(batch)
    if any(line.receipts.filter(voided_at=None).exists() for line in lines):
        problems.append(
            Problem("银行回单", "", "已有款项到账登记，不能撤销审定。", "请先由基金财务作废回单，或在下月减付。")
        )
    problems += closed_problems(lines)
    if problems:
        raise Refused(problems)
    lock_books(book_of(batch.pooling_area, fund_type) for fund_type in sorted({line.fund_type for line in lines}))
    today = timezone.localdate()
    for line in lines:
        offsets = list(line.offsets.exclude(settled_at=None))
        sources = [(line, f":{batch.approvals}")] + [(offset, f":{batch.approvals}") for offset in offsets]
        for source, suffix in sources:
            for entry in Entry.objects.filter(
                source_type=source._meta.label_lower,
                source_id=str(source.pk),
                key__endswith=suffix,
                reverses=None,
                reversed_by=None,
            ):
                reverse_entry(actor, entry, today, f"{entry.key}:reversed", f"撤销审定：{reason.strip()}"[:200])
        line.offsets.update(settled_at=None)
    batch.state, batch.decision_note = BatchState.RETURNED, reason.strip()
    batch.decided_by, batch.decided_at, batch.paid_at = actor, timezone.now(), None
    batch.save()
    if batch.submitted_by:
        notify([batch.submitted_by], f"{batch}的审定已撤销：{batch.decision_note}", batch.get_absolute_url())
    record(actor, "budgets.approve_prepayment", batch, f"撤销审定{batch}：{batch.decision_note}")
    return batch


def totals_text(amounts: Iterable[tuple[str, Decimal]]) -> str:
    """Yuan of each fund in words, from (fund type, amount) pairs; the two funds are never added up."""
    sums: dict[str, Decimal] = {}
    for fund_type, amount in amounts:
        sums[fund_type] = sums.get(fund_type, ZERO) + amount
    return "、".join(f"{fund.label} {sums[fund.value]:,.2f} 元" for fund in FundType if fund.value in sums)


def _told(lines: list[Prepayment]) -> str:
    return totals_text((line.fund_type, line.amount) for line in lines)


def _register(actor: User, batch: PrepaymentBatch, lines: list[Prepayment]) -> None:
    """Control accounts for what the bank still has to pay; the set-off of last year's recovery needs no bank."""
    on = timezone.localdate()
    for fund_type in sorted({line.fund_type for line in lines}):
        mine = [line for line in lines if line.fund_type == fund_type]
        vouchers = [
            Voucher(
                f"budgets.prepayment:{line.pk}:{batch.approvals}",
                on,
                registering(Account.PREPAYMENT_APPROVED, line.payable, line.alliance, line.year),
                f"{line}审定",
                line,
            )
            for line in mine
            if line.payable
        ]
        post_all(actor, book_of(batch.pooling_area, fund_type), vouchers)
        for line in mine:
            if line.offset:
                _book_offsets(actor, batch, line, on)


def _book_offsets(actor: User, batch: PrepaymentBatch, line: Prepayment, on: date) -> None:
    book = book_of(line.alliance, line.fund_type)
    for offset in line.offsets.filter(settled_at=None):
        owed = balance(book, Account.RECOVERY_RECEIVABLE, alliance=line.alliance, year=offset.from_year)
        if owed < offset.amount:
            text = f"{offset.from_year} 年应追回款余额 {owed:,.2f} 元，不足冲抵 {offset.amount:,.2f} 元。"
            raise Refused([Problem("冲抵", str(offset.amount), text, "请核对追回方案。")])
        post(
            actor,
            book,
            key=f"budgets.offset:{offset.from_year}:{offset.pk}:{batch.approvals}",
            on=on,
            lines=[
                Posting(Account.TEMPORARY_PAYMENTS, offset.amount, line.alliance, line.year),
                Posting(Account.TEMPORARY_PAYMENTS, -offset.amount, line.alliance, offset.from_year),
            ],
            memo=f"{line}冲抵 {offset.from_year} 年应追回款",
            source=offset,
        )
        post(
            actor,
            book,
            key=f"budgets.offset-control:{offset.from_year}:{offset.pk}:{batch.approvals}",
            on=on,
            lines=registering(Account.RECOVERY_RECEIVABLE, -offset.amount, line.alliance, offset.from_year),
            memo=f"{line}冲抵核销",
            source=offset,
        )
        offset.settled_at = timezone.now()
        offset.save(update_fields=["settled_at"])


def _line_problems(lines: list[Prepayment]) -> list[Problem]:
    problems = closed_problems(lines)
    decided, current = _decided_beside(lines), ids_in_force(lines)
    for line in lines:
        name = f"{line.alliance}（{line.get_fund_type_display()}）"
        if current.get(line.pk) != line.package_version_id:
            text = f"{name}：打包总额已有新的审定版本，建议额已过时。"
            problems.append(Problem(name, str(line.amount), text, "请重新生成本月建议后再报审。"))
            continue
        others = decided.get((line.alliance_id, line.fund_type, line.year), ZERO)
        after = others + line.amount
        if line.amount and after >= line.package_total:
            text = (
                f"{name}：累计预付 {after:,.2f} 元达到打包总额 {line.package_total:,.2f} 元，"
                f"不得按打包预算额度直接拨付（{REFUSAL_CLAUSE}）。"
            )
            problems.append(Problem(name, str(line.amount), text, "请减付。"))
        elif line.amount and after > line.cap:
            text = f"{name}：累计预付 {after:,.2f} 元超过年度上限 {line.cap:,.2f} 元，上限余额 {max(line.cap - others, ZERO):,.2f} 元。"
            problems.append(Problem(name, str(line.amount), text, "请减付或重新生成建议。"))
    return problems


def _decided_beside(lines: list[Prepayment]) -> dict[tuple[int, str, int], Decimal]:
    """What other batches of the same years decided, by alliance, fund type and year (yuan)."""
    sums = (
        Prepayment.objects.decided()
        .filter(alliance__in={line.alliance_id for line in lines}, year__in={line.year for line in lines})
        .exclude(pk__in=[line.pk for line in lines])
        .order_by()
        .values_list("alliance_id", "fund_type", "year")
        .annotate(total=Sum("amount"))
    )
    return {(alliance, fund_type, year): total for alliance, fund_type, year, total in sums}


def _check_release(line: Prepayment, amount: Decimal) -> None:
    """What earlier lines of the year still hold back limits a release; the cap does too."""
    earlier = (
        Prepayment.objects.filter(alliance=line.alliance, fund_type=line.fund_type, year=line.year)
        .exclude(pk=line.pk)
        .aggregate(total=Sum("held"))["total"]
        or ZERO
    ) + line.held
    problems = []
    if amount > earlier:
        text = f"补付 {amount:,.2f} 元大于本年尚在暂缓的 {max(earlier, ZERO):,.2f} 元。"
        problems.append(Problem("金额", str(amount), text, "请填写不超过暂缓余额的金额。"))
    if line.after + amount > line.cap:
        text = f"补付后累计 {line.after + amount:,.2f} 元，超过年度上限 {line.cap:,.2f} 元。"
        problems.append(Problem("金额", str(amount), text, f"上限余额 {line.cap_left:,.2f} 元。"))
    if problems:
        raise Refused(problems)


def _lines(batch: PrepaymentBatch) -> list[Prepayment]:
    return list(batch.lines.select_related("alliance__county__pooling_area").order_by("fund_type", "alliance"))


def _locked(batch: PrepaymentBatch) -> PrepaymentBatch:
    return (
        PrepaymentBatch.objects.select_for_update(of=("self",), no_key=True)
        .select_related("pooling_area", "submitted_by", "prepared_by")
        .get(pk=batch.pk)
    )


def _locked_line(line: Prepayment) -> Prepayment:
    batch = PrepaymentBatch.objects.select_for_update(no_key=True).get(pk=line.batch_id)
    if batch.state not in EDITABLE:
        raise _moved(batch)
    return (
        Prepayment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance__county__pooling_area", "batch")
        .get(pk=line.pk)
    )


def _moved(batch: PrepaymentBatch) -> Conflict:
    who = f"（{batch.decided_by}）" if batch.decided_by else ""
    text = f"{batch}现为“{batch.get_state_display()}”{who}，不能再办理此步。"
    return Conflict([Problem("状态", batch.get_state_display(), text, "请刷新页面查看最新状态。")])
