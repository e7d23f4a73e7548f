"""收款账户: the bank accounts of lead hospitals, entered by fund finance, approved by a reviewer."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from budgets import services
from budgets.forms import AccountForm
from budgets.models import LeadAccount
from budgets.views.requests import Shown, alliances_where, person
from core.access import has_any_role, may, require
from core.errors import Refused
from core.models import Alliance, Role
from core.scope import get_visible

FULL_NUMBER = frozenset({Role.FUND_FINANCE, Role.FUND_REVIEWER, Role.HOSPITAL_FINANCE})


def accounts(request: HttpRequest) -> HttpResponse:
    """The accounts of the person's alliances, and the form to enter one."""
    if request.method != "POST":
        return _page(request, Shown())
    user = person(request)
    alliances = alliances_where(user, "budgets.enter_account")
    if not alliances.exists():
        seen = Alliance.objects.visible_to(user).select_related("county__pooling_area").first()
        if seen is None:
            raise Http404("您没有任何医共体的岗位。")
        require(user, "budgets.enter_account", seen)
    form = AccountForm(request.POST, request.FILES, alliances=alliances)
    refusal = None
    if form.is_valid():
        try:
            services.enter_account(user, **form.cleaned_data)
        except Refused as found:
            refusal = found
        else:
            messages.success(request, "已录入，待基金复核审定后生效。")
            return redirect("budgets:accounts")
    return _page(request, Shown("enter", refusal, request.POST.dict(), form))


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Approve or return an entered account."""
    account = get_visible(LeadAccount.objects.select_related("alliance__county__pooling_area"), request.user, pk=pk)
    user = person(request)
    try:
        if action == "approve":
            services.approve_account(user, account)
            messages.success(request, f"已审定收款账户 {account}。")
        elif action == "return":
            services.return_account(user, account, request.POST.get("reason", ""))
            messages.success(request, f"已退回收款账户 {account}。")
        else:
            raise Http404("没有这种办理。")
    except Refused as refusal:
        return _page(request, Shown(f"{action}-{pk}", refusal, request.POST.dict()))
    return redirect("budgets:accounts")


def _page(request: HttpRequest, shown: Shown) -> HttpResponse:
    user, today = person(request), timezone.localdate()
    found = LeadAccount.objects.visible_to(user).select_related(
        "alliance__county__pooling_area", "institution", "entered_by", "approved_by", "evidence"
    )
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    whole = has_any_role(user, FULL_NUMBER)
    rows = []
    for account in page:
        waiting = account.approved_at is None and not account.returned_reason
        rows.append(
            {
                "account": account,
                "number": account.account_number if whole else f"…{account.account_number[-4:]}",
                "state": _state(account, today),
                "may_decide": waiting
                and account.entered_by_id != user.pk
                and bool(may(user, "budgets.approve_account", account.alliance)),
                "approve_id": f"account-approve-{account.pk}",
                "return_id": f"account-return-{account.pk}",
                "returning": shown if shown.name == f"return-{account.pk}" else None,
            }
        )
    alliances = alliances_where(user, "budgets.enter_account")
    initial = {"valid_from": today}
    context = {
        "page_obj": page,
        "rows": rows,
        "form": shown.form or (AccountForm(initial=initial, alliances=alliances) if alliances.exists() else None),
        "page_problems": [] if shown.name.startswith("return-") else shown.problems,
    }
    return render(request, "budgets/accounts.html", context, status=shown.status)


def _state(account: LeadAccount, today: date) -> tuple[str, str]:
    if account.returned_reason:
        return "已退回", "bad"
    if account.approved_at is None:
        return "待审定", "run"
    if account.valid_to is not None and account.valid_to < today:
        return "已停用", ""
    return ("在用", "ok") if account.valid_from <= today else ("未到启用日", "")
