"""One import as its page tells it: where it stands, what it adds up to, what was found and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from claims.engine.codes import BY_CODE
from claims.models import ClaimsImport, FactSource, ImportState
from core.models import County
from rules.money import round_ratio


@dataclass(frozen=True)
class Finding:
    """One code with its wording, counts and first rows."""

    code: str
    title: str
    rejects: bool
    rows: int
    total_cost: Decimal
    explanation: str
    remedy: str
    first_rows: list[dict[str, Any]]


def latest_import(county: County) -> ClaimsImport | None:
    """The extract handed in last for a county, whatever its state."""
    return ClaimsImport.objects.filter(county=county).select_related("job").order_by("-pk").first()


def findings_of(claims_import: ClaimsImport) -> list[Finding]:
    """What the check found, rejecting codes first, most rows first."""
    found = []
    for row in claims_import.findings.all():
        code = BY_CODE[row.code]
        rejects = row.severity == "reject"
        found.append(
            Finding(
                row.code, code.title, rejects, row.rows, row.total_cost, code.explanation, code.remedy, row.first_rows
            )
        )
    return sorted(found, key=lambda finding: (not finding.rejects, -finding.rows, finding.code))


def stages_of(claims_import: ClaimsImport) -> list[dict[str, Any]]:
    """The stepper: received, checked, decided, stored."""
    state = claims_import.state
    order = [ImportState.RECEIVED, ImportState.CHECKING, ImportState.AWAITING_DECISION, ImportState.ACCEPTING]
    at = 4 if claims_import.is_finished else max(1, order.index(ImportState(state)))
    decided = claims_import.decided_by
    asked = decided is not None or state == ImportState.AWAITING_DECISION
    steps = [
        _stage("已接收", 0, at, claims_import.uploaded_by, claims_import.uploaded_at),
        _stage("检查", 1, at, None, claims_import.checked_at),
        _stage("经办确认", 2, at, decided, claims_import.decided_at, "" if asked else "无须确认"),
        _stage("入库", 3, at, None, claims_import.accepted_at),
    ]
    if state == ImportState.REJECTED:
        last = 2 if decided is not None else 1
        steps = steps[: last + 1]
        steps[last] = {**steps[last], "state": "refused", "note": "退回" if decided is not None else "整份退回"}
    return steps


def _stage(label: str, number: int, at: int, who: Any, when: Any, note: str = "") -> dict[str, Any]:
    state = "done" if number < at else "current" if number == at else "todo"
    shown: dict[str, Any] = {"label": label, "state": state}
    if who:
        shown["who"] = str(who)
    if when and state == "done":
        shown["when"] = f"{timezone.localtime(when):%Y-%m-%d %H:%M}"
    if note and state == "done":
        shown["note"] = note
    return shown


@dataclass(frozen=True)
class Difference:
    """One month of an import beside what is held (pooled-fund yuan)."""

    month: str
    kind: str
    held_source: str
    held_rows: int
    held_pooled: Decimal
    stays_rows: int
    new_rows: int
    new_pooled: Decimal

    @property
    def rows_change(self) -> int:
        return self.new_rows - self.held_rows

    @property
    def pooled_change(self) -> Decimal:
        return self.new_pooled - self.held_pooled

    @property
    def text(self) -> str:
        if self.kind == "replace" and self.held_source not in ("", FactSource.CLAIMS):
            return f"替换原有的{FactSource(self.held_source).label}"
        return {
            "replace": "替换原有明细",
            "new": "新增",
            "empty": "申报了但没有数据行",
            "late": "迟到结算，并入该月",
        }[self.kind]


def differences_of(claims_import: ClaimsImport) -> list[Difference]:
    """The comparison shown before a decision, kept as it was shown."""
    return [
        Difference(
            **{**line, "held_pooled": Decimal(line["held_pooled"]), "new_pooled": Decimal(line["new_pooled"])}
        )
        for line in claims_import.difference
    ]


@dataclass(frozen=True)
class ImportSums:
    """Shares of an import, as fractions."""

    bad_rows_share: Decimal
    bad_pooled_share: Decimal
    bad_limit: Decimal


def sums_of(claims_import: ClaimsImport) -> ImportSums:
    whole = claims_import.good_pooled + claims_import.bad_pooled
    rows = claims_import.rows_total
    return ImportSums(
        round_ratio(Decimal(claims_import.rows_bad) / rows) if rows else Decimal(0),
        round_ratio(claims_import.bad_pooled / whole) if whole > 0 else Decimal(0),
        Decimal(claims_import.told.get("bad_limit", "0.05")),
    )
