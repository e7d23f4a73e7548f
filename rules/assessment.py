"""From the yearly assessment score to the payment factor, by the scheme's grades and the local table.

赣医保发〔2022〕23号 §二(三)2: 90 points and above are paid in full; all other grades are set by the pooling area's
bureau with finance and health. A score that no grade covers is refused, never interpolated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.errors import RuleError, RuleProblem
from rules.trace import CONFIRMED, Step, Trace, text_of

FULL_SCORE = Decimal(100)
SUPPLIER = "由统筹区医保部门商财政、卫生健康部门确定(赣医保发〔2022〕23号 §二(三)2),请管理员录入本地考核等级表"


class AssessmentError(RuleError):
    """A score or a table of grades that gives no factor."""


@dataclass(frozen=True)
class Grade:
    """A range of scores (0–100) and its factor (0–1)."""

    label: str
    lower: Decimal
    upper: Decimal
    lower_inclusive: bool
    upper_inclusive: bool
    factor: Decimal
    clause: str
    status: str = CONFIRMED
    wording: str = ""

    def covers(self, score: Decimal) -> bool:
        above = score > self.lower or (self.lower_inclusive and score == self.lower)
        below = score < self.upper or (self.upper_inclusive and score == self.upper)
        return above and below

    @property
    def range_text(self) -> str:
        opening, closing = "[" if self.lower_inclusive else "(", "]" if self.upper_inclusive else ")"
        return f"{opening}{text_of(self.lower)}, {text_of(self.upper)}{closing}"


@dataclass(frozen=True)
class Assessed:
    """The factor of a score and the grade it came from."""

    score: Decimal
    factor: Decimal
    grade: Grade
    trace: Trace


def check_score(score: Decimal | int) -> Decimal:
    """The score as Decimal; AssessmentError unless it lies between 0 and 100."""
    if isinstance(score, bool) or not isinstance(score, (Decimal, int)) or not Decimal(score).is_finite():
        raise AssessmentError.one("考核得分", score, f"考核得分须为十进制数,现为{score}", "请填写0到100的得分")
    value = Decimal(score)
    if not 0 <= value <= FULL_SCORE:
        raise AssessmentError.one("考核得分", score, f"考核得分须在0到100之间,现为{text_of(value)}", "请核对考核结果")
    return value


def grade_problems(grades: Sequence[Grade]) -> list[RuleProblem]:
    """Everything wrong with a table of grades: bounds, factors, overlaps. Gaps are lawful (they are refused on use)."""
    problems: list[RuleProblem] = []
    for grade in grades:
        place = f"assessment.{grade.label}"
        if not 0 <= grade.lower <= grade.upper <= FULL_SCORE:
            text = f"考核等级“{grade.label}”的得分范围{grade.range_text}无效"
            problems.append(RuleProblem(place, grade.range_text, text, "下限不得大于上限,且在0到100之间"))
        if not 0 <= grade.factor <= 1:
            text = f"考核等级“{grade.label}”的系数须在0到1之间,现为{text_of(grade.factor)}"
            problems.append(RuleProblem(place, text_of(grade.factor), text, "请改正系数"))
    ordered = sorted(grades, key=lambda grade: (grade.lower, not grade.lower_inclusive))
    for one, other in zip(ordered, ordered[1:], strict=False):
        both = one.upper_inclusive and other.lower_inclusive
        if other.lower < one.upper or (other.lower == one.upper and both):
            text = f"考核等级“{one.label}”{one.range_text}与“{other.label}”{other.range_text}重叠"
            problems.append(RuleProblem(f"assessment.{other.label}", other.range_text, text, "请调整得分界限"))
    return problems


def factor_of(score: Decimal | int, grades: Iterable[Grade]) -> Assessed:
    """The factor for a score; AssessmentError when the table is inconsistent or no grade covers the score."""
    value = check_score(score)
    table = tuple(grades)
    problems = grade_problems(table)
    if problems:
        raise AssessmentError(problems)
    for grade in table:
        if grade.covers(value):
            inputs = (("考核得分", value), ("等级", grade.label), ("得分范围", grade.range_text))
            step = Step("考核系数", "按得分所在等级取系数", inputs, grade.factor, grade.clause, "系数", grade.status)
            return Assessed(value, grade.factor, grade, Trace([step]))
    text = f"考核得分{text_of(value)}没有对应的等级系数:其他等级的拨付比例{SUPPLIER}"
    raise AssessmentError.one("考核得分", text_of(value), text, "补录等级表后重新计算")
