"""Taking a checked extract in: its files into the lake, its rows into facts, its rejects on the list, all or nothing.

Files are renamed first, then one transaction writes manifest, fact sets, rejects, state and trail. Killed before that
transaction the files are nameless and the next run finds them; killed after it there is nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from claims import lake
from claims.models import (
    ClaimsImport,
    FactSet,
    FactSource,
    ImportState,
    LakeFile,
    OpenReject,
    RejectState,
    lake_root,
)
from claims.services.checking import Plan, plan_of
from claims.services.claim_facts import facts_of_files
from claims.services.factsets import PreparedFacts, prepare_facts, store_factset
from claims.services.receiving import JOB
from claims.services.registers import fingerprint_of, reference_for
from core.models import County
from core.notices import notify
from core.trail import record
from rules.periods import Month

Progress = Callable[[int, int, str], None]


class LakeChangedError(Exception):
    """Another import was accepted since this one was checked, or the staged files are gone: check again."""


@dataclass(frozen=True)
class MonthToStore:
    """One month's facts ready to be stored; ``prepared`` None where another source holds the month."""

    month: Month
    declared: bool
    prepared: PreparedFacts | None
    data_to: date | None
    reason: str


def store_import(claims_import: ClaimsImport, progress: Progress) -> None:
    """Finish an import that is being accepted. Raises ``LakeChangedError`` when it must be checked again."""
    plan = plan_of(claims_import)
    if plan.held != claims_import.held:
        raise LakeChangedError
    paths = {line["month"]: _where(claims_import, line) for line in claims_import.staged}
    reference = reference_for(claims_import.county)
    months = []
    touched = sorted({Month.parse(line["month"]) for line in claims_import.difference})
    for done, month in enumerate(touched):
        progress(done, len(touched) + 1, f"汇总 {month}")
        months.append(_month(claims_import, plan, month, paths, reference))
    progress(len(touched), len(touched) + 1, "入库")
    for line in claims_import.staged:
        staged = lake.staging_of(claims_import) / line["file"]
        try:
            lake.place(staged, _name(claims_import, line), line["sha256"])
        except FileNotFoundError as error:
            raise LakeChangedError from error
    _commit(claims_import, plan, months, fingerprint_of(reference))


def _month(
    claims_import: ClaimsImport, plan: Plan, month: Month, paths: dict[str, Path], reference: Any
) -> MonthToStore:
    county = claims_import.county
    declared = month in claims_import.months
    current = FactSet.objects.current().filter(county=county, year=month.year, month=month.month).first()
    line = next((line for line in claims_import.staged if line["month"] == str(month)), None)
    if not declared and current is not None and current.source != FactSource.CLAIMS:
        return MonthToStore(month, False, None, None, "")
    files = [file.path for file in plan.stays if file.month == month]
    if line:
        files.append(paths[str(month)])
    facts = facts_of_files(files, reference, county, month)
    reach = date.fromisoformat(line["data_to"]) if line else month.last_day
    if declared:
        reason = f"第 {claims_import.pk} 号导入"
        data_to = reach
    else:
        rows = line["rows"] if line else 0
        reason = f"第 {claims_import.pk} 号导入带来的迟到结算 {rows} 行"
        data_to = (current.data_to if current else None) or reach
        declared = bool(current and current.declared)
    return MonthToStore(month, declared, prepare_facts(county, month, facts), data_to, reason)


@transaction.atomic
def _commit(claims_import: ClaimsImport, plan: Plan, months: Sequence[MonthToStore], reference: str) -> None:
    county = County.objects.select_for_update(of=("self",), no_key=True).select_related("pooling_area").get(pk=claims_import.county_id)
    found = ClaimsImport.objects.select_for_update(no_key=True).get(pk=claims_import.pk)
    if found.state != ImportState.ACCEPTING:
        return
    if plan_of(found).held != plan.held:
        raise LakeChangedError
    now = timezone.now()
    former = {file.claims_import for file in plan.replaced}
    LakeFile.objects.filter(pk__in=[file.pk for file in plan.replaced]).update(live=False, superseded_by=found)
    LakeFile.objects.bulk_create(_manifest(found, county))
    versions, beside = [], []
    for each in months:
        if each.prepared is None:
            beside.append(str(each.month))
            continue
        factset, is_new = store_factset(
            found.uploaded_by, county, each.prepared, FactSource.CLAIMS,
            data_to=each.data_to, claims_import=found, declared=each.declared, reason=each.reason, reference=reference,
        )  # fmt: skip
        versions.append({"month": str(each.month), "factset": factset.pk, "version": factset.version, "new": is_new})
    closed = _close_rejects(found, now)
    _open_rejects(found, county)
    found.supersedes.set(former)
    found.state, found.accepted_at = ImportState.ACCEPTED, now
    found.outcome = _outcome(found, plan, versions, beside, closed)
    found.save(update_fields=["state", "accepted_at", "outcome"])
    if found.uploaded_by:
        notify([found.uploaded_by], f"第 {found.pk} 号导入已入库：{found.rows_good} 行", _url(found))
    record(
        found.decided_by or found.uploaded_by,
        JOB,
        found,
        f"第 {found.pk} 号导入入库（{county} {found.period_text}）：{found.rows_good} 行",
        {"factsets": versions, "superseded": sorted(former), "files": [line["sha256"] for line in found.staged],
         "pooled_fund_paid": found.good_pooled, "rejects_closed": closed},
    )  # fmt: skip


