"""Registers the analysis reports: rights, triggers, pages, the month-end step, what is due, to-dos and verification."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core.access import register_action
    from core.models import ConfirmationStatus, Role
    from core.navigation import register_nav
    from core.parameters import define
    from core.registries import (
        MonthEndStep,
        control_sums,
        due_work,
        home_todos,
        month_end_steps,
        search_sources,
        trail_texts,
        verifications,
    )
    from monitoring.models.reports import COMMENT, OFFICER, REPORT_READERS, REPORT_ROLES, ReportAct, report_action
    from monitoring.services import reports, reports_desk, reports_jobs, reports_verification, reports_writing

    for act in ReportAct:
        if act in REPORT_ROLES:
            register_action(report_action(act), act.label, REPORT_ROLES[act])
        else:
            trail_texts.register(report_action(act), act.label)
    register_action(COMMENT, "填写报告说明", OFFICER)
    define(
        reports.DUE_DAYS, "季度、半年度、年度汇总报送天数（自然日）", kind="days", default="15",
        clause="宁医保〔2019〕128号 §三(四)",
    )  # fmt: skip
    define(
        reports_writing.FAST_POINTS, "成员单位支出增长过快的界限", kind="ratio", default="0.05",
        clause="宁医保〔2019〕128号 §四(六) 未定具体数值：设计默认值", status=ConfirmationStatus.UNCONFIRMED,
    )  # fmt: skip
    _protect()
    month_end_steps.register("reports", MonthEndStep("分析月报", reports_jobs.month_step), order=60)
    due_work.register("monitoring.reports", reports_jobs.look_for_summaries)
    verifications.register("分析报告", reports_verification.verify_reports, order=56)
    control_sums.register("分析报告", reports_verification.control_sums, order=56)
    home_todos.register("monitoring.reports", reports_desk.todos, order=55)
    search_sources.register("monitoring.reports", reports_desk.search, order=56)
    register_nav(
        group="监测", label="分析报告", url_name="monitoring:reports", icon="document", order=60, roles=REPORT_READERS,
        badge=reports_desk.badge,
    )  # fmt: skip
    register_nav(
        group="监测", label="医疗机构通报", url_name="monitoring:circulars", icon="document", order=65, roles={Role.HOSPITAL_FINANCE}
    )


def _protect() -> None:
    """What was done and written stays told; what was issued stays as it was; no report is ever deleted."""
    from core import triggers

    for table in ("reportchange", "reportcomment"):
        name = f"monitoring_{table}"
        triggers.append_only(name, f"rows of {name} are never changed or deleted")
    name = "monitoring_analysisreport"
    triggers.register(
        triggers.Trigger(f"{name}_no_delete", name, "DELETE", f"rows of {name} are never deleted"),
        triggers.Trigger(
            f"{name}_frozen", name, "UPDATE", "an issued report is never changed",
            "OLD.state IN ('issued', 'recalled', 'superseded') AND (NEW.content <> OLD.content OR NEW.digest <> OLD.digest "
            "OR COALESCE(NEW.word_id, 0) <> COALESCE(OLD.word_id, 0) OR NEW.released <> OLD.released OR NEW.issued_at <> OLD.issued_at)",
        ),
    )  # fmt: skip
