"""Pages of the monitoring app, part by part."""

from monitoring.urls import figures, messages, periods, projections, reports, warnings

app_name = "monitoring"
urlpatterns = [
    *figures.urlpatterns,
    *warnings.urlpatterns,
    *projections.urlpatterns,
    *reports.urlpatterns,
    *periods.urlpatterns,
    *messages.urlpatterns,
]
