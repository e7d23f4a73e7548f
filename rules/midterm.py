"""中期收支测算: a fund's income, spending and balance over three to five years under stated assumptions.

Every line is last year's times growth that a person has written down; nothing is fitted and nothing is hidden. It
plans and warns, and pays nothing. Amounts are Decimal yuan, growth and rates are fractions a year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from rules.errors import RuleError, RuleProblem
from rules.money import LIMIT, ZERO, round_count, round_fen, round_rate
from rules.periods import Month
from rules.trace import Step, Trace, Value, percent

CLAUSE = "宁医保〔2019〕128号 §三(三)：做好医保基金中期收支测算；以收定支、收支平衡、略有结余"
SHORTEST, LONGEST = 3, 5
BASE, BETTER, WORSE = "base", "better", "worse"
SCENARIOS = {BASE: "基准", BETTER: "乐观", WORSE: "审慎"}
YEARS_LOOKED_BACK = 3
MOST_GROWTH = Decimal("0.3")
MOST_INTEREST = Decimal("0.1")
POINT = Decimal("0.01")
ONE = Decimal(1)


class MidtermError(RuleError):
    """Figures or assumptions from which no estimate is made."""


@dataclass(frozen=True)
class BaseYear:
    """A whole year of one fund: insured at its end, income and spending of the year, balance at its end (yuan)."""

    year: int
    heads: int
    contributions: Decimal
    interest: Decimal
    transfers_in: Decimal
    benefits: Decimal
    critical_illness: Decimal
    transfers_out: Decimal
    balance: Decimal

    @property
    def income(self) -> Decimal:
        return self.contributions + self.interest + self.transfers_in

    @property
    def spending(self) -> Decimal:
        return self.benefits + self.critical_illness + self.transfers_out


BASE_LABELS = {
    "heads": "年末参保人数",
    "contributions": "缴费与财政补助收入",
    "interest": "利息收入",
    "transfers_in": "转移及上级补助收入",
    "benefits": "待遇支出（含其他支出）",
    "critical_illness": "划转大病保险",
    "transfers_out": "转移及上解支出",
    "balance": "年末累计结余",
}


@dataclass(frozen=True)
class Assumptions:
    """What a year is taken to bring: growth as fractions, the two transfers as yuan a year."""

    heads_growth: Decimal
    contribution_growth: Decimal
    volume_growth: Decimal
    price_growth: Decimal
    critical_growth: Decimal
    interest_rate: Decimal
    transfers_in: Decimal
    transfers_out: Decimal


ASSUMPTION_LABELS = {
    "heads_growth": "参保人数年增长",
    "contribution_growth": "人均筹资年增长",
    "volume_growth": "人均就医人次年增长（量）",
    "price_growth": "次均基金支出年增长（价）",
    "critical_growth": "人均大病划转年增长",
    "interest_rate": "结余年利率",
    "transfers_in": "每年转移及上级补助收入",
    "transfers_out": "每年转移及上解支出",
}
RATES = ("heads_growth", "contribution_growth", "volume_growth", "price_growth", "critical_growth")
AMOUNTS = ("transfers_in", "transfers_out")


@dataclass(frozen=True)
class YearLine:
    """One estimated year (yuan)."""

    year: int
    heads: int
    contributions: Decimal
    interest: Decimal
    transfers_in: Decimal
    benefits: Decimal
    critical_illness: Decimal
    transfers_out: Decimal
    balance: Decimal
    payable_months: Decimal | None

    @property
    def income(self) -> Decimal:
        return self.contributions + self.interest + self.transfers_in

    @property
    def spending(self) -> Decimal:
        return self.benefits + self.critical_illness + self.transfers_out

    @property
    def result(self) -> Decimal:
        """当期结余: income less spending."""
        return self.income - self.spending


@dataclass(frozen=True)
class MidTerm:
    """``runs_out`` is the month in which the balance is used up if a year's income and spending come evenly; None if never."""

    base: BaseYear
    assumptions: Assumptions
    years: tuple[YearLine, ...]
    runs_out: Month | None
    trace: Trace


@dataclass(frozen=True)
class PastFundYear:
    """A whole past year and the discharges of its insured (None where not known)."""

    base: BaseYear
    discharges: int | None


@dataclass(frozen=True)
class Suggestion:
    """Assumptions suggested for each scenario, and where each figure comes from."""

    scenarios: Mapping[str, Assumptions]
    trace: Trace


