"""Keeping the map of places: counties, alliances, institutions, dated membership, and who answers for whom (A15).

Done by the administrators of the county or the pooling area above it. Nothing is deleted: a place, a membership or a
rule ends on a day. Each save takes an object carrying the values to keep, checks it against what is held, and notes old
and new in the trail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from core.access import Denied, NotAllowed, may, require
from core.errors import Problem, Refused
from core.models import (
    AgreedShare,
    Alliance,
    County,
    Institution,
    Membership,
    PoolingArea,
    Role,
    TownshipRule,
    User,
    WorkdayOverride,
)
from core.models.places import Place
from core.trail import record

ACTION = "core.manage_places"
M = TypeVar("M", bound=models.Model)


def open_pooling_area(code: str, name: str, is_demo: bool = False) -> PoolingArea:
    """A new pooling area, opened at the console before anybody has a post in it."""
    problems = _code_problems(code, r"\d{6}", "区划代码", "六位数字")
    problems += [] if name.strip() else [Problem("name", "", "没有填写名称。", "请填写。")]
    if PoolingArea.objects.filter(code=code).exists():
        problems.append(Problem("code", code, "区划代码已被使用。", "请核对代码。"))
    _refuse(problems)
    with transaction.atomic():
        area = PoolingArea.objects.create(code=code, name=name.strip(), is_demo=is_demo)
        record(None, ACTION, area, f"建立统筹区 {area.code} {area.name}")
        return area


def save_pooling_area(actor: User, area: PoolingArea) -> PoolingArea:
    """A pooling area keeps its code; only its name may change."""
    require(actor, ACTION, area)
    _refuse([] if area.name.strip() else [Problem("name", "", "没有填写名称。", "请填写。")])
    return _save(actor, area, area, ["name"])


def save_county(actor: User, county: County) -> County:
    """A county of a pooling area; it ends only when no alliance in it goes on."""
    require(actor, ACTION, county.pooling_area)
    with transaction.atomic():
        held = _held(county)
        problems = _code_problems(county.code, r"\d{6}", "区划代码", "六位数字")
        problems += _unique_problems(county, "code", "区划代码") + _period_problems(county)
        if held is not None and held.pooling_area_id != county.pooling_area_id:
            problems.append(
                Problem("pooling_area", str(county.pooling_area), "县（区）不能改到另一统筹区。", "请新建。")
            )
        if county.successor is not None:
            if county.successor_id == county.pk or county.successor.pooling_area_id != county.pooling_area_id:
                problems.append(
                    Problem(
                        "successor",
                        str(county.successor),
                        "并入的县（区）须是本统筹区的另一个县（区）。",
                        "请重新选择。",
                    )
                )
            if county.valid_to is None:
                problems.append(Problem("valid_to", "", "并入其他县（区）的须填停用日期。", "请填写。"))
        if county.pk and county.valid_to:
            going_on = county.alliances.filter(Q(valid_to=None) | Q(valid_to__gt=county.valid_to))
            problems += _going_on("valid_to", county.valid_to, going_on, "医共体")
        _refuse(problems)
        return _save(actor, county, county, ["code", "name", "valid_from", "valid_to", "successor_id"])


def save_alliance(actor: User, alliance: Alliance) -> Alliance:
    """An alliance of a county; it ends only after its memberships."""
    require(actor, ACTION, alliance.county)
    with transaction.atomic():
        held = _held(alliance)
        problems = _code_problems(alliance.code, r"[A-Z0-9][A-Z0-9-]{0,19}", "编号", "大写字母、数字和短横")
        problems += _unique_problems(alliance, "code", "编号") + _period_problems(alliance)
        problems += _within("valid_from", alliance, alliance.county, "县（区）")
        if held is not None and held.county_id != alliance.county_id:
            problems.append(Problem("county", str(alliance.county), "医共体不能改到另一县（区）。", "请新建。"))
        if alliance.pk and alliance.valid_to:
            going_on = alliance.memberships.filter(Q(valid_to=None) | Q(valid_to__gt=alliance.valid_to))
            problems += _going_on("valid_to", alliance.valid_to, going_on, "成员单位")
        _refuse(problems)
        return _save(actor, alliance, alliance, ["code", "name", "valid_from", "valid_to"])


def save_institution(actor: User, institution: Institution) -> Institution:
    """A designated institution of a county of the pooling area."""
    require(actor, ACTION, institution.county)
    with transaction.atomic():
        held = _held(institution)
        problems = _code_problems(institution.code, r"[A-Z]\d{11}", "国家编码", "一位大写字母加十一位数字")
        problems += _unique_problems(institution, "code", "国家编码")
        if not institution.name.strip():
            problems.append(Problem("name", "", "没有填写名称。", "请填写。"))
        if held is not None and held.county.pooling_area_id != institution.county.pooling_area_id:
            problems.append(Problem("county", str(institution.county), "机构不能改到另一统筹区。", "请新建。"))
        if held is not None and held.county_id != institution.county_id and held.memberships.exists():
            problems.append(
                Problem(
                    "county", str(institution.county), "已参加过医共体的机构不能改县（区）。", "请核对，或新建机构。"
                )
            )
        _refuse(problems)
        fields = ["county_id", "code", "name", "kind", "grade", "ownership"]
        return _save(actor, institution, institution, fields)


def save_membership(actor: User, membership: Membership) -> Membership:
    """An institution's time in an alliance: one alliance a day, one lead hospital an alliance a day, same county."""
    alliance, institution = membership.alliance, membership.institution
    require(actor, ACTION, alliance.county)
    with transaction.atomic():
        Alliance.objects.select_for_update(no_key=True).get(pk=alliance.pk)
        Institution.objects.select_for_update(no_key=True).get(pk=institution.pk)
        held = _held(membership)
        problems = _period_problems(membership) + _within("valid_from", membership, alliance, "医共体")
        if institution.county_id != alliance.county_id:
            problems.append(
                Problem(
                    "institution",
                    str(institution),
                    f"机构在{institution.county}，医共体在{alliance.county}。",
                    "请选本县机构。",
                )
            )
        if held is not None and (held.alliance_id, held.institution_id) != (alliance.pk, institution.pk):
            problems.append(
                Problem("institution", str(institution), "不能改换机构或医共体。", "请结束本条，另建一条。")
            )
        others = _overlapping(Membership.objects.exclude(pk=membership.pk), membership)
        for other in others.filter(institution=institution).select_related("alliance"):
            problems.append(
                Problem(
                    "valid_from",
                    _period(membership),
                    f"同一时间已在{other.alliance}（{_period(other)}）。",
                    "先填原成员关系的退出日期。",
                )
            )
        if membership.is_lead:
            for other in others.filter(alliance=alliance, is_lead=True).select_related("institution"):
                problems.append(
                    Problem(
                        "is_lead",
                        str(institution),
                        f"同一时间牵头医院已是{other.institution}（{_period(other)}）。",
                        "一个医共体同时只有一家牵头医院。",
                    )
                )
        _refuse(problems)
        return _save(
            actor, membership, alliance, ["alliance_id", "institution_id", "is_lead", "valid_from", "valid_to"]
        )


