"""Registers the rights, triggers, pages, jobs, to-dos and verification of the quarterly tables."""

from __future__ import annotations

from django.apps import AppConfig


class SubmissionsConfig(AppConfig):
    name = "submissions"
    verbose_name = "季度报表"

    def ready(self) -> None:
        from core.access import register_action
        from submissions.states import ROLES, Act, action_name

        for act, roles in ROLES.items():
            register_action(action_name(act), Act(act).label, roles)
