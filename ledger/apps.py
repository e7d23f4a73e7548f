"""Registers the ledger's rights, triggers, pages and verification."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"
    verbose_name = "基金账"

    def ready(self) -> None:
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role
        from core.navigation import register_nav
        from core.registries import control_sums, search_sources, verifications
        from ledger import reading, totals, triggers

        register_action("ledger.read", "查看基金账", BUREAU_ROLES | {Role.OBSERVER})
        register_action("ledger.close_period", "结账", {Role.FUND_FINANCE})
        register_action("ledger.reopen_period", "反结账", {Role.FUND_FINANCE})
        triggers.register_all()
        search_sources.register("凭证", reading.search)
        verifications.register("基金账", reading.verify_ledger, order=20)
        control_sums.register("基金账", totals.control_sums, order=20)

        def shown(user: Any) -> bool:
            return bool(reading.areas_of(user))

        register_nav(group="账与公开", label="基金账", url_name="ledger:list", icon="book", order=10, shown_to=shown)
