"""The yearly check of a provider: its grade, and what the grade does to money and agreement (R-057, R-033).

The policy names the consequences (seed 002 篇四 §二(一)2-3); how large each is lies in ``yearly_check.toml``, 待核实.
Two unqualified years in a row end the agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.dated import read, source_of
from rules.errors import RuleError, RuleProblem
from rules.money import round_fen, round_ratio
from rules.trace import Step, Trace, percent, text_of

QUALIFIED, BASICALLY_QUALIFIED, UNQUALIFIED = "qualified", "basically_qualified", "unqualified"
_DATA = read(Path(__file__).parent / "yearly_check.toml")
SOURCE = source_of(_DATA["scheme"])
CLAUSE: str = _DATA["scheme"]["clause"]
ONE = Decimal(1)
FULL_SCORE = Decimal(100)


class YearlyCheckError(RuleError):
    """A check that gives no grade, or a grade without known effects."""


@dataclass(frozen=True)
class YearGrade:
    """A grade of the yearly check: the least score it needs, and its factors (ratios of 1)."""

    key: str
    label: str
    score_from: Decimal
    withheld_unpaid: Decimal
    prepayment_factor: Decimal
    package_factor: Decimal
    overrun_factor: Decimal
    may_refuse_renewal: bool


@dataclass(frozen=True)
class Check:
    """The grade of a year; ``score`` after the deduction for points of breach, never below 0."""

    grade: YearGrade
    score: Decimal
    trace: Trace


@dataclass(frozen=True)
class Effects:
    """What a grade does. ``prepayment_ratio``: next year's monthly ratio of the package (six decimals).

    ``withheld_unpaid``: part (0–1) of this year's withheld monthly amounts that is not paid. ``package_factor`` and
    ``overrun_factor`` multiply next year's package and the provider's own share of an overrun (see ``overrun_share``).
    ``terminated`` goes before ``may_refuse_renewal``.
    """

    grade: YearGrade
    prepayment_ratio: Decimal
    prepayment_factor: Decimal
    withheld_unpaid: Decimal
    package_factor: Decimal
    overrun_factor: Decimal
    may_refuse_renewal: bool
    terminated: bool
    status: str
    trace: Trace

    def as_json(self) -> dict[str, Any]:
        """The effects as strings and flags for storage; the trace is stored beside them."""
        data = {name: text_of(value) for name, value in vars(self).items() if isinstance(value, Decimal)}
        flags = {"may_refuse_renewal": self.may_refuse_renewal, "terminated": self.terminated}
        return {"grade": self.grade.key, "label": self.grade.label, "status": self.status, **data, **flags}

    def overrun_share(self, share: Decimal) -> Decimal:
        """The provider's share of an overrun (0–1) next year, never above the whole."""
        return min(round_ratio(share * self.overrun_factor), ONE)

    def withheld_lost(self, withheld: Decimal) -> Decimal:
        """The yuan of this year's withheld monthly amounts that are not paid."""
        return round_fen(withheld * self.withheld_unpaid)


GRADES: tuple[YearGrade, ...] = tuple(
    YearGrade(
        key=row["key"],
        label=row["label"],
        score_from=Decimal(row["score_from"]),
        withheld_unpaid=Decimal(row["withheld_unpaid"]),
        prepayment_factor=Decimal(row["prepayment_factor"]),
        package_factor=Decimal(row["package_factor"]),
        overrun_factor=Decimal(row["overrun_factor"]),
        may_refuse_renewal=row["may_refuse_renewal"],
    )
    for row in _DATA["grade"]
)
GRADE_BY_KEY = {grade.key: grade for grade in GRADES}


