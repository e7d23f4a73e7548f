"""Every mutation of the annual settlement, one function each."""

from settlement.services.adjustments import (
    approve_adjustment,
    propose_deduction,
    push_adjustment,
    return_adjustment,
    withdraw_adjustment,
)
from settlement.services.analysis import approve_analysis, return_analysis, submit_analysis
from settlement.services.drafting import Drafted, DraftOutcome, cancel, draft, refresh
from settlement.services.finality import clear, correct, finalise, pay
from settlement.services.recovery import (
    approve_recovery,
    propose_offsets,
    propose_order,
    record_offset,
    record_recovery,
    return_recovery,
)
from settlement.services.review import (
    accept_objection,
    confirm,
    object_to,
    reject_objection,
    reopen,
    return_to_officer,
    review,
    send,
    withdraw,
)
from settlement.services.scores import confirm_score, record_score
from settlement.services.steps import lock_settlements

__all__ = [
    "DraftOutcome",
    "Drafted",
    "accept_objection",
    "approve_adjustment",
    "approve_analysis",
    "approve_recovery",
    "cancel",
    "clear",
    "confirm",
    "confirm_score",
    "correct",
    "draft",
    "finalise",
    "lock_settlements",
    "object_to",
    "pay",
    "propose_deduction",
    "propose_offsets",
    "propose_order",
    "push_adjustment",
    "record_offset",
    "record_recovery",
    "record_score",
    "refresh",
    "reject_objection",
    "reopen",
    "return_adjustment",
    "return_analysis",
    "return_recovery",
    "return_to_officer",
    "review",
    "send",
    "submit_analysis",
    "withdraw",
    "withdraw_adjustment",
]
