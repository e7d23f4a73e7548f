"""Loaded once by the server the workers are forked from: the application on the tests' settings, all it imports late."""

import os
from importlib import import_module

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.urls import get_resolver  # noqa: E402

for late in ("duckdb", "holidays", "numpy", "celery.app.trace", "core.tasks"):
    import_module(late)
get_resolver().reverse_dict  # noqa: B018 - reads every urls module
