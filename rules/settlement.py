"""The year-end settlement of one alliance, year and fund type.

cash = S_in + T + R·f − A − K·(1 − f_K) − P − M − D; negative means recovery (赣医保发〔2022〕23号 §二(二)4-5, §二(三)1-2).
S = S_in + X is what the package answers for; employees' and residents' funds are never mixed. The assessment factor
acts on the reserve if one was withheld, else on the retained surplus, or, by explicit choice, on the whole year-end
payment. Fines belong to the treasury and are never among the deductions.
Refuses to return a result whose identities do not hold to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from rules.assessment import Assessed, Grade, factor_of
from rules.brackets import BALANCED, OVERRUN, SURPLUS, ShareResult
from rules.errors import RuleError, RuleProblem
from rules.money import ZERO, exact, non_negative, positive, round_fen
from rules.scheme import Scheme
from rules.trace import CONFIRMED, UNCONFIRMED, Step, Trace, percent, text_of

CASH_CLAUSE = "赣医保发〔2022〕23号 §二(二)4-5"
CASH_BASIS = "赣医保发〔2022〕23号"
RETAINED_SURPLUS = "retained_surplus"
RESERVE = "reserve"
WHOLE_PAYMENT = "whole_payment"
NO_TARGET = "none"
ONE = Decimal("1.00")


class SettlementError(RuleError):
    """A year that cannot be settled with these inputs."""


class Identity(NamedTuple):
    """An equation that must hold to the fen."""

    name: str
    left: Decimal
    right: Decimal
    holds: bool


class Line(NamedTuple):
    """A line of the statement: ``sign`` 1 or −1 as it enters the cash, 0 for the result; amount in yuan."""

    key: str
    label: str
    amount: Decimal
    sign: int
    clause: str


@dataclass(frozen=True)
class YearSettlement:
    """A settled year; all amounts in yuan. Letters are those of the formula in the module's head."""

    scheme: str
    package: Decimal
    s_in: Decimal
    outflow: Decimal
    charged: Decimal
    treated_for_sisters: Decimal
    share: ShareResult
    retained: Decimal
    returned: Decimal
    fund_bears: Decimal
    alliance_bears: Decimal
    assessment_target: str
    score: Decimal | None
    factor: Decimal
    factor_assumed: bool
    retained_paid: Decimal
    forfeited: Decimal
    reserve: Decimal
    reserve_forfeited: Decimal
    payment_forfeited: Decimal
    prepaid: Decimal
    other_payments: Decimal
    deductions: Decimal
    cash: Decimal
    lines: tuple[Line, ...]
    identities: tuple[Identity, ...]
    unconfirmed: tuple[str, ...]
    trace: Trace

    @property
    def outcome(self) -> str:
        return self.share.outcome

    @property
    def recovery(self) -> Decimal:
        """Yuan the alliance has to pay back, 0.00 when cash is paid to it."""
        return max(-self.cash, ZERO)

    def as_json(self) -> dict[str, Any]:
        """The settlement as strings for commands, the API and storage."""
        data: dict[str, Any] = {"outcome": self.outcome, "recovery": text_of(self.recovery)}
        for name, value in vars(self).items():
            if isinstance(value, Decimal):
                data[name] = text_of(value)
            elif value is None or isinstance(value, (str, bool)):
                data[name] = value
        data["share"] = self.share.as_json()
        data["lines"] = [{**line._asdict(), "amount": text_of(line.amount)} for line in self.lines]
        data["identities"] = [
            {"name": item.name, "left": text_of(item.left), "right": text_of(item.right), "holds": item.holds}
            for item in self.identities
        ]
        data["unconfirmed"] = list(self.unconfirmed)
        data["trace"] = self.trace.as_json()
        return data


