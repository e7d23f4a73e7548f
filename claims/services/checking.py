"""The check of a received extract: run the engine aside, keep everything it found, ask a person where one must decide.

A check may be killed and run again any number of times; it starts from the stored file in an empty directory and its
findings replace those of the run before. Nothing of it is visible in the lake.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from claims import lake
from claims.engine.check import check_file
from claims.engine.findings import CheckResult
from claims.engine.refusals import Limits
from claims.models import ClaimsImport, FactSet, FactSource, ImportFinding, ImportState
from claims.services.person_key import person_key, require_same_person_key
from claims.services.receiving import JOB
from claims.services.registers import reference_for
from core import parameters
from core.files import store_path
from core.models import Role, StoredFile
from core.notices import notify, notify_role
from core.trail import record
from core.workbook import safe_csv_cell
from rules.money import from_fen
from rules.periods import Month

Progress = Callable[[int, int, str], None]
FIRST_ROWS = 20
REPORT_HEADER = ("代码", "行号", "列", "内容", "结算ID", "问题", "改正方法")


@dataclass(frozen=True)
class Plan:
    """What an import would leave alone and what it would replace of the lake."""

    stays: tuple[lake.Held, ...]
    replaced: tuple[lake.Held, ...]

    @property
    def held(self) -> str:
        return lake.fingerprint(sorted((*self.stays, *self.replaced), key=lambda file: file.pk))


def plan_of(claims_import: ClaimsImport) -> Plan:
    """A corrected extract takes the place of what was declared for its months, and of imports it covers wholly.

    Late claims that other extracts brought for these months stay.
    """
    months = set(claims_import.months)
    live = lake.live_files(claims_import.county)
    covered = set(
        ClaimsImport.objects.filter(
            pk__in={file.claims_import for file in live},
            period_from__gte=claims_import.period_from,
            period_to__lte=claims_import.period_to,
        ).values_list("pk", flat=True)
    )
    replaced = {
        file.pk for file in live if (file.declared and file.month in months) or file.claims_import in covered
    }
    return Plan(
        tuple(file for file in live if file.pk not in replaced), tuple(file for file in live if file.pk in replaced)
    )


def check_import(claims_import: ClaimsImport, progress: Progress) -> None:
    """Check a received import; afterwards it awaits a decision, is being accepted, or is rejected as a whole."""
    require_same_person_key()
    assert claims_import.file is not None  # kept until the import is finished
    ClaimsImport.objects.filter(pk=claims_import.pk).update(state=ImportState.CHECKING)
    staging = lake.fresh_staging(claims_import)
    plan = plan_of(claims_import)
    reference = reference_for(claims_import.county, claims_import.period_from, claims_import.period_to)
    result = check_file(
        claims_import.file.path,
        reference,
        [file.path for file in plan.stays],
        person_key(),
        staging,
        progress,
        admit_bad_rows=True,
        limits=Limits(file_bytes=settings.UPLOAD_MAX_BYTES),
    )
    if result.refusal is not None:
        _refuse(claims_import, result)
        return
    report = _report(claims_import, result, staging)
    raw = store_path(result.rejects.path, "claims_rejects", None) if result.rejects else None
    _keep(claims_import, result, plan, report, raw)


@transaction.atomic
def _refuse(claims_import: ClaimsImport, result: CheckResult) -> None:
    refusal = result.refusal
    assert refusal is not None
    found = (
        ClaimsImport.objects.select_for_update(of=("self",), no_key=True)
        .select_related("county__pooling_area")
        .get(pk=claims_import.pk)
    )
    found.state = ImportState.REJECTED
    found.refusal = [
        {"reason": str(refusal.reason), "title": refusal.reason.title, "text": refusal.text, "remedy": refusal.remedy,
         "found": list(refusal.found)}
    ]  # fmt: skip
    found.outcome = f"整份退回：{refusal.text}{refusal.remedy}"
    found.checked_at = timezone.now()
    found.save(update_fields=["state", "refusal", "outcome", "checked_at"])
    if found.uploaded_by:
        notify([found.uploaded_by], f"第 {found.pk} 号导入整份退回：{refusal.reason.title}", _url(found))
    record(None, JOB, found, f"第 {found.pk} 号导入整份退回：{refusal.text}", {"reason": str(refusal.reason)})


def _report(claims_import: ClaimsImport, result: CheckResult, staging: Path) -> StoredFile | None:
    """The report of findings people download: the first thousand rows of each code."""
    if not result.findings:
        return None
    path = staging / "report.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(REPORT_HEADER)
        for entry in result.findings:
            for issue in entry.issues:
                cells = (issue.code, issue.line, issue.column, issue.value, issue.settlement_id, issue.text, issue.remedy)
                writer.writerow([safe_csv_cell(cell) for cell in cells])
    return store_path(path, "claims_report", None, f"差错报告-第{claims_import.pk}号导入.csv")


@transaction.atomic
def _keep(
    claims_import: ClaimsImport, result: CheckResult, plan: Plan, report: StoredFile | None, raw: StoredFile | None
) -> None:
    found = (
        ClaimsImport.objects.select_for_update(of=("self",), no_key=True)
        .select_related("county__pooling_area")
        .get(pk=claims_import.pk)
    )
    staged = _staged(result, found)
    difference = _difference(found, plan, staged)
    limit = parameters.value("claims.max_bad_rows", found.county, timezone.localdate()).decimal
    needs_admission = Decimal(result.rejected) > limit * result.rows
    asks = needs_admission or any(line["kind"] in ("replace", "empty") for line in difference)
    decided = found.decided_at is not None and found.difference == difference and found.needs_admission == needs_admission
    found.state = ImportState.AWAITING_DECISION if asks and not decided else ImportState.ACCEPTING
    if not decided:
        found.decided_by, found.decided_at, found.admitted_reason = None, None, ""
    found.rows_total, found.rows_good, found.rows_bad = result.rows, result.good, result.rejected
    found.rows_identical, found.rows_late = result.identical, result.late
    found.total_cost, found.good_cost, found.bad_cost = result.total_cost, result.good_cost, result.rejected_cost
    found.good_pooled = sum((file.pooled_fund_paid for file in result.files), Decimal("0.00"))
    found.late_pooled = sum((Decimal(line["pooled"]) for line in staged if not line["declared"]), Decimal("0.00"))
    found.bad_pooled = result.rejected_pooled
    found.data_to = max((line["data_to"] for line in staged if line["data_to"]), default=None)
    found.told = _told(result, limit)
    found.reject_months = _reject_months(found, result)
    found.staged, found.difference, found.held = staged, difference, plan.held
    found.needs_admission, found.report, found.raw_rejects = needs_admission, report, raw
    found.checked_at = timezone.now()
    found.save()
    found.findings.all().delete()
    ImportFinding.objects.bulk_create(
        ImportFinding(
            claims_import=found,
            code=entry.code.code,
            severity=str(entry.code.severity),
            rows=entry.rows,
            total_cost=entry.total_cost,
            first_rows=[
                {"line": issue.line, "column": issue.column, "value": issue.value[:200], "id": issue.settlement_id}
                for issue in entry.issues[:FIRST_ROWS]
            ],
        )
        for entry in result.findings
    )
    if found.state == ImportState.AWAITING_DECISION:
        why = "差错行超过上限" if needs_admission else "与已入库数据有差异"
        notify_role({Role.FUND_OFFICER}, found.county, f"{found.county} {found.period_text} 明细{why}，请确认", _url(found))
    record(
        None,
        JOB,
        found,
        f"第 {found.pk} 号导入检查完成：合格 {found.rows_good} 行，退回 {found.rows_bad} 行",
        {"rows": found.rows_total, "bad_pooled": found.bad_pooled, "late": found.rows_late},
    )


def _staged(result: CheckResult, claims_import: ClaimsImport) -> list[dict[str, Any]]:
    last_days = _last_days([file.path for file in result.files])
    declared = set(claims_import.months)
    return [
        {
            "file": file.path.name,
            "month": file.month,
            "declared": Month.parse(file.month) in declared,
            "rows": file.rows,
            "cost": str(file.total_cost),
            "pooled": str(file.pooled_fund_paid),
            "size": file.size,
            "sha256": file.sha256,
            "data_to": last_days[file.path.name],
        }
        for file in result.files
    ]


def _difference(claims_import: ClaimsImport, plan: Plan, staged: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per month: what is held now and what would stand in its place, in rows and pooled-fund yuan."""
    new = {Month.parse(line["month"]): line for line in staged}
    declared = set(claims_import.months)
    replaced_months = {file.month for file in plan.replaced}
    current = {
        factset.period: factset
        for factset in FactSet.objects.current().filter(
            county=claims_import.county, year__in={month.year for month in declared | replaced_months | set(new)}
        )
    }
    lines = []
    for month in sorted(declared | replaced_months | set(new)):
        held = current.get(month)
        stays = sum(file.rows for file in plan.stays if file.month == month)
        line = new.get(month)
        if month in replaced_months or (month in declared and held is not None and held.source != FactSource.CLAIMS):
            kind = "replace"
        elif month in declared:
            kind = "new" if line else "empty"
        else:
            kind = "late"
        lines.append(
            {
                "month": str(month),
                "kind": kind,
                "held_source": held.source if held else "",
                "held_rows": sum(file.rows for file in plan.replaced if file.month == month)
                or (held.settlements if held and held.source != FactSource.CLAIMS else 0),
                "held_pooled": str(_pooled_held(plan, month, held)),
                "stays_rows": stays,
                "new_rows": line["rows"] if line else 0,
                "new_pooled": line["pooled"] if line else "0.00",
            }
        )
    return lines