def estimate(base: BaseYear, assumptions: Assumptions, horizon: int) -> MidTerm:
    """The ``horizon`` years after the base year. Raises MidtermError with everything that is wrong."""
    problems = [*_base_problems(base), *_assumption_problems(assumptions, ""), *_horizon_problems(horizon)]
    if problems:
        raise MidtermError(problems)
    lines: list[YearLine] = []
    steps: list[Step] = []
    runs_out = None
    before: BaseYear | YearLine = base
    for year in range(base.year + 1, base.year + horizon + 1):
        line, told = _next_year(before, assumptions, year)
        lines.append(line)
        steps += told
        if runs_out is None and line.balance < 0 <= before.balance:
            runs_out = _run_out(before.balance, line)
            steps.append(_run_out_step(before.balance, line, runs_out))
        before = line
    return MidTerm(base, assumptions, tuple(lines), runs_out, Trace(steps))


def estimate_all(base: BaseYear, scenarios: Mapping[str, Assumptions], horizon: int) -> dict[str, MidTerm]:
    """Every scenario of :data:`SCENARIOS`; raises MidtermError with the problems of all of them at once.

    The careful scenario must not end better than the base one, nor the base one better than the hopeful one.
    """
    problems = [*_base_problems(base), *_horizon_problems(horizon)]
    for key, name in SCENARIOS.items():
        if key not in scenarios:
            problems.append(RuleProblem(f"{name}情景", "", f"没有填写{name}情景。", "三个情景都要填写。"))
        else:
            problems += _assumption_problems(scenarios[key], name)
    if problems:
        raise MidtermError(problems)
    found = {key: estimate(base, scenarios[key], horizon) for key in SCENARIOS}
    for lower, upper in ((WORSE, BASE), (BASE, BETTER)):
        low, high = found[lower].years[-1].balance, found[upper].years[-1].balance
        if low > high:
            text = f"{SCENARIOS[lower]}情景的期末结余（{low}元）高于{SCENARIOS[upper]}情景（{high}元）。"
            problems.append(RuleProblem(f"{SCENARIOS[lower]}情景", str(low), text, "请核对两个情景的增长率是否填反。"))
    if problems:
        raise MidtermError(problems)
    return found


def suggest(past: Sequence[PastFundYear]) -> Suggestion:
    """Assumptions from the mean yearly growth of the last whole years (at most three), and two scenarios beside them.

    With a single year growth is taken as nil and the trace says so. Raises MidtermError without any year.
    """
    years = sorted(past, key=lambda row: row.base.year)[-YEARS_LOOKED_BACK:]
    if not years:
        raise MidtermError.one("基期", "", "没有完整年度的基金月报，不能建议参数。", "请补录基金月报，或人工填写基期数据。")
    steps: list[Step] = []

    def grown(label: str, amounts: Sequence[Decimal | None], shown: Callable[[Decimal], Value] = round_fen) -> Decimal:
        told = [(row.base.year, amount) for row, amount in zip(years, amounts, strict=True)]
        return _mean_growth(label, told, steps, shown)

    heads = [Decimal(row.base.heads) for row in years]
    each = [max(count, ONE) for count in heads]
    volumes = [None if row.discharges is None else Decimal(row.discharges) / count for row, count in zip(years, each, strict=True)]
    per_head = [row.base.benefits / count for row, count in zip(years, each, strict=True)]
    spending = grown("人均待遇支出年增长", per_head)
    volume = grown(ASSUMPTION_LABELS["volume_growth"], volumes, round_rate)
    price = round_rate((ONE + spending) / (ONE + volume) - 1)
    inputs: tuple[tuple[str, Value], ...] = (("人均待遇支出年增长", percent(spending)), ("量的年增长", percent(volume)))
    text = "（1 + 人均待遇支出年增长）÷（1 + 量的年增长）− 1；量按参保人出院人次"
    steps.append(Step(ASSUMPTION_LABELS["price_growth"], text, inputs, price, CLAUSE, "比例"))
    last = years[-1].base
    base = Assumptions(
        heads_growth=grown(ASSUMPTION_LABELS["heads_growth"], heads, round_count),
        contribution_growth=grown(
            ASSUMPTION_LABELS["contribution_growth"], [row.base.contributions / count for row, count in zip(years, each, strict=True)]
        ),
        volume_growth=volume,
        price_growth=price,
        critical_growth=grown(
            ASSUMPTION_LABELS["critical_growth"], [row.base.critical_illness / count for row, count in zip(years, each, strict=True)]
        ),
        interest_rate=_interest(years, steps),
        transfers_in=last.transfers_in,
        transfers_out=last.transfers_out,
    )
    moved: tuple[tuple[str, Value], ...] = (("收入", last.transfers_in), ("支出", last.transfers_out))
    steps.append(Step("转移收支", f"按 {last.year} 年实际，逐年不变", moved, last.transfers_in - last.transfers_out, CLAUSE))
    text = "乐观：人均筹资 +1 个百分点、量与价各 −1 个百分点；审慎相反"
    steps.append(Step("乐观与审慎情景", text, (), "±1 个百分点", CLAUSE, ""))
    return Suggestion({BASE: base, BETTER: _moved(base, POINT), WORSE: _moved(base, -POINT)}, Trace(steps))


