"""Cases."""

from django.urls import URLPattern, path

from audits.views import case, case_acts, cases

urlpatterns: list[URLPattern] = [
    path("cases/", cases.case_list, name="cases"),
    path("cases.xlsx", cases.case_list_xlsx, name="cases-xlsx"),
    path("cases/<int:pk>/", case.case, name="case"),
    path("cases/<int:pk>/do/<slug:act>/", case_acts.case_act, name="case-act"),
    path("cases/<int:pk>/tracks/<slug:kind>/do/<slug:act>/", case_acts.track_act, name="track-act"),
    path("cases/<int:pk>/changes/<int:change>/files/<int:file>/", case.change_file, name="change-file"),
]
