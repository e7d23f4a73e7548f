"""Where the figures of a worksheet come from: what an officer typed, the facts, the monthly reports (R-012 – R-015).

Every figure keeps its source. Refuses county revenue as a basis or source (R-017) and figures without their source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils import timezone

from budgets.models import FigureSource
from budgets.refusals import problems_of
from claims.reading import FundYear, PackageScope, fund_year, insured_heads
from core.errors import Problem
from core.models import Alliance, FundType
from core.parameters import value as parameter
from rules import budget
from rules.errors import RuleError
from rules.money import ZERO, allocate, non_negative
from rules.trace import CONFIRMED, UNCONFIRMED, percent, text_of

YEARS_BACK = 4
"""Four years of payments give three growth rates."""
PRIMARY_BASES = {"in_alliance": "in_alliance_spending", "package": "package", "county": "county_spending"}


@dataclass(frozen=True)
class Entered:
    """Payments of one year as somebody typed them (yuan), with where they come from."""

    in_alliance: Decimal
    out_of_county: Decimal
    source: str
    note: str


@dataclass(frozen=True)
class PackageInputs:
    """What an officer decides about a package; everything else comes from facts, growth and scheme.

    ``total`` None takes the suggested amount, ``out_of_county`` None divides it as last year. ``years`` holds entered
    payments that replace the facts of a year. Ratios are fractions (0.01 for 1 %), amounts yuan.
    """

    basis: str = budget.Basis.LAST_YEAR_SETTLED.value
    volume_allowance: Decimal = Decimal(0)
    scope: PackageScope = field(default_factory=PackageScope)
    scope_change: Decimal = ZERO
    scope_change_note: str = ""
    total: Decimal | None = None
    out_of_county: Decimal | None = None
    years: dict[int, Entered] = field(default_factory=dict)
    insured: int | None = None
    resettled: int | None = None
    coverage_source: str = ""
    coverage_note: str = ""
    primary_amount: Decimal | None = None
    primary_source: str = ""
    primary_note: str = ""
    no_negotiation_reason: str = ""
    adjustment_reason: str = ""
    reason: str = ""


@dataclass(frozen=True)
class YearUsed:
    """The payments of a year as the worksheet uses them."""

    year: int
    in_alliance: Decimal
    out_of_county: Decimal
    source: str
    note: str = ""
    measure: str = ""
    fingerprint: str = ""
    factsets: tuple[int, ...] = ()
    data_to: date | None = None
    primary: Decimal | None = None
    county_total: Decimal | None = None

    @property
    def total(self) -> Decimal:
        return self.in_alliance + self.out_of_county


@dataclass(frozen=True)
class Coverage:
    insured: int | None
    resettled: int | None
    source: str
    note: str
    data_to: date | None


def policy_day(year: int) -> date:
    """The day whose policy holds for a package year: today within the year, else its nearest end."""
    return min(max(timezone.localdate(), date(year, 1, 1)), date(year, 12, 31))


def input_problems(fund_type: str, year: int, given: PackageInputs) -> list[Problem]:
    """Everything wrong with the typed inputs themselves."""
    problems: list[Problem] = []
    if fund_type not in FundType.values:
        text = "打包预算须分险种编制，职工与居民基金不得合并或相互挤占（赣医保发〔2022〕23号 §二(二)3）。"
        problems.append(Problem("险种", fund_type, text, "请选择职工或居民。"))
    if not 2000 <= year <= timezone.localdate().year + 1:
        problems.append(Problem("年度", str(year), "只能编制到下一年度的打包预算。", "请核对年度。"))
    problems += problems_of(RuleError(budget.basis_problems(given.basis)))
    used = [entered.source for entered in given.years.values()] + [given.primary_source, given.coverage_source]
    if FigureSource.COUNTY_REVENUE in used:
        text = f"不得以县域内的医保基金收入确定打包总额（{budget.REFUSAL_CLAUSE}）。"
        problems.append(Problem("数据来源", "县域基金收入", text, "请以医共体结算支付数为基数。"))
    scope = given.scope
    if not any((scope.general_outpatient, scope.chronic_outpatient, scope.inpatient)):
        problems.append(Problem("打包范围", "", "打包范围里没有任何医疗服务。", "请至少选择一类服务。"))
    if scope.employee_maternity and fund_type != FundType.EMPLOYEE:
        text = "职工生育只在职工医保打包中选择，居民生育费用本已在范围内。"
        problems.append(Problem("打包范围", "职工生育", text, "请取消勾选。"))
    if given.scope_change and not given.scope_change_note.strip():
        problems.append(
            Problem("口径调整", text_of(given.scope_change), "没有说明口径为何变化。", "请写明调整内容和依据。")
        )
    for entered_year, entered in sorted(given.years.items()):
        if not entered.note.strip():
            problems.append(
                Problem(f"{entered_year} 年", "", "手工填写的结算数没有注明来源。", "请写明报表名称或文号。")
            )
        for label, amount in (("医共体内", entered.in_alliance), ("县域外", entered.out_of_county)):
            try:
                non_negative(amount, f"{entered_year} 年{label}")
            except RuleError as error:
                problems += problems_of(error)
    return problems


def years_used(
    alliance: Alliance, year: int, fund_type: str, given: PackageInputs, problems: list[Problem]
) -> tuple[tuple[YearUsed, ...], list[str]]:
    """Consecutive earlier years up to last year, as far back as there are whole years of data."""
    found: list[YearUsed] = []
    warnings: list[str] = []
    for earlier in range(year - 1, year - 1 - YEARS_BACK, -1):
        entered = given.years.get(earlier)
        if entered is not None and earlier < year - 1:
            found.append(_typed_year(earlier, entered))
            continue
        facts = fund_year(alliance, earlier, fund_type, given.scope)
        if entered is not None:
            whole = bool(facts.months_present) and not facts.months_missing
            found.append(_typed_year(earlier, entered, facts if whole else None))
            continue
        if facts.months_missing or not facts.months_present:
            if len(found) < 2:
                missing = f"缺 {len(facts.months_missing)} 个月" if facts.months_present else "没有数据"
                text = f"{earlier} 年结算数据不全（{missing}），不能作为基数或增幅依据。"
                problems.append(
                    Problem(f"{earlier} 年", "", text, "请先接入该年数据，或按清算单、决算报表填写并注明来源。")
                )
            elif facts.months_present:
                warnings.append(f"{earlier} 年数据缺 {len(facts.months_missing)} 个月，未用于计算增幅")
            break
        if facts.measure != "fund_payable":
            warnings.append(f"{earlier} 年有部分结算没有付费方式应付额，按统筹基金记账额计")
        found.append(
            YearUsed(
                year=earlier,
                in_alliance=facts.in_alliance,
                out_of_county=facts.outflow,
                source=FigureSource.FACTS,
                measure=facts.measure,
                fingerprint=facts.fingerprint,
                factsets=tuple(facts.factsets),
                data_to=facts.data_to,
                primary=facts.primary,
                county_total=facts.county_total,
            )
        )
    return tuple(reversed(found)), warnings


def _typed_year(year: int, entered: Entered, facts: FundYear | None = None) -> YearUsed:
    """A year as somebody entered it; what primary institutions spent still comes from ``facts`` of the whole year."""
    return YearUsed(
        year=year,
        in_alliance=entered.in_alliance,
        out_of_county=entered.out_of_county,
        source=entered.source,
        note=entered.note.strip(),
        primary=facts.primary if facts else None,
        county_total=facts.county_total if facts else None,
    )


def parts_of(total: Decimal, given: PackageInputs, last: YearUsed, problems: list[Problem]) -> tuple[Decimal, Decimal]:
    """In-alliance and planned out-of-county part; by last year's proportion unless typed."""
    outside = given.out_of_county
    if not given.scope.out_of_county:
        if outside:
            text = "县域外就医不在打包范围内，不能计划县域外部分。"
            problems.append(Problem("县域外部分", text_of(outside), text, "请清空该项或把县域外就医纳入范围。"))
        return total, ZERO
    if outside is None:
        if not last.total:
            return total, ZERO
        inside, outside = allocate(total, [last.in_alliance, last.out_of_county])
        return inside, outside
    try:
        outside = non_negative(outside, "县域外部分")
    except RuleError as error:
        problems += problems_of(error)
        return total, ZERO
    if outside >= total:
        text = f"县域外部分 {outside:,.2f} 元不能达到或超过打包总额 {total:,.2f} 元。"
        problems.append(Problem("县域外部分", text_of(outside), text, "请核对计划。"))
        return total, ZERO
    return total - outside, outside


