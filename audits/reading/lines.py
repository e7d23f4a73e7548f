"""Claim rows of findings for people: persons only as short pseudonyms, diagnoses only by category, provider's own view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from audits.access import AUDIT_READERS, reads_audits
from audits.models import Case, Finding, FindingLine
from claims.reading import VISIT_CHOICES
from core.access import roles_at
from core.models import User

VISITS = dict(VISIT_CHOICES)
SHOWN_OF_PERSON = 8
HEADER = (
    "事实", "结算单号", "结算日期", "参保县（区）", "险种", "就医类别", "参保人", "主要诊断", "责任医共体", "基金支付", "认定金额",
    "说明",
)  # fmt: skip
MONEY = frozenset({9, 10})


@dataclass(frozen=True)
class LineRow:
    """One claim row as it may be shown; ``note`` is empty for the provider."""

    line: FindingLine
    inside: bool

    @property
    def person(self) -> str:
        return f"{self.line.person[:SHOWN_OF_PERSON]}…" if self.line.person else ""

    @property
    def diagnosis(self) -> str:
        """J44.*** for J44.100."""
        return masked(self.line.diagnosis)

    @property
    def visit(self) -> str:
        return VISITS.get(self.line.visit_type, "")

    @property
    def place(self) -> str:
        return str(self.line.county) if self.line.county else "手工登记"

    @property
    def alliance(self) -> str:
        return str(self.line.alliance) if self.line.alliance else "—"

    @property
    def note(self) -> str:
        return self.line.note if self.inside else ""

    @property
    def cells(self) -> tuple[Any, ...]:
        """In the order of HEADER."""
        line = self.line
        return (
            line.finding.number, line.settlement_id, line.settled_on, self.place, line.get_fund_type_display(), self.visit,
            self.person, self.diagnosis, self.alliance, line.paid, line.amount, self.note,
        )  # fmt: skip


def masked(diagnosis: str) -> str:
    """The category of a diagnosis only."""
    return f"{diagnosis[:3]}.***" if diagnosis else ""


def is_inside(user: User, case: Case) -> bool:
    """Whether the reader belongs to the bureau (or its leaders) at the case's place, not to the provider."""
    return reads_audits(user) and bool(roles_at(user, case.at) & AUDIT_READERS)


def shown_findings(user: User, case: Case) -> QuerySet[Finding]:
    """The findings a reader sees: the provider those it was notified of."""
    rows = case.findings.order_by("number")
    return rows if is_inside(user, case) else rows.filter(dropped=False)


def kept_lines_of(finding: Finding) -> QuerySet[FindingLine]:
    """What counts of a finding, by day."""
    kept = FindingLine.objects.kept().filter(finding=finding)
    return kept.select_related("finding", "county", "alliance").order_by("settled_on", "pk")


def dropped_lines_of(finding: Finding) -> QuerySet[FindingLine]:
    """What was taken out of a finding, the latest first."""
    gone = finding.lines.filter(dropped_at__isnull=False)
    return gone.select_related("finding", "county", "alliance", "dropped_by").order_by("-dropped_at", "pk")
