"""Agreements, the people whose services the fund pays, points and yearly checks."""

from __future__ import annotations

from django.urls import URLPattern, path

from audits.views import agreements, physicians, points, yearly_checks

urlpatterns: list[URLPattern] = [
    path("agreements/", agreements.agreement_list, name="agreements"),
    path("agreements.xlsx", agreements.agreement_list_xlsx, name="agreements-xlsx"),
    path("agreements/new/", agreements.agreement_new, name="agreement-new"),
    path("agreements/<int:pk>/", agreements.agreement, name="agreement"),
    path("agreements/<int:pk>/changes/", agreements.change_propose, name="agreement-change"),
    path("agreements/<int:pk>/changes/<int:change>/", agreements.change_decide, name="agreement-change-decide"),
    path("agreements/<int:pk>/changes/<int:change>/file/", agreements.change_file, name="agreement-change-file"),
    path("agreements/physicians/", physicians.physician_list, name="physicians"),
    path("agreements/physicians.xlsx", physicians.physician_list_xlsx, name="physicians-xlsx"),
    path("agreements/physicians/new/", physicians.physician_new, name="physician-new"),
    path("agreements/physicians/import/", physicians.physician_import, name="physicians-import"),
    path("agreements/physicians/template.xlsx", physicians.physician_template, name="physicians-template"),
    path("agreements/physicians/<int:pk>/", physicians.physician, name="physician"),
    path("agreements/physicians/<int:pk>/move/", physicians.physician_move, name="physician-move"),
    path("agreements/physicians/<int:pk>/end/", physicians.physician_end, name="physician-end"),
    path("agreements/physicians/<int:pk>/qualifications/<int:row>/months/", physicians.qualification_months, name="qualification-months"),
    path("agreements/physicians/<int:pk>/qualifications/<int:row>/decide/", physicians.qualification_decide, name="qualification-decide"),
    path("agreements/points/", points.point_list, name="points"),
    path("agreements/points.xlsx", points.point_list_xlsx, name="points-xlsx"),
    path("agreements/points/new/", points.point_new, name="point-new"),
    path("agreements/points/<int:pk>/", points.point, name="point"),
    path("agreements/points/<int:pk>/decide/", points.point_decide, name="point-decide"),
    path("agreements/points/<int:pk>/withdraw/", points.point_withdraw, name="point-withdraw"),
    path("agreements/yearly-checks/", yearly_checks.check_list, name="yearly-checks"),
    path("agreements/yearly-checks.xlsx", yearly_checks.check_list_xlsx, name="yearly-checks-xlsx"),
    path("agreements/yearly-checks/new/", yearly_checks.check_new, name="yearly-check-new"),
    path("agreements/yearly-checks/<int:pk>/", yearly_checks.yearly_check, name="yearly-check"),
    path("agreements/yearly-checks/<int:pk>/decide/", yearly_checks.check_decide, name="yearly-check-decide"),
    path("agreements/yearly-checks/<int:pk>/ratio/", yearly_checks.check_ratio, name="yearly-check-ratio"),
]
