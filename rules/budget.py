"""The package worksheet of one alliance, year and fund type: base, growth, cap, ceiling, primary share, members.

赣医保发〔2022〕23号 §二(二)3: last year's settled payments of the alliance's institutions (here with the out-of-county
payments for the same insured, shown separately, because the package's scope holds them too), the growth of the previous
three years, a moderate allowance for volume, and growth within the pooling area's revenue-budget growth.
Refuses a package derived from the county's own revenue (§四(二)) and one above the cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from rules.errors import RuleError, RuleProblem
from rules.money import ZERO, allocate, exact, non_negative, positive, round_fen, round_ratio
from rules.trace import CONFIRMED, Step, Trace, percent, text_of

PACKAGE_CLAUSE = "赣医保发〔2022〕23号 §二(二)3"
SCOPE_CLAUSE = "赣医保发〔2022〕23号 §二(二)2-3"
REFUSAL_CLAUSE = "赣医保发〔2022〕23号 §四(二)"
MEMBER_CLAUSE = "宁医保〔2019〕128号 §四(七)"
REFERENCE_YEARS = 3


class BudgetError(RuleError):
    """A package that cannot be fixed with these inputs."""


class Basis(StrEnum):
    """What a package is derived from."""

    LAST_YEAR_SETTLED = "last_year_settled"
    THREE_YEAR_MEAN = "three_year_mean"
    COUNTY_REVENUE = "county_revenue"


class YearPayments(NamedTuple):
    """Settled fund payments of a year in yuan: at the alliance's institutions, and out of the county for its insured."""

    year: int
    alliance_institutions: Decimal
    out_of_county: Decimal

    @property
    def total(self) -> Decimal:
        return self.alliance_institutions + self.out_of_county


class Growth(NamedTuple):
    """The growth of a year over the one before, a ratio of six decimals."""

    year: int
    ratio: Decimal


@dataclass(frozen=True)
class Worksheet:
    """A worked package. Amounts in yuan, growth figures as ratios.

    ``base`` is the chosen base (both bases are shown), ``comparable`` last year's total in this year's scope, against
    which growth is capped, ``ceiling`` the largest lawful package, ``suggested`` the package the worksheet arrives at.
    """

    year: int
    basis: Basis
    payments: tuple[YearPayments, ...]
    base_institutions: Decimal
    base_out_of_county: Decimal
    last_year_base: Decimal
    three_year_base: Decimal | None
    base: Decimal
    comparable: Decimal
    growths: tuple[Growth, ...]
    mean_growth: Decimal
    volume_allowance: Decimal
    wanted_growth: Decimal
    growth_cap: Decimal
    applied_growth: Decimal
    ceiling: Decimal
    suggested: Decimal
    capped: bool
    warnings: tuple[str, ...]
    trace: Trace


