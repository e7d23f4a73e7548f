"""文书 of a case's page: every document with its versions; forms to make one and to replace one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from audits.access import reads_audits
from audits.forms_papers import MakeForm, RenewForm, ids_of
from audits.models import Case
from audits.reading.documents import papers, targets
from audits.registries import Card
from audits.services.documents import may_make

MAKE, RENEW = "document-make", "document-renew"


def card(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """None for a party nothing was sent to."""
    user: Any = request.user
    held = papers(user, case)
    inside = reads_audits(user)
    if not held and not inside:
        return None
    makes = inside and bool(may_make(user, case))
    context: dict[str, Any] = {"papers": held, "papers_inside": inside, "papers_may": makes}
    if makes:
        choices = [(one.key, one.label) for one in targets(case, [paper.newest for paper in held])]
        renewable = [(str(one.newest.pk), f"{one.label} {one.newest.number}（现第 {one.newest.version} 版）") for one in held]
        context |= {
            "make_form": form if opened == MAKE else MakeForm(targets=choices, auto_id=ids_of(MAKE)),
            "renew_form": form if opened == RENEW else RenewForm(documents=renewable, auto_id=ids_of(RENEW)),
            "make_open": opened == MAKE,
            "renew_open": opened == RENEW,
        }
        if opened == MAKE:
            form.fields["what"].choices = [("", "请选择"), *choices]
        if opened == RENEW:
            form.fields["document"].choices = [("", "请选择"), *renewable]
    return Card("audits/cards/documents.html", context)
