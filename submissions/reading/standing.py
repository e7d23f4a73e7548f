"""How far the table of a quarter is with each of many alliances: state, last day, reminders, reconciliation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from core.models import Alliance
from rules.periods import Quarter
from submissions.models import Assignment, Reconciliation
from submissions.states import UNFILED, AssignmentState, SubmissionState


@dataclass(frozen=True)
class Standing:
    """One assignment as others show it. ``reconciled`` says how far both sides are with its reconciliation."""

    alliance: int
    text: str
    tone: str
    last_day: date
    url: str
    reminders: int
    waits_for_hospital: bool
    accepted: bool
    reconciled: str


def standings(alliances: Collection[Alliance], quarter: Quarter) -> dict[int, Standing]:
    """By alliance id; two queries. Alliances that owe nothing for the quarter are left out."""
    pks = [alliance.pk for alliance in alliances]
    signed = {
        row.submission.assignment_id: _signed(row)
        for row in Reconciliation.objects.filter(
            submission__state=SubmissionState.ACCEPTED,
            submission__assignment__alliance__in=pks,
            submission__assignment__period=str(quarter),
        ).select_related("submission")
    }
    return {
        row.alliance_id: Standing(
            row.alliance_id, row.get_state_display(), row.tone, row.last_day, row.get_absolute_url(),
            len([step for step in row.reminded.split(",") if step]), row.state in UNFILED,
            row.state == AssignmentState.ACCEPTED, signed.get(row.pk, ""),
        )
        for row in Assignment.objects.filter(alliance__in=pks, period=str(quarter))
    }  # fmt: skip


def _signed(row: Reconciliation) -> str:
    if row.is_signed:
        return "双方已签认"
    if row.hospital_signed_at is not None:
        return "医共体已签认"
    return "医保局已签认" if row.bureau_signed_at is not None else "未签认"
