"""Registers the indicators: the month-end step, the job and its look, what the database refuses, verification and totals."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.access import register_action
    from core.registries import MonthEndStep, control_sums, due_work, month_end_steps, trail_texts, verifications
    from monitoring import jobs_figures, verification_figures
    from monitoring.models.figures import FIGURE_READERS
    from monitoring.reading.seen import READ
    from monitoring.services.computing import ACTION

    register_action(READ, "查看运行监测", FIGURE_READERS)
    trail_texts.register(ACTION, "监测数据更新")
    month_end_steps.register("figures", MonthEndStep("指标计算", jobs_figures.month_end_step), order=20)
    due_work.register("monitoring.figures", jobs_figures.look_for_outdated)
    verifications.register("监测月度数据", verification_figures.verify_figures, order=50)
    control_sums.register("监测月度数据", verification_figures.control_sums, order=50)
    _protect()


def _protect() -> None:
    """A row stays as it was written; only which version is current moves on, and never back."""
    from core import triggers
    from monitoring.models import PlaceMonth

    table = PlaceMonth._meta.db_table
    fixed = [field.column for field in PlaceMonth._meta.concrete_fields if field.name != "current"]
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in fixed)
    triggers.register(
        triggers.Trigger(
            f"{table}_fixed", table, "UPDATE", "monthly figures are never changed", f"{changed} OR (NEW.current AND NOT OLD.current)"
        ),
        triggers.Trigger(f"{table}_no_delete", table, "DELETE", "monthly figures are never deleted"),
    )
