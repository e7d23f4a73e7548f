"""The monthly prepayment of a package: plan, change in mid-year, true-up after approval, hold, and the cap.

赣医保发〔2022〕23号 §二(二)4: about 5 % of the package a month, never more than 60 % in the year, trued up at year end.
The last month takes the remainder, so that the year's total never passes the cap by a fen. Proposes only; pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from rules.errors import RuleError
from rules.money import ZERO, non_negative, positive, round_fen
from rules.periods import Month
from rules.trace import CONFIRMED, Step, Trace, percent

if TYPE_CHECKING:
    from rules.scheme import Scheme

MONTHS = 12
CLAUSE = "赣医保发〔2022〕23号 §二(二)4"
PROVISIONAL_CLAUSE = "打包总额审定前按上年打包总额暂付,审定次月多退少补"


class PrepaymentError(RuleError):
    """Inputs from which no prepayment can be planned."""


@dataclass(frozen=True)
class Terms:
    """How a scheme prepays: yearly cap and monthly step as ratios of the base."""

    cap: Decimal
    step: Decimal
    base: str = "package"
    clause: str = CLAUSE
    status: str = CONFIRMED


@dataclass(frozen=True)
class Instalment:
    """The planned amount of one month and the planned total up to it, in yuan."""

    month: Month
    amount: Decimal
    cumulative: Decimal


@dataclass(frozen=True)
class Plan:
    """A year's prepayments, amounts in yuan; ``paid`` is what was paid before the plan.

    ``stopped`` means that more than the cap has been paid already (``excess`` yuan): nothing more may be paid.
    """

    package: Decimal
    base: Decimal
    cap: Decimal
    total: Decimal
    paid: Decimal
    instalments: tuple[Instalment, ...]
    provisional: bool
    stopped: bool
    excess: Decimal
    warnings: tuple[str, ...]
    trace: Trace
    terms: Terms

    def instalment(self, month: Month) -> Instalment:
        """The instalment of a month; PrepaymentError when the plan does not hold it."""
        for instalment in self.instalments:
            if instalment.month == month:
                return instalment
        raise PrepaymentError.one("月份", month, f"预付计划不含{month}", "请核对年度与计划起始月份")


@dataclass(frozen=True)
class Proposal:
    """What to pay in one month, in yuan. ``planned`` is the instalment, ``true_up`` the correction of earlier months,
    ``held`` what is kept back, ``carried`` an overpayment still to be offset in later months."""

    month: Month
    planned: Decimal
    true_up: Decimal
    held: Decimal
    carried: Decimal
    amount: Decimal
    paid_after: Decimal
    cap: Decimal
    provisional: bool
    reason: str
    warnings: tuple[str, ...]
    trace: Trace

    @property
    def cap_left(self) -> Decimal:
        """Yuan that may still be paid this year after this month."""
        return max(self.cap - self.paid_after, ZERO)


def terms_of(scheme: Scheme) -> Terms:
    """The prepayment terms of a scheme; PrepaymentError when its document sets none."""
    if scheme.prepayment_cap is None or scheme.prepayment_step is None:
        text = f"方案“{scheme.name}”的文件未规定预付上限和每月比例"
        raise PrepaymentError.one("预付", scheme.name, text, "请由管理员依据正式文件补录")
    keys = ("prepayment.cap", "prepayment.step")
    status = next((scheme.status(key) for key in keys if scheme.status(key) != CONFIRMED), CONFIRMED)
    clause = scheme.clause("prepayment.cap")
    return Terms(scheme.prepayment_cap, scheme.prepayment_step, scheme.prepayment_base, clause, status)


def plan(
    package: Decimal,
    *,
    year: int,
    terms: Terms,
    paid: Sequence[Decimal] = (),
    planned_outflow: Decimal | None = None,
    provisional: bool = False,
) -> Plan:
    """The plan of a year for a package (yuan).

    ``paid`` holds the amounts of the elapsed months, January first, when the package changes in mid-year: the remaining
    months then share what the cap still leaves (count held money as paid, or it is spread over them).
    ``planned_outflow`` (yuan) is needed where the base is the package less planned out-of-county spending.
    ``provisional`` marks a plan on last year's package before approval.
    """
    package = positive(package, "打包总额")
    amounts = [non_negative(amount, f"{number}月已预付") for number, amount in enumerate(paid, 1)]
    if len(amounts) > MONTHS:
        raise PrepaymentError.one("已预付", len(amounts), "已预付月数超过12个月", "请按月汇总后重新提交")
    steps: list[Step] = []
    base = _base(steps, package, terms, planned_outflow)
    cap = round_fen(base * terms.cap)
    steps.append(_step("年度预付上限", "预付基数 × 上限比例,四舍五入到分", base, "上限比例", terms.cap, cap, terms))
    elapsed, already = len(amounts), sum(amounts, ZERO)
    if elapsed:
        instalments, warnings, excess, total = _remaining(steps, year, cap, amounts, already, terms)
    else:
        total = min(cap, round_fen(base * terms.step * MONTHS))
        each = round_fen(base * terms.step)
        steps.append(_step("每月预付额", "预付基数 × 每月比例,四舍五入到分", base, "每月比例", terms.step, each, terms))
        instalments = _instalments(Month(year, 1), MONTHS, each, total, ZERO)
        warnings, excess = (), ZERO
        _last_step(steps, instalments, each, total, ZERO, terms)
    if provisional:
        steps.append(Step("暂付", "打包总额尚未审定,按上年打包总额暂付", (), "暂付", PROVISIONAL_CLAUSE, ""))
    return Plan(
        package, base, cap, total, already, instalments, provisional, excess > 0, excess, warnings, Trace(steps), terms
    )


def _base(steps: list[Step], package: Decimal, terms: Terms, planned_outflow: Decimal | None) -> Decimal:
    if terms.base == "package":
        steps.append(Step("预付基数", "打包总额", (("打包总额", package),), package, terms.clause, "元", terms.status))
        return package
    if planned_outflow is None:
        text = "本方案以打包总额减计划县域外支出为预付基数,缺少计划县域外支出"
        raise PrepaymentError.one("计划县域外支出", "", text, "请先填写计划县域外支出")
    outflow = non_negative(planned_outflow, "计划县域外支出")
    if outflow >= package:
        text = f"计划县域外支出{outflow}不能达到或超过打包总额{package}"
        raise PrepaymentError.one("计划县域外支出", outflow, text, "请核对计划")
    inputs = (("打包总额", package), ("计划县域外支出", outflow))
    base = package - outflow
    steps.append(Step("预付基数", "打包总额 − 计划县域外支出", inputs, base, terms.clause, "元", terms.status))
    return base


def _remaining(
    steps: list[Step], year: int, cap: Decimal, amounts: list[Decimal], already: Decimal, terms: Terms
) -> tuple[tuple[Instalment, ...], tuple[str, ...], Decimal, Decimal]:
    elapsed, left = len(amounts), cap - already
    inputs = (("年度预付上限", cap), ("已预付", already))
    steps.append(Step("剩余可预付额", "年度预付上限 − 已预付", inputs, left, terms.clause, "元", terms.status))
    count = MONTHS - elapsed
    if not count:
        warnings = (f"已预付{already}元超过年度上限{cap}元",) if left < 0 else ()
        return (), warnings, max(-left, ZERO), already
    start = Month(year, elapsed + 1)
    if left <= 0:
        warning = f"已预付{already}元达到或超过调整后年度上限{cap}元,停止预付" + (
            f",多付{-left}元待清算或冲抵" if left else ""
        )
        return _instalments(start, count, ZERO, already, already), (warning,), max(-left, ZERO), already
    each = round_fen(left / count)
    parts = (("剩余可预付额", left), ("剩余月数", f"{count}个月"))
    text = "剩余可预付额 ÷ 剩余月数,四舍五入到分"
    steps.append(Step("其余各月预付额", text, parts, each, terms.clause, "元", terms.status))
    instalments = _instalments(start, count, each, cap, already)
    _last_step(steps, instalments, each, cap, already, terms)
    return instalments, (), ZERO, cap


def _instalments(start: Month, count: int, each: Decimal, total: Decimal, already: Decimal) -> tuple[Instalment, ...]:
    """Equal amounts guarded by the total; the last month takes what remains."""
    instalments: list[Instalment] = []
    cumulative = already
    for offset in range(count):
        amount = total - cumulative if offset == count - 1 else min(each, total - cumulative)
        cumulative += amount
        instalments.append(Instalment(start.plus(offset), amount, cumulative))
    return tuple(instalments)


def _last_step(
    steps: list[Step],
    instalments: tuple[Instalment, ...],
    each: Decimal,
    total: Decimal,
    already: Decimal,
    terms: Terms,
) -> None:
    last = instalments[-1]
    inputs = (("全年预付总额", total), ("此前各月合计", last.cumulative - last.amount))
    if last.amount != each or already:
        label = f"{last.month.month}月预付额"
        text = "全年预付总额 − 此前各月合计"
        steps.append(Step(label, text, inputs, last.amount, terms.clause, "元", terms.status))


def _step(
    label: str, expression: str, base: Decimal, ratio_name: str, ratio: Decimal, value: Decimal, terms: Terms
) -> Step:
    inputs = (("预付基数", base), (ratio_name, percent(ratio)))
    return Step(label, expression, inputs, value, terms.clause, "元", terms.status)


def propose(plan: Plan, month: Month, *, paid: Decimal, held: Decimal = ZERO) -> Proposal:
    """The proposal for a month: its instalment, guarded by the cap.

    ``paid`` is what was paid this year before the month, ``held`` what approved holds keep back (yuan); held money stays
    within the year's total and is not caught up by itself.
    """
    paid, held = non_negative(paid, "本年已预付"), non_negative(held, "暂缓金额")
    return _proposal(plan, month, plan.instalment(month).amount, ZERO, paid, held)


def true_up(plan: Plan, month: Month, *, paid: Decimal, held: Decimal = ZERO) -> Proposal:
    """The proposal of the month after approval: its instalment plus what earlier provisional months paid too little.

    Too much is set off against this month; what is left over is ``carried`` to later months (call again there).
    ``paid`` and ``held`` as in ``propose``. The plan must be the approved one.
    """
    if plan.provisional:
        raise PrepaymentError.one("打包总额", plan.package, "打包总额尚未审定,不能补差", "审定后再补差")
    paid, held = non_negative(paid, "本年已预付"), non_negative(held, "暂缓金额")
    instalment = plan.instalment(month)
    due_before = instalment.cumulative - instalment.amount
    return _proposal(plan, month, instalment.amount, due_before - paid - held, paid, held)


def _proposal(
    plan: Plan, month: Month, planned: Decimal, correction: Decimal, paid: Decimal, held: Decimal
) -> Proposal:
    clause, status = plan.terms.clause, plan.terms.status
    steps = list(plan.trace)
    warnings = list(plan.warnings)
    wanted = planned + correction
    if correction:
        inputs = (("应付至上月", paid + held + correction), ("本年已预付", paid), ("已暂缓", held))
        text = "应付至上月 − 本年已预付 − 已暂缓"
        steps.append(Step("以前月份补差", text, inputs, correction, PROVISIONAL_CLAUSE, "元", status))
    left = plan.cap - paid - held
    amount = max(min(wanted, left), ZERO)
    carried = max(-wanted, ZERO)
    if plan.provisional:
        warnings.append("打包总额尚未审定,本月为暂付")
    if paid > plan.cap:
        warnings.append(f"本年已预付{paid}元,超过年度上限{plan.cap}元,停止预付")
    elif wanted > left:
        warnings.append(f"本月按计划应付{wanted}元,受年度上限{plan.cap}元限制,只能付{amount}元")
    if carried:
        warnings.append(f"以前月份多付,本月不付,尚有{carried}元在以后月份冲抵")
    limits = (("本月计划", planned), ("以前月份补差", correction), ("年度上限余额", left))
    text = "本月计划 + 以前月份补差,不超过年度上限余额,不低于零"
    steps.append(Step(f"{month}预付额", text, limits, amount, clause, "元", status))
    return Proposal(
        month,
        planned,
        correction,
        ZERO,
        carried,
        amount,
        paid + amount,
        plan.cap,
        plan.provisional,
        "",
        tuple(warnings),
        Trace(steps),
    )


def hold(proposal: Proposal, amount: Decimal, reason: str) -> Proposal:
    """The proposal reduced by ``amount`` yuan (all of it: a hold) with the reason on record."""
    held = positive(amount, "暂缓金额")
    if not reason.strip():
        raise PrepaymentError.one("原因", "", "暂缓或减付须写明原因", "请填写原因")
    if held > proposal.amount:
        text = f"暂缓金额{held}大于本月预付额{proposal.amount}"
        raise PrepaymentError.one("暂缓金额", held, text, "请填写不超过本月预付额的金额")
    left = proposal.amount - held
    inputs = (("本月预付额", proposal.amount), ("暂缓金额", held))
    step = Step("暂缓后预付额", f"本月预付额 − 暂缓金额;原因:{reason.strip()}", inputs, left, CLAUSE)
    return replace(
        proposal,
        held=proposal.held + held,
        amount=left,
        paid_after=proposal.paid_after - held,
        reason=reason.strip(),
        trace=proposal.trace + Trace([step]),
    )
