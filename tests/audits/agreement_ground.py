"""Agreements, people and points brought into being by the services; the clock stands on 2026-09-01 where a test moves it."""

from __future__ import annotations

from datetime import date
from typing import Any

from audits.models import Agreement, Physician, PointEntry
from audits.reading.agreement_terms import terms_for
from audits.reading.agreements import led_alliance
from audits.services import agreements, physicians, points
from core.models import Role, User
from tests.audits.ground import NOW, TODAY, person
from tests.world import World

REASON = "核对材料后认为需要如此办理"
CODE = "D990101000001"
__all__ = ["CODE", "NOW", "REASON", "TODAY", "agreement", "application", "doctor", "given", "proposal", "second_reviewer"]


def second_reviewer(world: World) -> User:
    return person("audit_second", "赵启明", Role.AUDIT_REVIEWER, world.area)


def application(institution: Any, **changed: Any) -> dict[str, Any]:
    """What an application is made of, with every term and indicator as shipped."""
    asked = terms_for(institution, TODAY, led_alliance(institution, TODAY) is not None)
    return {
        "year": 2026, "valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31), "listed_disease": False,
        "terms": {one.key: one.text for one in asked.terms}, "indicators": {one.key: str(one.target) for one in asked.indicators},
        "limits": "", "reason": "", **changed,
    }  # fmt: skip


def agreement(world: World, institution: Any = None, **changed: Any) -> Agreement:
    """One in force."""
    at = institution or world.township
    made = agreements.enter(world.officer, at, application(at, **changed))
    agreements.decide_change(world.reviewer, made.changes.get(kind="sign"), True)
    made.refresh_from_db()
    return made


def doctor(world: World, institution: Any = None, code: str = CODE, name: str = "李想", since: date = date(2026, 1, 1)) -> Physician:
    wanted = {"code": code, "name": name, "kind": "doctor", "department": "内科", "valid_from": since}
    return physicians.enter(world.officer, institution or world.township, wanted)


def proposal(world: World, count: int, on: date, physician: Physician | None = None, severity: str = "", **changed: Any) -> PointEntry:
    bands = {1: "light", 4: "medium", 7: "serious", 10: "grave"}
    fitting = bands[max(key for key in bands if key <= count)] if physician is not None else "分解住院"
    institution = changed.pop("institution", physician.institution if physician is not None else world.township)
    values = {
        "physician": physician, "on": on, "points": count, "severity": severity or fitting, "clause": "服务协议第三十条",
        "reason": f"{on} 抽查发现", **changed,
    }  # fmt: skip
    return points.propose(world.auditor, institution, **values)


def given(world: World, count: int, on: date, physician: Physician | None = None, **changed: Any) -> PointEntry:
    """Points in force."""
    return points.decide_points(world.audit_reviewer, proposal(world, count, on, physician, **changed), True)


