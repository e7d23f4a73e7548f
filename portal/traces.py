"""The trace behind each figure of the overview: formula, inputs, result, clause; amounts in yuan.

Figures the rules computed bring their own trace; here are only the sums and quotients of the overview itself.
"""

from __future__ import annotations

from decimal import Decimal

from budgets.reading import PrepaymentYear
from portal.reading.members import MemberRow
from portal.reading.outlook import CashOutlook, FundOutlook, prepayment_plan
from rules.money import ZERO
from rules.trace import Step, Trace, Value, percent

PACKAGE_CLAUSE = "赣医保发〔2022〕23号 §二(二)2-3、5：分险种确定打包总额，含县域外就医，年中可合理调整"
CHARGED_CLAUSE = "赣医保发〔2022〕23号 §二(二)2、5：本地参保人在医共体内外发生的基金应付额（决定 A5、A6）"
PREPAID_CLAUSE = "赣医保发〔2022〕23号 §二(二)4：按月预付，合计不超过打包总额的60%"
PACE_CLAUSE = "设计测算口径：序时进度取往年同期占比，仅供预警"
MEMBER_CLAUSE = "宁医保〔2019〕128号 §四(七)：基层成员单位按预算执行管理，不设额度"


def package_trace(outlook: FundOutlook) -> Trace:
    package = outlook.package
    if package is None:
        return Trace()
    steps = [
        Step(
            "打包总额（调整后）",
            "医共体内 + 县域外（计划）",
            (("医共体内", package.in_alliance), ("县域外（计划）", package.out_of_county)),
            package.total,
            PACKAGE_CLAUSE,
        )
    ]
    if package.initial_total != package.total:
        inputs = (("首次审定", package.initial_total), (f"现行第 {package.number} 版", package.total))
        text = "现行版本 − 首次审定"
        steps.append(Step("年中调整", text, inputs, package.total - package.initial_total, PACKAGE_CLAUSE))
    if package.provisional:
        steps.append(Step("暂按上年", "本年打包总额尚未审定，暂按上年打包总额", (), "暂付", "决定 A16", ""))
    return Trace(steps)


def prepaid_trace(outlook: FundOutlook, year: PrepaymentYear) -> Trace:
    """What was paid month by month, the cap, and what is left."""
    inputs: tuple[tuple[str, Value], ...] = tuple((month.month, month.paid) for month in year.months if month.paid)
    steps = [Step("累计预付", "各月银行回单与批准冲抵之和", inputs, outlook.prepaid, PREPAID_CLAUSE)]
    planned = prepayment_plan(outlook)
    if planned is not None:
        steps += [step for step in planned.trace if step.label in ("预付基数", "年度预付上限")]
        left = (("年度预付上限", planned.cap), ("累计预付", outlook.prepaid))
        rest = planned.cap - outlook.prepaid
        steps.append(Step("上限余额", "年度预付上限 − 累计预付", left, rest, PREPAID_CLAUSE))
    return Trace(steps)


def charged_trace(outlook: FundOutlook) -> Trace:
    """S = S_in + X with the months it is made of, the execution rate and the pace."""
    facts = outlook.facts
    monthly: tuple[tuple[str, Value], ...] = tuple((str(month.month), month.in_alliance) for month in outlook.months)
    outside: tuple[tuple[str, Value], ...] = tuple((str(month.month), month.outflow) for month in outlook.months)
    steps = [
        Step("医共体内 S_in", f"各月之和；口径：{facts.measure_text}", monthly, facts.in_alliance, CHARGED_CLAUSE),
        Step("医共体外 X", "各月县域外与县内其他医共体之和", outside, facts.outflow, CHARGED_CLAUSE),
        Step(
            "累计发生 S",
            "医共体内 S_in + 医共体外 X",
            (("医共体内 S_in", facts.in_alliance), ("医共体外 X", facts.outflow)),
            facts.charged,
            CHARGED_CLAUSE,
        ),
    ]
    if outlook.package is not None and outlook.execution is not None:
        parts = (("累计发生 S", facts.charged), ("打包总额", outlook.package.total))
        steps.append(Step("执行率", "累计发生 S ÷ 打包总额", parts, outlook.execution, PACE_CLAUSE, "比例"))
    if outlook.season is not None:
        steps += outlook.season.trace
    return Trace(steps)


def year_end_trace(outlook: FundOutlook) -> Trace:
    """The estimate, its difference to the package and what the scheme would make of it."""
    if outlook.end is None:
        return Trace()
    steps = list(outlook.projection.steps if outlook.projection is not None else outlook.end.trace)
    if outlook.package is not None and outlook.difference is not None:
        parts = (("预计全年发生", outlook.end.expected), ("打包总额", outlook.package.total))
        label = "预计超支" if outlook.is_overrun else "预计结余（负数）"
        steps.append(Step(label, "预计全年发生 − 打包总额", parts, outlook.difference, PACKAGE_CLAUSE))
    if outlook.shared is not None:
        steps += outlook.shared.trace
    return Trace(steps)


def cash_trace(outlook: FundOutlook, cash: CashOutlook) -> Trace:
    """The year-end formula on the estimate; the assumptions stand first."""
    planned = cash.plan.total if cash.plan else ZERO
    inputs = (("计划全年预付", planned), ("已预付", outlook.prepaid))
    text = "计划全年预付与已预付取大者；考核按满分，不含以前年度扣减"
    return Trace([Step("假设全年预付", text, inputs, cash.prepaid, PREPAID_CLAUSE)]) + cash.settled.trace


def member_trace(row: MemberRow, outlook: FundOutlook) -> Trace:
    """One line of the member table."""
    steps: list[Step] = []
    if row.execution is not None and row.allocation is not None:
        label = "分解参考额" if row.reference else "年度分解额度"
        parts = (("累计发生", row.charged), (label, row.allocation))
        steps.append(Step("执行率", f"累计发生 ÷ {label}", parts, row.execution, MEMBER_CLAUSE, "比例"))
    if row.ahead is not None and row.execution is not None and row.pace is not None:
        named = (("执行率", percent(row.execution)), ("序时进度", percent(row.pace)))
        steps.append(Step("较序时", "执行率 − 序时进度", named, percent(row.ahead), PACE_CLAUSE, ""))
    if row.share is not None and outlook.facts.in_alliance:
        inside = (("累计发生", row.charged), ("医共体内累计发生", outlook.facts.in_alliance))
        steps.append(Step("占医共体内", "累计发生 ÷ 医共体内累计发生", inside, row.share, CHARGED_CLAUSE, "比例"))
    if outlook.season is not None and row.expected is not None:
        steps += outlook.season.trace
        carried = (("累计发生", row.charged), ("占全年比例", percent(outlook.season.share)))
        text = "医共体预计全年发生按各单位至今发生占比分摊，合计到分相等"
        steps.append(Step("预计全年发生", text, carried, row.expected, PACE_CLAUSE))
    if row.balance is not None and row.allocation is not None and row.expected is not None:
        parts = (("年度分解额度", row.allocation), ("预计全年发生", row.expected))
        steps.append(Step("预计结余（负数为超支）", "年度分解额度 − 预计全年发生", parts, row.balance, MEMBER_CLAUSE))
    return Trace(steps)


def sum_trace(label: str, parts: list[tuple[str, Decimal]], total: Decimal, clause: str) -> Trace:
    """A plain sum over places, for totals of a county or a city."""
    return Trace([Step(label, "各医共体之和（同一险种）", tuple(parts), total, clause)])
