"""Registers the rights, pages, verifications and due work of the claims app."""

from __future__ import annotations

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "claims"
    verbose_name = "数据接入"

    def ready(self) -> None:
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role

        register_action("claims.view", "查看医保数据接入", BUREAU_ROLES | {Role.OBSERVER, Role.ADMINISTRATOR})
        register_action("claims.import", "导入医保数据", {Role.FUND_OFFICER})
