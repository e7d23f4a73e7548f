"""Registers the pages that read across the apps, their right, to-dos and search."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "门户"

    def ready(self) -> None:
        from core.access import BUREAU_ROLES, register_action
        from core.models import Role
        from core.navigation import register_nav
        from core.registries import home_todos, search_sources
        from portal import todos
        from portal.demo import loading  # noqa: F401 - registers its job
        from portal.reading import search

        readers = BUREAU_ROLES | {Role.HOSPITAL_FINANCE, Role.OBSERVER}
        register_action("portal.read_overview", "查看基金总览", readers)
        home_todos.register("portal", todos.todos, order=90)
        search_sources.register("机构", search.places, order=10)
        search_sources.register("帮助", search.handbook_pages, order=90)

        register_nav(group="", label="工作台", url_name="portal:home", icon="home", order=1)
        register_nav(group="", label="基金总览", url_name="portal:overview", icon="overview", order=2, roles=readers)
        register_nav(group="账与公开", label="帮助", url_name="portal:help", icon="help", order=90)