def worksheet(
    *,
    year: int,
    payments: Sequence[YearPayments],
    revenue_budget_growth: Decimal,
    volume_allowance: Decimal = Decimal(0),
    basis: Basis = Basis.LAST_YEAR_SETTLED,
    scope_change: Decimal = ZERO,
    clause: str = PACKAGE_CLAUSE,
) -> Worksheet:
    """Work out a package for ``year`` from the settled payments of earlier years (consecutive, last year included).

    ``revenue_budget_growth`` is the approved growth of the pooling area's revenue budget for this fund and year (ratio,
    may be negative), ``volume_allowance`` the growth allowed for service volume (ratio ≥ 0), ``scope_change`` yuan by
    which last year would differ in this year's scope. Growth of the previous three years is the arithmetic mean of the
    yearly growth rates (up to three; four years of payments give three). Raises BudgetError with all problems.
    """
    years = tuple(sorted(payments))
    _check_inputs(year, years, basis, revenue_budget_growth, volume_allowance)
    years = tuple(YearPayments(number, exact(inside), exact(outside)) for number, inside, outside in years)
    steps: list[Step] = []
    warnings: list[str] = []
    last = years[-1]
    parts = (("医共体内机构", last.alliance_institutions), ("县域外支付", last.out_of_county))
    text = "医共体内机构结算支付 + 县域外支付(同口径参保人)"
    steps.append(Step(f"{last.year}年结算支付总额", text, parts, last.total, SCOPE_CLAUSE))
    three_year_base = _three_year_base(steps, years, clause)
    if basis is Basis.THREE_YEAR_MEAN and three_year_base is None:
        raise BudgetError.one(
            "基数", basis, "不足三年结算数据,不能以前三年平均为基数", "请补录前三年数据或改用上年结算数"
        )
    base = three_year_base if basis is Basis.THREE_YEAR_MEAN and three_year_base is not None else last.total
    scope_change = exact(scope_change, "口径调整")
    comparable = positive(last.total + scope_change, "同口径上年总额")
    if scope_change:
        inputs = ((f"{last.year}年结算支付总额", last.total), ("口径调整", scope_change))
        steps.append(Step("同口径上年总额", "上年结算支付总额 + 口径调整", inputs, comparable, clause))
    base = positive(base + scope_change, "打包基数")
    name = "前三年平均" if basis is Basis.THREE_YEAR_MEAN else "上年结算支付总额"
    steps.append(
        Step("打包基数", f"{name} + 口径调整", ((name, base - scope_change), ("口径调整", scope_change)), base, clause)
    )
    growths, mean = _mean_growth(steps, warnings, years, clause)
    wanted = mean + volume_allowance
    parts_of_growth = (("前三年平均增幅", percent(mean)), ("服务量增幅", percent(volume_allowance)))
    steps.append(Step("测算增幅", "前三年平均增幅 + 服务量增幅", parts_of_growth, wanted, clause, "比例"))
    wanted_package = round_fen(base * (1 + wanted))
    steps.append(_grown("按测算增幅的总额", base, wanted, wanted_package, clause))
    ceiling = round_fen(comparable * (1 + revenue_budget_growth))
    limits = (("同口径上年总额", comparable), ("收入预算增幅", percent(revenue_budget_growth)))
    text = "同口径上年总额 × (1 + 统筹区收入预算增幅),四舍五入到分"
    steps.append(Step("打包总额上限", text, limits, ceiling, clause))
    suggested = min(wanted_package, ceiling)
    capped = wanted_package > ceiling
    if capped:
        warnings.append(f"按测算增幅的总额{wanted_package}元超过上限{ceiling}元,按上限计")
    choice = (("按测算增幅的总额", wanted_package), ("打包总额上限", ceiling))
    steps.append(Step("建议打包总额", "两者取小", choice, suggested, clause))
    return Worksheet(
        year=year,
        basis=basis,
        payments=years,
        base_institutions=last.alliance_institutions,
        base_out_of_county=last.out_of_county,
        last_year_base=last.total,
        three_year_base=three_year_base,
        base=base,
        comparable=comparable,
        growths=growths,
        mean_growth=mean,
        volume_allowance=volume_allowance,
        wanted_growth=wanted,
        growth_cap=revenue_budget_growth,
        applied_growth=round_ratio(suggested / comparable - 1),
        ceiling=ceiling,
        suggested=suggested,
        capped=capped,
        warnings=tuple(warnings),
        trace=Trace(steps),
    )


def _check_inputs(
    year: int, years: tuple[YearPayments, ...], basis: Basis, growth_cap: Decimal, volume_allowance: Decimal
) -> None:
    problems = basis_problems(basis)
    numbers = [payments.year for payments in years]
    if not years:
        problems.append(RuleProblem("结算数据", "", "缺少以前年度结算支付数据", f"请导入{year - 1}年结算数据"))
    elif numbers != list(range(numbers[0], year)):
        text = f"以前年度结算数据须逐年连续并含{year - 1}年,现有:{'、'.join(map(str, numbers))}"
        problems.append(RuleProblem("结算数据", str(numbers), text, "请补齐缺少的年度"))
    elif len(years) < 2:
        text = "至少需要两年结算数据才能计算增幅"
        problems.append(RuleProblem("结算数据", str(numbers), text, "请补录更早年度的数据"))
    for payments in years:
        for name, amount in (("医共体内机构", payments.alliance_institutions), ("县域外支付", payments.out_of_county)):
            try:
                non_negative(amount, f"{payments.year}年{name}")
            except RuleError as error:
                problems += error.problems
        if not problems and not payments.total:
            text = f"{payments.year}年结算支付总额为零,不能计算增幅"
            problems.append(RuleProblem("结算数据", "0", text, "请核对该年数据"))
    if not _is_ratio(growth_cap) or growth_cap <= -1:
        text = f"统筹区收入预算增幅无效:{growth_cap}"
        problems.append(RuleProblem("收入预算增幅", str(growth_cap), text, "请填写大于-1的比例,如0.06"))
    if not _is_ratio(volume_allowance) or not 0 <= volume_allowance <= 1:
        text = f"服务量增幅须在0到1之间,现为{volume_allowance}"
        problems.append(RuleProblem("服务量增幅", str(volume_allowance), text, "请填写比例,如0.01"))
    if problems:
        raise BudgetError(problems)


