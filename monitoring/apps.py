"""Registers the rights, triggers, pages, jobs, month-end steps, to-dos and verification of monitoring."""

from __future__ import annotations

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "运行监测"

    def ready(self) -> None:
        from monitoring import registering

        registering.join()
