"""What the pages of agreements, people, points and yearly checks share: who may open them, choices, one decision form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from audits.access import AUDIT_READERS, PROVIDERS
from audits.forms_base import form_problems
from audits.models import Case
from audits.services.points import DECIDED_TRACKS
from audits.states import TrackKind
from core.access import Denied, NotAllowed, has_any_role
from core.errors import Problem, Refused
from core.models import Institution, InstitutionKind
from core.scope import get_visible

Made = TypeVar("Made")
READERS = AUDIT_READERS | PROVIDERS


def need_reader(user: Any) -> None:
    """The bureau's posts and the provider itself; nobody else's business."""
    if not has_any_role(user, READERS):
        text = "服务协议、医保医师、协议记分和年度考核供医保部门各岗位和医疗机构自己查看，您没有这些岗位。请系统管理员授予岗位。"
        raise NotAllowed(Denied(text))


def institution_choices(user: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Providers the person sees by county, villages last."""
    rows = list(Institution.objects.visible_to(user).select_related("county").order_by("county__code", "code"))
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(rows, key=lambda row: (row.county.code, row.kind == InstitutionKind.VILLAGE, row.code)):
        groups.setdefault(row.county.name, []).append((row.code, row.name))
    return list(groups.items())


def find_institution(user: Any, code: str) -> Institution:
    found: Institution = get_visible(Institution.objects.select_related("county__pooling_area"), user, code=code)
    return found


def case_choices(user: Any, institution: Institution, decided: bool = False) -> list[tuple[str, str]]:
    """The provider's cases the person sees; ``decided``: those whose agreement handling was decided."""
    rows = Case.objects.visible_to(user).filter(institution=institution)
    if decided:
        rows = rows.filter(tracks__kind=TrackKind.AGREEMENT, tracks__state__in=DECIDED_TRACKS).distinct()
    return [(str(row.pk), f"{row.number} {row.title}") for row in rows.order_by("-filed_on", "-pk")[:100]]


def find_case(user: Any, key: Any) -> Case | None:
    if not key:
        return None
    found: Case = get_visible(Case.objects.with_places(), user, pk=key)
    return found


def together(form: Any, call: Callable[[dict[str, Any]], Made], problems: Sequence[Problem] = ()) -> Made:
    """The service with a form's values: what form and service find wrong is told at once, nothing is kept unless all fits.

    A field the form cannot read is None to the service; what the service says of it is left out. ``problems``: of files.
    """
    form.is_valid()
    wrong = [*form_problems(form), *problems]
    with transaction.atomic():
        try:
            made = call({name: form.cleaned_data.get(name) for name in form.fields})
        except Refused as refusal:
            if not wrong:
                raise
            raise Refused([*wrong, *(one for one in refusal.problems if one.field not in form.errors)]) from refusal
        if wrong:
            raise Refused(wrong)
    return made


def decision(
    request: HttpRequest, back: str, done: str, act: Callable[[bool, str], Any], failed: Callable[[Refused], HttpResponse]
) -> HttpResponse:
    """One POST of 审定 or 退回 with its reason; ``failed`` shows the page again with what was typed."""
    if request.method != "POST":
        return redirect(back)
    approve = request.POST.get("verdict") == "approve"
    try:
        act(approve, request.POST.get("reason", ""))
    except Refused as refusal:
        return failed(refusal)
    messages.success(request, f"{'已审定' if approve else '已退回'}：{done}。")
    return redirect(back)
