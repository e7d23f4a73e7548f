"""Collects the API of every installed app: each ``api.py`` offers ``register(router)``."""

from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.utils.module_loading import module_has_submodule
from rest_framework.routers import DefaultRouter


def router() -> DefaultRouter:
    """The router of ``/api/v1/`` with the viewsets of all apps."""
    collected = DefaultRouter()
    for app in settings.HOUSE_APPS:
        if module_has_submodule(import_module(apps.get_app_config(app).name), "api"):
            register = getattr(import_module(f"{app}.api"), "register", None)
            if register is not None:
                register(collected)
    return collected
