"""年度检查考核: the list with its export, one check with its trace and effects, proposing, deciding, entering the ratio."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from audits.access import reads_audits
from audits.forms_agreements import YearlyCheckFilter, YearlyCheckForm
from audits.forms_base import county_choices, export, form_problems, page_of
from audits.models import YearlyCheck
from audits.reading import yearly_checks as reading
from audits.services import yearly_check as services
from audits.views.agreement_parts import decision, find_institution, institution_choices, need_reader, together
from core.access import Denied, actions, has_any_role, may, require_somewhere
from core.errors import Refused
from core.scope import get_visible
from rules.yearly_check import GRADES, SOURCE

HEADER = (
    "机构", "县（区）", "年度", "检查得分", "协议记分", "折算扣分", "年度得分", "等次", "状态", "次年每月预付比例", "未拨付不予支付",
    "次年额度系数", "超支分担系数", "解除协议", "说明",
)  # fmt: skip


@require_GET
def check_list(request: HttpRequest) -> HttpResponse:
    form, found = _chosen(request)
    context = {
        "form": form, "page_obj": page_of(request, found), "grades": GRADES, "source": SOURCE,
        "may_propose": has_any_role(request.user, actions[services.PROPOSE].roles),
    }  # fmt: skip
    return render(request, "audits/yearly_checks.html", context)


@require_GET
def check_list_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the checks of the list as filtered and sorted."""
    form, found = _chosen(request)
    rows = [
        [
            row.institution.name, row.institution.county.name, row.year, row.score, row.points, row.deduction, row.final_score,
            row.get_grade_display(), row.get_status_display(), row.effects["prepayment_ratio"] if row.lead_of_id else "不适用",
            row.effects["withheld_unpaid"], row.effects["package_factor"], row.effects["overrun_factor"],
            "是" if row.effects["terminated"] else "", row.reason,
        ]
        for row in found
    ]  # fmt: skip
    return export(request, "年度检查考核", HEADER, rows, form.said())


def _chosen(request: HttpRequest) -> tuple[YearlyCheckFilter, Any]:
    need_reader(request.user)
    form = YearlyCheckFilter(request.GET, counties=county_choices(request.user))
    return form, reading.chosen(request.user, form.wanted(), request.GET.get("sort", ""))


@require_GET
def yearly_check(request: HttpRequest, pk: int) -> HttpResponse:
    return check_page(request, find_check(request, pk))


def find_check(request: HttpRequest, pk: int) -> YearlyCheck:
    need_reader(request.user)
    rows = YearlyCheck.objects.select_related(
        "institution__county__pooling_area", "lead_of__county__pooling_area", "proposed_by", "decided_by"
    )
    found: YearlyCheck = get_visible(rows, request.user, pk=pk)
    return found


def check_page(request: HttpRequest, found: YearlyCheck, refusal: Refused | None = None, opened: str = "") -> HttpResponse:
    user: Any = request.user
    waits = found.status == "proposed"
    decides: Any = may(user, services.DECIDE, found.institution) if waits else Denied("")
    if waits and decides and found.proposed_by_id == user.pk:
        decides = Denied("由您本人提出，须由另一人审定。")
    ratio = services.may_enter_ratio(user, found) if reads_audits(user) else None
    former = YearlyCheck.objects.visible_to(user).filter(institution=found.institution, status="approved", year__lt=found.year)
    context = {
        "check": found, "former": list(former.order_by("-year")[:5]), "source": SOURCE,
        "may_decide": bool(decides), "denied": decides.reason if waits and isinstance(decides, Denied) else "",
        "may_ratio": bool(ratio), "ratio_denied": ratio.reason if isinstance(ratio, Denied) else "",
        "problems": refusal.problems if refusal else [], "reason": request.POST.get("reason", ""), "opened": opened,
        "prepayments_url": f"{reverse('budgets:prepayments')}?year={found.year + 1}", "is_bureau": reads_audits(user),
    }  # fmt: skip
    return render(request, "audits/yearly_check.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def check_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require_somewhere(user, services.PROPOSE)
    options = {"institutions": institution_choices(user)}
    if request.method == "GET":
        given = {"institution": request.GET.get("institution", ""), "year": timezone.localdate().year - 1}
        return _new_page(request, YearlyCheckForm(initial=given, **options))
    form = YearlyCheckForm(request.POST, **options)
    try:
        form.is_valid()
        if not form.cleaned_data.get("institution"):
            raise Refused(form_problems(form))
        institution = find_institution(user, form.cleaned_data["institution"])
        made = together(
            form, lambda given: services.propose(user, institution, given["year"], given["score"], given["reason"] or "")
        )
    except Refused as refusal:
        return _new_page(request, form, refusal)
    messages.success(request, f"已提出{made}，待审定。")
    return redirect(made)


def _new_page(request: HttpRequest, form: YearlyCheckForm, refusal: Refused | None = None) -> HttpResponse:
    context = {"form": form, "problems": refusal.problems if refusal else [], "grades": GRADES, "source": SOURCE}
    return render(request, "audits/yearly_check_new.html", context, status=refusal.status if refusal else 200)


def check_decide(request: HttpRequest, pk: int) -> HttpResponse:
    found = find_check(request, pk)
    user: Any = request.user
    return decision(
        request, found.get_absolute_url(), str(found),
        lambda approve, reason: services.decide_check(user, found, approve, reason),
        lambda refusal: check_page(request, find_check(request, pk), refusal, "decide"),
    )  # fmt: skip


def check_ratio(request: HttpRequest, pk: int) -> HttpResponse:
    """按考核结果录入预付比例: by a fund officer, for the alliance led."""
    found = find_check(request, pk)
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    try:
        services.enter_prepayment_ratio(user, found)
    except Refused as refusal:
        return check_page(request, find_check(request, pk), refusal)
    messages.success(request, f"已录入 {found.year + 1} 年每月预付比例，待基金复核在月度预付页面审定。")
    return redirect(found)
