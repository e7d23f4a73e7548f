"""Registers leads and plans: rights of plans, pages, to-dos, search, the button on a warning's page."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import todos_leads
    from audits.access import AUDIT_READERS
    from audits.plan_acts import PlanAct, plan_action, plan_roles
    from audits.views.leads_sources import row_action, warning_action
    from claims.registries import row_actions
    from core.access import register_action
    from core.models import NoticeKind
    from core.navigation import register_nav
    from core.notices import register_kind
    from core.registries import home_todos, search_sources
    from monitoring.registries import warning_actions

    for act in PlanAct:
        register_action(plan_action(act), act.label, plan_roles(act))
    for prefix in ("/audits/leads/", "/audits/plans/"):
        register_kind(prefix, NoticeKind.TASK)
    home_todos.register("audits.leads", todos_leads.todos, order=30)
    search_sources.register("audits.leads", todos_leads.search, order=44)
    warning_actions.register("audits.lead", warning_action)
    row_actions.register("audits.lead", row_action)
    register_nav(
        group="监管", label="稽核监管", url_name="audits:leads", icon="shield", order=10, roles=AUDIT_READERS,
        badge=todos_leads.badge,
    )  # fmt: skip
    register_nav(group="监管", label="稽核计划", url_name="audits:plans", icon="calendar", order=30, roles=AUDIT_READERS)
