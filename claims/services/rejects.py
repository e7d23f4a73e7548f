"""Closing rejected rows that no corrected extract will replace, because they were settled outside the system."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from claims.models import OpenReject, RejectState
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import User
from core.trail import record
from rules.money import round_fen

WRITE_OFF = "claims.write_off"


@transaction.atomic
def write_off_rejects(actor: User, rejects: OpenReject, reason: str) -> OpenReject:
    """Close a month's rejected rows of one import as settled outside, with a reason; they no longer block a settlement."""
    require(actor, WRITE_OFF, rejects.county)
    if len(reason.strip()) < 4:
        raise Refused([Problem("reason", reason, "核销须说明理由。", "请写明这些结算在系统外如何办结及其凭据。")])
    found = OpenReject.objects.select_for_update(of=("self",), no_key=True).select_related("county").get(pk=rejects.pk)
    if found.state != RejectState.OPEN:
        raise Conflict(f"{found.period} 的退回行{found.get_state_display()}，不能再次处理。")
    found.state, found.reason = RejectState.WRITTEN_OFF, reason.strip()[:400]
    found.closed_by, found.closed_at = actor, timezone.now()
    found.save(update_fields=["state", "reason", "closed_by", "closed_at"])
    amount = round_fen(found.pooled_fund_paid)
    record(
        actor,
        WRITE_OFF,
        found,
        f"核销{found.county} {found.period} 退回的 {found.rows} 行结算（统筹支出 {amount} 元）：{found.reason}",
        {"import": found.claims_import_id, "rows": found.rows, "pooled_fund_paid": found.pooled_fund_paid},
    )
    return found
