"""Registers the pages of the indicators."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.access import BUREAU_ROLES, HOSPITAL_ROLES
    from core.models import Role
    from core.navigation import register_nav

    register_nav(
        group="监测",
        label="运行监测",
        url_name="monitoring:overview",
        icon="pulse",
        order=10,
        roles=BUREAU_ROLES | HOSPITAL_ROLES | {Role.OBSERVER, Role.DUTY_BODY},
    )