def save_township_rule(actor: User, rule: TownshipRule) -> TownshipRule:
    """Who is enrolled in this township belongs to this alliance; a township belongs to one alliance a day."""
    require(actor, ACTION, rule.alliance.county)
    with transaction.atomic():
        County.objects.select_for_update(no_key=True).get(pk=rule.alliance.county_id)
        held = _held(rule)
        problems = _code_problems(rule.township_code, r"\d{9}|\d{12}", "乡镇代码", "九位或十二位数字", "township_code")
        problems += _period_problems(rule)
        if held is not None and held.township_code != rule.township_code:
            problems.append(Problem("township_code", rule.township_code, "不能改换乡镇。", "请结束本条，另建一条。"))
        others = _overlapping(TownshipRule.objects.exclude(pk=rule.pk), rule)
        for other in others.filter(township_code=rule.township_code).select_related("alliance"):
            problems.append(
                Problem(
                    "valid_from",
                    _period(rule),
                    f"该乡镇同一时间已归{other.alliance}（{_period(other)}）。",
                    "先填原规则的停用日期。",
                )
            )
        _refuse(problems)
        fields = ["alliance_id", "township_code", "township_name", "valid_from", "valid_to"]
        return _save(actor, rule, rule.alliance, fields)


def set_agreed_shares(actor: User, county: County, year: int, shares: Mapping[Alliance, Decimal]) -> list[AgreedShare]:
    """What each alliance of a county answers for of the otherwise unassigned insured in a year; together exactly 1."""
    require(actor, ACTION, county)
    with transaction.atomic():
        County.objects.select_for_update(no_key=True).get(pk=county.pk)
        alliances = list(alliances_of(county, year))
        problems = [
            Problem(f"share_{alliance.pk}", "", f"没有填写{alliance}的份额。", "不承担的请不要列入本年度。")
            for alliance in alliances
            if alliance not in shares
        ]
        problems += [
            Problem(f"share_{alliance.pk}", str(alliance), f"{alliance}在 {year} 年不属于{county}。", "请核对。")
            for alliance in shares
            if alliance not in alliances
        ]
        problems += [
            Problem(
                f"share_{alliance.pk}", str(share), f"{alliance}的份额须大于 0、不超过 1，最多六位小数。", "请填小数。"
            )
            for alliance, share in shares.items()
            if not (0 < share <= 1) or share * 10**6 % 1
        ]
        total = sum(shares.values(), Decimal(0))
        if not problems and total != 1:
            problems.append(Problem("", str(total), f"各医共体份额合计为 {total}，须等于 1。", "请调整。"))
        _refuse(problems)
        before = {str(row.alliance): row.share for row in _shares_of(county, year)}
        for alliance, share in shares.items():
            AgreedShare.objects.update_or_create(alliance=alliance, year=year, defaults={"share": share})
        after = {str(alliance): share for alliance, share in shares.items()}
        text = "、".join(f"{name} {share}" for name, share in after.items())
        record(actor, ACTION, county, f"约定{county} {year} 年份额：{text}", {"before": before, "after": after})
        return list(_shares_of(county, year))


