"""What a person decides about a checked extract: take it in (with a reason past the limit of bad rows), or send it back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from claims.models import ClaimsImport, ImportState
from claims.services.receiving import JOB, clear_away, start_job
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import User
from core.trail import record

ADMIT = "claims.admit"
SHORTEST_REASON = 4


@transaction.atomic
def accept_import(actor: User, claims_import: ClaimsImport, reason: str = "") -> ClaimsImport:
    """Confirm the difference and, past the limit of bad rows, admit the file with a reason; storing runs as a job."""
    require(actor, JOB, claims_import.county)
    found = _awaiting(claims_import)
    if found.needs_admission:
        require(actor, ADMIT, found.county)
        if len(reason.strip()) < SHORTEST_REASON:
            raise Refused(
                [Problem("reason", reason, "差错行超过上限，接收须说明理由。", "请写明为何可以先行接收，以及如何更正。")]
            )
    found.state = ImportState.ACCEPTING
    found.admitted_reason = reason.strip()[:400]
    found.decided_by, found.decided_at = actor, timezone.now()
    found.job = start_job(found, actor)
    found.save(update_fields=["state", "admitted_reason", "decided_by", "decided_at", "job"])
    admitted = f"，差错行超限，理由：{found.admitted_reason}" if found.needs_admission else ""
    record(
        actor,
        ADMIT if found.needs_admission else JOB,
        found,
        f"确认接收第 {found.pk} 号导入（{found.county} {found.period_text}）{admitted}",
        {"difference": found.difference, "rows_bad": found.rows_bad, "bad_pooled": found.bad_pooled},
    )
    return found


def reject_import(actor: User, claims_import: ClaimsImport, reason: str) -> ClaimsImport:
    """Send a checked extract back; nothing of it enters the lake."""
    require(actor, JOB, claims_import.county)
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused([Problem("reason", reason, "退回须说明理由。", "请写明需要更正的内容。")])
    with transaction.atomic():
        found = _awaiting(claims_import)
        found.state = ImportState.REJECTED
        found.rejected_reason = reason.strip()[:400]
        found.decided_by, found.decided_at = actor, timezone.now()
        found.outcome = f"经办退回：{found.rejected_reason}"
        found.save(update_fields=["state", "rejected_reason", "decided_by", "decided_at", "outcome"])
        record(actor, JOB, found, f"退回第 {found.pk} 号导入（{found.county} {found.period_text}）：{found.rejected_reason}")
    clear_away(found)
    return found


def _awaiting(claims_import: ClaimsImport) -> ClaimsImport:
    found = (
        ClaimsImport.objects.select_for_update(of=("self",), no_key=True)
        .select_related("county__pooling_area")
        .get(pk=claims_import.pk)
    )
    if found.state != ImportState.AWAITING_DECISION:
        who = f"，{found.decided_by}已办理" if found.decided_by_id else ""
        raise Conflict(f"第 {found.pk} 号导入现为“{found.get_state_display()}”{who}，不能再次确认或退回。")
    return found
