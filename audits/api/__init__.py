"""The API of the audits app, part by part."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from rest_framework.routers import DefaultRouter


def register(router: DefaultRouter) -> None:
    """Every part offers ``register(router)``."""
    for part in sorted(module.name for module in iter_modules(__path__)):
        import_module(f"{__name__}.{part}").register(router)
