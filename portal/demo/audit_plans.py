"""Audit plans of the demonstration: two years of them, in every state, with results of every kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from django.utils import timezone

from audits.reading import held
from audits.services import plans
from core.models import PoolingArea, User
from portal.demo.audit_course import institution
from portal.demo.audit_stories import (
    HP1,
    HP_PRIVATE,
    QX1,
    QX_BAMBOO,
    QX_BONE,
    QX_CAMP,
    QX_PRIVATE,
    QX_STONE,
    QX_WILLOW,
    YL1,
    YL_EYE,
    YL_SECOND,
    YL_TONGJI,
    Suspicion,
)
from portal.demo.people import AUDIT_REVIEWER, AUDITOR, COUNTY_AUDITORS, SECOND_AUDITOR, user
from portal.demo.places import AREA_CODE, county_of

ROUTINE, SPECIAL, TIP = "routine", "special", "tip"
LAST_YEAR = "2025 年度定点医疗机构日常稽核"
QINGXI = "2026 年度青溪县日常稽核"
PRIVATE = "2026 年社会办医疗机构专项稽核"
YUNLING, HEPING, NEXT = "2026 年四季度云岭县书面稽核", "2026 年鹤坪县住院费用专项稽核", "2026 年举报线索集中核查"
Deed = tuple[date, str, Callable[[], object]]
BASIS = "《医疗保障基金使用监督管理条例》、年度稽核工作安排"
FOCUS = "分解住院、重复收费、串换项目、超标准收费；核对病历、医嘱与费用清单。"


def deeds() -> list[Deed]:
    """(day, what, act), each of which does nothing where it was done."""
    city, second, qx = user(AUDITOR), user(SECOND_AUDITOR), user(COUNTY_AUDITORS["990101"])
    yl, hp = user(COUNTY_AUDITORS["990102"]), user(COUNTY_AUDITORS["990103"])
    last = (YL1, QX1, HP1, QX_WILLOW)
    found: list[Deed] = [
        (date(2025, 1, 13), LAST_YEAR, partial(_prepare, city, "", LAST_YEAR, ROUTINE, 2025, last)),
        (date(2025, 1, 20), LAST_YEAR, partial(_approve, LAST_YEAR)),
        (date(2026, 1, 12), QINGXI, partial(_prepare, qx, "990101", QINGXI, ROUTINE, 2026, (QX_STONE, QX_BAMBOO, QX_CAMP, QX1))),
        (date(2026, 1, 19), QINGXI, partial(_approve, QINGXI)),
        (date(2026, 3, 11), QINGXI, partial(_result, qx, QINGXI, QX_BAMBOO, "checked", "抽查 30 份病历，未发现问题。")),
        (date(2026, 3, 19), QINGXI, partial(_result, qx, QINGXI, QX_CAMP, "skipped", "该院整体搬迁，停诊至四月底，改列下次计划。")),
        (date(2026, 7, 6), PRIVATE,
         partial(_prepare, city, "", PRIVATE, SPECIAL, 2026, (QX_PRIVATE, QX_BONE, YL_TONGJI, YL_EYE, HP_PRIVATE))),
        (date(2026, 7, 13), PRIVATE, partial(_approve, PRIVATE)),
        (date(2026, 8, 3), PRIVATE, partial(_file, city, PRIVATE, YL_EYE, "LC-SQJC-2026-0117")),
        (date(2026, 8, 12), PRIVATE, partial(_result, city, PRIVATE, YL_EYE, "checked", "耗材登记与收费一致，未发现问题。")),
        (date(2026, 8, 14), PRIVATE, partial(_file, city, PRIVATE, QX_BONE, "LC-SQJC-2026-0126")),
        (date(2026, 10, 12), YUNLING, partial(_prepare, yl, "990102", YUNLING, ROUTINE, 2026, (YL_SECOND, YL1))),
        (date(2026, 10, 26), NEXT, partial(_prepare, second, "", NEXT, TIP, 2026, (HP1, QX1), False)),
        (date(2026, 9, 1), HEPING, partial(_prepare, hp, "990103", HEPING, SPECIAL, 2026, (HP1,))),
        (date(2026, 9, 8), HEPING, partial(_cancel, HEPING)),
    ]  # fmt: skip
    for number, code in enumerate(last):
        day = date(2025, 3, 11) + timedelta(days=42 * number)
        found.append((day, LAST_YEAR, partial(_result, city, LAST_YEAR, code, "checked", "现场检查未发现新的问题。")))
    found.append((date(2025, 12, 15), LAST_YEAR, partial(_complete, city, LAST_YEAR)))
    return found


def check_with_lead(auditor: User, story: Suspicion) -> None:
    """The routine check that found something: its result is the lead."""
    plans.record_result(
        auditor, held.target(_plan(QINGXI), story.code), result="lead", checked_on=timezone.localdate(), note="发现疑点，转为线索。",
        title=story.title, detail=story.detail, estimate=story.estimate,
    )  # fmt: skip


def _prepare(
    actor: User, county: str, title: str, kind: str, year: int, codes: tuple[str, ...], submitted: bool = True
) -> None:
    area = PoolingArea.objects.get(code=AREA_CODE)
    plan, today = held.plan(area, title), timezone.localdate()
    if plan is None:
        wanted = {
            "year": year, "kind": kind, "way": "document" if title == YUNLING else "on_site", "title": title, "basis": BASIS,
            "focus": FOCUS, "starts_on": today, "ends_on": date(year, 12, 31),
        }  # fmt: skip
        plan = plans.prepare(actor, county_of(county) if county else area, wanted)
    if not plan.targets.exists():
        plans.add_targets(actor, plan, [(institution(code), ()) for code in codes])
    if submitted and plan.state == "draft":
        plans.submit(actor, plan)


def _approve(title: str) -> None:
    if _plan(title).state == "submitted":
        plans.approve(user(AUDIT_REVIEWER), _plan(title), "同意，依法文明检查。")


def _cancel(title: str) -> None:
    if _plan(title).state == "submitted":
        plans.cancel(user(AUDIT_REVIEWER), _plan(title), "与省级飞行检查对象重复，取消。")


def _complete(actor: User, title: str) -> None:
    if _plan(title).state == "approved":
        plans.complete(actor, _plan(title))


def _file(actor: User, title: str, code: str, number: str) -> None:
    target = held.target(_plan(title), code)
    if not target.filing_number:
        plans.file_enterprise_check(actor, target, number, timezone.localdate())


def _result(actor: User, title: str, code: str, result: str, note: str) -> None:
    target = held.target(_plan(title), code)
    if target.state == "waiting":
        day = None if result == "skipped" else timezone.localdate()
        plans.record_result(actor, target, result=result, checked_on=day, note=note)


def _plan(title: str) -> held.AuditPlan:
    found = held.plan(PoolingArea.objects.get(code=AREA_CODE), title)
    assert found is not None, title
    return found
