"""Login, own password, jobs, parameters, policies, trail, notices."""

from django.urls import path

from core.views import jobs, login, messages, parameters, policies, trail

app_name = "core"

urlpatterns = [
    path("login/", login.Login.as_view(), name="login"),
    path("logout/", login.Logout.as_view(), name="logout"),
    path("password/", login.password, name="password"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/<int:pk>/", jobs.job_detail, name="job"),
    path("jobs/<int:pk>/progress/", jobs.job_progress, name="job-progress"),
    path("parameters/", parameters.parameter_list, name="parameters"),
    path("parameters/enter/", parameters.enter, name="parameter-enter"),
    path("parameters/<int:pk>/confirm/", parameters.confirm, name="parameter-confirm"),
    path("parameters/<int:pk>/document/", parameters.document, name="parameter-document"),
    path("parameters/single/<int:pk>/confirm/", parameters.confirm_single, name="parameter-confirm-single"),
    path("policies/", policies.policy_list, name="policies"),
    path("policies/<int:pk>/", policies.policy_detail, name="policy"),
    path("policies/<int:pk>/approve/", policies.approve, name="policy-approve"),
    path("trail/", trail.trail_list, name="trail"),
    path("trail/trail.xlsx", trail.trail_xlsx, name="trail-xlsx"),
    path("notices/", trail.notice_list, name="notices"),
    path("notices/email/", messages.preferences, name="message-preferences"),
    path("notices/email/<int:pk>/repeat/", messages.repeat, name="mail-repeat"),
]
