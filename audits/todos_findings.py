"""Evidence registered before seizure that its officers have not dealt with yet, on the home page."""

from __future__ import annotations

from django.urls import reverse

from audits.models import Case, Evidence
from audits.reading.evidence import HANDLED, WITHDRAWN
from audits.states import CaseState
from core.models import User
from core.registries import Todo

LIMIT = 20
WORKING = (CaseState.INVESTIGATING, CaseState.REVIEWED)


def todos(user: User) -> list[Todo]:
    """One for each registered piece of the user's own cases, nearest day first."""
    mine = Case.objects.visible_to(user).filter(
        officers__user=user, officers__until__isnull=True, state__in=WORKING, suspended_on__isnull=True
    )
    rows = (
        Evidence.objects.filter(case__in=mine.values("pk"), registered_until__isnull=False)
        .exclude(notes__kind__in=[HANDLED, WITHDRAWN])
        .select_related("case")
        .order_by("registered_until", "pk")
    )
    return [
        Todo(
            title=f"处理登记保存的{row}",
            url=reverse("audits:evidence", args=[row.case_id, row.number]),
            detail=f"{row.case}",
            due=row.registered_until,
            verb="处理",
        )
        for row in rows[:LIMIT]
    ]
