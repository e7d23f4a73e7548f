"""Registers the cards of findings, evidence and statements on the case's page, and the to-do of registered evidence."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import todos_findings, verification_evidence
    from audits.registries import case_cards
    from audits.views.cards import evidence, findings, statements
    from core.registries import home_todos, verifications

    case_cards.register("findings", findings.card, 30)
    case_cards.register("statements", statements.card, 40)
    case_cards.register("evidence", evidence.card, 50)
    home_todos.register("audits.evidence", todos_findings.todos, order=33)
    verifications.register("案件证据", verification_evidence.verify_evidence, order=60)
