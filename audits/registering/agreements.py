"""Registers agreements, people, points, qualifications and yearly checks: rights, navigation, to-dos, search, card."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import todos_agreements
    from audits.access import AUDIT_READERS, PROVIDERS
    from audits.registries import case_cards
    from audits.services import agreements, physicians, points, qualifications, yearly_check
    from audits.states import AUDITOR, REVIEWER
    from audits.views.cards.points import points_card
    from core.access import register_action
    from core.models import Role
    from core.navigation import register_nav
    from core.registries import home_todos, search_sources

    register_action(agreements.ENTER, "提出服务协议签订和变更", {Role.FUND_OFFICER})
    register_action(agreements.DECIDE, "审定服务协议签订和变更", {Role.FUND_REVIEWER})
    register_action(agreements.SANCTION, "提出中止、恢复、解除协议", AUDITOR)
    register_action(agreements.DECIDE_SANCTION, "审定中止、恢复、解除协议", REVIEWER)
    register_action(physicians.REGISTER, "登记医保医师（药师）", {Role.FUND_OFFICER})
    register_action(points.PROPOSE, "提出记分", AUDITOR)
    register_action(points.DECIDE, "审定记分", REVIEWER)
    register_action(points.WITHDRAW, "撤销记分", REVIEWER)
    register_action(qualifications.NAME, "确定暂停支付资格月数", AUDITOR)
    register_action(qualifications.DECIDE, "审定支付资格处理", REVIEWER)
    register_action(yearly_check.PROPOSE, "提出年度检查考核", AUDITOR)
    register_action(yearly_check.DECIDE, "审定年度检查考核", REVIEWER)

    case_cards.register("audits.points", points_card, order=58)
    home_todos.register("audits.agreements", todos_agreements.todos, order=36)
    search_sources.register("audits.agreements", todos_agreements.search, order=46)
    register_nav(
        group="监管", label="协议与记分", url_name="audits:agreements", icon="document", order=40,
        roles=AUDIT_READERS | PROVIDERS, badge=todos_agreements.badge,
    )  # fmt: skip