def _next_year(before: BaseYear | YearLine, given: Assumptions, year: int) -> tuple[YearLine, list[Step]]:
    heads_up = ONE + given.heads_growth
    heads = round_count(before.heads * heads_up)
    contributions = round_fen(before.contributions * heads_up * (ONE + given.contribution_growth))
    interest = round_fen(max(before.balance, ZERO) * given.interest_rate)
    benefits = round_fen(before.benefits * heads_up * (ONE + given.volume_growth) * (ONE + given.price_growth))
    critical = round_fen(before.critical_illness * heads_up * (ONE + given.critical_growth))
    income = contributions + interest + given.transfers_in
    spending = benefits + critical + given.transfers_out
    balance = before.balance + income - spending
    months = round_fen(balance * 12 / spending) if spending > 0 else None
    line = YearLine(
        year, heads, contributions, interest, given.transfers_in, benefits, critical, given.transfers_out, balance, months
    )
    growth = ("参保人数年增长", percent(given.heads_growth))

    def step(label: str, text: str, inputs: tuple[tuple[str, Value], ...], value: Value, unit: str = "元") -> Step:
        return Step(f"{year} 年{label}", text, inputs, value, CLAUSE, unit)

    steps = [
        step("参保人数", "上年 ×（1 + 增长）", (("上年", before.heads), growth), heads, "人"),
        step(
            "缴费与财政补助收入",
            "上年 ×（1 + 人数增长）×（1 + 人均筹资增长）",
            (("上年", before.contributions), growth, ("人均筹资年增长", percent(given.contribution_growth))),
            contributions,
        ),
        step(
            "利息收入",
            "年初结余 × 年利率（结余为负不计）",
            (("年初结余", before.balance), ("年利率", percent(given.interest_rate))),
            interest,
        ),
        step(
            "收入合计",
            "缴费与补助 + 利息 + 转移及上级补助",
            (("缴费与补助", contributions), ("利息", interest), ("转移及上级补助", given.transfers_in)),
            income,
        ),
        step(
            "待遇支出",
            "上年 ×（1 + 人数增长）×（1 + 量增长）×（1 + 价增长）",
            (("上年", before.benefits), growth, ("量", percent(given.volume_growth)), ("价", percent(given.price_growth))),
            benefits,
        ),
        step(
            "划转大病保险",
            "上年 ×（1 + 人数增长）×（1 + 人均增长）",
            (("上年", before.critical_illness), growth, ("人均", percent(given.critical_growth))),
            critical,
        ),
        step(
            "支出合计",
            "待遇 + 大病划转 + 转移及上解",
            (("待遇", benefits), ("大病划转", critical), ("转移及上解", given.transfers_out)),
            spending,
        ),
        step("年末累计结余", "年初结余 + 收入 − 支出", (("年初结余", before.balance), ("收入", income), ("支出", spending)), balance),
    ]
    if months is not None:
        parts: tuple[tuple[str, Value], ...] = (("年末累计结余", balance), ("支出合计", spending))
        steps.append(step("可支付月数", "年末累计结余 ÷（支出合计 ÷ 12）", parts, months, "个月"))
    return line, steps


def _run_out(opening: Decimal, line: YearLine) -> Month:
    whole, rest = divmod(opening * 12, -line.result)
    months = int(whole) + (1 if rest else 0)
    return Month(line.year, min(max(months, 1), 12))


def _run_out_step(opening: Decimal, line: YearLine, month: Month) -> Step:
    text = "年初结余 ÷（当期缺口 ÷ 12），进位到月；按一年内收支均匀"
    inputs: tuple[tuple[str, Value], ...] = (("年初结余", opening), ("当期缺口", -line.result))
    return Step("结余用完的月份", text, inputs, str(month), CLAUSE, "")


