"""Pages of the month's and quarter's end: runs, closing and reopening."""

from django.urls import URLPattern, path

from monitoring.views import runs

urlpatterns: list[URLPattern] = [
    path("runs/", runs.run_list, name="runs"),
    path("runs/export/", runs.run_list_xlsx, name="runs-xlsx"),
    path("runs/<str:month>/", runs.run, name="run"),
    path("runs/<str:month>/export/", runs.run_xlsx, name="run-xlsx"),
    path("runs/<str:month>/start/", runs.start, name="run-start"),
    path("runs/<str:month>/close/", runs.close, name="run-close"),
    path("runs/<str:month>/reopen/", runs.reopen, name="run-reopen"),
]
