"""Registers the settlement's rights, triggers, pages, jobs, to-dos and verification."""

from __future__ import annotations

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    name = "settlement"
    verbose_name = "年度清算"

    def ready(self) -> None:
        from core import triggers
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role
        from core.navigation import register_nav
        from core.registries import control_sums, due_work, home_todos, search_sources, trail_texts, verifications
        from settlement import jobs, todos, totals, verification
        from settlement.states import ROLES, Act, action_name

        for act, roles in ROLES.items():
            register_action(action_name(act), Act(act).label, roles)
        trail_texts.register("settlement.remind", "提醒逾期未确认")
        officer, reviewer = Role.FUND_OFFICER, Role.FUND_REVIEWER
        register_action(
            "settlement.push_adjustment", "推送清算调整", {Role.AUDITOR, Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER, reviewer}
        )
        register_action("settlement.propose_deduction", "登记清算扣减", {officer})
        register_action("settlement.approve_deduction", "审定清算扣减", {reviewer})
        register_action("settlement.enter_score", "录入考核得分", {officer})
        register_action("settlement.confirm_score", "核实考核得分", {reviewer})
        register_action("settlement.submit_analysis", "提交超支原因分析", {officer, Role.HOSPITAL_FINANCE})
        register_action("settlement.approve_analysis", "审定超支原因分析", {reviewer})
        register_action("settlement.propose_recovery", "提出追回方案", {officer})
        register_action("settlement.approve_recovery", "批准追回方案", {reviewer})

        for table in ("computation", "statechange", "booking"):
            triggers.append_only(f"settlement_{table}", f"rows of settlement_{table} are never changed or deleted")
        for table in ("settlement", "settlementversion", "causeanalysis", "assessmentscore", "adjustment"):
            triggers.register(
                triggers.Trigger(
                    f"settlement_{table}_no_delete",
                    f"settlement_{table}",
                    "DELETE",
                    f"rows of settlement_{table} are never deleted",
                )
            )

        verifications.register("年度清算", verification.verify_settlements, order=40)
        control_sums.register("年度清算", totals.control_sums, order=40)
        home_todos.register("settlement", todos.todos, order=40)
        search_sources.register("settlement", todos.search, order=40)
        due_work.register("settlement.reminders", jobs.enqueue_reminders)

        people = BUREAU_ROLES | {Role.HOSPITAL_FINANCE, Role.OBSERVER}
        register_nav(
            group="清算",
            label="年度清算",
            url_name="settlement:list",
            icon="file",
            order=10,
            roles=people,
            badge=todos.badge,
        )
        register_nav(group="清算", label="试算", url_name="settlement:calculator", icon="calculator", order=20)
