"""URLs of the site: health, admin, API, and the pages of every installed app that has some."""

from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.utils.module_loading import module_has_submodule
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import api, health

_AT_THE_ROOT = {"core", "portal"}


def pages() -> list[URLResolver]:
    """The pages of each app: ``core`` and ``portal`` at the root, every other one below its own name."""
    return [
        path("" if app in _AT_THE_ROOT else f"{app}/", include(f"{app}.urls"))
        for app in settings.HOUSE_APPS
        if module_has_submodule(import_module(apps.get_app_config(app).name), "urls")
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", login_not_required(health.healthz), name="healthz"),
    path("readyz", login_not_required(health.readyz), name="readyz"),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/v1/", include((api.router().urls, "api"))),
    *pages(),
]
