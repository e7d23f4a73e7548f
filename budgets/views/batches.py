"""One month's batch: its lines, what may be done to it, the payment file, the bank's receipts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from budgets import exports, services
from budgets.forms import ChangeForm, ReceiptForm
from budgets.models import BatchState, Prepayment, PrepaymentBatch, Receipt
from budgets.models.prepayments import DECIDED
from budgets.reading.worklist import FUND_ORDER
from budgets.services.batches import totals_text
from budgets.views.requests import Shown, person, rights
from core.access import may, require
from core.errors import Refused
from core.exports import export_workbook
from core.models import User
from core.scope import get_visible
from core.templatetags.fund import day
from core.trail import history
from rules.money import ZERO

TONES = {"proposed": "", "submitted": "run", "approved": "warn", "paid": "ok", "returned": "bad"}


@require_GET
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines of a month the person may see, and what happens next."""
    return _page(request, _batch(request, pk), Shown())


@require_GET
def batch_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    found = _batch(request, pk)
    lines = _lines(person(request), found)
    sheet = exports.batch_sheet(found, lines, services.open_amounts(lines))
    return export_workbook(person(request), found, f"预付批次-{found.month}-{found.sequence}.xlsx", [sheet])


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Submit, approve, return, withdraw or reopen a batch."""
    found, user, reason = _batch(request, pk), person(request), request.POST.get("reason", "")
    acts: dict[str, tuple[Callable[[], Any], str]] = {
        "submit": (lambda: services.submit_batch(user, found), "已报审，已通知基金复核。"),
        "approve": (lambda: services.approve_batch(user, found, reason), "已审定，已记入备查账并通知基金财务拨付。"),
        "return": (lambda: services.return_batch(user, found, reason), "已退回经办。"),
        "withdraw": (lambda: services.withdraw_batch(user, found, reason), "已撤回，可继续修改。"),
        "reopen": (lambda: services.reopen_batch(user, found, reason), "已撤销审定，备查账已冲回。"),
        "payment-file": (lambda: services.make_payment_file(user, found), "已生成拨付文件，请下载后送银行。"),
    }
    if action not in acts:
        raise Http404("没有这种办理。")
    run, told = acts[action]
    try:
        run()
    except Refused as refusal:
        return _page(request, _batch(request, pk), Shown(action, refusal, request.POST.dict()))
    messages.success(request, told)
    return redirect("budgets:batch", pk=pk)


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold, reduce or release one line."""
    line = _line(request, pk)
    require(person(request), "budgets.prepare_prepayment", line.alliance)
    form = ChangeForm(request.POST)
    refusal = None
    if form.is_valid():
        typed = form.cleaned_data
        try:
            done = services.change_line(person(request), line, typed["kind"], typed["amount"], typed["reason"])
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"已办理，{done.alliance}本月预付 {done.amount:,.2f} 元。")
            return redirect("budgets:batch", pk=line.batch_id)
    return _page(request, line.batch, Shown(f"change-{pk}", refusal, request.POST.dict(), form))


@require_POST
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the bank's receipt of one line."""
    line = _line(request, pk)
    require(person(request), "budgets.pay", line.alliance)
    form = ReceiptForm(request.POST)
    refusal = None
    if form.is_valid():
        try:
            made = services.record_receipt(person(request), line, **form.cleaned_data)
        except Refused as found:
            refusal = found
        else:
            messages.success(request, f"已登记回单 {made.reference}：{made.get_outcome_display()}。")
            return redirect("budgets:batch", pk=line.batch_id)
    return _page(request, line.batch, Shown(f"receipt-{pk}", refusal, request.POST.dict(), form))


