"""What budgets keeps, by noun: growth caps, packages, member allocations, plans, accounts, prepayments, payments."""

from budgets.models.accounts import LeadAccount
from budgets.models.growth import GrowthState, RevenueGrowth
from budgets.models.members import AllocationState, AllocationVersion, MemberAllocation
from budgets.models.negotiation import NegotiationRound
from budgets.models.packages import (
    AdjustmentReason,
    BaseYear,
    FigureSource,
    Package,
    PackageKind,
    PackageState,
    PackageVersion,
)
from budgets.models.payments import OtherPayment, OtherPaymentKind, OtherPaymentState
from budgets.models.plans import DistributionPlan, PlanAcknowledgement, PlanSide
from budgets.models.prepayments import (
    BatchState,
    LineChange,
    LineChangeKind,
    PaymentFile,
    Prepayment,
    PrepaymentBatch,
    PrepaymentRatio,
    Receipt,
    ReceiptOutcome,
    RecoveryOffset,
)

__all__ = [
    "AdjustmentReason",
    "AllocationState",
    "AllocationVersion",
    "BaseYear",
    "BatchState",
    "DistributionPlan",
    "FigureSource",
    "GrowthState",
    "LeadAccount",
    "LineChange",
    "LineChangeKind",
    "MemberAllocation",
    "NegotiationRound",
    "OtherPayment",
    "OtherPaymentKind",
    "OtherPaymentState",
    "Package",
    "PackageKind",
    "PackageState",
    "PackageVersion",
    "PaymentFile",
    "PlanAcknowledgement",
    "PlanSide",
    "Prepayment",
    "PrepaymentBatch",
    "PrepaymentRatio",
    "Receipt",
    "ReceiptOutcome",
    "RecoveryOffset",
    "RevenueGrowth",
]
