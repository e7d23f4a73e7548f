"""What was found in a case, in yuan of the pooled fund: sums of the kept lines, claims counted beyond what was paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from audits.models import Case, Finding, FindingLine, Track
from audits.reading.evidence import WITHDRAWN
from audits.states import CaseState, TrackState
from core.errors import Problem
from core.fields import MoneyField
from core.models import FundType
from rules.penalties import ACT_BY_KEY

ZERO = Decimal("0.00")
DECIDED_TRACKS = (TrackState.DECIDED, TrackState.SERVED, TrackState.DONE)
MOST_NAMED = 50
CHUNK = 500


@dataclass(frozen=True)
class FindingSum:
    """The kept lines of one finding; a dropped finding has none. Yuan. ``penal``: what a fine may be counted on."""

    finding: Finding
    lines: int
    resident: Decimal
    employee: Decimal
    dropped_lines: int
    penal: Decimal

    @property
    def total(self) -> Decimal:
        return self.resident + self.employee

    @property
    def act_text(self) -> str:
        return act_label(self.finding.act)


@dataclass(frozen=True)
class Sums:
    """The findings by number and their totals. Yuan."""

    rows: tuple[FindingSum, ...]

    @property
    def kept(self) -> tuple[FindingSum, ...]:
        """The findings that stand."""
        return tuple(row for row in self.rows if not row.finding.dropped)

    @property
    def lines(self) -> int:
        return sum(row.lines for row in self.rows)

    @property
    def resident(self) -> Decimal:
        return sum((row.resident for row in self.rows), ZERO)

    @property
    def employee(self) -> Decimal:
        return sum((row.employee for row in self.rows), ZERO)

    @property
    def spared(self) -> Decimal:
        """What stands as a loss but no longer counts for the fine."""
        return sum((row.total - row.penal for row in self.rows), ZERO)

    @property
    def total(self) -> Decimal:
        return self.resident + self.employee


def act_label(key: str) -> str:
    """The Chinese name of an act of :data:`rules.penalties.ACTS`; the key itself where the catalogue lost it."""
    act = ACT_BY_KEY.get(key)
    return act.label if act else key


def lines_of(case: Case) -> QuerySet[FindingLine]:
    """The kept lines of a case, by finding and day."""
    kept = FindingLine.objects.kept().filter(finding__case=case)
    return kept.select_related("finding", "county", "alliance").order_by("finding__number", "settled_on", "pk")


def sums(case: Case) -> Sums:
    """Lines and yuan of every finding by fund type; one query."""
    kept = Q(lines__dropped_at__isnull=True, dropped=False)
    rows = case.findings.order_by("number").annotate(
        kept_lines=Count("lines", filter=kept),
        resident=Sum("lines__amount", filter=kept & Q(lines__fund_type=FundType.RESIDENT)),
        employee=Sum("lines__amount", filter=kept & Q(lines__fund_type=FundType.EMPLOYEE)),
        gone=Count("lines", filter=Q(lines__dropped_at__isnull=False)),
        penal=Sum(Coalesce("lines__penalty_amount", "lines__amount"), filter=kept, output_field=MoneyField()),
    )
    return Sums(
        tuple(
            FindingSum(
                row, row.kept_lines, row.resident or ZERO, row.employee or ZERO, row.gone,
                ZERO if row.spared else row.penal or ZERO,
            )
            for row in rows
        )
    )  # fmt: skip


def unevidenced(case: Case) -> list[Finding]:
    """Findings that stand on no evidence, or only on evidence that was withdrawn; by number."""
    pieces: Any = Finding.evidence.through
    evidenced = pieces.objects.filter(finding__case=case).exclude(evidence__notes__kind=WITHDRAWN)
    return list(case.findings.filter(dropped=False).exclude(pk__in=evidenced.values("finding_id")).order_by("number"))


def counting_lines() -> QuerySet[FindingLine]:
    """Kept lines of every case that still leads to money: not dismissed, its money track not dropped."""
    dropped = Track.objects.filter(holds_money=True, state=TrackState.DROPPED)
    return (
        FindingLine.objects.kept()
        .exclude(finding__case__state=CaseState.DISMISSED)
        .exclude(finding__case__in=dropped.values("case_id"))
    )


def decided_cases(cases: Iterable[int]) -> set[int]:
    """Which of these cases' money was decided."""
    found = Track.objects.filter(holds_money=True, state__in=DECIDED_TRACKS, case_id__in=list(cases))
    return set(found.values_list("case_id", flat=True))


def over_claims(case: Case) -> list[Problem]:
    """Claims whose amounts over all findings of all cases are above what the fund paid; each names the other cases.

    A claim entered by hand knows no county: it is held against the same number of every county of the pooling area.
    """
    mine = set(lines_of(case).order_by().values_list("county_id", "settlement_id").distinct())
    held = claims_held(case.pooling_area_id, {settlement_id for _county, settlement_id in mine})
    over = []
    for county, settlement_id in sorted(mine, key=lambda key: (key[1], key[0] or 0)):
        rows = [row for row in held.get(settlement_id, ()) if county is None or row.county in (None, county)]
        amount, paid = sum((row.amount for row in rows), ZERO), min((row.paid for row in rows), default=ZERO)
        if amount > paid:
            others = sorted({row.number for row in rows if row.case != case.pk})
            named = f"（另见案件 {'、'.join(others)}）" if others else ""
            text = f"结算单 {settlement_id} 各案认定合计 {amount} 元，超过基金支付 {paid} 元{named}。"
            over.append(Problem("lines", settlement_id, text, "请在复审中减少或剔除本案的认定。"))
    return over[:MOST_NAMED]


class HeldClaim(NamedTuple):
    """What one counting line holds of a claim: by which finding of which case. Yuan."""

    county: int | None
    finding: int
    finding_number: int
    case: int
    number: str
    amount: Decimal
    paid: Decimal


def claims_held(area: int, settlement_ids: Iterable[str]) -> dict[str, list[HeldClaim]]:
    """Settlement id → every counting line of a pooling area (its id) that holds it."""
    names = ("county_id", "finding_id", "finding__number", "finding__case_id", "finding__case__number", "amount", "paid")
    found: dict[str, list[HeldClaim]] = {}
    lines = counting_lines().filter(finding__case__pooling_area=area).order_by("finding__case__filed_on", "pk")
    for chunk in chunks(sorted(set(settlement_ids))):
        for settlement_id, *values in lines.filter(settlement_id__in=chunk).values_list("settlement_id", *names):
            found.setdefault(settlement_id, []).append(HeldClaim(*values))
    return found


def chunks(ids: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
