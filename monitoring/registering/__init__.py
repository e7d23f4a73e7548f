"""What each part of the app registers when the site starts: rights, triggers, pages, jobs, steps, to-dos, checks."""

from __future__ import annotations

from importlib import import_module

PARTS = ("figures", "pages", "warnings", "desk", "projections", "reports", "periods", "messages")


def join() -> None:
    """Called once from ``AppConfig.ready``."""
    for part in PARTS:
        import_module(f"monitoring.registering.{part}").join()
