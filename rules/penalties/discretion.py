"""Within the legal range: the five grades of discretion, what facts support them, and bands by amount (``discretion.toml``).

不予、减轻、从轻、一般、从重 (Jiangxi 2025, shares of the span 待核实). A mitigated fine lies below the legal minimum but is
not zero; no other grade leaves the range. Where a place has bands by amount (Henan, Art. 37), the band gives the grade.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.dated import Source, decimal_of, read, source_of
from rules.errors import RuleError, RuleProblem
from rules.money import FEN, ZERO, non_negative, round_fen
from rules.penalties.acts import PenaltyError
from rules.penalties.ranges import GRAVE, REFUSED, REPEAT, FineRange, ItemRange, summed
from rules.trace import UNCONFIRMED, Step, Trace, Value, percent

NONE, MITIGATED, LIGHTER, ORDINARY, HEAVIER = "none", "mitigated", "lighter", "ordinary", "heavier"
SHARE, BELOW_LOWER, NO_FINE = "share", "below_lower", "no_fine"
_DATA = read(Path(__file__).parent / "discretion.toml")
SCHEME = source_of(_DATA["scheme"])
MINIMUM_REASON: int = _DATA["scheme"]["minimum_reason"]


@dataclass(frozen=True)
class Grade:
    """A grade of discretion; shares of the span between the legal bounds, None outside the range."""

    key: str
    label: str
    kind: str
    share_from: Decimal | None
    share_to: Decimal | None
    clause: str


@dataclass(frozen=True)
class Fact:
    """A circumstance that supports the grades it ``allows``."""

    key: str
    label: str
    allows: tuple[str, ...]
    clause: str
    source: Source


@dataclass(frozen=True)
class Band:
    """Multiples of a place for losses up to ``up_to`` yuan (None: any); ``needs`` a fact key or empty."""

    article: str
    place: str
    label: str
    grade: str
    up_to: Decimal | None
    needs: str
    lower: Decimal
    upper: Decimal
    clause: str
    source: Source


@dataclass(frozen=True)
class GradeRange:
    """The yuan a grade leaves, both ends included; ``upper`` None: the rule has no upper limit."""

    grade: Grade
    lower: Decimal
    upper: Decimal | None
    trace: Trace

    @property
    def is_empty(self) -> bool:
        """Whether the grade leaves no amount at all (nothing can be mitigated)."""
        return self.upper is not None and self.upper < self.lower


def _band(row: dict[str, Any]) -> Band:
    return Band(
        article=row["article"],
        place=row["place"],
        label=row["label"],
        grade=row["grade"],
        up_to=decimal_of(row, "up_to"),
        needs=row.get("needs", ""),
        lower=Decimal(row["lower"]),
        upper=Decimal(row["upper"]),
        clause=row["clause"],
        source=source_of(row),
    )


GRADES: tuple[Grade, ...] = tuple(
    Grade(
        row["key"],
        row["label"],
        row["kind"],
        decimal_of(row, "share_from"),
        decimal_of(row, "share_to"),
        row["clause"],
    )
    for row in _DATA["grade"]
)
GRADE_BY_KEY = {grade.key: grade for grade in GRADES}
FACTS: tuple[Fact, ...] = tuple(
    Fact(row["key"], row["label"], tuple(row["allows"]), row["clause"], source_of(row)) for row in _DATA["fact"]
)
FACT_BY_KEY = {fact.key: fact for fact in FACTS}
BANDS: tuple[Band, ...] = tuple(map(_band, _DATA["band"]))


def grade_range(legal: FineRange, grade: str) -> GradeRange:
    """What a grade leaves of the legal range; PenaltyError for an unknown grade."""
    if grade not in GRADE_BY_KEY:
        known = "、".join(one.label for one in GRADES)
        raise PenaltyError.one("裁量等次", grade, f"没有裁量等次“{grade}”", f"可选：{known}")
    chosen = GRADE_BY_KEY[grade]
    if chosen.kind == NO_FINE:
        step = _step(chosen, "不处罚款", (), ZERO)
        return GradeRange(chosen, ZERO, ZERO, Trace([step]))
    if chosen.kind == BELOW_LOWER:
        top = legal.lower - FEN
        step = _step(chosen, "大于零，低于法定下限", (("法定下限", legal.lower),), max(top, ZERO))
        return GradeRange(chosen, FEN, top, Trace([step]))
    if legal.upper is None:
        step = _step(chosen, "规定未设上限，只受法定下限约束", (("法定下限", legal.lower),), legal.lower)
        return GradeRange(chosen, legal.lower, None, Trace([step]))
    assert chosen.share_from is not None and chosen.share_to is not None
    steps, ends = [], []
    for end, share in (("下限", chosen.share_from), ("上限", chosen.share_to)):
        value = round_fen(legal.lower + (legal.upper - legal.lower) * share)
        inputs = (("法定下限", legal.lower), ("法定上限", legal.upper), ("比例", percent(share)))
        words = "法定下限 +（法定上限 − 法定下限）× 比例，四舍五入到分"
        steps.append(_step(chosen, words, inputs, value, end))
        ends.append(value)
    return GradeRange(chosen, ends[0], ends[1], Trace(steps))


def check_fine(
    legal: FineRange, grade: str, fine: Decimal, reason: str, facts: Collection[str] = ()
) -> tuple[RuleProblem, ...]:
    """Everything wrong with a fine (yuan) under a grade, with its reason and supporting ``facts`` (keys of FACTS).

    Repetition, refusal and grave consequences are facts of the range itself. Empty: the fine may be imposed.
    """
    problems = [
        RuleProblem("裁量情节", key, f"没有裁量情节“{key}”", "请从裁量情节目录中选择")
        for key in facts
        if key not in FACT_BY_KEY
    ]
    if len(reason.strip()) < MINIMUM_REASON:
        text = f"裁量理由至少 {MINIMUM_REASON} 个字，现为“{reason.strip()}”"
        problems.append(RuleProblem("裁量理由", reason, text, "请写明事实、情节与依据"))
    try:
        left = grade_range(legal, grade)
    except PenaltyError as error:
        return (*problems, *error.problems)
    problems += _fact_problems(left.grade, legal, facts)
    return (*problems, *_amount_problems(legal, left, fine))


def band_for(article: str, loss: Decimal, place: str, facts: Collection[str] = ()) -> Band | None:
    """The first band of a place that fits an article's loss (yuan), None where the place has none."""
    fitting = (band for band in BANDS if band.article == article and band.place == place)
    return next(
        (
            band
            for band in fitting
            if (band.up_to is None or loss <= band.up_to) and (not band.needs or band.needs in facts)
        ),
        None,
    )


