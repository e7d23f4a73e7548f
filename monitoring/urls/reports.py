"""Pages of the analysis reports."""

from django.urls import URLPattern, path

from monitoring.views import reports, reports_acts

urlpatterns: list[URLPattern] = [
    path("reports/", reports.report_list, name="reports"),
    path("reports.xlsx", reports.report_list_xlsx, name="reports-xlsx"),
    path("reports/draft/", reports_acts.report_draft, name="report-draft"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path("reports/<int:pk>/report.docx", reports.report_word, name="report-word"),
    path("reports/<int:pk>/tables.xlsx", reports.report_xlsx, name="report-xlsx"),
    path("reports/<int:pk>/again/", reports_acts.report_again, name="report-again"),
    path("reports/<int:pk>/comment/", reports_acts.report_comment, name="report-comment"),
    path("reports/<int:pk>/do/<slug:act>/", reports_acts.report_act, name="report-act"),
    path("circulars/", reports.circular_list, name="circulars"),
    path("circulars/<int:pk>/", reports.circular, name="circular"),
    path("circulars/<int:pk>/circular.xlsx", reports.circular_xlsx, name="circular-xlsx"),
]