def primary_share_of(
    alliance: Alliance,
    year: int,
    given: PackageInputs,
    last: YearUsed,
    total: Decimal,
    problems: list[Problem],
    warnings: list[str],
) -> tuple[budget.PrimaryShare | None, str]:
    """The primary institutions' share of last year's spending (A14); below the floor is a warning."""
    on = policy_day(year)
    floor = parameter("budgets.primary_share_floor", alliance, on)
    base = parameter("budgets.primary_share_base", alliance, on)
    amount, source = last.primary, FigureSource.FACTS.value
    if given.primary_amount is not None:
        amount, source = given.primary_amount, given.primary_source
        if not given.primary_note.strip() or not source:
            problems.append(
                Problem(
                    "基层医疗机构支出", text_of(amount), "手工填写的基层支出没有注明来源。", "请选择来源并写明报表。"
                )
            )
            return None, ""
    whole = {"in_alliance": last.in_alliance, "package": total, "county": last.county_total}[base.text]
    if amount is None or not whole:
        warnings.append("没有上年基层医疗机构支出数据，未能核对基层支出占比")
        return None, ""
    try:
        share = budget.primary_share(
            amount,
            whole,
            floor=floor.decimal,
            base_name=PRIMARY_BASES[base.text],
            clause=floor.clause,
            status=CONFIRMED if floor.is_confirmed and base.is_confirmed else UNCONFIRMED,
        )
    except RuleError as error:
        problems += problems_of(error)
        return None, ""
    if not share.met:
        warnings.append(
            f"基层医疗机构支出占比 {percent(share.ratio)} 低于 {percent(share.floor)}，相差 {share.shortfall:,.2f} 元"
        )
    return share, source