def narrowed(legal: FineRange, place: str, facts: Collection[str] = ()) -> FineRange:
    """The range narrowed by the bands of a place: items of an article with bands get the band of their whole loss.

    A band is the grade already; impose it as it is rather than grading it once more.
    """
    losses: dict[str, Decimal] = {}
    for one in legal.items:
        losses[one.act.article] = losses.get(one.act.article, ZERO) + one.loss
    items: list[ItemRange] = []
    steps: list[Step] = list(legal.trace)
    for one in legal.items:
        band = band_for(one.act.article, losses[one.act.article], place, facts)
        if band is None or not one.upper:
            items.append(one)
            continue
        changed = replace(
            one, lower=round_fen(band.lower * one.loss), upper=round_fen(band.upper * one.loss), note=band.label
        )
        items.append(changed)
        inputs: tuple[tuple[str, Value], ...] = (
            ("损失金额", one.loss), ("下限倍数", band.lower), ("上限倍数", band.upper),
        )  # fmt: skip
        label, words = f"{one.act.label}：裁量档", f"{band.label}：损失金额 × {band.lower} 至 {band.upper} 倍"
        value = f"{changed.lower} 至 {changed.upper}"
        steps.append(Step(label, words, inputs, value, band.clause, "元", band.source.status))
    held = ((REPEAT, legal.repeat), (REFUSED, legal.refused), (GRAVE, legal.grave))
    return summed(items, steps, {name for name, holds in held if holds})


def suspension_problems(legal: FineRange, months: int | None) -> tuple[RuleProblem, ...]:
    """What is wrong with a suspension of ``months`` (None: none imposed) under the range's rules."""
    if months is None:
        return ()
    if not legal.suspensions:
        return (RuleProblem("暂停月数", str(months), "所适用的罚则没有暂停措施或条件不具备", "请删除暂停月数"),)
    lower, upper = min(one.lower for one in legal.suspensions), max(one.upper for one in legal.suspensions)
    if lower <= months <= upper:
        return ()
    text = f"暂停月数须在 {lower} 至 {upper} 个月之间，现为 {months}"
    return (RuleProblem("暂停月数", str(months), text, "请改正暂停月数"),)


def _step(grade: Grade, words: str, inputs: Sequence[tuple[str, Value]], value: Decimal, end: str = "幅度") -> Step:
    return Step(f"{grade.label}{end}", words, tuple(inputs), value, grade.clause, "元", UNCONFIRMED)


def _fact_problems(grade: Grade, legal: FineRange, facts: Collection[str]) -> list[RuleProblem]:
    """A grade other than the ordinary needs a fact that supports it; no fine at all bears no aggravating fact."""
    held = {key for key in facts if key in FACT_BY_KEY}
    held |= {key for key, holds in ((REPEAT, legal.repeat), (REFUSED, legal.refused), (GRAVE, legal.grave)) if holds}
    if grade.key == ORDINARY or (grade.key == NONE and not legal.has_fine):
        return []
    if not any(grade.key in FACT_BY_KEY[key].allows for key in held):
        needed = "、".join(fact.label for fact in FACTS if grade.key in fact.allows)
        return [RuleProblem("裁量等次", grade.key, f"“{grade.label}”没有相应情节支持", f"须具备其中之一：{needed}")]
    against = [FACT_BY_KEY[key].label for key in sorted(held) if HEAVIER in FACT_BY_KEY[key].allows]
    if grade.key == NONE and against:
        return [RuleProblem("裁量等次", grade.key, f"有“{'、'.join(against)}”情节，不能不予处罚", "请改选等次")]
    return []


def _amount_problems(legal: FineRange, left: GradeRange, fine: Decimal) -> list[RuleProblem]:
    try:
        amount = non_negative(fine, "罚款金额")
    except RuleError as error:
        return list(error.problems)
    label = left.grade.label
    if left.is_empty:
        text = f"法定下限为 {legal.lower:,f} 元，没有可以“{label}”的幅度"
        return [RuleProblem("裁量等次", left.grade.key, text, "请改选裁量等次")]
    if left.lower <= amount and (left.upper is None or amount <= left.upper):
        return []
    span = f"{left.lower:,f} 元至" + ("（无上限）" if left.upper is None else f" {left.upper:,f} 元")
    if left.lower == left.upper:
        span = f"{left.lower:,f} 元"
    text = f"罚款 {amount:,f} 元不在“{label}”的幅度内（{span}；法定幅度：{legal.text}）"
    return [RuleProblem("罚款金额", f"{amount:f}", text, "请改正罚款金额或裁量等次")]
