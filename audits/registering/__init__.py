"""What each part of the app registers when the site starts: rights, triggers, pages, jobs, to-dos, checks."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def join() -> None:
    """Called once from ``AppConfig.ready``: every part offers ``join()``."""
    for part in sorted(module.name for module in iter_modules(__path__)):
        import_module(f"{__name__}.{part}").join()