def alliances_of(county: County, year: int) -> models.QuerySet[Alliance]:
    """The alliances of a county that exist on some day of a year."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    return county.alliances.filter(Q(valid_to=None) | Q(valid_to__gte=first), valid_from__lte=last)


def save_workday(actor: User, override: WorkdayOverride) -> WorkdayOverride:
    """A shifted working day of the State Council's notice; counts for every pooling area of the installation."""
    area = administered_area(actor)
    problems = [] if override.note.strip() else [Problem("note", "", "没有填写依据。", "请填写通知的文号。")]
    problems += _unique_problems(override, "day", "日期")
    _refuse(problems)
    with transaction.atomic():
        return _save(actor, override, area, ["day", "is_working", "note"])


def administered_area(actor: User) -> PoolingArea:
    """The pooling area whose administrator the actor is; raises ``NotAllowed`` for everybody else."""
    for grant in actor.grants_on(timezone.localdate()):
        if (
            grant.role == Role.ADMINISTRATOR
            and grant.pooling_area is not None
            and may(actor, ACTION, grant.pooling_area)
        ):
            return grant.pooling_area
    raise NotAllowed(Denied("调休安排对全系统生效，须由统筹区的系统管理员录入。"))


def _shares_of(county: County, year: int) -> models.QuerySet[AgreedShare]:
    return (
        AgreedShare.objects.filter(alliance__county=county, year=year).select_related("alliance").order_by("alliance")
    )


def _held(given: Any) -> Any:
    """The row as the database holds it, locked; None for a new one."""
    if given.pk is None:
        return None
    return type(given)._default_manager.select_for_update(no_key=True).get(pk=given.pk)


def _save(actor: User, given: M, place: Place, fields: list[str]) -> M:
    """Write, and note what changed; nothing is written or noted when nothing changed."""
    with transaction.atomic():
        held = _held(given)
        after = {name: getattr(given, name) for name in fields}
        before = {name: getattr(held, name) for name in fields} if held is not None else {}
        changed = {name: value for name, value in after.items() if held is None or before[name] != value}
        if not changed:
            return given
        given.save(update_fields=None if held is None else list(changed))
        kind = given._meta.verbose_name
        verb = "新增" if held is None else "更改"
        data = {"before": {name: before.get(name) for name in changed}, "after": changed}
        record(actor, ACTION, given, f"{verb}{kind}：{given}", data, place=place)
        return given


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Refused(problems)


def _code_problems(code: str, pattern: str, label: str, shape: str, field: str = "code") -> list[Problem]:
    if re.fullmatch(pattern, code):
        return []
    return [Problem(field, code, f"{label}“{code}”不合规则。", f"须为{shape}。")]


def _unique_problems(given: Any, field: str, label: str) -> list[Problem]:
    value = getattr(given, field)
    taken = type(given)._default_manager.exclude(pk=given.pk).filter(**{field: value}).first()
    return [Problem(field, str(value), f"{label} {value} 已用于“{taken}”。", "请核对。")] if taken else []


def _period_problems(given: Any) -> list[Problem]:
    if given.valid_to is not None and given.valid_to < given.valid_from:
        return [Problem("valid_to", str(given.valid_to), "结束日期早于开始日期。", "请改正日期。")]
    return []


def _within(field: str, given: Any, outer: Any, kind: str) -> list[Problem]:
    """A period inside the period of the place above."""
    late = outer.valid_to is not None and (given.valid_to is None or given.valid_to > outer.valid_to)
    if given.valid_from >= outer.valid_from and not late:
        return []
    return [Problem(field, _period(given), f"超出{kind}“{outer}”的存续期（{_period(outer)}）。", "请改正日期。")]


def _going_on(field: str, last_day: date, going_on: models.QuerySet[Any], kind: str) -> list[Problem]:
    names = [str(found) for found in going_on[:3]]
    if not names:
        return []
    text = f"{last_day} 以后还有{kind}：{'、'.join(names)}{' 等' if going_on.count() > 3 else ''}。"
    return [Problem(field, str(last_day), text, f"请先结束这些{kind}。")]


def _overlapping(rows: models.QuerySet[Any], given: Any) -> models.QuerySet[Any]:
    """Rows whose period shares a day with that of ``given``."""
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gte=given.valid_from))
    return rows if given.valid_to is None else rows.filter(valid_from__lte=given.valid_to)


def _period(given: Any) -> str:
    return f"{given.valid_from} 至 {given.valid_to or '今'}"
