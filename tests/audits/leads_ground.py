"""Leads and plans made through their services, at every step of their life. The clock stands where ground.NOW says."""

from __future__ import annotations

from datetime import date
from typing import Any

from audits.models import AuditPlan, Lead, PlanTarget
from audits.services import lead_decisions, leads, plans
from tests.audits import ground
from tests.world import World

TODAY = ground.TODAY
REASON = "初步核查，费用清单和病历不一致"
SECRET = "举报人张三，住石桥镇"


def lead(world: World, **given: Any) -> Lead:
    """A lead about the township centre, entered by the auditor."""
    at = given.pop("institution", world.township)
    wanted = {
        "source": "department", "county": at.county if at else world.qingxi, "institution": at, "title": "重复收费",
        "detail": "同日同项目计费两次", **given,
    }  # fmt: skip
    return leads.enter_lead(wanted.pop("actor", world.auditor), **wanted)


def assigned(world: World, **given: Any) -> Lead:
    people = ground.crew(world)
    return leads.assign(people.reviewer, lead(world, **given), people.officer)


def proposed(world: World, filing: bool = True, **given: Any) -> Lead:
    held = assigned(world, **given)
    return leads.propose(world.auditor, held, filing=filing, reason=REASON)


def frame(world: World, **changed: Any) -> dict[str, Any]:
    """A sound filing decision."""
    people = ground.crew(world)
    return {
        "kind": "special", "way": "on_site", "title": "重复收费", "claims_from": date(2026, 1, 1), "claims_to": date(2026, 8, 31),
        "officers": [(people.officer, "赣01", True), (people.partner, "赣02", False)], **changed,
    }  # fmt: skip


def filed(world: World, **given: Any) -> Lead:
    held = proposed(world, **given)
    return lead_decisions.file(ground.crew(world).reviewer, held, **frame(world))


def plan_values(**changed: Any) -> dict[str, Any]:
    return {
        "year": 2026, "kind": "routine", "way": "on_site", "title": "2026 年下半年日常稽核", "basis": "年度稽核工作安排",
        "focus": "收费和支付范围", "starts_on": date(2026, 7, 1), "ends_on": date(2026, 12, 31), **changed,
    }  # fmt: skip


def draft(world: World, place: Any = None, **changed: Any) -> AuditPlan:
    return plans.prepare(world.auditor, place or world.qingxi, plan_values(**changed))


def targeted(world: World, *institutions: Any, **changed: Any) -> AuditPlan:
    """A draft with the township centre and the private hospital on it."""
    held = draft(world, **changed)
    plans.add_targets(world.auditor, held, [(one, ()) for one in institutions or (world.township, world.outsider)])
    return held


def submitted(world: World, *institutions: Any, **changed: Any) -> AuditPlan:
    return plans.submit(world.auditor, targeted(world, *institutions, **changed))


def approved(world: World, *institutions: Any, **changed: Any) -> AuditPlan:
    return plans.approve(world.audit_reviewer, submitted(world, *institutions, **changed))


def target_of(plan: AuditPlan, institution: Any) -> PlanTarget:
    return PlanTarget.objects.select_related("plan", "institution").get(plan=plan, institution=institution)
