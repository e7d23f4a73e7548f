"""数据接入: imports, coverage, facts and rows, fact table, fund reports, payables, mappings."""

from django.urls import path

from claims.views import coverage, imports, mappings, reports, tables

app_name = "claims"

urlpatterns = [
    path("", imports.import_list, name="list"),
    path("export/", imports.import_list_xlsx, name="list-xlsx"),
    path("upload/", imports.upload, name="upload"),
    path("imports/<int:pk>/", imports.import_detail, name="import"),
    path("imports/<int:pk>/accept/", imports.accept, name="import-accept"),
    path("imports/<int:pk>/reject/", imports.reject, name="import-reject"),
    path("imports/<int:pk>/retry/", imports.retry, name="import-retry"),
    path("imports/<int:pk>/rejects.csv", imports.rejects_csv, name="rejects-csv"),
    path("imports/<int:pk>/rejects.xlsx", imports.rejects_xlsx, name="rejects-xlsx"),
    path("rejects/<int:pk>/write-off/", imports.write_off, name="write-off"),
    path("coverage/", coverage.coverage, name="coverage"),
    path("coverage/export/", coverage.coverage_xlsx, name="coverage-xlsx"),
    path("facts/<str:county>/<str:month>/", coverage.facts, name="facts"),
    path("facts/<str:county>/<str:month>/export/", coverage.facts_xlsx, name="facts-xlsx"),
    path("facts/<str:county>/<str:month>/rows/", coverage.rows, name="rows"),
    path("facts/<str:county>/<str:month>/refresh/", coverage.refresh, name="facts-refresh"),
    path("fact-table/", tables.fact_table, name="fact_table"),
    path("fact-table/export/", tables.fact_table_xlsx, name="fact_table-xlsx"),
    path("fact-table/template/", tables.fact_table_template, name="fact_table-template"),
    path("monthly-report/", reports.report_list, name="monthly_report"),
    path("monthly-report/export/", reports.report_list_xlsx, name="monthly_report-xlsx"),
    path("monthly-report/template/", reports.report_template, name="monthly_report-template"),
    path("monthly-report/upload/", reports.report_upload, name="monthly_report-upload"),
    path("monthly-report/new/", reports.report_new, name="report-new"),
    path("monthly-report/<int:pk>/", reports.report, name="report"),
    path("payables/", tables.payables, name="payables"),
    path("payables/export/", tables.payables_xlsx, name="payables-xlsx"),
    path("payables/template/", tables.payables_template, name="payables-template"),
    path("payables/<int:pk>/", tables.payable_table, name="payable-table"),
    path("payables/<int:pk>/export/", tables.payable_table_xlsx, name="payable-table-xlsx"),
    path("mappings/", mappings.mappings, name="mappings"),
    path("mappings/fund/", mappings.set_fund, name="mapping-fund"),
    path("mappings/fund/<int:pk>/remove/", mappings.remove_fund, name="mapping-fund-remove"),
    path("mappings/visit/", mappings.set_visit, name="mapping-visit"),
    path("mappings/visit/<int:pk>/remove/", mappings.remove_visit, name="mapping-visit-remove"),
    path("mappings/settings/", mappings.set_settings, name="area-settings"),
    path("mappings/groups/", mappings.load_groups, name="group-catalogue"),
]
