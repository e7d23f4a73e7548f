"""Tables of the annual settlement, by noun."""

from settlement.models.adjustments import DEDUCTION_KINDS, Adjustment, AdjustmentKind, AdjustmentState
from settlement.models.analysis import AnalysisState, CauseAnalysis
from settlement.models.computations import Computation
from settlement.models.recovery import (
    Booking,
    BookingKind,
    PlanState,
    RecoveryInstalment,
    RecoveryMethod,
    RecoveryPlan,
)
from settlement.models.scores import AssessmentScore, ScoreState
from settlement.models.versions import Settlement, SettlementVersion, StateChange, VersionKind

__all__ = [
    "DEDUCTION_KINDS",
    "Adjustment",
    "AdjustmentKind",
    "AdjustmentState",
    "AnalysisState",
    "AssessmentScore",
    "Booking",
    "BookingKind",
    "CauseAnalysis",
    "Computation",
    "PlanState",
    "RecoveryInstalment",
    "RecoveryMethod",
    "RecoveryPlan",
    "ScoreState",
    "Settlement",
    "SettlementVersion",
    "StateChange",
    "VersionKind",
]
