"""Registers the kinds of notices, liaison meetings, data supply and the watch over collection."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from core import triggers
    from core.access import BUREAU_ROLES, register_action
    from core.models import NoticeKind, Role
    from core.navigation import register_nav
    from core.notices import register_kind
    from core.registries import home_todos
    from monitoring import liaison_todos
    from monitoring.models.liaison import LIAISON_READERS
    from monitoring.reading.collection import expected_heads
    from monitoring.registries import figure_sources
    from monitoring.services import collection, liaison

    for prefix in ("/monitoring/warnings", "/monitoring/watch", "/monitoring/thresholds"):
        register_kind(prefix, NoticeKind.WARNING)
    for prefix in ("/submissions/", "/monitoring/reports"):
        register_kind(prefix, NoticeKind.REPORT)
    for prefix in ("/budgets/", "/settlement/", "/claims/", "/jobs/", "/monitoring/"):
        register_kind(prefix, NoticeKind.TASK)

    both = {Role.FUND_OFFICER, Role.HOSPITAL_FINANCE}
    register_action(liaison.RECORD, "登记联络会议", {Role.FUND_OFFICER})
    register_action(liaison.CONFIRM, "确认联络会议", {Role.HOSPITAL_FINANCE})
    register_action(liaison.FOLLOW, "办理会议待办", both)
    register_action(liaison.SUPPLY, "提供与签收数据", both)
    register_action(collection.ENTER, "填报应参保人数", {Role.FUND_OFFICER})
    register_action(collection.DECIDE, "核定应参保人数", {Role.FUND_REVIEWER})
    register_action(collection.FIND, "登记和处理征缴问题", {Role.FUND_OFFICER, Role.AUDITOR})
    register_action(collection.REVIEW, "复核征缴问题", {Role.FUND_REVIEWER})
    figure_sources.register("enrolment targets", expected_heads)
    home_todos.register("monitoring.liaison", liaison_todos.liaison_todos, order=70)
    home_todos.register("monitoring.collection", liaison_todos.collection_todos, order=71)
    triggers.append_only("monitoring_findingchange", "rows of monitoring_findingchange are never changed or deleted")
    for table in ("liaisonmeeting", "meetingfollowup", "datasupply", "enrolmenttarget", "collectionfinding"):
        name = f"monitoring_{table}"
        triggers.register(triggers.Trigger(f"{name}_no_delete", name, "DELETE", f"rows of {name} are never deleted"))
    register_nav(
        group="监测", label="联络会议", url_name="monitoring:liaison", icon="calendar", order=70,
        roles=LIAISON_READERS,
    )  # fmt: skip
    register_nav(
        group="监测", label="征缴监测", url_name="monitoring:collection", icon="list", order=65,
        roles=BUREAU_ROLES | {Role.OBSERVER},
    )  # fmt: skip
