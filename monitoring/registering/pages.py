"""Registers the pages of the indicators."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.navigation import register_nav
    from monitoring.models.figures import FIGURE_READERS

    register_nav(
        group="监测",
        label="运行监测",
        url_name="monitoring:overview",
        icon="pulse",
        order=10,
        roles=FIGURE_READERS,
    )
