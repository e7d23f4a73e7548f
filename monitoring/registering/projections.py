"""Registers the projection and the medium-term estimate."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core import triggers
    from core.access import BUREAU_ROLES, register_action
    from core.models import Role
    from core.navigation import register_nav
    from core.registries import MonthEndStep, month_end_steps, trail_texts, verifications
    from monitoring import projection_verification
    from monitoring.models.projections import READERS
    from monitoring.reading.projections import projected_sums
    from monitoring.registries import figure_sources
    from monitoring.services import midterm, projecting

    trail_texts.register(projecting.PROJECT, "趋势预测")
    register_action(midterm.PREPARE, "编制中期收支测算", {Role.FUND_OFFICER})
    register_action(midterm.DECIDE, "审定中期收支测算", {Role.FUND_REVIEWER})
    month_end_steps.register(
        "projection",
        MonthEndStep("趋势预测", projecting.month_end_step, inputs=projecting.step_inputs),
        order=30,
    )
    figure_sources.register("projection", projected_sums)
    verifications.register("中期收支测算", projection_verification.verify_midterms, order=65)
    register_nav(
        group="监测", label="趋势预测", url_name="monitoring:projections", icon="trend", order=40, roles=READERS
    )
    register_nav(
        group="监测",
        label="中期收支测算",
        url_name="monitoring:midterm",
        icon="scale",
        order=45,
        roles=BUREAU_ROLES | {Role.OBSERVER},
    )
    for table in ("projection", "midtermestimate"):
        name = f"monitoring_{table}"
        triggers.register(triggers.Trigger(f"{name}_no_delete", name, "DELETE", f"rows of {name} are never deleted"))
