"""The card of what was found: one row a finding with its yuan and the party's word, claim rows folded below."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from audits.models import Case
from audits.reading.findings import sums
from audits.reading.lines import is_inside
from audits.reading.statements import said_of_findings, statements_of
from audits.registries import Card
from audits.services.findings import may_now, may_open_lines
from audits.states import Act


def card(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """The provider sees what stands; dropped findings are the bureau's."""
    user: Any = request.user
    inside = is_inside(user, case)
    found = sums(case)
    said = said_of_findings(statements_of(case))
    context = {
        "case": case,
        "sums": found,
        "rows": [{"row": row, "said": said.get(row.finding.pk)} for row in (found.rows if inside else found.kept)],
        "inside": inside,
        "may_open": may_open_lines(user, case),
        "may_find": inside and may_now(user, case, Act.FIND),
    }
    return Card("audits/cards/findings.html", context)
