"""Pages of the audits app, part by part: every part offers ``urlpatterns``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

app_name = "audits"
urlpatterns: list[Any] = []
for _part in sorted(module.name for module in iter_modules(__path__)):
    urlpatterns += import_module(f"{__name__}.{_part}").urlpatterns
