"""基金账: the trial balance, the lines of an account, the vouchers, closing.

A book belongs to a pooling area: who stands below it (a county, an alliance, an institution) reads what concerns her
on the pages of packages, prepayments and settlements instead.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.access import Denied, NotAllowed, actions, has_any_role, may
from core.errors import Refused
from core.exports import export_workbook
from core.models import FundType, PoolingArea
from core.scope import get_visible
from core.subjects import subject_of
from ledger import exports, reading, services
from ledger.accounts import CONTROL_PREFIX, Account, Group, Nature
from ledger.forms import AccountFilter, ClosingForm, EntryFilter, TrialFilter
from ledger.models import Book, BookClosing, Entry, Line

STRIP = {
    Account.TEMPORARY_PAYMENTS: "暂付款",
    Account.BENEFITS_PACKAGED: "打包结算支出",
    Account.PACKAGE: "打包总额",
    Account.PREPAYMENT_APPROVED: "已批未付预付",
    Account.SETTLEMENT_PAYABLE: "应付清算款",
    Account.RECOVERY_RECEIVABLE: "应收追回款",
}
SORTS = {"seq": ["seq"], "-seq": ["-seq"], "on": ["on", "seq"], "-on": ["-on", "-seq"]}
RECENT = 8
PAGE = 50


@require_GET
def trial_balance(request: HttpRequest) -> HttpResponse:
    """The trial balance of one fund of an area; fund and control accounts apart."""
    area, fund = _chosen(request)
    return _trial_page(request, area, fund, ClosingForm())


@require_GET
def trial_balance_xlsx(request: HttpRequest) -> HttpResponse:
    area, fund = _chosen(request)
    book = reading.find_book(area, fund)
    if book is None:
        raise Http404("这本账还没有记账，没有可导出的内容。")
    trial = reading.trial_balance(book, _until(request, area))
    name = f"{area}{FundType(fund).label}试算平衡表-{trial.until}.xlsx"
    return export_workbook(request.user, book, name, exports.trial_sheets(trial))  # type: ignore[arg-type]


@require_GET
def account(request: HttpRequest, book: int, account: str) -> HttpResponse:
    """The lines of one account with its running balance."""
    owner, chosen, form, wanted, opening = _account_asked(request, book, account)
    page = Paginator(reading.account_lines(owner, chosen, **wanted), PAGE).get_page(request.GET.get("page"))
    debit, credit = reading.turnover(owner, chosen, **wanted)
    rows = [{"line": line, "standing": opening + line.running} for line in page]  # type: ignore[attr-defined]
    context = {
        "book": owner, "account": chosen, "form": form, "page_obj": page, "rows": rows, "opening": opening,
        "debit": debit, "credit": credit, "closing": opening + debit - credit, "debit_side": Nature.DEBIT,
        "export_url": reverse("ledger:account-xlsx", args=[owner.pk, chosen.value]),
    }  # fmt: skip
    return render(request, "ledger/account.html", context)


@require_GET
def account_xlsx(request: HttpRequest, book: int, account: str) -> HttpResponse:
    owner, chosen, form, wanted, opening = _account_asked(request, book, account)
    lines = reading.account_lines(owner, chosen, **wanted)
    sheets = exports.account_sheets(owner, chosen, lines, opening, form.said())
    name = f"{owner.pooling_area}{owner.get_fund_type_display()}{chosen.code}{chosen.label}-{timezone.localdate()}.xlsx"
    return export_workbook(request.user, owner, name, sheets)  # type: ignore[arg-type]


@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """The vouchers of one fund of an area, newest first."""
    area, fund = _chosen(request)
    form, found = _entries(request, area, fund)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "area": area, "fund": fund, "form": form, "page_obj": page, "rows": reading.with_debits(list(page)),
        "export_url": reverse("ledger:entries-xlsx"),
    }  # fmt: skip
    return render(request, "ledger/entries.html", context)


@require_GET
def entries_xlsx(request: HttpRequest) -> HttpResponse:
    area, fund = _chosen(request)
    form, found = _entries(request, area, fund)
    book = services.book_of(area, fund)
    name = f"{area}{FundType(fund).label}凭证-{timezone.localdate()}.xlsx"
    return export_workbook(request.user, book, name, exports.entry_sheets(book, found, form.said()))  # type: ignore[arg-type]


@require_GET
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One voucher, as it is printed."""
    related = ("book__pooling_area", "actor", "reverses__book", "reversed_by__book")
    found = get_visible(Entry.objects.select_related(*related), request.user, pk=pk)
    reading.require_reader(request.user, found.book.pooling_area)  # type: ignore[arg-type]
    lines = list(found.lines.select_related("alliance"))
    context = {
        "entry": found, "source": subject_of(found.source_type, found.source_id), "reversed_by": getattr(found, "reversed_by", None),
        "lines": [{"line": line, "account": Account(line.account)} for line in lines],
        "signatures": [{"role": "经手", "name": str(found.actor), "when": found.on}, {"role": "复核"}, {"role": "财务负责人"}],
        "total": sum((line.amount for line in lines if line.amount > 0), reading.ZERO),
    }  # fmt: skip
    return render(request, "ledger/entry.html", context)


