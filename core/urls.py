"""Login, own password, jobs, parameters, trail, notices, files."""

from django.urls import path

from core.views import jobs, login, parameters, trail

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
    path("trail/", trail.trail_list, name="trail"),
    path("notices/", trail.notice_list, name="notices"),
]
