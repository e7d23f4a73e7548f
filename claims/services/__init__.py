"""What may be done to claims data; every page, API view, command and job goes through here."""

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
from claims.services.payables import import_payables, payables_template
from claims.services.reports import enter_fund_report, import_fund_reports, parse_values, report_template

__all__ = [
    "FactRow",
    "enter_fund_report",
    "fact_table_template",
    "import_fact_table",
    "import_fund_reports",
    "import_payables",
    "load_group_catalogue",
    "parse_values",
    "payables_template",
    "record_factset",
    "remove_mapping",
    "report_template",
    "set_area_settings",
    "set_fund_mapping",
    "set_visit_mapping",
    "settings_of",
]
