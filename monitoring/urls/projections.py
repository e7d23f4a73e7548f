"""Pages of the projection and the medium-term estimate."""

from django.urls import URLPattern, path

from monitoring.views import midterm, projections

urlpatterns: list[URLPattern] = [
    path("projections/", projections.projection_list, name="projections"),
    path("projections/export/", projections.projection_list_xlsx, name="projections-xlsx"),
    path("projections/<int:pk>/", projections.projection, name="projection"),
    path("projections/<int:pk>/export/", projections.projection_xlsx, name="projection-xlsx"),
    path("projections/<int:pk>/trace/<str:name>/", projections.projection_trace, name="projection-trace"),
    path("midterm/", midterm.midterm_list, name="midterm"),
    path("midterm/export/", midterm.midterm_list_xlsx, name="midterm-xlsx"),
    path("midterm/new/", midterm.new, name="midterm-new"),
    path("midterm/<int:pk>/", midterm.estimate, name="midterm-estimate"),
    path("midterm/<int:pk>/export/", midterm.estimate_xlsx, name="midterm-estimate-xlsx"),
    path("midterm/<int:pk>/edit/", midterm.edit, name="midterm-edit"),
    path("midterm/<int:pk>/trace/<str:scenario>/", midterm.trace, name="midterm-trace"),
    path("midterm/<int:pk>/<str:action>/", midterm.act, name="midterm-act"),
]
