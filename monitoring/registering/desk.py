"""Registers the pages, to-dos and search of the warnings."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.models import Role
    from core.navigation import register_nav
    from core.registries import home_todos, search_sources
    from monitoring import todos
    from monitoring.models.figures import FIGURE_READERS
    from monitoring.reading.seen import only_configures

    home_todos.register("monitoring.warnings", todos.todos, order=25)
    search_sources.register("monitoring.warnings", todos.search, order=42)
    register_nav(
        group="监测",
        label="风险预警",
        url_name="monitoring:warnings",
        icon="bell",
        order=30,
        roles=FIGURE_READERS - {Role.DUTY_BODY},
        badge=todos.badge,
    )
    register_nav(
        group="监测",
        label="预警阈值",
        url_name="monitoring:thresholds",
        icon="bell",
        order=30,
        roles={Role.ADMINISTRATOR},
        shown_to=only_configures,
    )
