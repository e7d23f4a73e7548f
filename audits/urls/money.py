"""Money, fines and statistics."""

from django.urls import URLPattern, path

from audits.views import fine_trial, money, statistics

urlpatterns: list[URLPattern] = [
    path("cases/<int:pk>/<slug:kind>/money/<slug:act>/", money.case_money_act, name="case-money-act"),
    path("fine-trial/", fine_trial.fine_trial, name="fine-trial"),
    path("statistics/", statistics.statistics_page, name="statistics"),
    path("statistics.xlsx", statistics.statistics_xlsx, name="statistics-xlsx"),
]