def _mean_growth(
    label: str, amounts: Sequence[tuple[int, Decimal | None]], steps: list[Step], shown: Callable[[Decimal], Value]
) -> Decimal:
    """``shown`` rounds the amounts as the trace tells them; the growth is that of the unrounded ones."""
    known = [(year, amount) for year, amount in amounts if amount is not None and amount > 0]
    if len(known) < 2:
        steps.append(Step(label, "可比年度不足两年，按零增长建议，请人工确认", (), ZERO, CLAUSE, "比例", "待核实"))
        return ZERO
    (first_year, first), (last_year, last) = known[0], known[-1]
    rate = round_rate((last / first) ** (ONE / (last_year - first_year)) - 1)
    bounded = min(max(rate, -MOST_GROWTH), MOST_GROWTH)
    text = f"（{last_year} 年 ÷ {first_year} 年）的 {last_year - first_year} 次方根 − 1，四位小数"
    if bounded != rate:
        text += f"；超出 ±{percent(MOST_GROWTH)}，取界限，请人工确认"
    inputs = tuple((f"{year} 年", shown(amount)) for year, amount in known)
    steps.append(Step(label, text, inputs, bounded, CLAUSE, "比例"))
    return bounded


def _interest(years: Sequence[PastFundYear], steps: list[Step]) -> Decimal:
    last = years[-1].base
    opening = last.balance - last.income + last.spending
    if opening <= 0:
        steps.append(Step(ASSUMPTION_LABELS["interest_rate"], "年初没有结余，按零建议", (), ZERO, CLAUSE, "比例"))
        return ZERO
    rate = min(max(round_rate(last.interest / opening), ZERO), MOST_INTEREST)
    inputs: tuple[tuple[str, Value], ...] = ((f"{last.year} 年利息收入", last.interest), ("年初结余", opening))
    steps.append(Step(ASSUMPTION_LABELS["interest_rate"], "利息收入 ÷ 年初结余，四位小数", inputs, rate, CLAUSE, "比例"))
    return rate


def _moved(base: Assumptions, step: Decimal) -> Assumptions:
    def kept(rate: Decimal) -> Decimal:
        return min(max(rate, -MOST_GROWTH), MOST_GROWTH)

    return replace(
        base,
        contribution_growth=kept(base.contribution_growth + step),
        volume_growth=kept(base.volume_growth - step),
        price_growth=kept(base.price_growth - step),
    )


def _base_problems(base: BaseYear) -> list[RuleProblem]:
    found = []
    if base.heads <= 0:
        found.append(RuleProblem(BASE_LABELS["heads"], str(base.heads), "年末参保人数须大于零。", "请按基金月报填写人数。"))
    for each in fields(base):
        label, amount = BASE_LABELS.get(each.name, ""), getattr(base, each.name)
        if each.name in ("year", "heads"):
            continue
        if not isinstance(amount, Decimal) or not amount.is_finite() or abs(amount) >= LIMIT:
            found.append(RuleProblem(label, str(amount), f"{label}不是有效金额。", "单位为元，请核对。"))
        elif each.name in ("contributions", "benefits") and amount <= 0:
            found.append(RuleProblem(label, str(amount), f"{label}须大于零，否则不能按增长率推算。", "请按全年决算数填写，单位为元。"))
        elif each.name not in ("balance", "contributions", "benefits") and amount < 0:
            found.append(RuleProblem(label, str(amount), f"{label}不能为负数。", "请核对符号。"))
    return found


def _assumption_problems(given: Assumptions, scenario: str) -> list[RuleProblem]:
    found = []
    prefix = f"{scenario}情景：" if scenario else ""
    for name in RATES:
        label, rate = ASSUMPTION_LABELS[name], getattr(given, name)
        if not isinstance(rate, Decimal) or not rate.is_finite() or abs(rate) > MOST_GROWTH:
            text = f"{prefix}{label}须在 −{percent(MOST_GROWTH)} 与 {percent(MOST_GROWTH)} 之间。"
            found.append(RuleProblem(label, _shown(rate), text, "请按每年的增长填写百分比，如 4.2 表示每年增长 4.2%。"))
    if not given.interest_rate.is_finite() or not 0 <= given.interest_rate <= MOST_INTEREST:
        label = ASSUMPTION_LABELS["interest_rate"]
        text = f"{prefix}{label}须在 0 与 {percent(MOST_INTEREST)} 之间。"
        found.append(RuleProblem(label, _shown(given.interest_rate), text, "请填写年利率，如 1.5 表示 1.5%。"))
    for name in AMOUNTS:
        label, amount = ASSUMPTION_LABELS[name], getattr(given, name)
        if not amount.is_finite() or not 0 <= amount < LIMIT:
            found.append(RuleProblem(label, str(amount), f"{prefix}{label}不能为负数。", "没有的请填 0，单位为元。"))
    return found


def _horizon_problems(horizon: int) -> list[RuleProblem]:
    if SHORTEST <= horizon <= LONGEST:
        return []
    return [RuleProblem("测算年数", str(horizon), f"测算年数须为 {SHORTEST} 至 {LONGEST} 年。", "请重新选择。")]


def _shown(rate: Decimal) -> str:
    return percent(rate) if rate.is_finite() else str(rate)