def _is_ratio(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def basis_problems(basis: Basis | str) -> list[RuleProblem]:
    """A package must not be derived from the county's own revenue; an unknown basis is a problem as well."""
    if basis not in set(Basis):
        return [RuleProblem("基数", str(basis), f"不认识的打包基数:{basis}", "请选择上年结算数或前三年平均")]
    if basis == Basis.COUNTY_REVENUE:
        text = f"不得以县域内的医保基金收入确定打包总额({REFUSAL_CLAUSE})"
        return [RuleProblem("基数", str(basis), text, "请以医共体结算支付数为基数,在统筹区总额预算内确定")]
    return []


def _three_year_base(steps: list[Step], years: tuple[YearPayments, ...], clause: str) -> Decimal | None:
    if len(years) < REFERENCE_YEARS:
        return None
    chosen = years[-REFERENCE_YEARS:]
    mean = round_fen(sum((payments.total for payments in chosen), ZERO) / REFERENCE_YEARS)
    inputs = tuple((f"{payments.year}年", payments.total) for payments in chosen)
    steps.append(Step("前三年平均", "前三年结算支付总额之和 ÷ 3,四舍五入到分", inputs, mean, clause))
    return mean


def _mean_growth(
    steps: list[Step], warnings: list[str], years: tuple[YearPayments, ...], clause: str
) -> tuple[tuple[Growth, ...], Decimal]:
    growths: list[Growth] = []
    for before, after in zip(years, years[1:], strict=False):
        growths.append(Growth(after.year, round_ratio(after.total / before.total - 1)))
    growths = growths[-REFERENCE_YEARS:]
    if len(growths) < REFERENCE_YEARS:
        warnings.append(f"只有{len(growths)}个年度的增幅,不足三年")
    totals = {payments.year: payments.total for payments in years}
    for growth in growths:
        inputs = (("本年", totals[growth.year]), ("上年", totals[growth.year - 1]))
        steps.append(
            Step(f"{growth.year}年增幅", "本年总额 ÷ 上年总额 − 1,六位小数", inputs, growth.ratio, clause, "比例")
        )
    mean = round_ratio(sum((growth.ratio for growth in growths), Decimal(0)) / len(growths))
    rates = tuple((f"{growth.year}年增幅", percent(growth.ratio)) for growth in growths)
    text = f"各年增幅之和 ÷ {len(growths)}(算术平均),六位小数"
    steps.append(Step("前三年平均增幅", text, rates, mean, clause, "比例"))
    return tuple(growths), mean


def _grown(label: str, base: Decimal, growth: Decimal, value: Decimal, clause: str) -> Step:
    inputs = (("打包基数", base), ("增幅", percent(growth)))
    return Step(label, "打包基数 × (1 + 增幅),四舍五入到分", inputs, value, clause)


def package_problems(sheet: Worksheet, package: Decimal) -> list[RuleProblem]:
    """Why a negotiated package (yuan) may not be approved on this worksheet; empty when it may."""
    amount = positive(package, "打包总额")
    problems = basis_problems(sheet.basis)
    if amount > sheet.ceiling:
        growth = percent(round_ratio(amount / sheet.comparable - 1))
        text = (
            f"打包总额{amount}元超过上限{sheet.ceiling}元:增幅{growth},"
            f"高于统筹区收入预算增幅{percent(sheet.growth_cap)}({PACKAGE_CLAUSE})"
        )
        problems.append(RuleProblem("打包总额", str(amount), text, "请调低打包总额,或先调整统筹区收入预算"))
    return problems


def require_package(sheet: Worksheet, package: Decimal) -> Decimal:
    """The package with two decimals; BudgetError with all problems when it may not be approved."""
    problems = package_problems(sheet, package)
    if problems:
        raise BudgetError(problems)
    return positive(package, "打包总额")


@dataclass(frozen=True)
class PrimaryShare:
    """The share of primary institutions in a base, against its floor. ``shortfall`` in yuan, 0.00 when met."""

    amount: Decimal
    base: Decimal
    base_name: str
    ratio: Decimal
    floor: Decimal
    met: bool
    shortfall: Decimal
    trace: Trace


PRIMARY_BASES = {"in_alliance_spending": "医共体内基金支出", "package": "打包总额", "county_spending": "县域基金支出"}


def primary_share(
    amount: Decimal,
    base: Decimal,
    *,
    floor: Decimal,
    base_name: str = "in_alliance_spending",
    clause: str = PACKAGE_CLAUSE,
    status: str = CONFIRMED,
) -> PrimaryShare:
    """The primary institutions' share (yuan over yuan) against the floor (ratio); below it is a warning, not a refusal.

    ``base_name`` tells what the share is measured against (a scheme parameter) and is printed beside the figure.
    """
    spent, whole = non_negative(amount, "基层医疗机构支出"), positive(base, "基层占比的分母")
    if base_name not in PRIMARY_BASES:
        raise BudgetError.one("基层占比的分母", base_name, f"不认识的分母:{base_name}", "请在参数中选择")
    if spent > whole:
        text = f"基层医疗机构支出{spent}大于{PRIMARY_BASES[base_name]}{whole}"
        raise BudgetError.one("基层医疗机构支出", spent, text, "请核对口径")
    needed = round_fen(whole * floor)
    ratio = round_ratio(spent / whole)
    named = (("基层医疗机构支出", spent), (PRIMARY_BASES[base_name], whole))
    steps = [
        Step("基层医疗机构支出占比", f"基层支出 ÷ {PRIMARY_BASES[base_name]}", named, ratio, clause, "比例", status),
        Step(
            "达到下限所需支出",
            "分母 × 下限比例,四舍五入到分",
            ((PRIMARY_BASES[base_name], whole), ("下限比例", percent(floor))),
            needed,
            clause,
            "元",
            status,
        ),
    ]
    met = spent >= whole * floor
    shortfall = ZERO if met else max(needed - spent, Decimal("0.01"))
    return PrimaryShare(spent, whole, base_name, ratio, floor, met, shortfall, Trace(steps))


class Member(NamedTuple):
    """A member institution with its weight; ``primary`` units are managed by budget execution."""

    code: str
    name: str
    weight: Decimal
    primary: bool


class MemberBudget(NamedTuple):
    """A member's part in yuan. ``is_quota`` is False for primary units: a budget to execute, not a ceiling."""

    code: str
    name: str
    amount: Decimal
    is_quota: bool


@dataclass(frozen=True)
class Allocation:
    """The package divided among members; the parts add up to ``total`` to the fen."""

    total: Decimal
    parts: tuple[MemberBudget, ...]
    primary_total: Decimal
    trace: Trace


def allocate_members(total: Decimal, members: Sequence[Member]) -> Allocation:
    """Divide ``total`` yuan among the members by weight (largest remainder); BudgetError with all problems."""
    whole = positive(total, "待分配总额")
    problems = [
        RuleProblem(
            member.code, str(member.weight), f"“{member.name}”的权重须为非负的数,现为{member.weight}", "请改正权重"
        )
        for member in members
        if not Decimal(member.weight).is_finite() or member.weight < 0
    ]
    codes = [member.code for member in members]
    problems += [
        RuleProblem(code, code, f"成员单位{code}重复", "请合并为一行")
        for code in sorted({c for c in codes if codes.count(c) > 1})
    ]
    if not problems and not sum(member.weight for member in members):
        problems.append(RuleProblem("权重", "0", "没有成员单位,或权重合计为零", "请列出成员单位及其权重"))
    if problems:
        raise BudgetError(problems)
    amounts = allocate(whole, [member.weight for member in members])
    weights = sum((Decimal(member.weight) for member in members), Decimal(0))
    parts: list[MemberBudget] = []
    steps: list[Step] = []
    for member, amount in zip(members, amounts, strict=True):
        parts.append(MemberBudget(member.code, member.name, amount, not member.primary))
        kind = "预算执行管理,不设总额控制" if member.primary else "内部预算额度"
        inputs = (("待分配总额", whole), ("权重", text_of(Decimal(member.weight))), ("权重合计", text_of(weights)))
        steps.append(
            Step(
                f"{member.name}({kind})", "待分配总额 × 权重 ÷ 权重合计,最大余数法取到分", inputs, amount, MEMBER_CLAUSE
            )
        )
    primary = sum((part.amount for part in parts if not part.is_quota), ZERO)
    return Allocation(whole, tuple(parts), primary, Trace(steps))
