"""The jobs of the claims app: checking and storing an extract, cleaning the lake."""

from __future__ import annotations

from django.utils import timezone

from claims import lake
from claims.models import ClaimsImport, ImportState
from claims.services.processing import process_import
from claims.services.receiving import ACCEPT_JOB, JOB
from core.jobs import JobRun, enqueue, job

CLEAN = "claims.clean_lake"


@job(JOB, label="检查医保结算明细")
def check(run: JobRun) -> str:
    return _said(process_import(run.params["import"], run.progress))


@job(ACCEPT_JOB, label="医保结算明细入库")
def accept(run: JobRun) -> str:
    return _said(process_import(run.params["import"], run.progress))


@job(CLEAN, label="清理数据湖")
def clean(run: JobRun) -> str:
    return f"清理了 {lake.clean()} 个无主文件。"


def clean_daily() -> None:
    """Once a day; the job row of the day is what tells that it was done."""
    today = str(timezone.localdate())
    enqueue(CLEAN, period=today, fingerprint=today)


def _said(claims_import: ClaimsImport) -> str:
    if claims_import.state == ImportState.AWAITING_DECISION:
        why = "差错行超过上限，须说明理由后接收" if claims_import.needs_admission else "与已入库数据有差异，须确认"
        return f"检查完成：合格 {claims_import.rows_good} 行，退回 {claims_import.rows_bad} 行；{why}。"
    return claims_import.outcome
