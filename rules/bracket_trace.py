"""The steps of a sharing in words: what ``rules.brackets`` computed, line by line, for a person with a calculator."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rules.money import ZERO
from rules.trace import Step, Value, percent

if TYPE_CHECKING:
    from rules.brackets import ShareResult, Side, Tier, TierShare


class _SideWords(NamedTuple):
    """The labels and formulas of one side."""

    name: str
    difference: str
    ratio: str
    ratio_formula: str
    shared: str
    total: str
    rest: str
    rest_formula: str


_OVERRUN = _SideWords(
    "超支额",
    "年度基金应付额 − 打包总额",
    "超支额占比",
    "超支额 ÷ 比例基数(六位小数,仅供查看)",
    "基金分担",
    "各档基金分担合计",
    "医共体承担",
    "超支额 − 基金分担",
)
_SURPLUS = _SideWords(
    "结余额",
    "打包总额 − 年度基金应付额",
    "结余额占比",
    "结余额 ÷ 比例基数(六位小数,仅供查看)",
    "医共体留用",
    "各档医共体留用合计",
    "返还统筹基金",
    "结余额 − 医共体留用",
)


def steps_of(result: ShareResult) -> list[Step]:
    """Difference, ratio, reasonable part, then bound, amount and share of every tier reached, then the totals."""
    brackets = result.brackets
    clause = brackets.compare_clause
    package, charged = ("打包总额", result.package), ("年度基金应付额", result.charged)
    if not result.difference:
        return [Step("差额", _OVERRUN.difference, (charged, package), ZERO, clause)]
    over = result.charged > result.package
    words = _OVERRUN if over else _SURPLUS
    difference = (words.name, result.difference)
    base = ("比例基数", result.ratio_base)
    steps = [
        Step(
            words.name,
            words.difference,
            (charged, package) if over else (package, charged),
            result.difference,
            clause,
        ),
        Step(words.ratio, words.ratio_formula, (difference, base), result.ratio, clause, "比例"),
    ]
    if over and result.unreasonable:
        accepted = ("合理超支", result.reasonable)
        steps.append(
            Step(
                "不合理超支(全部由医共体承担)",
                "超支额 − 合理超支",
                (difference, accepted),
                result.unreasonable,
                brackets.reasonable_clause,
            )
        )
        difference = accepted
    side = brackets.overrun if over else brackets.surplus
    assert side is not None
    parts: list[tuple[str, Value]] = []
    for tier, applied in zip(side.tiers, result.tiers, strict=True):
        if applied.amount:
            tier_words = _words(tier.label, difference[0], words.shared)
            _tier_steps(steps, tier, applied, tier_words, base, difference, brackets.whole_amount)
            parts.append((tier_words.shared, applied.shared))
    _total_steps(steps, result, side, words, tuple(parts))
    return steps


class _Words(NamedTuple):
    """The labels and formulas of one tier, made once."""

    upper: str
    lower: str
    amount: str
    shared: str
    amount_below: str
    amount_open: str


@cache
def _words(label: str, name: str, what: str) -> _Words:
    return _Words(
        f"{label}档上限",
        f"{label}档下限",
        f"{label}档内金额",
        f"{label}档{what}",
        f"{name}与上限取小 − 下限",
        f"{name} − 下限",
    )


def _tier_steps(
    steps: list[Step],
    tier: Tier,
    applied: TierShare,
    words: _Words,
    base: tuple[str, Value],
    difference: tuple[str, Value],
    whole_amount: bool,
) -> None:
    clause, status, amount, upper = tier.clause, tier.bounds_status, applied.amount, applied.upper
    inputs: tuple[tuple[str, Value], ...]
    if whole_amount:
        text = f"全部{difference[0]}落在{tier.label}档({tier.lower_text}至{tier.upper_text})"
        inputs = (difference,)
    elif upper is None:
        text, inputs = words.amount_open, (difference, (words.lower, applied.lower))
    else:
        bound = (base, ("上限比例", tier.upper_text))
        steps.append(Step(words.upper, "比例基数 × 上限比例,四舍五入到分", bound, upper, clause, "元", status))
        text, inputs = words.amount_below, (difference, (words.upper, upper), (words.lower, applied.lower))
    steps.append(Step(words.amount, text, inputs, amount, clause, "元", status))
    parts = ((words.amount, amount), ("比例", tier.rate_text))
    text = "档内金额 × 比例,四舍五入到分"
    steps.append(Step(words.shared, text, parts, applied.shared, clause, "元", tier.rate_status))


def _total_steps(
    steps: list[Step], result: ShareResult, side: Side, words: _SideWords, parts: tuple[tuple[str, Value], ...]
) -> None:
    what, clause = words.shared, result.brackets.mode_clause
    over = words is _OVERRUN
    final = result.fund_bears if over else result.alliance_keeps
    steps.append(Step(words.total, "各档相加", parts, result.shared_by_tiers, clause))
    if result.cap_amount is not None and side.cap is not None:
        package = ("打包总额", result.package)
        steps.append(
            Step(
                f"{what}封顶额",
                "打包总额 × 封顶比例,四舍五入到分",
                (package, ("封顶比例", percent(side.cap))),
                result.cap_amount,
                side.cap_clause,
                "元",
                side.cap_status,
            )
        )
        if result.cap_cut:
            total, cap = (words.total, result.shared_by_tiers), ("封顶额", result.cap_amount)
            text = f"{words.total} − 封顶额"
            steps.append(Step("超过封顶部分", text, (total, cap), result.cap_cut, side.cap_clause))
    if result.closed_gates:
        reasons = tuple(("未通过条件", text) for text in result.closed_gates)
        gate = next(gate for gate in result.brackets.gates if gate.text in result.closed_gates)
        steps.append(Step(what, f"未通过条件,{what}为零", reasons, final, gate.clause, "元", gate.status))
    elif result.cap_cut:
        steps.append(Step(what, "按封顶额", (("封顶额", final),), final, side.cap_clause, "元", side.cap_status))
    for text in result.pending_gates:
        gate = next(gate for gate in result.brackets.gates if gate.text == text)
        steps.append(Step("条件尚未判定", f"{text}则{what}为零;尚无数据", (), "未判定", gate.clause, "", gate.status))
    rest = result.alliance_bears if over else result.returned_to_fund
    inputs = ((words.name, result.difference), (what, final))
    steps.append(Step(words.rest, words.rest_formula, inputs, rest, clause))
