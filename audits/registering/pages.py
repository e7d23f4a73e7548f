"""Registers the list of cases in the navigation: of the bureau beside the leads, of a party its own cases."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import todos_cases
    from audits.access import AUDIT_READERS, PROVIDERS
    from core.navigation import register_nav

    register_nav(
        group="监管", label="稽核案件", url_name="audits:cases", icon="scale", order=20, roles=AUDIT_READERS | PROVIDERS,
        badge=todos_cases.badge,
    )  # fmt: skip
