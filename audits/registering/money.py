"""Registers the money of cases: cards, statistics, the fine calculator, to-dos, verification and control sums."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import todos_money, verification_money
    from audits.access import AUDIT_READERS
    from audits.reading.money import held_adjustments
    from audits.reading.statistics import READ
    from audits.registries import case_cards
    from audits.views.cards.money import money_card
    from audits.views.cards.proposals import measures_card, penalty_card
    from core.access import register_action
    from core.navigation import register_nav
    from core.registries import control_sums, home_todos, verifications
    from settlement.registries import adjustment_holders

    register_action(READ, "查看稽核统计", AUDIT_READERS)
    adjustment_holders.register("audits", held_adjustments)
    case_cards.register("money", money_card, order=20)
    case_cards.register("measures", measures_card, order=60)
    case_cards.register("penalty", penalty_card, order=61)
    home_todos.register("audits.money", todos_money.todos, order=34)
    verifications.register("稽核金额", verification_money.verify_money, order=62)
    control_sums.register("稽核金额", verification_money.control_sums, order=62)
    register_nav(
        group="监管", label="稽核统计", url_name="audits:statistics", icon="chart", order=60, roles=AUDIT_READERS
    )
    register_nav(
        group="监管", label="处罚幅度试算", url_name="audits:fine-trial", icon="calculator", order=70, roles=AUDIT_READERS
    )
