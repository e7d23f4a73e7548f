"""What may be done to budgets, one function per act; every page, API view, command and job goes through here."""

from budgets.services.accounts import approve_account, enter_account, return_account
from budgets.services.allocation import (
    approve_allocation,
    draft_allocation,
    members_of,
    proposed_weights,
    return_allocation,
    submit_allocation,
)
from budgets.services.batches import (
    approve_batch,
    change_line,
    reopen_batch,
    return_batch,
    submit_batch,
    withdraw_batch,
)
from budgets.services.figures import Entered, PackageInputs
from budgets.services.growth import approve_growth, enter_growth, return_growth
from budgets.services.negotiation import RoundInputs, record_round
from budgets.services.other_payments import approve_payment, receive_payment, register_payment, return_payment
from budgets.services.packages import (
    approve_package,
    close_year,
    draft_package,
    reopen_year,
    return_package,
    revise_package,
    submit_package,
    withdraw_package,
)
from budgets.services.payments import make_payment_file, open_amounts, record_receipt, record_receipts, void_receipt
from budgets.services.plans import acknowledge_plan, file_plan
from budgets.services.proposals import propose, propose_month, push_offset, withdraw_offset
from budgets.services.ratios import approve_ratio, enter_ratio
from budgets.services.worksheet import Worked, inputs_of, work_out

__all__ = [
    "Entered",
    "PackageInputs",
    "RoundInputs",
    "Worked",
    "acknowledge_plan",
    "approve_account",
    "approve_allocation",
    "approve_batch",
    "approve_growth",
    "approve_package",
    "approve_payment",
    "approve_ratio",
    "change_line",
    "close_year",
    "draft_allocation",
    "draft_package",
    "enter_account",
    "enter_growth",
    "enter_ratio",
    "file_plan",
    "inputs_of",
    "make_payment_file",
    "members_of",
    "open_amounts",
    "proposed_weights",
    "propose",
    "propose_month",
    "push_offset",
    "receive_payment",
    "record_receipt",
    "record_receipts",
    "record_round",
    "register_payment",
    "reopen_batch",
    "reopen_year",
    "return_account",
    "return_allocation",
    "return_batch",
    "return_growth",
    "return_package",
    "return_payment",
    "revise_package",
    "submit_allocation",
    "submit_batch",
    "submit_package",
    "void_receipt",
    "withdraw_batch",
    "withdraw_offset",
    "withdraw_package",
    "work_out",
]
