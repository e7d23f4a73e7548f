"""Working out a package from its inputs: facts or entered figures, growth, cap, coverage, primary share. Writes nothing.

Collects every problem before it refuses. What a figure came from (facts, or which entered source) stays beside it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from budgets.models import FigureSource, GrowthState, PackageVersion, RevenueGrowth
from budgets.refusals import problems_of
from budgets.services.figures import (
    Coverage,
    Entered,
    PackageInputs,
    YearUsed,
    coverage_of,
    input_problems,
    parts_of,
    policy_day,
    primary_share_of,
    years_used,
)
from claims.reading import PackageScope
from core.errors import Problem, Refused
from core.models import Alliance, FundType
from core.policies import SchemeInForce, scheme_in_force
from rules import budget
from rules.errors import RuleError
from rules.money import positive, round_ratio
from rules.trace import Trace, text_of


@dataclass(frozen=True)
class Worked:
    """A package worked out: the worksheet of the rules with everything a version keeps."""

    sheet: budget.Worksheet
    scheme: SchemeInForce
    growth: RevenueGrowth
    years: tuple[YearUsed, ...]
    total: Decimal
    in_alliance: Decimal
    out_of_county: Decimal
    coverage: Coverage
    primary: budget.PrimaryShare | None
    primary_source: str
    warnings: tuple[str, ...]
    fingerprint: str
    data_to: date | None
    inputs: PackageInputs

    def columns(self) -> dict[str, Any]:
        """The fields of a :class:`PackageVersion` that come from working it out."""
        sheet, primary, given = self.sheet, self.primary, self.inputs
        return {
            "general_outpatient": given.scope.general_outpatient,
            "chronic_outpatient": given.scope.chronic_outpatient,
            "inpatient": given.scope.inpatient,
            "out_of_county_care": given.scope.out_of_county,
            "employee_maternity": given.scope.employee_maternity,
            "policy_version": self.scheme.version,
            "scheme_frozen": self.scheme.frozen(),
            "growth": self.growth,
            "basis": sheet.basis.value,
            "base_in_alliance": sheet.base_institutions,
            "base_out_of_county": sheet.base_out_of_county,
            "last_year_base": sheet.last_year_base,
            "three_year_base": sheet.three_year_base,
            "scope_change": given.scope_change,
            "scope_change_note": given.scope_change_note.strip(),
            "mean_growth": sheet.mean_growth,
            "volume_allowance": sheet.volume_allowance,
            "growth_cap": sheet.growth_cap,
            "applied_growth": round_ratio(self.total / sheet.comparable - 1),
            "ceiling": sheet.ceiling,
            "suggested": sheet.suggested,
            "total": self.total,
            "in_alliance": self.in_alliance,
            "out_of_county": self.out_of_county,
            "warnings": list(self.warnings),
            "trace": sheet.trace.as_json(),
            "fingerprint": self.fingerprint,
            "data_to": self.data_to,
            "insured": self.coverage.insured,
            "resettled": self.coverage.resettled,
            "coverage_source": self.coverage.source,
            "coverage_note": self.coverage.note,
            "coverage_data_to": self.coverage.data_to,
            "primary_amount": primary.amount if primary else None,
            "primary_share": primary.ratio if primary else None,
            "primary_floor": primary.floor if primary else None,
            "primary_base": primary.base_name if primary else "",
            "primary_source": self.primary_source if primary else "",
            "primary_note": given.primary_note.strip() if primary else "",
            "primary_trace": primary.trace.as_json() if primary else [],
            "no_negotiation_reason": given.no_negotiation_reason.strip(),
            "adjustment_reason": given.adjustment_reason,
            "reason": given.reason.strip(),
        }


def work_out(alliance: Alliance, year: int, fund_type: str, given: PackageInputs) -> Worked:
    """Work out a package; ``Refused`` with every problem of the inputs, the data and the cap at once."""
    problems = input_problems(fund_type, year, given)
    scheme = scheme_in_force(alliance, policy_day(year))
    growth = RevenueGrowth.objects.filter(
        pooling_area=alliance.county.pooling_area_id, fund_type=fund_type, year=year, state=GrowthState.APPROVED
    ).first()
    if growth is None:
        text = f"缺少 {year} 年{FundType(fund_type).label if fund_type in FundType.values else ''}基金收入预算增幅。"
        problems.append(Problem("收入预算增幅", "", text, "请先录入并由基金复核审定，再测算打包总额。"))
    if fund_type not in FundType.values:
        raise Refused(problems)
    years, warnings = years_used(alliance, year, fund_type, given, problems)
    if growth is None or problems:
        raise Refused(problems)
    try:
        sheet = budget.worksheet(
            year=year,
            payments=[budget.YearPayments(used.year, used.in_alliance, used.out_of_county) for used in years],
            revenue_budget_growth=growth.growth,
            volume_allowance=given.volume_allowance,
            basis=budget.Basis(given.basis),
            scope_change=given.scope_change,
            clause=scheme.scheme.clause("budget.base") or budget.PACKAGE_CLAUSE,
        )
        total = positive(sheet.suggested if given.total is None else given.total, "打包总额")
        problems += problems_of_package(sheet, total)
    except RuleError as error:
        raise Refused(problems_of(error)) from error
    inside, outside = parts_of(total, given, years[-1], problems)
    primary, primary_source = primary_share_of(alliance, year, given, years[-1], total, problems, warnings)
    coverage = coverage_of(alliance, year, fund_type, given, problems, warnings)
    if problems:
        raise Refused(problems)
    return Worked(
        sheet=sheet,
        scheme=scheme,
        growth=growth,
        years=years,
        total=total,
        in_alliance=inside,
        out_of_county=outside,
        coverage=coverage,
        primary=primary,
        primary_source=primary_source,
        warnings=(*sheet.warnings, *warnings),
        fingerprint=_fingerprint(sheet.trace, years, scheme, growth, total, outside),
        data_to=min((used.data_to for used in years if used.data_to), default=None),
        inputs=given,
    )


def problems_of_package(sheet: budget.Worksheet, total: Decimal) -> list[Problem]:
    return [Problem(p.field, p.value, f"{p.text}。", f"{p.remedy}。") for p in budget.package_problems(sheet, total)]


def inputs_of(version: PackageVersion) -> PackageInputs:
    """The inputs a version was worked with, to revise it or to work it out again."""
    facts = FigureSource.FACTS
    typed_heads = version.coverage_data_to is None and version.insured is not None
    return PackageInputs(
        basis=version.basis,
        volume_allowance=version.volume_allowance,
        scope=scope_of_version(version),
        scope_change=version.scope_change,
        scope_change_note=version.scope_change_note,
        total=version.total,
        out_of_county=version.out_of_county,
        years={
            used.year: Entered(used.in_alliance, used.out_of_county, used.source, used.note)
            for used in version.base_years.all()
            if used.source != facts
        },
        insured=version.insured if typed_heads else None,
        resettled=version.resettled if typed_heads else None,
        coverage_source=version.coverage_source if typed_heads else "",
        coverage_note=version.coverage_note if typed_heads else "",
        primary_amount=version.primary_amount if version.primary_source != facts else None,
        primary_source=version.primary_source if version.primary_source != facts else "",
        primary_note=version.primary_note,
        no_negotiation_reason=version.no_negotiation_reason,
        adjustment_reason=version.adjustment_reason,
        reason=version.reason,
    )


def scope_of_version(version: PackageVersion) -> PackageScope:
    return PackageScope(
        general_outpatient=version.general_outpatient,
        chronic_outpatient=version.chronic_outpatient,
        inpatient=version.inpatient,
        out_of_county=version.out_of_county_care,
        employee_maternity=version.employee_maternity,
    )


def _fingerprint(
    trace: Trace,
    years: tuple[YearUsed, ...],
    scheme: SchemeInForce,
    growth: RevenueGrowth,
    total: Decimal,
    outside: Decimal,
) -> str:
    content = {
        "trace": trace.as_json(),
        "years": [[used.year, text_of(used.in_alliance), text_of(used.out_of_county), used.source] for used in years],
        "scheme": scheme.frozen(),
        "growth": growth.pk,
        "parts": [text_of(total), text_of(outside)],
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
