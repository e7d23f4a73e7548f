"""Collecting the terms of a year from facts, package, prepayments, score and adjustments; every obstacle at once.

What hinders a computation (``blocking``) refuses a draft: package not approved, months missing, rejected yuan open, the
year not over (R-040, A17). What only people can decide (``open_points``: reasonable part of an overrun, assessment
score; R-043, R-053, A10) lets a trial be drawn up with a stated assumption, and refuses its review.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from budgets import reading as budgets
from claims import reading as claims
from core.errors import Problem, Refused
from core.models import Alliance
from core.parameters import value as parameter
from core.policies import SchemeInForce, scheme_in_force
from ledger.accounts import Account
from ledger.reading import balance, find_book
from rules.errors import RuleError
from rules.settlement import YearSettlement
from settlement.frozen import Item, YearInputs, settled
from settlement.models import (
    DEDUCTION_KINDS,
    Adjustment,
    AdjustmentKind,
    AssessmentScore,
    CauseAnalysis,
)


@dataclass(frozen=True)
class Gathered:
    """The terms of a year. Without obstacles in ``blocking``, ``inputs``, ``result`` and ``scheme`` are there."""

    alliance: Alliance
    year: int
    fund_type: str
    blocking: tuple[Problem, ...]
    open_points: tuple[Problem, ...]
    inputs: YearInputs | None = None
    result: YearSettlement | None = None
    scheme: SchemeInForce | None = None


def gather(alliance: Alliance, year: int, fund_type: str, today: date) -> Gathered:
    """Everything a settlement of the year needs as it stands ``today``; changes nothing."""
    blocking: list[Problem] = []
    if today <= date(year, 12, 31):
        text = f"{year} 年度尚未结束（今天 {today}），不能清算。"
        blocking.append(Problem("year", str(year), text, f"请在 {year + 1} 年 1 月 1 日以后办理。"))
    in_force = _scheme(alliance, year, fund_type, blocking)
    package = budgets.package_in_force(alliance, year, fund_type)
    if package is None or package.provisional:
        text = "没有已审定的打包总额。" if package is None else "打包总额尚为暂定，未经审定。"
        blocking.append(Problem("package", "", text, "请先在“打包预算”由基金复核审定。"))
    scope = package.scope if package is not None else claims.PackageScope.DEFAULT
    facts = claims.fund_year(alliance, year, fund_type, scope)
    blocking.extend(_data_problems(alliance, year, facts, today))
    score = AssessmentScore.objects.confirmed().filter(alliance=alliance, year=year).first()
    analysis = (
        CauseAnalysis.objects.approved()
        .filter(alliance=alliance, year=year, fund_type=fund_type)
        .order_by("-number")
        .first()
    )
    if blocking or package is None or in_force is None:
        points = [] if score else [score_missing(alliance, year)]
        return Gathered(alliance, year, fund_type, tuple(blocking), tuple(points))
    adjustments = Adjustment.objects.in_force().filter(alliance=alliance, year=year, fund_type=fund_type)
    inputs = YearInputs(
        alliance=alliance.code,
        year=year,
        fund_type=str(fund_type),
        package=package.total,
        package_id=package.package,
        package_version=package.version,
        package_number=package.number,
        package_in_alliance=package.in_alliance,
        package_out_of_county=package.out_of_county,
        initial_package=package.initial_total,
        package_approved_on=str(package.approved_on or ""),
        scope=package.scope.as_json(),
        facts_in_alliance=facts.in_alliance,
        out_of_county=facts.out_of_county,
        at_sisters=facts.at_sisters,
        treated_for_sisters=facts.treated_for_sisters,
        in_county_outside=facts.in_county_outside,
        excluded_emergency=facts.excluded_emergency,
        measure=facts.measure,
        months=tuple(str(month) for month in facts.months_present),
        data_to=str(facts.data_to or ""),
        settlements=facts.settlements,
        open_reject_share=Decimal(facts.open_reject_share),
        factsets=tuple(facts.factsets),
        facts_fingerprint=facts.fingerprint,
        refused=_items(adjustments, [AdjustmentKind.REFUSED_CLAIMS]),
        deductions=_items(adjustments, DEDUCTION_KINDS),
        prepaid=budgets.prepaid(alliance, year, fund_type),
        other_payments=budgets.other_payments(alliance, year, fund_type),
        reserve=budgets.reserve_withheld(alliance, year, fund_type),
        reasonable=None,
        reasonable_source="",
        assumes_reasonable=False,
        score=None if score is None else score.score,
        score_source="" if score is None else f"{score.source}（{_day(score.confirmed_at)}核实）",
        assumes_factor=False,
        scheme=in_force.frozen(),
    )
    points = _unpaid_prepayments(alliance, year, fund_type)
    inputs = _with_reasonable(inputs, in_force, analysis, points)
    try:
        result = settled(replace(inputs, assumes_factor=inputs.score is None), in_force.scheme)
    except RuleError as error:
        refused = tuple(Problem(p.field, p.value, p.text, p.remedy) for p in error.problems)
        return Gathered(alliance, year, fund_type, refused, tuple(points))
    inputs = replace(inputs, assumes_factor=result.factor_assumed)
    if inputs.assumes_factor:
        points.append(score_missing(alliance, year))
    return Gathered(alliance, year, fund_type, (), tuple(points), inputs, result, in_force)


def gathered_or_refused(alliance: Alliance, year: int, fund_type: str, today: date) -> Gathered:
    """As :func:`gather`; raises :class:`Refused` with every obstacle, those of the later review included."""
    found = gather(alliance, year, fund_type, today)
    if found.blocking:
        raise Refused([*found.blocking, *found.open_points])
    return found


def score_missing(alliance: Alliance, year: int) -> Problem:
    return Problem(
        "score",
        "",
        f"{alliance} {year} 年度没有已核实的考核得分。",
        "请绩效考核牵头部门提供考核结果文件，由基金经办录入得分、基金复核核实。",
    )


def _scheme(alliance: Alliance, year: int, fund_type: str, blocking: list[Problem]) -> SchemeInForce | None:
    try:
        in_force = scheme_in_force(alliance, date(year, 12, 31))
    except Refused as refusal:
        blocking.extend(refusal.problems)
        return None
    if fund_type not in in_force.scheme.fund_types:
        blocking.append(
            Problem("scheme", fund_type, f"方案“{in_force.scheme.title}”不适用于该险种。", "请核对政策版本。")
        )
    return in_force


def _data_problems(alliance: Alliance, year: int, facts: Any, today: date) -> list[Problem]:
    problems = []
    if facts.months_missing:
        missing = "、".join(str(month) for month in facts.months_missing)
        text = f"{year} 年缺少 {len(facts.months_missing)} 个月的结算数据：{missing}。"
        problems.append(Problem("months", missing, text, "请先在“数据接入”补齐各月数据。"))
    limit = parameter("claims.max_reject_share", alliance, today).decimal
    if facts.open_reject_share > limit:
        text = f"未处理的拒收金额占 {facts.open_reject_share:.2%}，超过允许的 {limit:.2%}。"
        problems.append(
            Problem("rejects", f"{facts.open_reject_share:.4%}", text, "请先在“数据接入”更正拒收的明细后重新导入。")
        )
    return problems


def _unpaid_prepayments(alliance: Alliance, year: int, fund_type: str) -> list[Problem]:
    """Approved but not yet paid advances would change P after the statement."""
    open_amount = balance(
        find_book(alliance, fund_type), Account.PREPAYMENT_APPROVED, alliance=alliance, year=year
    )
    if open_amount == 0:
        return []
    text = f"{year} 年尚有已批未付的预付或其他付款 {open_amount:,.2f} 元。"
    return [Problem("prepaid", str(open_amount), text, "请基金财务登记到账或由复核撤销审定后再复核清算。")]


def _items(adjustments: Any, kinds: Any) -> tuple[Item, ...]:
    chosen = [row for row in adjustments if row.kind in kinds]
    return tuple(Item(row.pk, row.kind, row.origin_year, row.amount, row.source, row.reason) for row in chosen)


def _with_reasonable(
    inputs: YearInputs, in_force: SchemeInForce, analysis: CauseAnalysis | None, points: list[Problem]
) -> YearInputs:
    """The reasonable part: the approved one, all of it where the scheme asks for no analysis, else a trial's guess."""
    overrun = inputs.overrun
    if not overrun or not in_force.scheme.requires_cause_analysis:
        return inputs
    if analysis is None:
        points.append(
            Problem(
                "cause_analysis",
                str(overrun),
                f"本年超支 {overrun:,.2f} 元，没有已审定的原因分析与责任认定；本试算暂按全部合理。",
                "请提交原因分析、责任认定和合理部分金额，由基金复核审定后刷新。",
            )
        )
        return replace(inputs, assumes_reasonable=True)
    if analysis.reasonable_part > overrun:
        points.append(
            Problem(
                "cause_analysis",
                str(analysis.reasonable_part),
                f"已认定的合理部分 {analysis.reasonable_part:,.2f} 元大于现在的超支额 {overrun:,.2f} 元。",
                "请按现在的超支额重新提交原因分析。",
            )
        )
    return replace(
        inputs,
        reasonable=min(analysis.reasonable_part, overrun),
        reasonable_source=f"原因分析第 {analysis.number} 份（{_day(analysis.decided_at)}审定）",
    )


def _day(moment: Any) -> str:
    from django.utils import timezone

    return "" if moment is None else str(timezone.localtime(moment).date())
