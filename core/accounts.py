"""Account life: opening, granting and ending posts, resetting passwords, disabling leavers.

Done by administrators of the place; incompatible posts at overlapping places are refused (R-068).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.access import INCOMPATIBLE, Denied, NotAllowed, covers, require
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, County, Institution, PoolingArea, Role, RoleGrant, User
from core.models.places import Place
from core.places import open_pooling_area
from core.trail import record

HOSPITAL_LEVEL = {Role.HOSPITAL_FINANCE: Alliance, Role.MEMBER_INSTITUTION: Institution}


def open_account(actor: User, place: Place, username: str, full_name: str, employer: str = "") -> tuple[User, str]:
    """Open an account; returns it with its first password, which must be changed at the first login."""
    require(actor, "core.manage_people", place)
    problems = _account_problems(username, full_name)
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        user, password = _create_account(username, full_name, employer)
        record(actor, "core.manage_people", user, f"开通账号 {user.username}（{user.full_name}）", place=place)
    return user, password


def open_city(
    code: str, name: str, administrators: Sequence[Sequence[str]]
) -> tuple[PoolingArea, list[tuple[User, str]]]:
    """The first pooling area with its administrators (user name, full name): done at the console, all or nothing."""
    problems = []
    if len(administrators) < 2:
        problems.append(
            Problem("administrator", "", "至少需要两名系统管理员。", "本人不能给自己授予岗位，须有第二名。")
        )
    if len({username.strip().lower() for username, _full_name in administrators}) < len(administrators):
        problems.append(Problem("username", "", "几名系统管理员的用户名相同。", "每人一个用户名。"))
    for username, full_name in administrators:
        problems.extend(_account_problems(username, full_name))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        area = open_pooling_area(code, name)
        opened = []
        for username, full_name in administrators:
            user, password = _create_account(username, full_name, "")
            RoleGrant.objects.create(
                user=user, role=Role.ADMINISTRATOR, pooling_area=area, valid_from=timezone.localdate()
            )
            opened.append((user, password))
        names = "、".join(str(user) for user, _password in opened)
        record(None, "core.manage_people", area, f"设立{area}系统管理员：{names}")
        return area, opened


def grant_role(
    actor: User, user: User, role: str, place: Place, valid_from: date, valid_to: date | None = None
) -> RoleGrant:
    """Give a post at a place for a period; refuses to oneself and posts that do not go together."""
    require(actor, "core.manage_people", place)
    if actor.pk == user.pk:
        raise NotAllowed(Denied("不能给自己授予岗位。请另一位系统管理员办理。"))
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        problems = grant_problems(user, role, place, valid_from, valid_to)
        if problems:
            raise Refused(problems)
        grant = RoleGrant(user=user, role=role, valid_from=valid_from, valid_to=valid_to, granted_by=actor)
        setattr(grant, place_field(place), place)
        grant.save(force_insert=True)
        record(
            actor, "core.manage_people", grant, f"授予{user}“{grant.get_role_display()}”岗位（{place}）", place=place
        )
        return grant


def end_grant(actor: User, grant: RoleGrant, last_day: date) -> RoleGrant:
    """End a post after ``last_day``; the row stays."""
    require(actor, "core.manage_people", grant.place)
    if last_day < grant.valid_from:
        problem = Problem("valid_to", str(last_day), f"结束日期早于开始日期 {grant.valid_from}。", "请改正日期。")
        raise Refused([problem])
    with transaction.atomic():
        grant = RoleGrant.objects.select_for_update(no_key=True).get(pk=grant.pk)
        if grant.valid_to is not None and last_day > grant.valid_to:
            raise Refused(
                [
                    Problem(
                        "valid_to",
                        str(last_day),
                        f"该岗位已定于 {grant.valid_to} 结束。",
                        "延长须另行授予，重新核对不相容岗位。",
                    )
                ]
            )
        grant.valid_to = last_day
        grant.save(update_fields=["valid_to"])
        record(actor, "core.manage_people", grant, f"{grant.user}的“{grant.get_role_display()}”岗位于 {last_day} 结束")
        return grant


def disable_account(actor: User, user: User, place: Place, reason: str) -> User:
    """Disable a leaver and end the posts, coming ones too; the account and its traces stay."""
    _require_over(actor, user, place)
    if actor.pk == user.pk:
        raise NotAllowed(Denied("不能停用自己的账号。请另一位系统管理员办理。"))
    if not reason.strip():
        raise Refused([Problem("reason", "", "没有填写停用原因。", "请填写，留痕备查。")])
    yesterday = timezone.localdate() - timedelta(days=1)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        user.is_active = False
        user.save(update_fields=["is_active"])
        user.grants.filter(_not_over()).update(valid_to=yesterday)
        record(actor, "core.manage_people", user, f"停用账号 {user.username}：{reason.strip()}", place=place)
        return user


def enable_account(actor: User, user: User, place: Place) -> tuple[User, str]:
    """Open a disabled account again, with a one-time password and without posts."""
    _require_over(actor, user, place)
    password = secrets.token_urlsafe(9)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user.is_active:
            raise Conflict(f"账号 {user.username} 没有停用。")
        user.is_active, user.must_change_password = True, True
        user.set_password(password)
        user.save(update_fields=["is_active", "must_change_password", "password"])
        record(actor, "core.manage_people", user, f"重新启用账号 {user.username}", place=place)
    return user, password


def rename_person(actor: User, user: User, place: Place, full_name: str, employer: str) -> User:
    """Correct a person's name or employer."""
    _require_over(actor, user, place)
    if not full_name.strip():
        raise Refused([Problem("full_name", "", "没有填写姓名。", "请填写。")])
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        before = {"full_name": user.full_name, "employer": user.employer}
        user.full_name, user.employer = full_name.strip(), employer.strip()
        user.save(update_fields=["full_name", "employer"])
        after = {"full_name": user.full_name, "employer": user.employer}
        record(
            actor, "core.manage_people", user, f"更改账号 {user.username} 的姓名或单位",
            {"before": before, "after": after}, place=place,
        )  # fmt: skip
        return user


