"""What liaison and collection ask of a person: confirm a meeting, acknowledge data, a follow-up due, a headcount to confirm."""

from __future__ import annotations

from django.urls import reverse

from core.access import has_any_role
from core.models import Role, User
from core.registries import Todo
from monitoring.models.collection import CollectionFinding, EnrolmentTarget, FindingState, TargetState
from monitoring.models.liaison import (
    DataSupply,
    FollowUpState,
    LiaisonMeeting,
    MeetingFollowUp,
    MeetingState,
    Side,
    SupplyState,
)

LIMIT = 10


def liaison_todos(user: User) -> list[Todo]:
    """By side: the hospital confirms and acknowledges; each side sees its own follow-ups by their day."""
    sides = []
    if has_any_role(user, {Role.FUND_OFFICER}):
        sides.append(Side.BUREAU)
    if has_any_role(user, {Role.HOSPITAL_FINANCE}):
        sides.append(Side.HOSPITAL)
    if not sides:
        return []
    found = []
    meetings = LiaisonMeeting.objects.visible_to(user).with_places()
    if Side.HOSPITAL in sides:
        for meeting in meetings.filter(state=MeetingState.RECORDED)[:LIMIT]:
            found.append(Todo(f"确认会议：{meeting}", meeting.get_absolute_url(), "医保局登记，待确认", verb="确认"))
    if Side.BUREAU in sides:
        for meeting in meetings.filter(state=MeetingState.OBJECTED)[:LIMIT]:
            found.append(Todo(f"更正会议：{meeting}", meeting.get_absolute_url(), meeting.objection[:80], verb="更正"))
    follow_ups = MeetingFollowUp.objects.visible_to(user).filter(side__in=sides, state=FollowUpState.OPEN)
    for row in follow_ups.select_related("meeting__alliance")[:LIMIT]:
        url = row.meeting.get_absolute_url()
        found.append(Todo(f"会议待办：{row.text}", url, f"责任人 {row.person}", due=row.due_on))
    givers = [Side.HOSPITAL if side == Side.BUREAU else Side.BUREAU for side in sides]
    supplies = DataSupply.objects.visible_to(user).with_places().filter(state=SupplyState.SENT, giver__in=givers)
    for supply in supplies[:LIMIT]:
        found.append(Todo(f"签收数据：{supply.title}", supply.get_absolute_url(), f"{supply.alliance} {supply.period}", verb="签收"))
    return found


def collection_todos(user: User) -> list[Todo]:
    """The reviewer confirms headcounts and closes findings; the officer handles open ones."""
    found = []
    if has_any_role(user, {Role.FUND_REVIEWER}):
        targets = EnrolmentTarget.objects.visible_to(user).with_places().filter(state=TargetState.PROPOSED)
        found += [Todo(f"核定：{row}", row.get_absolute_url(), f"{row.expected:,} 人", verb="核定") for row in targets[:LIMIT]]
        handled = CollectionFinding.objects.visible_to(user).with_places().filter(state=FindingState.HANDLED)
        found += [_finding(row, "复核征缴问题", "复核") for row in handled[:LIMIT]]
    if has_any_role(user, {Role.FUND_OFFICER}):
        count = CollectionFinding.objects.visible_to(user).filter(state=FindingState.OPEN).count()
        if count:
            url = f"{reverse('monitoring:collection')}?state=open"
            found.append(Todo("征缴问题待处理", url, f"{count} 项", verb="处理"))
    return found


def _finding(row: CollectionFinding, title: str, verb: str) -> Todo:
    return Todo(f"{title}：{row}", row.get_absolute_url(), fund_type=row.fund_type, amount=row.amount, verb=verb)