@require_POST
def void(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a wrongly typed receipt out of force."""
    found = Receipt.objects.select_related("line__batch", "line__alliance__county__pooling_area").filter(
        line__in=Prepayment.objects.visible_to(request.user), pk=pk
    )
    held = found.first()
    if held is None:
        raise Http404("没有找到这张回单。")
    try:
        services.void_receipt(person(request), held, request.POST.get("reason", ""))
    except Refused as refusal:
        return _page(request, held.line.batch, Shown(f"void-{pk}", refusal, request.POST.dict()))
    messages.success(request, f"已作废回单 {held.reference}，账已冲回。")
    return redirect("budgets:batch", pk=held.line.batch_id)


def _batch(request: HttpRequest, pk: int) -> PrepaymentBatch:
    related = ("pooling_area", "prepared_by", "submitted_by", "decided_by")
    found: PrepaymentBatch = get_visible(PrepaymentBatch.objects.select_related(*related), request.user, pk=pk)
    return found


def _line(request: HttpRequest, pk: int) -> Prepayment:
    found: Prepayment = get_visible(
        Prepayment.objects.select_related("batch__pooling_area", "alliance__county__pooling_area"), request.user, pk=pk
    )
    return found


def _lines(user: User, batch: PrepaymentBatch) -> list[Prepayment]:
    found = (
        Prepayment.objects.visible_to(user)
        .filter(batch=batch)
        .select_related("alliance__county__pooling_area", "package_version")
        .prefetch_related(
            "changes__by",
            "offsets",
            Prefetch("receipts", queryset=Receipt.objects.select_related("recorded_by", "voided_by")),
        )
    )
    return sorted(found, key=lambda line: (FUND_ORDER[line.fund_type], line.alliance.code))


def _page(request: HttpRequest, batch: PrepaymentBatch, shown: Shown) -> HttpResponse:
    user = person(request)
    lines = _lines(user, batch)
    due = services.open_amounts(lines)
    held = rights(user, batch.pooling_area, "prepare_prepayment", "approve_prepayment", "pay")
    listed = [pk for file in batch.payment_files.all() for pk, _amount in file.lines] if batch.state in DECIDED else []
    rows = [_row(user, batch, line, due[line.pk], line.pk in listed, shown, held) for line in lines]
    prepared = user.pk in (batch.prepared_by_id, batch.submitted_by_id)
    bank = any(receipt.voided_at is None for line in lines for receipt in line.receipts.all())
    context = {
        "batch": batch,
        "tone": TONES[batch.state],
        "steps": _steps(batch, lines, due),
        "funds": _by_fund(rows),
        "rights": held,
        "buttons": {
            "submit": held["prepare_prepayment"] and batch.is_editable,
            "withdraw": held["prepare_prepayment"] and batch.state == BatchState.SUBMITTED,
            "approve": held["approve_prepayment"] and batch.state == BatchState.SUBMITTED and not prepared,
            "return": held["approve_prepayment"] and batch.state == BatchState.SUBMITTED and not prepared,
            "reopen": held["approve_prepayment"] and batch.state in DECIDED and not bank,
            "file": held["pay"] and batch.state == BatchState.APPROVED,
        },
        "total": totals_text((line.fund_type, line.amount) for line in lines),
        "unpaid": totals_text((line.fund_type, due[line.pk]) for line in lines),
        "warned": [row for row in rows if row["line"].warnings],
        "files": _files(batch, lines) if held["pay"] or held["approve_prepayment"] else [],
        "events": [
            {"label": event.summary, "when": timezone.localtime(event.at), "who": event.actor_name}
            for event in history(batch).order_by("-pk")[:12]
        ],
        "dialogs": shown.dialogs(),
        "page_problems": shown.problems if shown.name in ("submit", "payment-file") else [],
        "export_url": reverse("budgets:batch-xlsx", args=[batch.pk]),
    }
    return render(request, "budgets/batch.html", context, status=shown.status)


def _row(
    user: User,
    batch: PrepaymentBatch,
    line: Prepayment,
    due: Decimal,
    listed: bool,
    shown: Shown,
    held: dict[str, bool],
) -> dict[str, Any]:
    """One line with its bar, its dialogs and what was typed into them."""
    names = {name: f"{name}-{line.pk}" for name in ("change", "receipt")}
    mine = shown.name.removesuffix(f"-{line.pk}") if shown.name.endswith(f"-{line.pk}") else ""
    may_change = batch.is_editable and (
        held["prepare_prepayment"] or bool(may(user, "budgets.prepare_prepayment", line.alliance))
    )
    receipts = list(line.receipts.all())
    return {
        "line": line,
        "change_id": names["change"],
        "receipt_id": names["receipt"],
        "after": line.after,
        "percent": line.after * 100 / line.package_total,
        "cap_percent": line.cap * 100 / line.package_total,
        "due": due if batch.state in DECIDED else None,
        "paid": sum((found.amount for found in receipts if found.voided_at is None), ZERO),
        "receipts": [
            {
                "receipt": found,
                "void_id": f"void-{found.pk}",
                "may_void": held["pay"] and found.voided_at is None,
                "dialog": {"open": True, "problems": shown.problems, "reason": shown.typed.get("reason", "")}
                if shown.name == f"void-{found.pk}"
                else {},
            }
            for found in receipts
        ],
        "may_change": may_change,
        "change_form": shown.form if mine == "change" else ChangeForm(auto_id=f"id_{names['change']}_%s"),
        "change_open": mine == "change",
        "may_receive": held["pay"] and batch.state == BatchState.APPROVED and listed and due > 0,
        "receipt_form": shown.form
        if mine == "receipt"
        else ReceiptForm(
            initial={"on": timezone.localdate(), "amount": due, "outcome": "paid"},
            auto_id=f"id_{names['receipt']}_%s",
        ),
        "receipt_open": mine == "receipt",
        "problems": shown.problems if mine else [],
    }


def _by_fund(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of each fund with their totals; employees' and residents' money is never added up."""
    funds = []
    for fund in sorted({row["line"].fund_type for row in rows}, key=FUND_ORDER.__getitem__):
        mine = [row for row in rows if row["line"].fund_type == fund]
        lines = [row["line"] for row in mine]
        funds.append(
            {
                "fund": fund,
                "rows": mine,
                "planned": sum((line.planned for line in lines), ZERO),
                "held": sum((line.held for line in lines), ZERO),
                "amount": sum((line.amount for line in lines), ZERO),
                "payable": sum((line.payable for line in lines), ZERO),
                "paid": sum((row["paid"] for row in mine), ZERO),
                "withholds": any(line.withheld for line in lines),
                "offsets": any(line.offset for line in lines),
            }
        )
    return funds


def _steps(batch: PrepaymentBatch, lines: list[Prepayment], due: dict[int, Decimal]) -> list[dict[str, Any]]:
    order = {"proposed": 0, "returned": 0, "submitted": 1, "approved": 2, "paid": 3}
    reached = order[batch.state]
    returned = batch.state == BatchState.RETURNED
    waiting = sum(amount > 0 for amount in due.values())
    return [
        {
            "label": "生成与核对",
            "state": "refused" if returned else ("done" if reached else "current"),
            "who": "月末任务生成",
            "when": day(batch.proposed_at, "time"),
            "note": batch.decision_note if returned else "",
        },
        {
            "label": "报审",
            "state": "done" if reached >= 1 else "todo",
            "who": str(batch.submitted_by or "") if reached >= 1 else "基金经办",
            "when": day(batch.submitted_at, "time") if reached >= 1 else "",
        },
        {
            "label": "审定",
            "state": "done" if reached >= 2 else ("current" if reached == 1 else "todo"),
            "who": str(batch.decided_by) if reached >= 2 else "基金复核",
            "when": day(batch.decided_at, "time") if reached >= 2 else "",
        },
        {
            "label": "拨付与回单",
            "state": "done" if reached == 3 else ("current" if reached == 2 else "todo"),
            "who": "基金财务",
            "when": day(batch.paid_at, "time") if batch.paid_at else "",
            "note": f"{waiting} 笔未到账" if reached == 2 else "",
        },
    ]


def _files(batch: PrepaymentBatch, lines: list[Prepayment]) -> list[dict[str, Any]]:
    """The payment files with what each asked the bank to pay, by fund."""
    funds = {line.pk: line.fund_type for line in lines}
    return [
        {"file": found, "told": totals_text((funds[pk], Decimal(amount)) for pk, amount in found.lines if pk in funds)}
        for found in batch.payment_files.select_related("file", "made_by")
    ]
