"""The life of an audit plan as data: who may do what in which state (R-110). Nothing here reads the database."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices

from audits.models.plans import PlanState
from audits.states import AUDITOR, REVIEWER


class PlanAct(TextChoices):
    PREPARE = "plan_prepare", "编制稽核计划"
    EDIT = "plan_edit", "修改稽核计划"
    TARGETS = "plan_targets", "增减检查对象"
    SUBMIT = "plan_submit", "报批稽核计划"
    APPROVE = "plan_approve", "批准稽核计划"
    RETURN = "plan_return", "退回稽核计划"
    ENTERPRISE = "plan_filing", "登记涉企检查备案"
    RESULT = "plan_result", "登记检查结果"
    COMPLETE = "plan_complete", "完成稽核计划"
    CANCEL = "plan_cancel", "取消稽核计划"


@dataclass(frozen=True)
class PlanRow:
    """``act`` in ``source`` leads to ``target`` for ``roles``."""

    source: str
    act: str
    target: str
    roles: frozenset[str]
    needs_reason: bool = False


S, A = PlanState, PlanAct
PLAN_ROWS: tuple[PlanRow, ...] = (
    PlanRow("", A.PREPARE, S.DRAFT, AUDITOR),
    PlanRow(S.DRAFT, A.EDIT, S.DRAFT, AUDITOR),
    PlanRow(S.DRAFT, A.TARGETS, S.DRAFT, AUDITOR),
    PlanRow(S.DRAFT, A.SUBMIT, S.SUBMITTED, AUDITOR),
    PlanRow(S.SUBMITTED, A.APPROVE, S.APPROVED, REVIEWER),
    PlanRow(S.SUBMITTED, A.RETURN, S.DRAFT, REVIEWER, True),
    PlanRow(S.APPROVED, A.ENTERPRISE, S.APPROVED, AUDITOR),
    PlanRow(S.APPROVED, A.RESULT, S.APPROVED, AUDITOR),
    PlanRow(S.APPROVED, A.COMPLETE, S.DONE, AUDITOR),
    PlanRow(S.DRAFT, A.CANCEL, S.CANCELLED, AUDITOR, True),
    PlanRow(S.SUBMITTED, A.CANCEL, S.CANCELLED, REVIEWER, True),
    PlanRow(S.APPROVED, A.CANCEL, S.CANCELLED, REVIEWER, True),
)
PLAN_TONES = {S.DRAFT: "", S.SUBMITTED: "warn", S.APPROVED: "run", S.DONE: "ok", S.CANCELLED: ""}


def plan_action(act: str) -> str:
    """The registered name of an act, for rights and for the trail."""
    return f"audits.{act}"


def plan_row(source: str, act: str) -> PlanRow | None:
    return next((row for row in PLAN_ROWS if row.source == source and row.act == act), None)


def plan_roles(act: str) -> frozenset[str]:
    return frozenset().union(*(row.roles for row in PLAN_ROWS if row.act == act))
