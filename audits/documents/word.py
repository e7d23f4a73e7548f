"""Content and bytes of a document: what its family writes, frozen, then filled into the template of its layout."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from audits.documents import decisions, forms, letters, notices
from audits.documents.facts import Facts
from audits.documents.kinds import BY_KEY
from audits.documents.letterhead import template_of
from core.templatetags.fund import day

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
WRITERS: dict[str, Callable[[Facts], dict[str, Any]]] = {
    "filing": forms.filing,
    "evidence_list": forms.evidence_list,
    "registration": forms.registration,
    "agreement_notice": notices.agreement_notice,
    "penalty_notice": notices.penalty_notice,
    "hearing_notice": notices.hearing_notice,
    "agreement_decision": decisions.agreement_decision,
    "penalty_decision": decisions.penalty_decision,
    "dismissal": decisions.dismissal,
    "service_receipt": forms.service_receipt,
    "transfer": letters.transfer,
    "rectify": letters.rectify,
    "talk": letters.talk,
    "circular": letters.circular,
    "inquiry": letters.inquiry,
    "closing": forms.closing,
}


def content_of(facts: Facts, kind: str, number: str, version: int) -> dict[str, Any]:
    """What stands in a document, as texts only, so that it can be frozen. ``notes`` are for the officer, not printed."""
    written = WRITERS[kind](facts)
    return {
        "kind": kind,
        "title": BY_KEY[kind].label,
        "number": number,
        "version": version,
        "case": facts.case.number,
        "office": written["office"],
        "addressee": written.get("addressee", ""),
        "sections": [part for part in written["sections"] if part["sentences"] or part["pairs"] or part["tables"]],
        "signed_office": written.get("signed", ""),
        "signed_on": day(written.get("signed_on") or facts.on),
        "signatures": written.get("signatures", []),
        "trail_head": facts.trail_head,
        "notes": list(dict.fromkeys(facts.notes)),
    }


def word_of(content: dict[str, Any]) -> bytes:
    """The bytes of the template filled with a frozen content."""
    from docxtpl import DocxTemplate

    document = DocxTemplate(template_of(BY_KEY[content["kind"]].layout))
    document.render(content, autoescape=True)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
