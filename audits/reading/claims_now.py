"""Whether the claims behind a case still are what they were when their lines were added: extracts are corrected meanwhile."""

from __future__ import annotations

from audits.models import Case, FindingLine
from audits.reading.findings import MOST_NAMED, lines_of
from claims.reading import CaseClaim, claims_by_id, holds_claims
from core.errors import Problem
from core.models import County
from rules.periods import Month

REMEDY = "请把程序退回复审，剔除或核减这一行后再作决定。"


def changed_claims(case: Case, *, penalty: bool = False) -> list[Problem]:
    """Kept lines whose claim was reversed, is gone from a month that is held, or of which the fund now paid less than found.

    ``penalty``: only those a fine is counted on. Lines entered by hand have no claim to compare with. Reads the extracts.
    """
    places: dict[County, list[FindingLine]] = {}
    rows = lines_of(case).filter(county__isnull=False)
    if penalty:
        rows = rows.filter(finding__spared=False).exclude(penalty_amount=0)
    for line in rows:
        if line.county is not None:
            places.setdefault(line.county, []).append(line)
    problems: list[Problem] = []
    for county, lines in places.items():
        found = claims_by_id(county, {line.settlement_id for line in lines})
        held: dict[Month, bool] = {}
        for line in lines:
            claim = found.get(line.settlement_id)
            month = Month.of(line.settled_on)
            if claim is None and month not in held:
                held[month] = holds_claims(county, month)
            text = _fault(line, claim, held.get(month, True))
            if text:
                problems.append(Problem("lines", line.settlement_id, text, REMEDY))
    return problems[:MOST_NAMED]


def _fault(line: FindingLine, claim: CaseClaim | None, month_is_held: bool) -> str:
    where = f"事实 {line.finding.number} 的结算单 {line.settlement_id} "
    if claim is None:
        return f"{where}在现在的结算明细中已没有。" if month_is_held else ""
    if claim.reversed_by:
        return f"{where}已由 {claim.reversed_by} 冲销，基金没有支付。"
    if claim.pooled_fund_paid < line.amount:
        return f"{where}的基金支付现为 {claim.pooled_fund_paid} 元，少于认定的 {line.amount} 元。"
    return ""
