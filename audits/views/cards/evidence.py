"""The card of a case's evidence: every piece with its hash and whether its file still is what was taken."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from audits.models import Case
from audits.reading.evidence import UNREAD, checked
from audits.reading.lines import is_inside
from audits.registries import Card
from audits.services.findings import may_now
from audits.states import Act
from audits.views.evidence import may_open


def card(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """None for the provider: evidence is the bureau's."""
    user: Any = request.user
    if not is_inside(user, case):
        return None
    rows = checked(case, glance=True)
    intact = sum(1 for row in rows if row.intact)
    context = {
        "case": case,
        "rows": [{"row": row, "findings": "、".join(str(one.number) for one in row.evidence.findings.all())} for row in rows],
        "intact": intact,
        "broken": any(row.broken for row in rows),
        "unread": sum(1 for row in rows if row.state == UNREAD),
        "count": len(rows),
        "waiting": [row for row in rows if row.waits],
        "may_open": may_open(user, case),
        "may_add": may_now(user, case, Act.COLLECT),
    }
    return Card("audits/cards/evidence.html", context)
