"""Carrying an import from one state to the next until a person must decide or it is finished."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from claims.models import ClaimsImport, ImportState
from claims.services.accepting import LakeChangedError, store_import
from claims.services.checking import check_import
from claims.services.receiving import JOB, clear_away, start_job
from core.access import require
from core.errors import Conflict
from core.models import Job, User
from core.trail import record

Progress = Callable[[int, int, str], None]
WORKING = (ImportState.RECEIVED, ImportState.CHECKING, ImportState.ACCEPTING)
MOST_ROUNDS = 6


def process_import(pk: int, progress: Progress) -> ClaimsImport:
    """Check and store as far as it goes without a person. May be killed and called again at any point.

    ``progress(done, of, text)``. Checking again after another import changed the lake is limited to a few rounds.
    """
    for _round in range(MOST_ROUNDS):
        claims_import = ClaimsImport.objects.select_related("county__pooling_area", "file", "uploaded_by").get(pk=pk)
        if claims_import.state in (ImportState.RECEIVED, ImportState.CHECKING):
            check_import(claims_import, lambda done, of, text: progress(done * 80 // of, 100, text))
        elif claims_import.state == ImportState.ACCEPTING:
            try:
                store_import(claims_import, lambda done, of, text: progress(80 + done * 20 // of, 100, text))
            except LakeChangedError:
                ClaimsImport.objects.filter(pk=pk, state=ImportState.ACCEPTING).update(state=ImportState.CHECKING)
        else:
            if claims_import.is_finished:
                clear_away(claims_import)
            return claims_import
    raise Conflict("入库期间数据一直在变化，请稍后重试。")


def is_interrupted(claims_import: ClaimsImport) -> bool:
    """Work that no job is doing any more, after a failure."""
    return claims_import.state in WORKING and (claims_import.job is None or claims_import.job.is_finished)


@transaction.atomic
def retry_import(actor: User, claims_import: ClaimsImport) -> Job:
    """Start an interrupted import again where it stopped."""
    require(actor, JOB, claims_import.county)
    found = (
        ClaimsImport.objects.select_for_update(of=("self",), no_key=True)
        .select_related("county__pooling_area", "job")
        .get(pk=claims_import.pk)
    )
    if not is_interrupted(found):
        raise Conflict(f"第 {found.pk} 号导入现为“{found.get_state_display()}”，不需要重新启动。")
    found.job = start_job(found, actor)
    found.save(update_fields=["job"])
    record(actor, JOB, found, f"重新启动第 {found.pk} 号导入")
    return found.job
