"""Leads."""

from django.urls import URLPattern, path

from audits.views import leads, leads_acts, leads_sources

urlpatterns: list[URLPattern] = [
    path("leads/", leads.lead_list, name="leads"),
    path("leads.xlsx", leads.lead_list_xlsx, name="leads-xlsx"),
    path("leads/new/", leads.lead_new, name="lead-new"),
    path("leads/from-warning/<int:pk>/", leads_sources.lead_from_warning_act, name="lead-from-warning"),
    path("leads/from-claims/<str:county>/<str:month>/", leads_sources.lead_from_claims_act, name="lead-from-claims"),
    path("leads/<int:pk>/", leads.lead, name="lead"),
    path("leads/<int:pk>/do/<slug:act>/", leads_acts.lead_act, name="lead-act"),
    path("leads/<int:pk>/files/<int:file>/", leads.lead_file, name="lead-file"),
]
