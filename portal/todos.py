"""To-dos no single app owns: parameters to enter and to confirm, policies to approve, accounts, one's own failed work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core import policies
from core.access import may
from core.models import ConfirmationStatus, Job, Parameter, PolicyParameter, PolicyVersion, Role, RoleGrant, User
from core.models.jobs import JobState
from core.models.places import valid_on
from core.registries import Todo

ENDING = timedelta(days=30)
RECENT = timedelta(days=14)


def todos(user: User) -> list[Todo]:
    """By post: administrators enter and look after accounts, reviewers approve and confirm; everybody mends her own work."""
    areas = [grant for grant in user.grants_on(timezone.localdate()) if grant.pooling_area is not None]
    found: list[Todo] = []
    if any(grant.role == Role.FUND_REVIEWER for grant in areas):
        found += _to_approve(user)
    if any(grant.role == Role.ADMINISTRATOR for grant in areas):
        found += _to_enter(user) + _accounts(user)
    return found + _failed_work(user)


def _to_approve(user: User) -> list[Todo]:
    """Policy versions and values that another person entered."""
    mine = PolicyVersion.objects.visible_to(user)
    waiting = mine.filter(approved_at=None).exclude(entered_by=user).select_related("pooling_area")
    found = [
        Todo(f"审定政策版本：{version.title}", reverse("core:policies"), str(version.pooling_area), verb="审定")
        for version in waiting
    ]
    values = PolicyParameter.objects.filter(policy_version__in=mine, confirmed_at=None).exclude(entered_by=user)
    singles = Parameter.objects.filter(
        pooling_area__in=[
            grant.pooling_area_id for grant in user.grants_on(timezone.localdate()) if grant.pooling_area_id
        ],
        status=ConfirmationStatus.UNCONFIRMED,
    ).exclude(entered_by=user)
    for row in (*values, *singles):
        found.append(Todo(f"核实参数：{row}", reverse("core:parameters"), "录入人已附正式文件", verb="核实"))
    return found


def _to_enter(user: User) -> list[Todo]:
    """Schemes in force with values whose official text nobody has entered yet."""
    found = []
    versions = PolicyVersion.objects.visible_to(user).approved_on(timezone.localdate()).select_related("pooling_area")
    for version in versions:
        if not may(user, "core.enter_policy", version.pooling_area):
            continue
        entered = set(version.entered_parameters.filter(confirmed_at=None).values_list("key", flat=True))
        missing = [parameter for parameter in policies.unconfirmed(version) if parameter.key not in entered]
        if missing:
            title = f"待核实参数：{version.pooling_area}还有 {len(missing)} 项没有正式文件"
            found.append(Todo(title, reverse("core:parameters"), version.title, verb="补充"))
    return found


def _accounts(user: User) -> list[Todo]:
    """Accounts of the administrator's area that nobody can use as they are, and posts about to end."""
    today = timezone.localdate()
    url = reverse("admin:index")
    found = []
    idle = User.objects.filter(is_active=True, is_superuser=False).exclude(
        pk__in=RoleGrant.objects.filter(valid_on(today)).values("user_id")
    )
    count = idle.count()
    if count:
        names = "、".join(map(str, idle[:5])) + ("等" if count > 5 else "")
        found.append(Todo(f"账号没有岗位：{count} 个", url, f"{names}；授予岗位或停用", verb="处理"))
    areas = [grant.pooling_area_id for grant in user.grants_on(today) if grant.role == Role.ADMINISTRATOR]
    inside = (
        Q(pooling_area__in=areas)
        | Q(county__pooling_area__in=areas)
        | Q(alliance__county__pooling_area__in=areas)
        | Q(institution__county__pooling_area__in=areas)
    )
    ending = RoleGrant.objects.filter(inside, valid_on(today), valid_to__lte=today + ENDING, user__is_active=True)
    places = ("user", "pooling_area", "county", "alliance", "institution")
    for grant in ending.select_related(*places).order_by("valid_to")[:10]:
        found.append(Todo(f"岗位将到期：{grant.user}", url, str(grant), due=grant.valid_to, verb="续期"))
    return found


def _failed_work(user: User) -> list[Todo]:
    """Work the person started that did not finish and was not repeated with success."""
    since = timezone.now() - RECENT
    mine: Any = Job.objects.filter(actor=user, created_at__gt=since).order_by("pk")
    last = {(job.name, job.scope, job.period): job for job in mine}
    return [
        Todo(f"任务未完成：{job}", reverse("core:job", args=[job.pk]), job.outcome[:120], verb="查看")
        for job in last.values()
        if job.state == JobState.FAILED
    ]
