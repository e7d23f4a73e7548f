"""The home page, the overview, the search and the handbook."""

from django.urls import path

from portal.views import handbook, home, overview, search

app_name = "portal"

urlpatterns = [
    path("", home.home, name="home"),
    path("todos.xlsx", home.todos_xlsx, name="todos-xlsx"),
    path("overview/", overview.landing, name="overview"),
    path("overview/city/<slug:code>/", overview.city, name="city"),
    path("overview/city/<slug:code>/alliances.xlsx", overview.city_xlsx, name="city-xlsx"),
    path("overview/county/<slug:code>/", overview.county, name="county"),
    path("overview/county/<slug:code>/alliances.xlsx", overview.county_xlsx, name="county-xlsx"),
    path("overview/alliance/<slug:code>/", overview.alliance, name="alliance"),
    path("overview/alliance/<slug:code>/trace/<slug:name>/", overview.figure_trace, name="figure-trace"),
    path("overview/alliance/<slug:code>/members.xlsx", overview.members_xlsx, name="members-xlsx"),
    path("overview/alliance/<slug:code>/members/trace/", overview.member_trace, name="member-trace"),
    path("overview/alliance/<slug:code>/months/", overview.months, name="months"),
    path("overview/alliance/<slug:code>/months.xlsx", overview.months_xlsx, name="months-xlsx"),
    path("search/", search.search, name="search"),
    path("help/", handbook.index, name="help"),
    path("help/codes/", handbook.codes, name="help-codes"),
    path("help/rows/", handbook.rows, name="help-rows"),
    path("help/formulas/", handbook.formulas, name="help-formulas"),
    path("help/audits/", handbook.audits, name="help-audits"),
    path("help/glossary/", handbook.glossary, name="help-glossary"),
    path("help/<slug:slug>/", handbook.topic, name="help-topic"),
]
