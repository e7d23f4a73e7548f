"""What agreements, points and yearly checks ask of a person on the home page, the number in the navigation, the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from audits.models import Agreement, AgreementChange, AgreementState, Physician, PointEntry, Qualification, YearlyCheck
from audits.services import agreements, points, qualifications, yearly_check
from core.access import actions, has_any_role
from core.registries import SearchHit, Todo

LIMIT, HITS = 20, 8


def todos(user: Any) -> list[Todo]:
    """Deciders: what another person proposed; auditors: suspensions without months; fund officers: ratios to enter."""
    found: list[Todo] = []
    for ask in (_changes, _points, _qualifications, _months, _checks, _ratios, _suspended):
        if len(found) < LIMIT:
            found += ask(user)
    return found[:LIMIT]


def badge(user: Any) -> int:
    """How many proposals wait for the person's decision; counted, not read."""
    counted: list[tuple[str, Callable[[Any], Any]]] = [
        (points.DECIDE, waiting_points), (qualifications.DECIDE, waiting_qualifications), (yearly_check.DECIDE, waiting_checks),
    ]  # fmt: skip
    return int(waiting_changes(user).count()) + sum(int(ask(user).count()) for name, ask in counted if _has(user, name))


def waiting_changes(user: Any) -> Any:
    """Changes the person's posts decide that somebody else proposed."""
    kinds = Q(pk__in=[])
    if _has(user, agreements.DECIDE):
        kinds |= ~Q(kind__in=agreements.SANCTIONS)
    if _has(user, agreements.DECIDE_SANCTION):
        kinds |= Q(kind__in=agreements.SANCTIONS)
    return AgreementChange.objects.visible_to(user).filter(kinds, status="proposed").exclude(proposed_by=user)


def waiting_points(user: Any) -> Any:
    return PointEntry.objects.visible_to(user).filter(status="proposed").exclude(proposed_by=user)


def waiting_qualifications(user: Any) -> Any:
    """What can be decided: a suspension only once its months are named."""
    rows = Qualification.objects.visible_to(user).filter(status="proposed").exclude(proposed_by=user)
    return rows.exclude(kind="suspended", months__isnull=True)


def waiting_checks(user: Any) -> Any:
    return YearlyCheck.objects.visible_to(user).filter(status="proposed").exclude(proposed_by=user)


def waiting_ratios(user: Any) -> Any:
    """Approved checks of lead hospitals whose lower ratio nobody entered yet."""
    rows = YearlyCheck.objects.visible_to(user).filter(status="approved", ratio=None, lead_of__isnull=False)
    return rows.exclude(effects__prepayment_factor="1")


def search(user: Any, text: str) -> list[SearchHit]:
    """Agreements by number or provider, people by name or code; only what the person may see."""
    from audits.views.agreement_parts import READERS

    words = text.split()
    if not words or not has_any_role(user, READERS):
        return []
    held, people = Agreement.objects.visible_to(user).with_places(), Physician.objects.visible_to(user)
    for word in words:
        held = held.filter(Q(number__icontains=word) | Q(institution__name__icontains=word))
        people = people.filter(Q(name__icontains=word) | Q(code__icontains=word))
    hits = [
        SearchHit(f"{row.number} {row.institution}（{row.get_state_display()}）", row.get_absolute_url(), "服务协议")
        for row in held[:HITS]
    ]
    rows = people.select_related("institution").order_by("name", "-valid_from", "-pk")[:HITS]
    return [*hits, *(SearchHit(f"{row} {row.code}", row.get_absolute_url(), "医保医师") for row in rows)]


def _has(user: Any, name: str) -> bool:
    return has_any_role(user, actions[name].roles)


def _changes(user: Any) -> list[Todo]:
    rows = waiting_changes(user).select_related("agreement__institution").order_by("pk")[:LIMIT]
    return [
        Todo(
            f"审定服务协议{row.get_kind_display()}：{row.agreement.institution}", row.agreement.get_absolute_url(), row.text[:80],
            verb="审定",
        )
        for row in rows
    ]  # fmt: skip


def _points(user: Any) -> list[Todo]:
    if not _has(user, points.DECIDE):
        return []
    rows = waiting_points(user).select_related("institution", "physician").order_by("pk")[:LIMIT]
    return [
        Todo(f"审定记分：{points.name_of(row)} {row.points} 分", row.get_absolute_url(), row.severity_text, verb="审定") for row in rows
    ]


def _qualifications(user: Any) -> list[Todo]:
    if not _has(user, qualifications.DECIDE):
        return []
    rows = waiting_qualifications(user).select_related("physician__institution").order_by("pk")[:LIMIT]
    return [
        Todo(f"审定{row.get_kind_display()}：{row.physician}", row.physician.get_absolute_url(), f"{row.points} 分", verb="审定")
        for row in rows
    ]


def _months(user: Any) -> list[Todo]:
    if not _has(user, qualifications.NAME):
        return []
    rows = Qualification.objects.visible_to(user).filter(status="proposed", kind="suspended", months=None)
    return [
        Todo(f"确定暂停月数：{row.physician}", row.physician.get_absolute_url(), f"本年 {row.points} 分，暂停 1 至 6 个月", verb="确定")
        for row in rows.select_related("physician__institution").order_by("pk")[:LIMIT]
    ]


def _checks(user: Any) -> list[Todo]:
    if not _has(user, yearly_check.DECIDE):
        return []
    rows = waiting_checks(user).select_related("institution").order_by("pk")[:LIMIT]
    return [Todo(f"审定{row}", row.get_absolute_url(), f"年度得分 {row.final_score}", verb="审定") for row in rows]


def _ratios(user: Any) -> list[Todo]:
    if not has_any_role(user, yearly_check.ratio_roles()):
        return []
    rows = waiting_ratios(user).select_related("lead_of", "institution").order_by("pk")[:LIMIT]
    return [
        Todo(f"按考核结果录入预付比例：{row.lead_of} {row.year + 1} 年", row.get_absolute_url(), f"{row}", verb="录入") for row in rows
    ]


def _suspended(user: Any) -> list[Todo]:
    """Suspended agreements whose time is over: resume or terminate."""
    if not _has(user, agreements.SANCTION):
        return []
    today = timezone.localdate()
    over = AgreementChange.objects.visible_to(user).filter(
        kind="suspend", status="approved", until__lt=today, agreement__state=AgreementState.SUSPENDED
    )
    rows = over.exclude(agreement__changes__status="proposed").select_related("agreement__institution").order_by("agreement", "-pk")
    newest = {row.agreement_id: row for row in reversed(list(rows[:LIMIT]))}
    return [
        Todo(
            f"中止期满，提出恢复或解除：{row.agreement.institution}", row.agreement.get_absolute_url(), f"中止到 {row.until}",
            due=row.until,
        )
        for row in newest.values()
    ]  # fmt: skip
