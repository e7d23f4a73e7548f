"""Registers the pages, to-dos and search of the warnings."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.access import BUREAU_ROLES
    from core.models import Role
    from core.navigation import register_nav
    from core.registries import home_todos, search_sources
    from monitoring import todos

    home_todos.register("monitoring.warnings", todos.todos, order=25)
    search_sources.register("monitoring.warnings", todos.search, order=42)
    register_nav(
        group="监测",
        label="风险预警",
        url_name="monitoring:warnings",
        icon="bell",
        order=30,
        roles=BUREAU_ROLES | {Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION, Role.OBSERVER, Role.ADMINISTRATOR},
        badge=todos.badge,
    )
