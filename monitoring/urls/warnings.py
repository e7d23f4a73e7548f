"""Pages of thresholds, warnings, distress and the watch list."""

from django.urls import URLPattern, path

from monitoring.views import thresholds, warnings, warnings_acts, watch

urlpatterns: list[URLPattern] = [
    path("warnings/", warnings.warning_list, name="warnings"),
    path("warnings.xlsx", warnings.warning_list_xlsx, name="warnings-xlsx"),
    path("warnings/new/", warnings.warning_new, name="warning-new"),
    path("warnings/<int:pk>/", warnings.warning, name="warning"),
    path("warnings/<int:pk>/do/<slug:act>/", warnings_acts.warning_act, name="warning-act"),
    path("warnings/<int:pk>/answers/<int:answer>/files/<int:file>/", warnings.answer_file, name="warning-answer-file"),
    path("warnings/<int:pk>/changes/<int:change>/files/<int:file>/", warnings.change_file, name="warning-change-file"),
    path("warnings/<int:pk>/letters/<int:change>/", warnings.letter, name="warning-letter"),
    path("warnings/<int:pk>/watch/", watch.watch_propose, name="watch-propose"),
    path("warnings/thresholds/", thresholds.threshold_list, name="thresholds"),
    path("warnings/thresholds.xlsx", thresholds.threshold_list_xlsx, name="thresholds-xlsx"),
    path("warnings/thresholds/new/", thresholds.threshold_new, name="threshold-new"),
    path("warnings/thresholds/adopt/", thresholds.thresholds_adopt, name="thresholds-adopt"),
    path("warnings/thresholds/<int:pk>/", thresholds.threshold, name="threshold"),
    path("warnings/thresholds/<int:pk>/edit/", thresholds.threshold_edit, name="threshold-edit"),
    path("warnings/thresholds/<int:pk>/do/<slug:act>/", thresholds.threshold_act, name="threshold-act"),
    path("warnings/watch/", watch.watch_list, name="watch"),
    path("warnings/watch.xlsx", watch.watch_xlsx, name="watch-xlsx"),
    path("warnings/watch/<int:pk>/do/<slug:act>/", watch.watch_act, name="watch-act"),
]
