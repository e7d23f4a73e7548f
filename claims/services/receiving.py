"""Taking in an extract: declared county and period, the file kept by its content, the check started as a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.defaultfilters import date as format_date
from django.utils import timezone

from claims import lake
from claims.models import ClaimsImport, ImportState, LakeFile
from claims.services.mappings import settings_of
from claims.services.person_key import require_same_person_key
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.files import store_path, store_upload
from core.jobs import enqueue
from core.models import County, Job, StoredFile, User
from core.trail import record
from rules.periods import Month, months_between

JOB = "claims.import"
ACCEPT_JOB = "claims.accept"
FILE_KIND = "claims_extract"
LONGEST_MONTHS = 24


def receive_upload(actor: User, county: County, first: Month, last: Month, upload: Any) -> ClaimsImport:
    """Keep an uploaded extract of ``county``'s insured for the months ``first`` to ``last`` and start its check.

    ``upload`` has ``name``, ``size`` and ``chunks()``. Raises ``Refused`` with every problem, ``Conflict`` when the
    same file is in already.
    """
    require(actor, JOB, county)
    _refuse_declaration(first, last, str(upload.name), int(upload.size))
    require_same_person_key()
    settings_of(county.pooling_area)
    return _received(actor, county, first, last, store_upload(upload, FILE_KIND, actor))


def receive_path(actor: User, county: County, first: Month, last: Month, path: Path) -> ClaimsImport:
    """The same for a file on this machine (command, demonstration)."""
    require(actor, JOB, county)
    _refuse_declaration(first, last, path.name, path.stat().st_size)
    require_same_person_key()
    settings_of(county.pooling_area)
    return _received(actor, county, first, last, store_path(path, FILE_KIND, actor))


def start_job(claims_import: ClaimsImport, actor: User | None) -> Job:
    """Queue the work an import waits for; an unfinished job for it is returned as it is.

    Checking and storing have names of their own: the job that has just asked for a decision may not have ended yet.
    """
    return enqueue(
        ACCEPT_JOB if claims_import.state == ImportState.ACCEPTING else JOB,
        scope=str(claims_import.pk),
        period=claims_import.period_text[:20],
        params={"import": claims_import.pk},
        actor=actor,
        place=claims_import.county,
        label=f"导入{claims_import.county}医保结算明细",
    )


def clear_away(claims_import: ClaimsImport) -> None:
    """After an import is finished: its working directory goes, and the uploaded file, which names persons, with it."""
    lake.clear_staging(claims_import)
    with transaction.atomic():
        found = ClaimsImport.objects.select_for_update(no_key=True).get(pk=claims_import.pk)
        stored = found.file
        if stored is None:
            return
        ClaimsImport.objects.filter(pk=found.pk).update(file=None)
        path, sha256 = stored.path, stored.sha256
        stored.delete()
        if not StoredFile.objects.filter(sha256=sha256).exists():
            transaction.on_commit(lambda: path.unlink(missing_ok=True))


def _received(actor: User, county: County, first: Month, last: Month, stored: StoredFile) -> ClaimsImport:
    try:
        with transaction.atomic():
            locked = County.objects.select_for_update(of=("self",), no_key=True).select_related("pooling_area").get(pk=county.pk)
            _refuse_same_file(stored)
            claims_import = ClaimsImport.objects.create(
                county=locked,
                period_from=first.first_day,
                period_to=last.last_day,
                file_name=stored.name,
                file_size=stored.size,
                file=stored,
                sha256=stored.sha256,
                uploaded_by=actor,
            )
            claims_import.job = start_job(claims_import, actor)
            claims_import.save(update_fields=["job"])
            record(
                actor,
                JOB,
                claims_import,
                f"上传{locked} {claims_import.period_text} 医保结算明细“{stored.name}”",
                {"sha256": stored.sha256, "bytes": stored.size},
            )
    except Conflict:
        stored.delete()
        raise
    return claims_import


def _refuse_same_file(stored: StoredFile) -> None:
    """A file that is being checked or whose rows are held is not taken twice; a rejected or replaced one may return."""
    for former in ClaimsImport.objects.filter(sha256=stored.sha256).exclude(state=ImportState.REJECTED).order_by("pk"):
        if former.state == ImportState.ACCEPTED and not LakeFile.objects.live().filter(claims_import=former).exists():
            continue
        when = format_date(timezone.localtime(former.uploaded_at), "Y年n月j日 H:i")
        raise Conflict(
            [
                Problem(
                    "file",
                    stored.name,
                    f"同一份文件已于 {when} 由{former.uploaded_by or '系统'}导入（第 {former.pk} 号导入，{former.county} "
                    f"{former.period_text}，{former.get_state_display()}）。",
                    "请核对是否选错文件；更正后的明细请重新导出。",
                )
            ]
        )


def _refuse_declaration(first: Month, last: Month, name: str, size: int) -> None:
    problems = []
    this_month = Month.of(timezone.localdate())
    if last < first:
        problems.append(Problem("period_to", str(last), "申报期间的止月早于起月。", "请改正申报期间。"))
    elif len(months_between(first, last)) > LONGEST_MONTHS:
        problems.append(Problem("period_to", str(last), f"一次最多申报 {LONGEST_MONTHS} 个月。", "请按年度分开导入。"))
    if last > this_month:
        problems.append(Problem("period_to", str(last), "申报期间在本月之后。", "请改正申报期间。"))
    if size == 0:
        problems.append(Problem("file", name, "文件没有内容（0 字节）。", "请重新导出。"))
    if size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES >> 20
        problems.append(Problem("file", name, f"文件 {size >> 20} MB，超过 {limit} MB。", "请按月份分开导出。"))
    if problems:
        raise Refused(problems)