def _pooled_held(plan: Plan, month: Month, held: FactSet | None) -> Decimal:
    if held is not None and held.source != FactSource.CLAIMS:
        amount: Decimal = held.pooled_fund_paid
        return amount
    return sum((file.pooled_fund_paid for file in plan.replaced if file.month == month), Decimal("0.00"))


def _told(result: CheckResult, limit: Decimal) -> dict[str, Any]:
    return {
        "kind": result.kind,
        "encoding": result.encoding,
        "unused_headers": list(result.unused_headers),
        "notes": list(result.notes),
        "mutual_aid": result.mutual_aid.used.value if result.mutual_aid else "",
        "rejected_unknown": result.rejected_unknown,
        "bad_limit": str(limit),
    }


def _reject_months(claims_import: ClaimsImport, result: CheckResult) -> list[dict[str, Any]]:
    """Rejected rows by the month they were settled in; without a readable or past the declared time: the last month."""
    if result.rejects is None:
        return []
    with lake.reader() as connection:
        rows = connection.execute(
            """SELECT year(settled_on), month(settled_on), count(*), coalesce(sum(pooled_fund_paid), 0)
            FROM read_parquet($1) GROUP BY 1, 2""",
            [str(result.rejects.path)],
        ).fetchall()
    last = Month.of(claims_import.period_to)
    sums: dict[Month, list[int]] = {}
    for year, number, count, fen in rows:
        month = Month(year, number) if year and 2000 <= year <= 2999 else last
        total = sums.setdefault(min(month, last), [0, 0])
        total[0] += int(count)
        total[1] += int(fen)
    return [
        {"month": str(month), "rows": count, "pooled": str(from_fen(fen))} for month, (count, fen) in sorted(sums.items())
    ]


def _last_days(files: Sequence[Path]) -> dict[str, str]:
    """The last day of settlement in each staged file."""
    with lake.reader() as connection:
        return {
            path.name: str(connection.execute("SELECT max(settled_on) FROM read_parquet($1)", [str(path)]).fetchall()[0][0])
            for path in files
        }


def _url(claims_import: ClaimsImport) -> str:
    return reverse("claims:import", args=[claims_import.pk])
