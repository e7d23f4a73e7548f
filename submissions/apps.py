"""Registers the rights, triggers, pages, jobs, to-dos and verification of the quarterly tables."""

from __future__ import annotations

from django.apps import AppConfig


class SubmissionsConfig(AppConfig):
    name = "submissions"
    verbose_name = "季度报表"

    def ready(self) -> None:
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role
        from core.navigation import register_nav
        from core.registries import control_sums, due_work, home_todos, search_sources, trail_texts, verifications
        from submissions import jobs, parameters, todos, totals, verification
        from submissions.services import deadlines, duties, reconciling, tables
        from submissions.states import ROLES, Act, action_name

        for act in Act:
            if act in ROLES:
                register_action(action_name(act), act.label, ROLES[act])
            else:
                trail_texts.register(action_name(act), act.label)
        register_action(duties.MANAGE, "维护填报职责", {Role.ADMINISTRATOR})
        register_action(tables.LOAD, "载入报表版本", {Role.ADMINISTRATOR})
        register_action(tables.DECIDE, "核准报表版本", {Role.FUND_REVIEWER})
        trail_texts.register(deadlines.REMIND, "提醒报送")
        trail_texts.register(reconciling.RENEW, "报表对账重新形成")
        parameters.define_parameters()
        _protect()

        verifications.register("季度报表", verification.verify_submissions, order=45)
        control_sums.register("季度报表", totals.control_sums, order=45)
        home_todos.register("submissions", todos.todos, order=35)
        search_sources.register("submissions", todos.search, order=45)
        due_work.register("submissions.assignments", jobs.look_for_assignments)
        due_work.register("submissions.reminders", jobs.look_for_reminders)
        due_work.register("submissions.reconciliations", jobs.look_for_new_facts)
        register_nav(
            group="数据",
            label="季度报表",
            url_name="submissions:list",
            icon="table",
            order=30,
            roles=BUREAU_ROLES | {Role.HOSPITAL_FINANCE, Role.OBSERVER},
            badge=todos.badge,
        )


def _protect() -> None:
    """What was done stays told, what was accepted stays as it was; nothing filed is ever deleted."""
    from core import triggers

    for table in ("submissionchange", "acceptedfigure"):
        name = f"submissions_{table}"
        triggers.append_only(name, f"rows of {name} are never changed or deleted")
    for table in ("submission", "assignment", "waiver", "tableversion", "reconciliation", "duty"):
        name = f"submissions_{table}"
        triggers.register(triggers.Trigger(f"{name}_no_delete", name, "DELETE", f"rows of {name} are never deleted"))