def settle_year(
    scheme: Scheme,
    *,
    package: Decimal,
    s_in: Decimal,
    outflow: Decimal,
    prepaid: Decimal,
    treated_for_sisters: Decimal = ZERO,
    other_payments: Decimal = ZERO,
    deductions: Decimal = ZERO,
    reserve: Decimal = ZERO,
    reasonable_overrun: Decimal | None = None,
    score: Decimal | None = None,
    local_grades: Sequence[Grade] = (),
    assumed_factor: Decimal | None = None,
    assessment_target: str | None = None,
    indicators: Mapping[str, Decimal] | None = None,
    ratio_base: Decimal | None = None,
) -> YearSettlement:
    """Settle a year (yuan throughout).

    ``package`` B (adjusted), ``s_in`` payable inside the alliance, ``outflow`` X paid outside the county or at a sister
    alliance, ``treated_for_sisters`` T, ``prepaid`` P, ``other_payments`` M, ``deductions`` D of other years (negative:
    owed to the alliance), ``reserve`` K withheld during the year, ``reasonable_overrun`` None for all of an overrun.
    The factor comes from ``score`` by the scheme's and the ``local_grades``; ``assumed_factor`` replaces it in a trial
    and marks the result. ``assessment_target`` (retained_surplus, reserve, whole_payment) overrides the scheme's.
    ``ratio_base`` is needed where the scheme's ratio base is not the adjusted package.
    Raises SettlementError, SharingError, AssessmentError or MoneyError.
    """
    package = positive(package, "打包总额")
    s_in, outflow = non_negative(s_in, "医共体内基金应付额"), non_negative(outflow, "县域外及兄弟医共体支付额")
    sisters = non_negative(treated_for_sisters, "收治兄弟医共体参保人应付额")
    prepaid, other = non_negative(prepaid, "已预付"), non_negative(other_payments, "本年其他已付")
    deductions, reserve = exact(deductions, "其他扣减"), non_negative(reserve, "考核预留金")
    if scheme.ratio_base != "adjusted_package" and ratio_base is None:
        text = f"方案“{scheme.name}”的比例基数不是调整后打包总额,须另行给出比例基数"
        raise SettlementError.one("比例基数", "", text, "请填写比例基数金额")
    charged = s_in + outflow
    shared = scheme.share(
        package, charged, reasonable_overrun, score=score, indicators=indicators, ratio_base=ratio_base
    )
    if shared.pending_gates:
        raise SettlementError(
            RuleProblem("条件", text, f"清算前须判定条件:{text}", "请先录入该项数据") for text in shared.pending_gates
        )
    retained, alliance_bears = shared.alliance_keeps, shared.alliance_bears
    target = _target(scheme, assessment_target, reserve)
    before = s_in + sisters + retained - alliance_bears - prepaid - other
    acts_on = {RETAINED_SURPLUS: retained, RESERVE: reserve, WHOLE_PAYMENT: max(before, ZERO)}[target]
    assessed = _factor(acts_on, score, (*scheme.grades, *local_grades), assumed_factor)
    factor = assessed.factor if isinstance(assessed, Assessed) else assessed
    lost = acts_on - round_fen(acts_on * factor)
    forfeited = lost if target == RETAINED_SURPLUS else ZERO
    reserve_forfeited = lost if target == RESERVE else ZERO
    payment_forfeited = lost if target == WHOLE_PAYMENT else ZERO
    paid_of_retained = retained - forfeited
    cash = (
        s_in + sisters + paid_of_retained - alliance_bears - reserve_forfeited - prepaid - other - deductions
    ) - payment_forfeited
    lines = _lines(
        scheme, s_in, sisters, paid_of_retained, alliance_bears, reserve_forfeited, prepaid, other, deductions
    )
    if payment_forfeited:
        lines += (
            Line("payment_forfeited", "考核扣减年终拨付款", payment_forfeited, -1, scheme.clause("assessment.target")),
        )
    cash_label = "应拨付" if cash >= 0 else "应追回"
    lines += (Line("cash", cash_label, cash, 0, _cash_clause(scheme)),)
    identities = _identities(shared, s_in, outflow, paid_of_retained, forfeited, lines)
    broken = [item for item in identities if not item.holds]
    if broken:
        raise SettlementError(
            RuleProblem(item.name, text_of(item.left), f"勾稽不符:{item.name},{item.left}≠{item.right}", "请停止清算")
            for item in broken
        )
    return YearSettlement(
        scheme=scheme.name,
        package=package,
        s_in=s_in,
        outflow=outflow,
        charged=charged,
        treated_for_sisters=sisters,
        share=shared,
        retained=retained,
        returned=shared.returned_to_fund,
        fund_bears=shared.fund_bears,
        alliance_bears=alliance_bears,
        assessment_target=target if acts_on else NO_TARGET,
        score=score,
        factor=factor,
        factor_assumed=bool(acts_on) and assumed_factor is not None,
        retained_paid=paid_of_retained,
        forfeited=forfeited,
        reserve=reserve,
        reserve_forfeited=reserve_forfeited,
        payment_forfeited=payment_forfeited,
        prepaid=prepaid,
        other_payments=other,
        deductions=deductions,
        cash=cash,
        lines=lines,
        identities=identities,
        unconfirmed=_unconfirmed(scheme, shared, bool(acts_on)),
        trace=_trace(scheme, shared, s_in, outflow, target, acts_on, assessed, lost, lines),
    )


