"""Leads out of what other apps know: a warning of monitoring, claim rows of an institution."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from audits.models import Lead, LeadSource
from audits.services.leads import PointedClaim, enter_lead
from claims.reading import CaseClaim, claims_by_id
from core.access import require
from core.errors import Problem, Refused
from core.models import County, FundType, Institution, User
from monitoring.reading.warnings import cause_text, newest_figures, shown_value
from rules.periods import Month

WARNING = "monitoring.warning"
VIEW_CLAIMS = "claims.view"
MOST_CLAIMS = 500


def held_for_warning(warning: Any) -> Lead | None:
    """The lead a warning became."""
    return Lead.objects.with_places().filter(source=LeadSource.WARNING, origin_type=WARNING, origin_key=str(warning.pk)).first()


def party_of(warning: Any) -> Institution | None:
    """Whom a warning is about: its institution, or the lead hospital that answers for the alliance; none for a fund."""
    if warning.institution is not None:
        return warning.institution  # type: ignore[no-any-return]
    if warning.alliance is not None:
        return warning.alliance.lead_hospital(timezone.localdate())  # type: ignore[no-any-return]
    return None


def lead_from_warning(actor: User, warning: Any) -> Lead:
    """Enter the lead of a warning with its newest figure, its money and its place; the held one if there is one.

    ``warning`` as monitoring's reading gives it. Raises ``Refused`` for a warning about a fund, ``NotAllowed``.
    """
    institution = party_of(warning)
    if institution is None:
        text = f"预警 {warning.number} 针对{warning.at}的基金，没有可以稽核的机构。"
        raise Refused([Problem("warning", warning.number, text, "请就具体机构登记线索。")])
    figure = newest_figures([warning]).get(warning.pk)
    detail = f"{warning.get_level_display()}色预警 {warning.number}：{warning.at} {warning.get_fund_type_display()} {cause_text(warning)}"
    if figure is not None and figure.value is not None:
        detail += f" {shown_value(warning, figure.value)}"
        if figure.threshold_value is not None:
            detail += f"（阈值 {shown_value(warning, figure.threshold_value)}）"
        if figure.data_to is not None:
            detail += f"，数据截至 {figure.data_to}"
    return enter_lead(
        actor, source=LeadSource.WARNING, county=institution.county, institution=institution, title=warning.title,
        detail=f"{detail}。", estimate=figure.affected if figure is not None else None, origin_type=WARNING,
        origin_key=str(warning.pk), fund_type=warning.fund_type,
    )  # fmt: skip


def picked_claims(actor: User, county: County, month: Month, ids: Sequence[str]) -> tuple[Institution, list[CaseClaim]]:
    """The claims of a county's insured with these ids in a month, with the one provider they are of.

    Raises ``Refused`` with every id that cannot be taken, ``NotAllowed`` without a post that sees claims of the county.
    """
    require(actor, VIEW_CLAIMS, county)
    if not ids:
        raise Refused([Problem("settlement_id", "", "没有选择结算记录。", "请在结算明细行中勾选。")])
    if len(ids) > MOST_CLAIMS:
        text = f"选择了 {len(ids)} 条结算记录，最多 {MOST_CLAIMS} 条。"
        raise Refused([Problem("settlement_id", str(len(ids)), text, "请分几条线索登记。")])
    held = claims_by_id(county, ids, (month.first_day, month.last_day))
    problems = []
    for one in ids:
        if one not in held:
            problems.append(Problem("settlement_id", one, f"{county}参保人 {month} 没有结算单 {one}。", "请重新选择。"))
        elif not held[one].standing:
            problems.append(Problem("settlement_id", one, f"结算单 {one} 是冲销记录或者已被冲销。", "请不要选择这一条。"))
        elif held[one].fund_type not in FundType.values:
            problems.append(Problem("settlement_id", one, f"结算单 {one} 没有对应的险种。", "请不要选择这一条。"))
    codes = {claim.institution_code for claim in held.values()}
    institution = Institution.objects.filter(code__in=codes).select_related("county__pooling_area").first()
    if len(codes) > 1:
        problems.append(Problem("settlement_id", "、".join(sorted(codes)), "所选记录属于多家机构。", "请按机构分别登记线索。"))
    elif held and institution is None:
        code = next(iter(codes)) or "未列机构"
        problems.append(Problem("settlement_id", code, f"机构 {code} 不是本地的定点机构。", "请手工登记线索。"))
    if problems or institution is None:
        raise Refused(problems)
    return institution, [held[one] for one in dict.fromkeys(ids)]


def lead_from_claims(
    actor: User, county: County, month: Month, ids: Sequence[str], *, source: str, title: str, detail: str
) -> Lead:
    """Enter a lead about the provider of claim rows; the money in question is what the pooled fund paid for them."""
    institution, claims = picked_claims(actor, county, month, ids)
    funds = {claim.fund_type for claim in claims}
    pointed = [
        PointedClaim(county, claim.settlement_id, claim.settled_on, claim.fund_type, claim.pooled_fund_paid) for claim in claims
    ]
    return enter_lead(
        actor, source=source, county=institution.county, institution=institution, title=title, detail=detail,
        estimate=sum((row.amount for row in pointed), Decimal(0)), claims=pointed, fund_type=funds.pop() if len(funds) == 1 else "",
    )  # fmt: skip
