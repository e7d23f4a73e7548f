"""Registers the rights of the claims app."""

from __future__ import annotations

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    verbose_name = "数据接入"

    def ready(self) -> None:
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role

        register_action("claims.view", "查看医保数据接入", BUREAU_ROLES | {Role.OBSERVER, Role.ADMINISTRATOR})
        register_action("claims.open_rows", "查看结算明细行", BUREAU_ROLES)
        register_action("claims.import", "导入医保数据", {Role.FUND_OFFICER})
        register_action("claims.admit", "接收差错超限的明细", {Role.FUND_OFFICER})
        register_action("claims.write_off", "核销退回的结算", {Role.FUND_OFFICER})
        register_action("claims.enter_monthly_report", "填报基金月报", {Role.FUND_OFFICER, Role.FUND_FINANCE})
        register_action("claims.edit_mappings", "维护明细对照表", {Role.ADMINISTRATOR})
