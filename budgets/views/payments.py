"""其他已付: payments of the year beside the prepayments (M): registered, approved, paid."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from budgets import exports, services
from budgets.forms import PaymentFilter, PaymentForm, PaymentReceiptForm
from budgets.models import OtherPayment, OtherPaymentState
from budgets.views.requests import Shown, alliances_where, person
from core.access import may, require
from core.errors import Refused
from core.exports import export_workbook
from core.models import Alliance
from core.scope import get_visible

TONES = {"submitted": "run", "approved": "warn", "paid": "ok", "returned": "bad"}
SORTS = {"amount": "amount", "alliance": "alliance__code", "registered": "registered_at"}


def payments(request: HttpRequest) -> HttpResponse:
    """The other payments the person sees, and the form to register one."""
    if request.method != "POST":
        return _page(request, Shown())
    user = person(request)
    alliances = alliances_where(user, "budgets.register_payment")
    if not alliances.exists():
        seen = Alliance.objects.visible_to(user).select_related("county__pooling_area").first()
        if seen is None:
            raise Http404("您没有任何医共体的岗位。")
        require(user, "budgets.register_payment", seen)
    form = PaymentForm(request.POST, request.FILES, alliances=alliances)
    refusal = None
    if form.is_valid():
        typed = form.cleaned_data
        try:
            services.register_payment(
                user,
                typed.pop("alliance"),
                typed.pop("year"),
                typed.pop("fund_type"),
                **typed,
            )
        except Refused as found:
            refusal = found
        else:
            messages.success(request, "已登记，待基金复核审定。")
            return redirect("budgets:payments")
    return _page(request, Shown("register", refusal, request.POST.dict(), form))


@require_GET
def payments_xlsx(request: HttpRequest) -> HttpResponse:
    _form, found = _found(request)
    first = found.first()
    if first is None:
        raise Http404("没有可导出的内容。")
    area = first.alliance.county.pooling_area
    return export_workbook(person(request), area, "其他已付.xlsx", [exports.payments_sheet(list(found))])


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Approve or return a payment, or record its receipt."""
    payment = get_visible(OtherPayment.objects.select_related("alliance__county__pooling_area"), request.user, pk=pk)
    user = person(request)
    form = None
    try:
        if action == "approve":
            services.approve_payment(user, payment)
            messages.success(request, f"已审定{payment}。")
        elif action == "return":
            services.return_payment(user, payment, request.POST.get("reason", ""))
            messages.success(request, f"已退回{payment}。")
        elif action == "receipt":
            require(user, "budgets.pay", payment.alliance)
            form = PaymentReceiptForm(request.POST)
            if not form.is_valid():
                return _page(request, Shown(f"receipt-{pk}", None, request.POST.dict(), form))
            services.receive_payment(user, payment, **form.cleaned_data)
            messages.success(request, f"已登记{payment}回单。")
        else:
            raise Http404("没有这种办理。")
    except Refused as refusal:
        return _page(request, Shown(f"{action}-{pk}", refusal, request.POST.dict(), form))
    return redirect("budgets:payments")


def _found(request: HttpRequest) -> tuple[PaymentFilter, Any]:
    form = PaymentFilter(request.GET)
    wanted: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    found = OtherPayment.objects.visible_to(request.user).select_related(
        "alliance__county__pooling_area", "registered_by", "decided_by", "paid_by", "evidence"
    )
    if wanted.get("year"):
        found = found.filter(year=wanted["year"])
    if wanted.get("fund"):
        found = found.filter(fund_type=wanted["fund"])
    if wanted.get("state"):
        found = found.filter(state=wanted["state"])
    if text := (wanted.get("q") or "").strip():
        found = found.filter(
            Q(alliance__name__icontains=text) | Q(purpose__icontains=text) | Q(bank_reference__icontains=text)
        )
    sort = request.GET.get("sort", "-registered")
    column = SORTS.get(sort.lstrip("-"), "registered_at")
    return form, found.order_by(f"-{column}" if sort.startswith("-") else column, "-pk")


def _page(request: HttpRequest, shown: Shown) -> HttpResponse:
    user = person(request)
    filters, found = _found(request)
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    rows = []
    for payment in page:
        submitted = payment.state == OtherPaymentState.SUBMITTED
        mine = shown.name.removesuffix(f"-{payment.pk}") if shown.name.endswith(f"-{payment.pk}") else ""
        rows.append(
            {
                "payment": payment,
                "tone": TONES[payment.state],
                "may_decide": submitted
                and payment.registered_by_id != user.pk
                and bool(may(user, "budgets.approve_payment", payment.alliance)),
                "may_pay": payment.state == OtherPaymentState.APPROVED
                and bool(may(user, "budgets.pay", payment.alliance)),
                "approve_id": f"payment-approve-{payment.pk}",
                "return_id": f"payment-return-{payment.pk}",
                "receipt_id": f"payment-receipt-{payment.pk}",
                "returning": shown if mine == "return" else None,
                "receipt_form": shown.form
                if mine == "receipt" and shown.form
                else PaymentReceiptForm(
                    initial={"on": timezone.localdate(), "amount": payment.amount},
                    auto_id=f"id_receipt_{payment.pk}_%s",
                ),
                "receipt_open": mine == "receipt",
                "problems": shown.problems if mine else [],
            }
        )
    alliances = alliances_where(user, "budgets.register_payment")
    initial = {"year": timezone.localdate().year}
    top = shown.name == "register" or shown.name.startswith("approve-")
    context = {
        "filters": filters,
        "page_obj": page,
        "rows": rows,
        "form": (shown.form if shown.name == "register" else None)
        or (PaymentForm(initial=initial, alliances=alliances) if alliances.exists() else None),
        "page_problems": shown.problems if top else [],
        "export_url": reverse("budgets:payments-xlsx"),
    }
    return render(request, "budgets/payments.html", context, status=shown.status)
