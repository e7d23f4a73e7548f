"""Recording rounds of negotiation between bureau and alliance (R-018). Rounds are added, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from budgets.models import NegotiationRound, PackageVersion
from budgets.refusals import missing_text
from budgets.services.packages import lock_version
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.files import store_evidence
from core.models import User
from core.trail import record


@dataclass(frozen=True)
class RoundInputs:
    """One sitting: who was there from both sides, what each side proposed (yuan), minutes and outcome."""

    held_on: date
    bureau_participants: str
    alliance_participants: str
    minutes: str
    outcome: str
    bureau_position: Decimal | None = None
    alliance_position: Decimal | None = None


@transaction.atomic
def record_round(actor: User, version: PackageVersion, given: RoundInputs, file: Any = None) -> NegotiationRound:
    """Add a round to an open version that is not yet before the reviewer."""
    require(actor, "budgets.prepare_package", version.alliance)
    version = lock_version(version)
    if not version.is_editable:
        raise Conflict(f"{version}现为“{version.get_state_display()}”，不能再登记协商。请刷新页面。")
    problems = []
    problems += missing_text("医保部门参加人", given.bureau_participants, "请填写姓名和职务。")
    problems += missing_text("医共体参加人", given.alliance_participants, "请填写医共体代表的姓名和职务。")
    problems += missing_text("协商纪要", given.minutes, "请写明双方意见。")
    problems += missing_text("结论", given.outcome, "请写明达成一致的金额或分歧。")
    if given.held_on > timezone.localdate():
        problems.append(Problem("协商日期", str(given.held_on), "协商日期不能晚于今天。", "请填写实际日期。"))
    for label, amount in (("医保部门意见", given.bureau_position), ("医共体意见", given.alliance_position)):
        if amount is not None and amount <= 0:
            problems.append(Problem(label, str(amount), f"{label}须大于零。", "没有提出金额的请留空。"))
    if problems:
        raise Refused(problems)
    number = (version.rounds.aggregate(last=Max("number"))["last"] or 0) + 1
    made = NegotiationRound.objects.create(
        version=version,
        number=number,
        held_on=given.held_on,
        bureau_participants=given.bureau_participants.strip(),
        alliance_participants=given.alliance_participants.strip(),
        bureau_position=given.bureau_position,
        alliance_position=given.alliance_position,
        minutes=given.minutes.strip(),
        outcome=given.outcome.strip(),
        file=store_evidence(file, "negotiation", actor) if file is not None else None,
        recorded_by=actor,
    )
    record(
        actor,
        "budgets.prepare_package",
        version,
        f"登记{version}第 {number} 轮协商：{made.outcome}",
        {"bureau": given.bureau_position, "alliance": given.alliance_position, "held_on": given.held_on},
    )
    return made
