"""What may be done to claims data; every page, API view, command and job goes through here."""

from claims.services.deciding import accept_import, reject_import
from claims.services.fact_rows import FactRow
from claims.services.fact_table import fact_table_template, import_fact_table
from claims.services.factsets import record_factset
from claims.services.mappings import (
    load_group_catalogue,
    remove_mapping,
    set_area_settings,
    set_fund_mapping,
    set_visit_mapping,
    settings_of,
)
from claims.services.opening import note_rejects_opened, note_rows_opened
from claims.services.payables import import_payables, payables_template
from claims.services.processing import is_interrupted, process_import, retry_import
from claims.services.receiving import receive_path, receive_upload
from claims.services.refreshing import refresh_facts
from claims.services.rejects import write_off_rejects
from claims.services.reports import enter_fund_report, import_fund_reports, parse_values, report_template

__all__ = [
    "FactRow",
    "accept_import",
    "enter_fund_report",
    "fact_table_template",
    "import_fact_table",
    "import_fund_reports",
    "import_payables",
    "is_interrupted",
    "load_group_catalogue",
    "note_rejects_opened",
    "note_rows_opened",
    "parse_values",
    "payables_template",
    "process_import",
    "receive_path",
    "receive_upload",
    "record_factset",
    "refresh_facts",
    "reject_import",
    "remove_mapping",
    "report_template",
    "retry_import",
    "set_area_settings",
    "set_fund_mapping",
    "set_visit_mapping",
    "settings_of",
    "write_off_rejects",
]