def reset_password(actor: User, user: User, place: Place) -> str:
    """Set a one-time password and return it; the next login must change it."""
    _require_over(actor, user, place)
    password = secrets.token_urlsafe(9)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        user.set_password(password)
        user.must_change_password = True
        user.save(update_fields=["password", "must_change_password"])
        record(actor, "core.manage_people", user, f"重置账号 {user.username} 的密码", place=place)
    return password


def change_own_password(user: User, old: str, new: str, again: str) -> None:
    """The user's own change; clears the duty to change it."""
    problems = []
    if not user.check_password(old):
        problems.append(Problem("old_password", "", "原密码不对。", "请重新输入。"))
    if new != again:
        problems.append(Problem("new_password2", "", "两次输入的新密码不一致。", "请重新输入。"))
    if new == old:
        problems.append(Problem("new_password1", "", "新密码与原密码相同。", "请换一个密码。"))
    try:
        validate_password(new, user)
    except ValidationError as error:
        problems.extend(Problem("new_password1", "", text) for text in error.messages)
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        user.set_password(new)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        record(user, "core.change_password", user, f"{user}修改了自己的密码")


def grant_problems(user: User, role: str, place: Place, valid_from: date, valid_to: date | None) -> list[Problem]:
    """Everything that speaks against a grant."""
    problems = []
    if valid_to is not None and valid_to < valid_from:
        problems.append(Problem("valid_to", str(valid_to), "结束日期早于开始日期。", "请改正日期。"))
    level: type | None = HOSPITAL_LEVEL.get(Role(role))
    if level is not None and not isinstance(place, level):
        wanted = "医共体" if level is Alliance else "机构"
        problems.append(
            Problem("place", str(place), f"“{Role(role).label}”须授予在{wanted}上。", f"请选择一个{wanted}。")
        )
    if level is None and role != Role.OBSERVER and not isinstance(place, PoolingArea | County):
        problems.append(
            Problem(
                "place", str(place), f"“{Role(role).label}”须授予在统筹区或县（区）上。", "请选择统筹区或县（区）。"
            )
        )
    during = Q(valid_to=None) | Q(valid_to__gte=valid_from)
    if valid_to is not None:
        during &= Q(valid_from__lte=valid_to)
    for held in user.grants.filter(during):
        pair = {role, held.role}
        for one, other in INCOMPATIBLE:
            if pair == {one, other} and (covers(held, place) or _overlaps(held, place)):
                problems.append(
                    Problem(
                        "role",
                        Role(role).label,
                        f"与已有的“{held.get_role_display()}”岗位（{held.place}）不相容。",
                        "不相容岗位须由不同的人担任，请先结束原岗位。",
                    )
                )
    return problems


def _account_problems(username: str, full_name: str) -> list[Problem]:
    problems = []
    if User.objects.filter(username__iexact=username.strip()).exists():
        problems.append(Problem("username", username, "用户名已被使用。", "请换一个用户名。"))
    if not username.strip():
        problems.append(Problem("username", "", "没有填写用户名。", "请填写。"))
    if not full_name.strip():
        problems.append(Problem("full_name", "", "没有填写姓名。", "请填写。"))
    return problems


def _create_account(username: str, full_name: str, employer: str) -> tuple[User, str]:
    password = secrets.token_urlsafe(9)
    user = User.objects.create_user(
        username=username.strip(), password=password, full_name=full_name.strip(), employer=employer.strip()
    )
    return user, password


def _require_over(actor: User, user: User, place: Place) -> None:
    """The administrator of ``place`` and of every place where the person has or will have a post."""
    require(actor, "core.manage_people", place)
    for grant in user.grants.filter(_not_over()):
        require(actor, "core.manage_people", grant.place)


def _not_over() -> Q:
    """Grants that hold today or later."""
    return Q(valid_to=None) | Q(valid_to__gte=timezone.localdate())


def place_field(place: Place) -> str:
    """The grant column of a place's level."""
    names = {PoolingArea: "pooling_area", County: "county", Alliance: "alliance", Institution: "institution"}
    return names[type(place)]


def _overlaps(held: RoleGrant, place: Place) -> bool:
    probe = RoleGrant(user=held.user, role=held.role)
    setattr(probe, place_field(place), place)
    return covers(probe, held.place)


def note_login(user: User) -> None:
    """Remember the login before this one, for "what changed since I was here"."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(previous_login_at=user.last_login)
        grants = user.grants_on(timezone.localdate())
        record(user, "core.login", user, f"{user}登录", place=grants[0].place if grants else None)
