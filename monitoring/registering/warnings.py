"""Registers thresholds, warnings, distress and the watch list."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.access import register_action
    from core.models import Role
    from core.registries import (
        MonthEndStep,
        control_sums,
        due_work,
        month_end_steps,
        trail_texts,
        verifications,
    )
    from monitoring import jobs_warnings, parameters, verification_warnings
    from monitoring.services import thresholds, warnings, watching
    from monitoring.states import ROLES, Act, action_name

    officer, reviewer = {Role.FUND_OFFICER}, {Role.FUND_REVIEWER}
    for act in Act:
        if act in ROLES:
            register_action(action_name(act), act.label, ROLES[act])
        else:
            trail_texts.register(action_name(act), act.label)
    register_action(thresholds.ENTER, "设定预警阈值", officer)
    register_action(thresholds.APPROVE, "核准预警阈值", reviewer)
    register_action(thresholds.END, "停用预警阈值", reviewer)
    register_action(warnings.RAISE_MANUAL, "人工发起预警", officer)
    register_action(watching.PROPOSE, "提出监控重点", officer)
    register_action(watching.DECIDE, "核准监控重点", reviewer)
    register_action(watching.END, "解除监控重点", reviewer)
    parameters.define_parameters()
    _protect()

    month_end_steps.register("warnings", MonthEndStep("风险预警", jobs_warnings.warn), order=40)
    due_work.register("monitoring.escalations", jobs_warnings.look_for_escalations)
    verifications.register("风险预警", verification_warnings.verify_warnings, order=55)
    control_sums.register("风险预警", verification_warnings.control_sums, order=55)


def _protect() -> None:
    """What was noted, answered and done stays told; nothing that warned is ever deleted."""
    from core import triggers

    for table in ("warningchange", "warningfigure", "warninganswer"):
        name = f"monitoring_{table}"
        triggers.append_only(name, f"rows of {name} are never changed or deleted")
    for table in ("warning", "threshold", "watchentry"):
        name = f"monitoring_{table}"
        triggers.register(triggers.Trigger(f"{name}_no_delete", name, "DELETE", f"rows of {name} are never deleted"))