def coverage_of(
    alliance: Alliance, year: int, fund_type: str, given: PackageInputs, problems: list[Problem], warnings: list[str]
) -> Coverage:
    """All insured, with those resettled elsewhere (R-015): from the monthly fund report, or entered with a source."""
    if given.insured is not None:
        resettled = given.resettled
        if resettled is None:
            problems.append(Problem("异地安置人数", "", "没有填写其中异地安置人数。", "没有的请填 0。"))
        elif resettled > given.insured:
            problems.append(Problem("异地安置人数", str(resettled), "异地安置人数大于参保人数。", "请核对两项人数。"))
        if not given.coverage_source or not given.coverage_note.strip():
            problems.append(
                Problem("参保人数", str(given.insured), "手工填写的人数没有注明来源。", "请选择来源并写明报表。")
            )
        return Coverage(given.insured, resettled, given.coverage_source, given.coverage_note.strip(), None)
    heads = insured_heads(alliance, year, fund_type) or insured_heads(alliance, year - 1, fund_type)
    if heads is None:
        warnings.append("没有参保人数：基金月报未报送，请补报或注明来源后填写")
        return Coverage(None, None, "", "", None)
    note = "按约定份额分摊" if heads.estimated else ""
    if heads.resettled is None:
        warnings.append("基金月报没有填报异地安置人数，参保覆盖清单不完整")
    return Coverage(heads.insured, heads.resettled, FigureSource.REPORT, note, heads.data_to)
