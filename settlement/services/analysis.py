"""Cause analysis and responsibility of an overrun: submitted by officer or hospital, approved by a reviewer (R-043).

The reasonable part never exceeds the overrun (A10); what is not reasonable is wholly the alliance's. Only an approved
analysis enters a settlement; a newer approved one replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.fields import MoneyField
from core.models import Alliance, FundType, Role, StoredFile, User
from core.notices import notify, notify_role
from core.trail import record
from settlement.models import AnalysisState, CauseAnalysis, Settlement, SettlementVersion

TEXT_MIN = 10


def submit_analysis(
    actor: User,
    alliance: Alliance,
    year: int,
    fund_type: str,
    causes: str,
    responsibility: str,
    reasonable_part: Decimal,
    files: Sequence[StoredFile] = (),
) -> CauseAnalysis:
    """Hand in why the year overran, who answers for it, and the reasonable part (yuan) of the overrun.

    Refuses without a drafted overrun of the year to speak about, with a part above it, or with empty texts.
    """
    require(actor, "settlement.submit_analysis", alliance)
    fund_type = FundType(fund_type).value
    with transaction.atomic():
        version = _current_version(alliance, year, fund_type)
        overrun = max(version.figures.difference, Decimal("0.00")) if version is not None else Decimal("0.00")
        problems = _problems(causes, responsibility, reasonable_part, overrun, year)
        if problems:
            raise Refused(problems)
        assert version is not None
        of_year = CauseAnalysis.objects.filter(alliance=alliance, year=year, fund_type=fund_type)
        if of_year.filter(state=AnalysisState.SUBMITTED).exists():
            raise Conflict([Problem("state", "待审定", "已有一份原因分析待审定。", "请等待基金复核审定，或由其退回后重交。")])
        analysis = CauseAnalysis.objects.create(
            alliance=alliance,
            year=year,
            fund_type=fund_type,
            number=of_year.count() + 1,
            causes=causes.strip(),
            responsibility=responsibility.strip(),
            overrun=overrun,
            reasonable_part=reasonable_part,
            prepared_by=actor,
        )
        analysis.files.set(files)
        url = reverse("settlement:statement", args=[version.pk])
        notify_role([Role.FUND_REVIEWER], alliance, f"待审定：{analysis}", url)
        record(actor, "settlement.submit_analysis", analysis, f"提交{analysis}", _data(analysis, files))
        return analysis


def approve_analysis(actor: User, analysis: CauseAnalysis, decision: str = "") -> CauseAnalysis:
    """A reviewer accepts the analysis; drafts take its reasonable part at their next refresh."""
    require(actor, "settlement.approve_analysis", analysis.alliance)
    with transaction.atomic():
        row = _waiting(actor, analysis)
        return _decided(actor, row, AnalysisState.APPROVED, decision, f"审定{row}，合理部分 {row.reasonable_part:,.2f} 元")


def return_analysis(actor: User, analysis: CauseAnalysis, reason: str) -> CauseAnalysis:
    """A reviewer gives the analysis back with a reason."""
    require(actor, "settlement.approve_analysis", analysis.alliance)
    need_reason(reason)
    with transaction.atomic():
        row = _waiting(actor, analysis)
        return _decided(actor, row, AnalysisState.RETURNED, reason, f"退回{row}：{reason.strip()[:80]}")


def _current_version(alliance: Alliance, year: int, fund_type: str) -> SettlementVersion | None:
    settlement = (
        Settlement.objects.select_for_update(no_key=True).filter(alliance=alliance, year=year, fund_type=fund_type).first()
    )
    if settlement is None:
        return None
    return settlement.versions.exclude(computation=None).select_related("computation").order_by("-number").first()


def _problems(
    causes: str, responsibility: str, reasonable_part: Decimal, overrun: Decimal, year: int
) -> list[Problem]:
    problems = []
    if overrun == 0:
        text = f"{year} 年度清算草稿没有超支，不需要原因分析。"
        problems.append(Problem("reasonable_part", "", text, "有超支时，请先由基金经办起草清算。"))
    if len(causes.strip()) < TEXT_MIN:
        problems.append(Problem("causes", causes, "没有写明超支原因。", f"请至少写 {TEXT_MIN} 个字。"))
    if len(responsibility.strip()) < TEXT_MIN:
        problems.append(Problem("responsibility", responsibility, "没有写明责任认定。", f"请至少写 {TEXT_MIN} 个字。"))
    try:
        part = MoneyField().to_python(reasonable_part)
    except ValidationError:
        part = None
    if part is None or part < 0:
        problems.append(
            Problem("reasonable_part", str(reasonable_part), "合理部分须为不小于零、最多两位小数的金额。", "请改正。")
        )
    elif overrun and part > overrun:
        text = f"合理部分不能大于超支额 {overrun:,.2f} 元。"
        problems.append(Problem("reasonable_part", str(part), text, "请按认定结果填写。"))
    return problems


def _waiting(actor: User, analysis: CauseAnalysis) -> CauseAnalysis:
    rows = CauseAnalysis.objects.select_for_update(of=("self",), no_key=True).select_related("alliance__county", "prepared_by")
    row = rows.get(pk=analysis.pk)
    if row.state != AnalysisState.SUBMITTED:
        text = f"这份原因分析已由{row.decided_by}办理：{row.get_state_display()}。"
        raise Conflict([Problem("state", row.get_state_display(), text, "请刷新页面。")])
    different_person(actor, row.prepared_by, "审定原因分析")
    return row


def _decided(actor: User, row: CauseAnalysis, state: str, decision: str, summary: str) -> CauseAnalysis:
    row.state, row.decided_by, row.decided_at, row.decision = state, actor, timezone.now(), decision.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "decision"])
    notify([row.prepared_by], f"{row}{row.get_state_display()}", f"/settlement/?year={row.year}")
    notify_role([Role.FUND_OFFICER], row.alliance, f"{row}{row.get_state_display()}，请刷新试算。")
    record(actor, "settlement.approve_analysis", row, summary, {**_data(row, []), "decision": row.decision})
    return row


def _data(row: CauseAnalysis, files: Sequence[StoredFile]) -> dict[str, object]:
    return {
        "overrun": row.overrun,
        "reasonable_part": row.reasonable_part,
        "state": str(row.state),
        "files": [stored.sha256 for stored in files],
    }