@require_POST
def close(request: HttpRequest, book: int) -> HttpResponse:
    """Close the book up to a day."""
    return _closing(request, book, closing=True)


@require_POST
def reopen(request: HttpRequest, book: int) -> HttpResponse:
    """Move the closing day back."""
    return _closing(request, book, closing=False)


def _closing(request: HttpRequest, pk: int, closing: bool) -> HttpResponse:
    book = get_visible(Book.objects.select_related("pooling_area"), request.user, pk=pk)
    form = ClosingForm(request.POST)
    if form.is_valid():
        through, reason = form.cleaned_data["through"], form.cleaned_data["reason"]
        try:
            if not closing:
                done = services.reopen_period(request.user, book, through, reason)  # type: ignore[arg-type]
                messages.success(request, f"已反结账，结账日退回至{done.through or '未结账'}。")
                return redirect(_list_url(book))
            if through is None:
                form.add_error("through", "请填写结账日。")
            else:
                services.close_period(request.user, book, through, reason)  # type: ignore[arg-type]
                messages.success(request, f"已结账至 {through}。")
                return redirect(_list_url(book))
        except Refused as refusal:
            return _trial_page(request, book.pooling_area, book.fund_type, form, refusal)
    return _trial_page(request, book.pooling_area, book.fund_type, form, Refused([]))


def _trial_page(
    request: HttpRequest, area: PoolingArea, fund: str, closing_form: ClosingForm, refusal: Refused | None = None
) -> HttpResponse:
    book = reading.find_book(area, fund)
    trial = reading.trial_balance(book, _until(request, area)) if book else None
    areas = reading.areas_of(request.user)
    standing = {row.account: row.closing for group in trial.groups for row in group.rows} if trial else {}
    recent = Entry.objects.filter(book=book).select_related("book").order_by("-seq")[:RECENT]
    rights = {name: bool(may(request.user, f"ledger.{name}_period", area)) for name in ("close", "reopen")}  # type: ignore[arg-type]
    context = {
        "area": area, "fund": fund, "book": book, "trial": trial, "groups": trial.groups if trial else (),
        "form": _trial_form(request, areas), "export_url": reverse("ledger:trial-balance-xlsx"),
        "strip": [(found, label, standing.get(found, reading.ZERO)) for found, label in STRIP.items()],
        "recent": reading.with_debits(list(recent)), "control": Group.CONTROL,
        "closed": reading.closed_through(book) if book else None,
        "closings": BookClosing.objects.filter(book=book).select_related("actor")[:RECENT],
        "closing_form": closing_form, "problems": refusal.problems if refusal else [], "rights": rights,
    }  # fmt: skip
    return render(request, "ledger/list.html", context, status=refusal.status if refusal else 200)


