"""Registers the rights, pages, month-end step, to-dos, search and verification of the budgets app."""

from __future__ import annotations

from django.apps import AppConfig


class BudgetsConfig(AppConfig):
    name = "budgets"
    verbose_name = "预算与资金"

    def ready(self) -> None:
        from budgets import desk, verification
        from budgets.services import propose
        from core.access import BUREAU_ROLES, HOSPITAL_ROLES, register_action
        from core.models import Role
        from core.navigation import register_nav
        from core.registries import MonthEndStep, home_todos, month_end_steps, search_sources, verifications

        officer, reviewer, finance = {Role.FUND_OFFICER}, {Role.FUND_REVIEWER}, {Role.FUND_FINANCE}
        register_action("budgets.enter_growth", "录入收入预算增幅", officer)
        register_action("budgets.approve_growth", "审定收入预算增幅", reviewer)
        register_action("budgets.prepare_package", "编制打包预算", officer)
        register_action("budgets.approve_package", "审定打包预算", reviewer)
        register_action("budgets.prepare_allocation", "编制成员分配", officer)
        register_action("budgets.approve_allocation", "审定成员分配", reviewer)
        register_action("budgets.file_plan", "报送打包基金分配办法", {Role.HOSPITAL_FINANCE})
        register_action("budgets.acknowledge_plan_bureau", "县医保局签收分配办法", reviewer)
        register_action("budgets.acknowledge_plan_branch", "经办机构签收分配办法", officer)
        register_action("budgets.prepare_prepayment", "办理月度预付", officer)
        register_action("budgets.approve_prepayment", "审定月度预付", reviewer)
        register_action("budgets.enter_account", "录入收款账户", finance)
        register_action("budgets.approve_account", "审定收款账户", reviewer)
        register_action("budgets.pay", "拨付预付款", finance)
        register_action("budgets.enter_ratio", "录入预付比例调整", officer)
        register_action("budgets.approve_ratio", "审定预付比例调整", reviewer)
        register_action("budgets.register_payment", "登记其他已付", officer)
        register_action("budgets.approve_payment", "审定其他已付", reviewer)
        register_action("budgets.open_payment_file", "打开拨付文件", finance | reviewer)

        readers = BUREAU_ROLES | HOSPITAL_ROLES | {Role.OBSERVER}
        payers = BUREAU_ROLES | {Role.HOSPITAL_FINANCE, Role.OBSERVER}
        register_nav(
            group="预算与资金", label="打包预算", url_name="budgets:list", icon="wallet", order=10, roles=readers
        )
        register_nav(
            group="预算与资金",
            label="月度预付",
            url_name="budgets:prepayments",
            icon="transfer",
            order=20,
            roles=payers,
        )
        register_nav(
            group="预算与资金", label="其他已付", url_name="budgets:payments", icon="list", order=30, roles=payers
        )
        register_nav(
            group="预算与资金", label="分配办法", url_name="budgets:plans", icon="file", order=40, roles=readers
        )
        month_end_steps.register("prepayment", MonthEndStep("预付建议", propose), order=30)
        home_todos.register("budgets", desk.todos, order=20)
        search_sources.register("budgets", desk.search, order=20)
        verifications.register("打包与预付对账", verification.verify_budgets, order=30)