def check(score: Decimal, deduction: Decimal = Decimal(0)) -> Check:
    """The grade for an assessment ``score`` (0–100) less the ``deduction`` for the year's points of breach (R-102).

    YearlyCheckError lists a score outside 0–100 and a negative deduction.
    """
    problems = []
    if not score.is_finite() or not 0 <= score <= FULL_SCORE:
        problems.append(RuleProblem("考核得分", str(score), f"考核得分须在 0 到 100 之间，现为{score}", "请改正得分"))
    if not deduction.is_finite() or deduction < 0:
        text = f"记分换算扣分不能为负，现为{deduction}"
        problems.append(RuleProblem("换算扣分", str(deduction), text, "请核对记分换算"))
    if problems:
        raise YearlyCheckError(problems)
    left = max(score - deduction, Decimal(0))
    grade = next(one for one in sorted(GRADES, key=lambda one: -one.score_from) if left >= one.score_from)
    inputs = (("考核得分", score), ("记分换算扣分", deduction))
    bounds = tuple((f"{one.label}起点", one.score_from) for one in GRADES)
    steps = [
        Step("年度得分", "考核得分 − 记分换算扣分，不低于零", inputs, left, CLAUSE, "分", SOURCE.status),
        Step("年度等次", "取得分达到的最高等次", (("年度得分", left), *bounds), grade.label, CLAUSE, "", SOURCE.status),
    ]
    return Check(grade, left, Trace(steps))


def effects(grade: str, former_grades: Sequence[str], monthly_ratio: Decimal) -> Effects:
    """What the year's ``grade`` does, given the grades of the years before (oldest first, empty: not checked).

    ``monthly_ratio`` is the monthly prepayment ratio as it stands (0 < ratio ≤ 1). YearlyCheckError lists unknown
    grades and a ratio outside its bounds.
    """
    problems = [
        RuleProblem("年度等次", key, f"没有年度等次“{key}”", f"可选：{'、'.join(one.label for one in GRADES)}")
        for key in (grade, *(former for former in former_grades if former))
        if key not in GRADE_BY_KEY
    ]
    if not monthly_ratio.is_finite() or not 0 < monthly_ratio <= 1:
        text = f"按月预拨比例须大于 0、不超过 1，现为{monthly_ratio}"
        problems.append(RuleProblem("按月预拨比例", str(monthly_ratio), text, "请改正比例"))
    if problems:
        raise YearlyCheckError(problems)
    chosen = GRADE_BY_KEY[grade]
    before = former_grades[-1] if former_grades else ""
    terminated = grade == UNQUALIFIED and before == UNQUALIFIED
    ratio = round_ratio(monthly_ratio * chosen.prepayment_factor)
    return Effects(
        grade=chosen,
        prepayment_ratio=ratio,
        prepayment_factor=chosen.prepayment_factor,
        withheld_unpaid=chosen.withheld_unpaid,
        package_factor=chosen.package_factor,
        overrun_factor=chosen.overrun_factor,
        may_refuse_renewal=chosen.may_refuse_renewal,
        terminated=terminated,
        status=SOURCE.status,
        trace=_trace(chosen, before, monthly_ratio, ratio, terminated),
    )


def _trace(grade: YearGrade, before: str, monthly: Decimal, ratio: Decimal, terminated: bool) -> Trace:
    former = GRADE_BY_KEY[before].label if before else "未考核"
    agreement = "解除协议" if terminated else "可不再续签" if grade.may_refuse_renewal else "照常续签"
    unpaid = {Decimal(0): "照付", Decimal(1): "全部不予支付"}.get(grade.withheld_unpaid, "部分不予支付")
    factor = text_of(grade.prepayment_factor)
    status = SOURCE.status
    return Trace(
        [
            Step(
                "当年按月未拨付部分",
                f"等次为{grade.label}：{unpaid}",
                (("不予支付比例", percent(grade.withheld_unpaid)),),
                percent(grade.withheld_unpaid),
                f"{CLAUSE}：部分或者全部不予支付",
                "",
                status,
            ),
            Step(
                "次年按月预拨比例",
                "现行比例 × 调整系数",
                (("现行比例", percent(monthly)), ("调整系数", factor)),
                percent(ratio),
                f"{CLAUSE}：调整次年度按月预拨比例",
                "",
                status,
            ),
            Step("次年预算额度系数", "按等次取用", (), grade.package_factor, f"{CLAUSE}：调整次年度预算额度", "系数", status),
            Step(
                "次年超支分担比例系数", "按等次取用，机构分担不超过全部", (), grade.overrun_factor,
                f"{CLAUSE}：调整次年度清算的超支分担比例", "系数", status,
            ),
            Step(
                "协议",
                "不合格可不再续签；连续两年不合格解除协议",
                (("上年等次", former), ("本年等次", grade.label)),
                agreement,
                "医保监管意见稿范文四 §二（一）2",
                "",
            ),
        ]
    )  # fmt: skip
