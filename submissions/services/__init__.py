"""Every mutation of the quarterly tables, one function each."""

from submissions.services.checking import check_submission, counts_of, outcome_text
from submissions.services.deadlines import days_left, remind
from submissions.services.deciding import accept, admit_late, close_reopening, reopen, return_submission, waive
from submissions.services.duties import assign_period, save_duty
from submissions.services.filing import explain, file, is_late, report_nothing, withdraw
from submissions.services.receiving import is_interrupted, receive
from submissions.services.reconciling import (
    explain_line,
    explain_lines,
    outdated,
    reconcile,
    refresh_reconciliations,
    sign,
)
from submissions.services.synthetic import filled_workbook
from submissions.services.tables import decide_table_version, load_table_version, table_in_force, table_of

__all__ = [
    "accept",
    "admit_late",
    "assign_period",
    "check_submission",
    "close_reopening",
    "counts_of",
    "days_left",
    "decide_table_version",
    "explain",
    "explain_line",
    "explain_lines",
    "file",
    "filled_workbook",
    "is_interrupted",
    "is_late",
    "load_table_version",
    "outcome_text",
    "outdated",
    "receive",
    "reconcile",
    "refresh_reconciliations",
    "remind",
    "reopen",
    "report_nothing",
    "return_submission",
    "save_duty",
    "sign",
    "table_in_force",
    "table_of",
    "waive",
    "withdraw",
]
