"""Registers core's own rights, triggers, pages and verifications."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate


class BackOfficeConfig(admin_apps.AdminConfig):
    """Django's admin with our own door: the administrator's post opens it, not a flag on the account."""

    default = False
    default_site = "core.backoffice.BackOffice"


class CoreConfig(AppConfig):
    default = True
    name = "core"
    verbose_name = "基础"

    def ready(self) -> None:
        from core import files, handlers, mailing, trail, triggers
        from core.access import register_action
        from core.models import Role
        from core.models.trail import TRAIL_READERS
        from core.navigation import register_nav
        from core.registries import backup_sources, control_sums, due_work, readiness_checks, trail_texts, verifications

        register_action("core.manage_people", "管理账号与岗位", {Role.ADMINISTRATOR})
        register_action("core.manage_places", "管理机构与区划", {Role.ADMINISTRATOR})
        register_action("core.enter_policy", "录入政策", {Role.ADMINISTRATOR})
        register_action("core.approve_policy", "审定政策版本", {Role.FUND_REVIEWER})
        register_action("core.confirm_parameter", "核实政策参数", {Role.FUND_REVIEWER})
        trail_texts.register("core.change_password", "修改密码")
        trail_texts.register("core.login", "登录")
        trail_texts.register("core.export", "导出")
        trail_texts.register(mailing.CHOOSE, "设置邮件通知")
        trail_texts.register(mailing.REPEAT, "再次发送邮件")

        triggers.append_only("core_trailevent", "trail rows are never changed or deleted")
        post_migrate.connect(triggers.install, sender=self)
        due_work.register("月末处理", handlers.look_for_month_end)
        due_work.register("邮件通知", mailing.look_for_mail)
        verifications.register("轨迹链", trail.verify_chains, order=10)
        verifications.register("防改触发器", triggers.missing, order=11)
        verifications.register("文件校验值", files.verify_files, order=12)
        backup_sources.register("文件", files.kept_files)
        control_sums.register("轨迹", trail.control_sums, order=10)
        readiness_checks.register("防改触发器", lambda: "；".join(f.where for f in triggers.missing()))

        register_nav(group="系统", label="任务", url_name="core:jobs", icon="clock", order=10)
        register_nav(group="系统", label="待核实参数", url_name="core:parameters", icon="question", order=20)
        register_nav(group="系统", label="政策版本", url_name="core:policies", icon="document", order=25)
        register_nav(
            group="系统",
            label="操作轨迹",
            url_name="core:trail",
            icon="list",
            order=30,
            roles=TRAIL_READERS,
        )
        register_nav(
            group="系统", label="后台", url_name="admin:index", icon="settings", order=90, roles={Role.ADMINISTRATOR}
        )
