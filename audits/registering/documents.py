"""Registers documents, measures, hand-overs and follow-ups: rights, cards, parameters, reminders, to-dos, verification."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits import jobs_papers, todos_papers, verification_papers
    from audits.reading import hints
    from audits.registries import case_cards
    from audits.services import documents, reminders
    from audits.states import AUDITOR, LEGAL, REVIEWER
    from audits.views.cards import documents as documents_card
    from audits.views.cards import measures as measure_cards
    from core.access import register_action
    from core.registries import control_sums, due_work, home_todos, trail_texts, verifications

    register_action(documents.MAKE, "制作文书", AUDITOR | REVIEWER | LEGAL)
    trail_texts.register(reminders.REMIND, "逾期催办")
    hints.define_parameters()
    reminders.define_parameters()
    case_cards.register("audits.measures", measure_cards.measures, order=60)
    case_cards.register("audits.referrals", measure_cards.referrals, order=65)
    case_cards.register("audits.follow_ups", measure_cards.follow_ups, order=70)
    case_cards.register("audits.documents", documents_card.card, order=80)
    due_work.register("audits.reminders", jobs_papers.look_for_reminders)
    home_todos.register("audits.papers", todos_papers.todos, order=34)
    verifications.register("案件文书", verification_papers.verify_documents, order=58)
    control_sums.register("案件文书", verification_papers.control_sums, order=58)
