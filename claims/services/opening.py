"""Opening rows of single persons leaves a trace, also where persons are pseudonyms (R-068)."""

from __future__ import annotations

from django.db import transaction

from claims.models import ClaimsImport, FactSet
from core.access import require
from core.models import User
from core.trail import record

OPEN = "claims.open_rows"


@transaction.atomic
def note_rows_opened(actor: User, factset: FactSet, what: str) -> None:
    """Say who looked at claim rows behind a month's facts; ``what`` names the filter in words."""
    require(actor, OPEN, factset.county)
    record(actor, OPEN, factset, f"查看{factset.county} {factset.period} 结算明细行：{what}", place=factset.county)


@transaction.atomic
def note_rejects_opened(actor: User, claims_import: ClaimsImport) -> None:
    """Say who took the report of rejected rows."""
    require(actor, OPEN, claims_import.county)
    record(actor, OPEN, claims_import, f"下载第 {claims_import.pk} 号导入的差错报告（{claims_import.rows_bad} 行）")
