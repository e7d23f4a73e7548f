"""Registers the month's and quarter's end: runs, closing and reopening."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core import triggers
    from core.access import register_action
    from core.models import Role
    from core.models.jobs import JOB_READERS
    from core.navigation import register_nav
    from core.registries import home_todos, step_listeners
    from monitoring import period_todos
    from monitoring.services import periods, step_runs

    register_action(periods.RUN, "启动月末处理", {Role.FUND_OFFICER})
    register_action(periods.CLOSE, "月份结账", {Role.FUND_REVIEWER})
    register_action(periods.REOPEN, "重新打开已结账月份", {Role.FUND_REVIEWER})
    step_listeners.register("monitoring", step_runs.LISTENER)
    home_todos.register("monitoring.periods", period_todos.todos, order=60)
    triggers.append_only("monitoring_periodchange", "rows of monitoring_periodchange are never changed or deleted")
    triggers.register(
        triggers.Trigger(
            "monitoring_period_no_delete", "monitoring_period", "DELETE", "rows of monitoring_period are never deleted"
        )
    )
    register_nav(group="监测", label="月末处理", url_name="monitoring:runs", icon="clock", order=60, roles=JOB_READERS)
