"""Registers the rights, triggers, pages, jobs, to-dos and verification of the audits."""

from __future__ import annotations

from django.apps import AppConfig


class AuditsConfig(AppConfig):
    name = "audits"
    verbose_name = "稽核监管"

    def ready(self) -> None:
        from audits import registering

        registering.join()
