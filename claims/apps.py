"""Registers the rights, parameters, pages, verifications and due work of the claims app."""

from __future__ import annotations

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    verbose_name = "数据接入"

    def ready(self) -> None:
        from claims import handlers, month_end, todos, totals, triggers, verification
        from claims.services.person_key import person_key_state
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role
        from core.navigation import register_nav
        from core.registries import (
            MonthEndStep,
            backup_sources,
            control_sums,
            due_work,
            home_todos,
            month_end_steps,
            readiness_checks,
            search_sources,
            verifications,
        )

        viewers = BUREAU_ROLES | {Role.OBSERVER, Role.ADMINISTRATOR}
        register_action("claims.view", "查看医保数据接入", viewers)
        register_action("claims.open_rows", "查看结算明细行", BUREAU_ROLES)
        register_action("claims.import", "导入医保数据", {Role.FUND_OFFICER})
        register_action("claims.admit", "接收差错超限的明细", {Role.FUND_OFFICER})
        register_action("claims.write_off", "核销退回的结算", {Role.FUND_OFFICER})
        register_action("claims.enter_monthly_report", "填报基金月报", {Role.FUND_OFFICER, Role.FUND_FINANCE})
        register_action("claims.edit_mappings", "维护明细对照表", {Role.ADMINISTRATOR})

        triggers.register_triggers()
        verifications.register("数据湖清单", verification.verify_manifest, order=30)
        verifications.register("月度事实", verification.verify_facts, order=31)
        backup_sources.register("数据湖", totals.kept_files)
        control_sums.register("数据接入", totals.control_sums, order=30)
        readiness_checks.register("参保人标识密钥", person_key_state)
        month_end_steps.register("claims", MonthEndStep("数据是否齐全", month_end.tell_coverage), order=10)
        due_work.register("清理数据湖", handlers.clean_daily)
        home_todos.register("claims", todos.todos)
        search_sources.register("claims", todos.search)
        register_nav(
            group="数据", label="数据接入", url_name="claims:list", icon="database", order=10, roles=viewers,
            badge=todos.waiting_count,
        )  # fmt: skip
