"""Pages of the indicators and their pages."""

from django.urls import path

from monitoring.views import figures, figures_indicator, figures_place, heat, league

urlpatterns = [
    path("", figures.overview, name="overview"),
    path("overview.xlsx", figures.overview_xlsx, name="overview-xlsx"),
    path("places/<str:key>/", figures_place.place, name="place"),
    path("places/<str:key>/months.xlsx", figures_place.place_xlsx, name="place-xlsx"),
    path("places/<str:key>/trace/<str:indicator>/", figures.figure_trace, name="figure-trace"),
    path("indicators/<str:key>/", figures_indicator.indicator, name="indicator"),
    path("indicators/<str:key>/export.xlsx", figures_indicator.indicator_xlsx, name="indicator-xlsx"),
    path("league/", league.league_page, name="league"),
    path("league/export.xlsx", league.league_xlsx, name="league-xlsx"),
    path("heat/", heat.heat_page, name="heat"),
    path("heat/export.xlsx", heat.heat_xlsx, name="heat-xlsx"),
]
