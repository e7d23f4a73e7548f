"""Audit plans."""

from django.urls import URLPattern, path

from audits.views import plan_targets, plans

urlpatterns: list[URLPattern] = [
    path("plans/", plans.plan_list, name="plans"),
    path("plans.xlsx", plans.plan_list_xlsx, name="plans-xlsx"),
    path("plans/new/", plans.plan_new, name="plan-new"),
    path("plans/<int:pk>/", plans.plan, name="plan"),
    path("plans/<int:pk>/edit/", plans.plan_edit, name="plan-edit"),
    path("plans/<int:pk>/do/<slug:act>/", plans.plan_act, name="plan-act"),
    path("plans/<int:pk>/targets/", plan_targets.targets, name="plan-targets"),
    path("plans/<int:pk>/targets.xlsx", plan_targets.targets_xlsx, name="plan-targets-xlsx"),
    path("plans/<int:pk>/targets/<int:target>/", plan_targets.target, name="plan-target"),
    path("plans/<int:pk>/targets/<int:target>/<slug:act>/", plan_targets.target_act, name="plan-target-act"),
]