def _manifest(found: ClaimsImport, county: County) -> list[LakeFile]:
    files = []
    for line in found.staged:
        month = Month.parse(line["month"])
        files.append(
            LakeFile(
                claims_import=found,
                county=county,
                year=month.year,
                month=month.month,
                name=_name(found, line),
                rows=line["rows"],
                pooled_fund_paid=Decimal(line["pooled"]),
                size=line["size"],
                sha256=line["sha256"],
                declared=line["declared"],
            )
        )
    return files


def _close_rejects(found: ClaimsImport, now: Any) -> int:
    """Rejects of these months, and those of imports this one covers wholly, are replaced by the corrected extract."""
    rejects = OpenReject.objects.open().filter(county=found.county_id).exclude(claims_import=found)
    months = set(found.months)
    covered = set(
        ClaimsImport.objects.filter(
            county=found.county_id, period_from__gte=found.period_from, period_to__lte=found.period_to
        ).values_list("pk", flat=True)
    )
    closing = [row.pk for row in rejects if row.period in months or row.claims_import_id in covered]
    return OpenReject.objects.filter(pk__in=closing).update(
        state=RejectState.REPLACED, replaced_by=found, closed_by=found.uploaded_by, closed_at=now
    )


def _open_rejects(found: ClaimsImport, county: County) -> None:
    rows = []
    for line in found.reject_months:
        month = Month.parse(line["month"])
        rows.append(
            OpenReject(
                claims_import=found,
                county=county,
                year=month.year,
                month=month.month,
                rows=line["rows"],
                pooled_fund_paid=Decimal(line["pooled"]),
            )
        )
    OpenReject.objects.bulk_create(rows)


def _outcome(
    found: ClaimsImport, plan: Plan, versions: Sequence[dict[str, Any]], beside: Sequence[str], closed: int
) -> str:
    told = [f"入库 {found.rows_good} 行，统筹支出 {found.good_pooled} 元；退回 {found.rows_bad} 行。"]
    if found.rows_identical:
        told.append(f"已入库的相同行 {found.rows_identical} 行，没有重复计入。")
    if found.rows_late:
        told.append(f"迟到结算 {found.rows_late} 行，计入各自月份。")
    if plan.replaced:
        told.append(f"替换原有 {sum(file.rows for file in plan.replaced)} 行。")
    if beside:
        told.append(f"{'、'.join(beside)} 的事实另有来源（月度事实表或演示数据），迟到结算只入库、未计入。")
    if closed:
        told.append(f"原有 {closed} 笔退回合计已由本次替换。")
    new = [version["month"] for version in versions if version["new"]]
    told.append(f"形成新版本的月份：{'、'.join(new) or '无'}。")
    return "".join(told)


def _where(claims_import: ClaimsImport, line: dict[str, Any]) -> Path:
    """A staged file, or the same already renamed before a kill."""
    staged: Path = lake.staging_of(claims_import) / line["file"]
    if staged.exists():
        return staged
    placed = lake_root() / _name(claims_import, line)
    if placed.exists() and lake.sha256_of(placed) == line["sha256"]:
        return placed
    raise LakeChangedError


def _name(claims_import: ClaimsImport, line: dict[str, Any]) -> str:
    return lake.name_of(claims_import, claims_import.county, Month.parse(line["month"]), line["declared"])


def _url(claims_import: ClaimsImport) -> str:
    return reverse("claims:import", args=[claims_import.pk])