def _target(scheme: Scheme, chosen: str | None, reserve: Decimal) -> str:
    target = chosen or scheme.assessment_target
    if target == "reserve_else_surplus":
        return RESERVE if reserve else RETAINED_SURPLUS
    if target not in (RETAINED_SURPLUS, RESERVE, WHOLE_PAYMENT):
        text = f"不认识的考核系数作用对象:{target}"
        raise SettlementError.one("考核系数作用对象", target, text, "请选择留用结余、预留金或年终拨付款")
    if target == RESERVE and not reserve:
        text = "考核系数作用于预留金,但本年没有预留金"
        raise SettlementError.one("考核预留金", reserve, text, "请填写预留金或改选作用对象")
    return target


def _factor(
    acts_on: Decimal, score: Decimal | None, grades: Sequence[Grade], assumed: Decimal | None
) -> Assessed | Decimal:
    if not acts_on:
        return ONE
    if assumed is not None:
        if not assumed.is_finite() or not 0 <= assumed <= 1:
            raise SettlementError.one("考核系数", assumed, f"暂按考核系数须在0到1之间,现为{assumed}", "请改正系数")
        return assumed
    if score is None:
        raise SettlementError.one("考核得分", "", "缺少年度考核得分,不能清算", "请先完成年度考核并推送得分")
    return factor_of(score, grades)


def _cash_clause(scheme: Scheme) -> str:
    """The clause of the cash formula; schemes of other places follow it by analogy, and say so."""
    return CASH_CLAUSE if scheme.legal_basis == CASH_BASIS else f"参照{CASH_CLAUSE}"


def _lines(
    scheme: Scheme,
    s_in: Decimal,
    sisters: Decimal,
    retained_paid: Decimal,
    alliance_bears: Decimal,
    reserve_forfeited: Decimal,
    prepaid: Decimal,
    other: Decimal,
    deductions: Decimal,
) -> tuple[Line, ...]:
    sharing, clause = scheme.clause("sharing.mode"), _cash_clause(scheme)
    return (
        Line("s_in", "医共体内基金应付额", s_in, 1, scheme.clause("sharing.measure")),
        Line("treated_for_sisters", "收治兄弟医共体参保人应付额", sisters, 1, clause),
        Line("retained_paid", "考核后留用结余", retained_paid, 1, sharing),
        Line("alliance_bears", "医共体承担超支", alliance_bears, -1, sharing),
        Line("reserve_forfeited", "考核扣减预留金", reserve_forfeited, -1, scheme.clause("assessment.target")),
        Line("prepaid", "已预付", prepaid, -1, clause),
        Line("other_payments", "本年其他已付", other, -1, clause),
        Line("deductions", "其他扣减(以前年度扣回)", deductions, -1, clause),
    )


