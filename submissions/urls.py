"""Pages of the quarterly tables."""

from django.urls import path

from submissions.views import acts, assignment, lists, reconciliation, tables, version

app_name = "submissions"

urlpatterns = [
    path("", lists.submission_list, name="list"),
    path("list.xlsx", lists.list_xlsx, name="list-xlsx"),
    path("matrix.xlsx", lists.matrix_xlsx, name="matrix-xlsx"),
    path("export/", lists.export, name="export"),
    path("<int:pk>/", assignment.assignment, name="assignment"),
    path("<int:pk>/template/", assignment.template, name="template"),
    path("<int:pk>/upload/", assignment.upload, name="upload"),
    path("<int:pk>/nothing/", assignment.nothing, name="nothing"),
    path("<int:pk>/do/<slug:act>/", assignment.assignment_act, name="assignment-act"),
    path("versions/<int:pk>/", version.version, name="version"),
    path("versions/<int:pk>/progress/", version.progress, name="progress"),
    path("versions/<int:pk>/original/", version.original, name="original"),
    path("versions/<int:pk>/answer/", version.answer, name="answer"),
    path("versions/<int:pk>/explain/", acts.explain, name="explain"),
    path("versions/<int:pk>/do/<slug:act>/", acts.act, name="act"),
    path("versions/<int:pk>/diff/", version.diff, name="diff"),
    path("versions/<int:pk>/members/", version.member_summary, name="members"),
    path("versions/<int:pk>/receipt/", version.receipt, name="receipt"),
    path("versions/<int:pk>/reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("versions/<int:pk>/reconciliation.xlsx", reconciliation.reconciliation_xlsx, name="reconciliation-xlsx"),
    path(
        "versions/<int:pk>/reconciliation/explain/",
        reconciliation.reconciliation_explain,
        name="reconciliation-explain",
    ),
    path("versions/<int:pk>/reconciliation/sign/", reconciliation.reconciliation_sign, name="reconciliation-sign"),
    path(
        "versions/<int:pk>/reconciliation/lines/<int:line>/",
        reconciliation.reconciliation_rows,
        name="reconciliation-rows",
    ),
    path("tables/<int:pk>/", tables.table_version, name="table-version"),
    path("tables/<int:pk>/decide/", tables.table_version_decide, name="table-version-decide"),
]
