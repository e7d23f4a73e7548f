"""Registers the rights, pages, month-end step, to-dos, search and verification of the budgets app."""

from __future__ import annotations

from django.apps import AppConfig


class BudgetsConfig(AppConfig):
    name = "budgets"
    verbose_name = "预算与资金"

    def ready(self) -> None:
        from core.access import register_action
        from core.models import Role

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