def _identities(
    shared: ShareResult,
    s_in: Decimal,
    outflow: Decimal,
    retained_paid: Decimal,
    forfeited: Decimal,
    lines: tuple[Line, ...],
) -> tuple[Identity, ...]:
    package, charged = shared.package, shared.charged
    pairs = [("S = 医共体内应付 + 县域外支付", charged, s_in + outflow)]
    if shared.outcome == SURPLUS:
        right = package - shared.returned_to_fund - forfeited
        pairs.append(("S + 考核后留用 = 打包总额 − 返还统筹基金 − 考核扣减", charged + retained_paid, right))
        pairs.append(("留用 + 返还 = 结余额", shared.alliance_keeps + shared.returned_to_fund, package - charged))
    elif shared.outcome == OVERRUN:
        left = charged - shared.alliance_bears
        pairs.append(("S − 医共体承担 = 打包总额 + 基金分担", left, package + shared.fund_bears))
        pairs.append(("基金分担 + 医共体承担 = 超支额", shared.fund_bears + shared.alliance_bears, charged - package))
    else:
        pairs.append(("S = 打包总额", charged, package))
    *parts, cash = lines
    pairs.append(("各项加减 = 年终拨付(追回)额", sum((line.sign * line.amount for line in parts), ZERO), cash.amount))
    return tuple(Identity(name, left, right, left == right) for name, left, right in pairs)


def _unconfirmed(scheme: Scheme, shared: ShareResult, assessed: bool) -> tuple[str, ...]:
    keys = list(shared.unconfirmed)
    general = ("sharing.measure", "sharing.ratio_base", "sharing.mode")
    keys += [key for key in general if scheme.status(key) != CONFIRMED]
    if assessed and scheme.status("assessment.target") != CONFIRMED:
        keys.append("assessment.target")
    return tuple(keys)


def _trace(
    scheme: Scheme,
    shared: ShareResult,
    s_in: Decimal,
    outflow: Decimal,
    target: str,
    acts_on: Decimal,
    assessed: Assessed | Decimal,
    lost: Decimal,
    lines: tuple[Line, ...],
) -> Trace:
    measure, clause = scheme.clause("sharing.measure"), scheme.clause("assessment.target")
    inputs = (("医共体内基金应付额", s_in), ("县域外及兄弟医共体支付额", outflow))
    steps = [Step("年度基金应付额", "医共体内基金应付额 + 县域外及兄弟医共体支付额", inputs, shared.charged, measure)]
    steps += shared.trace if shared.outcome != BALANCED else ()
    if acts_on:
        name = {RETAINED_SURPLUS: "留用结余", RESERVE: "考核预留金", WHOLE_PAYMENT: "年终应拨付款"}[target]
        status = scheme.status("assessment.target")
        if isinstance(assessed, Assessed):
            steps += assessed.trace
            factor = assessed.factor
        else:
            factor = assessed
            text = "尚无考核结果,暂按此系数试算"
            steps.append(Step("考核系数", text, (), factor, clause, "系数", UNCONFIRMED))
        parts = ((name, acts_on), ("考核系数", percent(factor)))
        label = f"考核后{name}"
        text = f"{name} × 考核系数,四舍五入到分"
        steps.append(Step(label, text, parts, acts_on - lost, clause, "元", status))
        rest = ((name, acts_on), (label, acts_on - lost))
        steps.append(Step(f"考核扣减{name}", f"{name} − {label}", rest, lost, clause, "元", status))
    *parts_of_cash, cash = lines
    expression = " ".join(f"{'+' if line.sign > 0 else '−'} {line.label}" for line in parts_of_cash)
    summands = tuple((line.label, line.amount) for line in parts_of_cash)
    steps.append(Step("年终拨付(负数为追回)", expression.removeprefix("+ "), summands, cash.amount, cash.clause))
    return Trace(steps)