def _chosen(request: HttpRequest) -> tuple[PoolingArea, str]:
    """The area and fund type asked for, among the areas whose books the user reads."""
    fund = request.GET.get("fund", FundType.RESIDENT.value)
    if fund not in FundType.values:
        raise Http404("没有这个险种。")
    areas = reading.areas_of(request.user)
    code = request.GET.get("area", "")
    for area in areas:
        if not code or area.code == code:
            return area, fund
    seen = PoolingArea.objects.visible_to(request.user)
    inside = (seen.filter(code=code) if code else seen).first()
    if inside is not None:
        reading.require_reader(request.user, inside)  # type: ignore[arg-type]
    if not code and has_any_role(request.user, actions["ledger.read"].roles):
        raise NotAllowed(
            Denied(
                "基金账按统筹区设立，您的岗位在县（区）。本县的打包预算、预付和清算记账请在相应页面查看，查账请找市级基金财务。"
            )
        )
    raise Http404("没有找到这本账，或者它不在您的管理范围内。")


def _until(request: HttpRequest, area: PoolingArea) -> Any:
    form = _trial_form(request, [area])
    return form.cleaned_data.get("until") if form.is_valid() else None


def _trial_form(request: HttpRequest, areas: list[PoolingArea]) -> TrialFilter:
    given = {"until": timezone.localdate().isoformat(), **request.GET.dict()}
    return TrialFilter(given, areas=areas)


def _account_asked(
    request: HttpRequest, book_id: int, name: str
) -> tuple[Book, Account, AccountFilter, dict[str, Any], Decimal]:
    """The account asked for, the filter as :func:`reading.account_lines` takes it, and the balance before it."""
    book = get_visible(Book.objects.select_related("pooling_area"), request.user, pk=book_id)
    reading.require_reader(request.user, book.pooling_area)  # type: ignore[arg-type]
    if name not in Account.values:
        raise Http404("没有这个科目。")
    account = Account(name)
    form = AccountFilter(request.GET, book=book, account=account)
    wanted = form.cleaned_data if form.is_valid() else {}
    kept: dict[str, Any] = {"alliance": wanted.get("alliance"), "year": wanted.get("year")}
    since = wanted.get("since")
    opening = reading.balance(book, account, until=since - timedelta(days=1), **kept) if since else reading.ZERO
    return book, account, form, {**kept, "since": since, "until": wanted.get("until")}, opening


def _entries(request: HttpRequest, area: PoolingArea, fund: str) -> tuple[EntryFilter, models.QuerySet[Entry]]:
    form = EntryFilter(request.GET, area=area)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = Entry.objects.filter(book__pooling_area=area, book__fund_type=fund).select_related("book", "actor")
    if text := (wanted.get("q") or "").strip():
        number = text.rpartition("-")[2]
        by_number = Q(seq=int(number)) if number.isdecimal() and len(number) < 12 else Q()
        found = found.filter(Q(memo__icontains=text) | Q(key__icontains=text) | by_number)
    if wanted.get("since"):
        found = found.filter(on__gte=wanted["since"])
    if wanted.get("until"):
        found = found.filter(on__lte=wanted["until"])
    lines = Line.objects.filter(entry=OuterRef("pk"))
    if wanted.get("alliance"):
        found = found.filter(Exists(lines.filter(alliance=wanted["alliance"])))
    if wanted.get("group"):
        control = Exists(lines.filter(account__startswith=CONTROL_PREFIX))
        found = found.filter(control if wanted["group"] == Group.CONTROL else ~control)
    order = request.GET.get("sort", "")
    return form, found.order_by(*SORTS.get(order, SORTS["-seq"]))


def _list_url(book: Book) -> str:
    return f"{reverse('ledger:list')}?fund={book.fund_type}&area={book.pooling_area.code}"
