"""Pages of liaison meetings, data supply and the watch over collection."""

from django.urls import URLPattern, path

from monitoring.views import collection, liaison, supply, targets

urlpatterns: list[URLPattern] = [
    path("liaison/", liaison.meeting_list, name="liaison"),
    path("liaison/export/", liaison.meeting_list_xlsx, name="liaison-xlsx"),
    path("liaison/new/", liaison.meeting_new, name="meeting-new"),
    path("liaison/<int:pk>/", liaison.meeting, name="meeting"),
    path("liaison/<int:pk>/edit/", liaison.meeting_edit, name="meeting-edit"),
    path("liaison/<int:pk>/file/", liaison.meeting_file, name="meeting-file"),
    path("liaison/<int:pk>/<str:act>/", liaison.meeting_act, name="meeting-act"),
    path("liaison/follow-ups/<int:pk>/done/", liaison.follow_up_done, name="follow-up-done"),
    path("supply/", supply.supply_list, name="supplies"),
    path("supply/export/", supply.supply_list_xlsx, name="supplies-xlsx"),
    path("supply/new/", supply.supply_new, name="supply-new"),
    path("supply/<int:pk>/", supply.supply, name="supply"),
    path("supply/<int:pk>/file/", supply.supply_file, name="supply-file"),
    path("supply/<int:pk>/<str:act>/", supply.supply_act, name="supply-act"),
    path("collection/", collection.collection, name="collection"),
    path("collection/export/", collection.collection_xlsx, name="collection-xlsx"),
    path("collection/hints/export/", collection.hints_xlsx, name="collection-hints-xlsx"),
    path("collection/new/", collection.finding_new, name="finding-new"),
    path("collection/<int:pk>/", collection.finding, name="finding"),
    path("collection/<int:pk>/file/", collection.finding_file, name="finding-file"),
    path("collection/<int:pk>/<str:act>/", collection.finding_act, name="finding-act"),
    path("collection/targets/", targets.target_list, name="targets"),
    path("collection/targets/export/", targets.target_list_xlsx, name="targets-xlsx"),
    path("collection/targets/<int:pk>/<str:act>/", targets.target_act, name="target-act"),
]
