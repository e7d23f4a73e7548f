"""Turning gathered terms into a frozen, digested computation, with what every unconfirmed parameter would change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.errors import Problem
from core.models import User
from core.policies import SchemeInForce
from rules.errors import RuleError
from rules.scheme import Scheme
from rules.settlement import WHOLE_PAYMENT, YearSettlement
from rules.trace import percent
from settlement.frozen import YearInputs, settled
from settlement.models import Computation, SettlementVersion
from settlement.services.inputs import Gathered

EXAMPLE_STEP = Decimal("0.10")
AMOUNTS = {
    "package": "package",
    "in_alliance": "s_in",
    "outflow": "outflow",
    "charged": "charged",
    "treated_for_sisters": "treated_for_sisters",
    "fund_bears": "fund_bears",
    "alliance_bears": "alliance_bears",
    "retained": "retained",
    "returned": "returned",
    "retained_paid": "retained_paid",
    "forfeited": "forfeited",
    "reserve": "reserve",
    "reserve_forfeited": "reserve_forfeited",
    "payment_forfeited": "payment_forfeited",
    "prepaid": "prepaid",
    "other_payments": "other_payments",
    "deductions": "deductions",
    "cash": "cash",
}


def compute(version: SettlementVersion, gathered: Gathered, actor: User | None) -> Computation:
    """Write the next computation of a version and make it the current one. The caller holds the settlement's lock."""
    inputs, result, in_force = gathered.inputs, gathered.result, gathered.scheme
    assert inputs is not None and result is not None and in_force is not None
    frozen = inputs.as_json()
    computation = Computation(
        version=version,
        number=version.computations.count() + 1,
        computed_at=timezone.now(),
        computed_by=actor,
        fingerprint=inputs.fingerprint,
        data_to=date.fromisoformat(inputs.data_to) if inputs.data_to else None,
        policy_version=in_force.version,
        inputs=frozen,
        notices=unconfirmed_notices(inputs, result, in_force),
        open_points=[vars(problem) for problem in gathered.open_points],
        **result_fields(result),
    )
    computation.digest = computation.computed_digest()
    computation.save(force_insert=True)
    version.computation = computation
    version.save(update_fields=["computation"])
    return computation


def result_fields(result: YearSettlement) -> dict[str, Any]:
    """The columns a computation stores of a result."""
    ratio = result.share.ratio if result.outcome != "surplus" else -result.share.ratio
    return {
        "result": result.as_json(),
        "outcome": result.outcome,
        "label": result.share.label,
        "ratio": ratio,
        **{name: getattr(result, source) for name, source in AMOUNTS.items()},
    }


def problems_of(computation: Computation) -> list[Problem]:
    """The open points as they were when it was computed."""
    return [Problem(**point) for point in computation.open_points]


def unconfirmed_notices(inputs: YearInputs, result: YearSettlement, in_force: SchemeInForce) -> list[dict[str, str]]:
    """Every 待核实 parameter that touched the result: what was used and what another value would give (A1)."""
    notices = []
    for key in result.unconfirmed:
        used = in_force.scheme.parameter(key)
        notices.append(
            {
                "key": key,
                "label": used.title,
                "value": used.text,
                "clause": used.clause,
                "note": used.note,
                "effect": _effect(inputs, result, in_force.scheme, key, used.value),
            }
        )
    return notices


def _effect(inputs: YearInputs, result: YearSettlement, scheme: Scheme, key: str, value: Any) -> str:
    if key.endswith(".rate") and isinstance(value, Decimal):
        return _rate_effect(inputs, result, scheme, key, value)
    if key == "assessment.target" and result.assessment_target != WHOLE_PAYMENT:
        if result.factor == 1:
            return "考核系数为 1，作用对象不同也不影响本年结果"
        return _other_result(inputs, result, scheme, {key: WHOLE_PAYMENT}, "若系数作用于年终拨付款")
    return "正式文件取值不同，结果将随之更正"


def _rate_effect(inputs: YearInputs, result: YearSettlement, scheme: Scheme, key: str, value: Decimal) -> str:
    other = value - EXAMPLE_STEP if value >= EXAMPLE_STEP else value + EXAMPLE_STEP
    return _other_result(inputs, result, scheme, {key: other}, f"例如若为 {percent(other)}")


def _other_result(
    inputs: YearInputs, result: YearSettlement, scheme: Scheme, values: dict[str, Any], lead: str
) -> str:
    try:
        changed = scheme.with_parameters({key: (value, "confirmed") for key, value in values.items()})
        other = settled(inputs, changed)
    except RuleError:
        return "正式文件取值不同，结果将随之更正"
    parts = []
    if result.outcome == "overrun":
        parts.append(_change("基金分担", result.fund_bears, other.fund_bears))
    elif result.outcome == "surplus":
        parts.append(_change("考核后留用", result.retained_paid, other.retained_paid))
    parts.append(f"清算现金 {other.cash:,.2f} 元".replace("-", "−"))
    return f"{lead}：{'，'.join(parts)}"


def _change(name: str, now: Decimal, other: Decimal) -> str:
    if other == now:
        return f"{name}不变"
    word = "少" if other < now else "多"
    return f"{name} {other:,.2f} 元（{word} {abs(other - now):,.2f} 元）"
