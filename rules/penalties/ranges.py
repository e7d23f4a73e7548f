"""The legal range of a fine: which rule the day of each act calls for, and what it makes of the loss (``rules.toml``).

The law of the day of the act decides; where the law in force on the day of the decision is lighter, that one does
(行政处罚法 第三十七条, 从旧兼从轻). The rule of seed 000 holds from 2020-01-01 to 2021-04-30 only (A11); before 2020 no
rule is held: the case is handled under the agreement. All amounts in yuan; nothing here recovers money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.dated import Source, decimal_of, read, source_of
from rules.errors import RuleError, RuleProblem
from rules.money import ZERO, exact, round_fen
from rules.penalties.acts import ACT_BY_KEY, Act, PenaltyError, unknown
from rules.trace import CONFIRMED, UNCONFIRMED, Step, Trace, Value, text_of

MULTIPLE, YUAN, NO_FINE = "multiple", "yuan", "none"
ALWAYS, REFUSED, GRAVE, REPEAT = "always", "refused", "grave", "repeat"
CONDITIONS = {REFUSED: "拒不改正", REPEAT: "重复违规", GRAVE: "造成严重后果"}
LIGHTER_CLAUSE = "行政处罚法 第三十七条（从旧兼从轻）"
NO_LIMIT = "无上限"


@dataclass(frozen=True)
class PenaltyRule:
    """A dated rule. ``upper`` None: the rule sets no upper limit. ``suspension`` (from, to) in months, or None."""

    key: str
    label: str
    articles: tuple[str, ...]
    measure: str
    only_if: str
    lower: Decimal | None
    upper: Decimal | None
    suspension: tuple[int, int] | None
    suspension_if: tuple[str, ...]
    suspension_of: str
    correction: str
    further: tuple[str, ...]
    clause: str
    source: Source


@dataclass(frozen=True)
class FineItem:
    """A finding to be fined: act key, loss in yuan (0 where the act needs none), last day of the act (None: ``on``)."""

    act: str
    loss: Decimal
    act_on: date | None = None


@dataclass(frozen=True)
class ItemRange:
    """What a rule makes of one item; yuan, ``upper`` None: no upper limit."""

    act: Act
    loss: Decimal
    act_on: date
    rule: PenaltyRule
    lower: Decimal
    upper: Decimal | None
    note: str = ""


@dataclass(frozen=True)
class Suspension:
    """A suspension the law orders or allows, in whole months, both included."""

    lower: int
    upper: int
    of: str
    clause: str


@dataclass(frozen=True)
class FineRange:
    """The legal range of one case; yuan. ``loss`` is what has to be returned or refused, fined or not.

    ``unconfirmed`` names the clauses still to be checked against official text.
    """

    items: tuple[ItemRange, ...]
    loss: Decimal
    lower: Decimal
    upper: Decimal | None
    repeat: bool
    refused: bool
    grave: bool
    suspensions: tuple[Suspension, ...]
    corrections: tuple[str, ...]
    further: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    trace: Trace

    @property
    def has_fine(self) -> bool:
        """Whether any fine can be imposed at all."""
        return self.upper is None or self.upper > 0

    def as_json(self) -> dict[str, Any]:
        """The range as strings for storage; ``upper`` null: no upper limit."""
        return {
            "loss": text_of(self.loss),
            "lower": text_of(self.lower),
            "upper": None if self.upper is None else text_of(self.upper),
            "repeat": self.repeat,
            "refused": self.refused,
            "grave": self.grave,
            "items": [
                {
                    "act": one.act.key,
                    "label": one.act.label,
                    "act_on": str(one.act_on),
                    "loss": text_of(one.loss),
                    "rule": one.rule.label,
                    "lower": text_of(one.lower),
                    "upper": None if one.upper is None else text_of(one.upper),
                    "note": one.note,
                }
                for one in self.items
            ],
            "suspensions": [vars(one) for one in self.suspensions],
            "corrections": list(self.corrections),
            "further": list(self.further),
            "unconfirmed": list(self.unconfirmed),
            "trace": self.trace.as_json(),
        }

    @property
    def text(self) -> str:
        """The range as people read it."""
        if not self.has_fine:
            return "不处罚款"
        return f"{self.lower:,f} 元至{NO_LIMIT if self.upper is None else f' {self.upper:,f} 元'}"


def _rule(row: dict[str, Any]) -> PenaltyRule:
    months = (row["suspension_lower"], row["suspension_upper"]) if "suspension_lower" in row else None
    return PenaltyRule(
        key=row["key"],
        label=row["label"],
        articles=tuple(row["articles"]),
        measure=row["measure"],
        only_if=row["only_if"],
        lower=decimal_of(row, "lower"),
        upper=decimal_of(row, "upper"),
        suspension=months,
        suspension_if=tuple(row.get("suspension_if", ())),
        suspension_of=row.get("suspension_of", ""),
        correction=row["correction"],
        further=tuple(row["further"]),
        clause=row["clause"],
        source=source_of(row),
    )


RULES: tuple[PenaltyRule, ...] = tuple(map(_rule, read(Path(__file__).parent / "rules.toml")["rule"]))


def rule_on(act: Act, on: date) -> PenaltyRule | None:
    """The rule in force for an act on a day, None when there was none."""
    return next((rule for rule in RULES if act.article in rule.articles and rule.source.holds(on)), None)


def fine_range(
    items: Sequence[FineItem | tuple[str, Decimal] | tuple[str, Decimal, date]],
    *,
    on: date,
    decided_on: date | None = None,
    repeat: bool = False,
    refused: bool = False,
    grave: bool = False,
) -> FineRange:
    """The legal range for ``items``: FineItem, or (act key, loss yuan) with an optional day of the act.

    ``on`` is the day of those acts that name none (of a continuing act: its last day). ``decided_on``, when given, is
    the day of the decision: a lighter rule in force then replaces the older one, item by item. ``repeat``: fined or
    refused before for the same (see ``repeat_offences``); ``refused``: order to correct refused; ``grave``: grave
    consequences. Fixed amounts are counted once per act, however many findings show it.
    PenaltyError lists every unknown act, act under the agreement only, day without a rule and loss not above zero.
    """
    flags = {name for name, holds in ((REPEAT, repeat), (REFUSED, refused), (GRAVE, grave)) if holds}
    found = [item if isinstance(item, FineItem) else FineItem(*item) for item in items]
    problems = _problems(found, on, decided_on)
    if problems:
        raise PenaltyError(problems)
    ranges: list[ItemRange] = []
    steps: list[Step] = []
    fixed: set[tuple[str, str]] = set()
    for item in found:
        one, told = _item(item, item.act_on or on, decided_on, flags)
        if one.rule.measure == YUAN and one.upper:
            if (one.act.key, one.rule.key) in fixed:
                one, told = _counted_before(one)
            fixed.add((one.act.key, one.rule.key))
        ranges.append(one)
        steps += told
    return summed(ranges, steps, flags)


def summed(ranges: Sequence[ItemRange], steps: Iterable[Step], flags: set[str]) -> FineRange:
    """The range of a case from the ranges of its items; ``flags`` of repeat, refused, grave."""
    lower = sum((one.lower for one in ranges), ZERO)
    upper: Decimal | None = ZERO
    for one in ranges:
        upper = None if upper is None or one.upper is None else upper + one.upper
    suspensions = {
        rule.key: Suspension(*rule.suspension, rule.suspension_of, rule.clause)
        for rule in (one.rule for one in ranges)
        if rule.suspension and (ALWAYS in rule.suspension_if or flags & set(rule.suspension_if))
    }
    unconfirmed = [one.rule.clause for one in ranges if not one.rule.source.confirmed]
    unconfirmed += [one.act.clause for one in ranges if not one.act.source.confirmed]
    return FineRange(
        items=tuple(ranges),
        loss=sum((one.loss for one in ranges), ZERO),
        lower=lower,
        upper=upper,
        repeat=REPEAT in flags,
        refused=REFUSED in flags,
        grave=GRAVE in flags,
        suspensions=tuple(suspensions.values()),
        corrections=_distinct(one.rule.correction for one in ranges),
        further=_distinct(text for one in ranges for text in _further(one.rule, flags)),
        unconfirmed=_distinct(unconfirmed),
        trace=Trace([*steps, *_sum_steps(ranges, lower, upper)]),
    )


def _problems(items: Sequence[FineItem], on: date, decided_on: date | None) -> list[RuleProblem]:
    if not items:
        return [RuleProblem("违法行为", "", "没有可以计算处罚的违法行为", "请先录入查实的行为与金额")]
    problems = unknown(item.act for item in items)
    for number, item in enumerate(items, 1):
        act = ACT_BY_KEY.get(item.act)
        if act is None:
            continue
        problems += _loss_problems(item, act, number)
        if not act.penalised:
            text = f"第{number}项“{act.label}”属违约，只作协议处理，没有行政处罚"
            problems.append(RuleProblem("违法行为", act.key, text, "请改按协议处理，或改选违法行为"))
            continue
        day = item.act_on or on
        if rule_on(act, day) is None:
            text = f"第{number}项“{act.label}”行为日{day}没有可适用的罚则，不予行政处罚，只作协议处理"
            problems.append(RuleProblem("行为日期", str(day), text, "请核对行为日期，或改按协议处理"))
        if decided_on and decided_on < day:
            text = f"第{number}项行为日{day}晚于决定日{decided_on}"
            problems.append(RuleProblem("决定日期", str(decided_on), text, "请核对两个日期"))
    return problems


def _loss_problems(item: FineItem, act: Act, number: int) -> list[RuleProblem]:
    """Where the fine is fixed no loss is needed; elsewhere it must be above zero."""
    try:
        loss = exact(item.loss, f"第{number}项损失金额")
    except RuleError as error:
        return list(error.problems)
    fixed = all(rule.measure == YUAN for rule in RULES if act.article in rule.articles)
    if loss > 0 or (loss == 0 and (fixed or not act.penalised)):
        return []
    text = f"第{number}项“{act.label}”的损失金额须大于零，现为{text_of(loss)}元"
    return [RuleProblem("损失金额", text_of(loss), text, "请先核定造成的基金损失")]


def _item(item: FineItem, day: date, decided_on: date | None, flags: set[str]) -> tuple[ItemRange, list[Step]]:
    act, loss = ACT_BY_KEY[item.act], exact(item.loss, "损失金额")
    former = rule_on(act, day)
    assert former is not None
    chosen = _bounded(act, loss, day, former, flags)
    later = rule_on(act, decided_on) if decided_on else None
    steps: list[Step] = []
    if later is not None and later.key != former.key:
        other = _bounded(act, loss, day, later, flags)
        if _weight(other) < _weight(chosen):
            chosen = replace(other, note="新规定较轻，适用新规定")
        inputs: tuple[tuple[str, Value], ...] = (
            ("行为日", str(day)), ("行为时规定", former.label),
            ("决定日", str(decided_on)), ("决定时规定", later.label),
        )  # fmt: skip
        words = "适用行为时的规定；决定时的规定处罚较轻的，适用决定时的规定"
        steps.append(Step("适用法律", words, inputs, chosen.rule.label, LIGHTER_CLAUSE, "", UNCONFIRMED))
    return chosen, [*steps, *_item_steps(chosen, flags)]


def _weight(one: ItemRange) -> tuple[bool, Decimal, Decimal]:
    """Orders ranges by gravity: no upper limit, then the upper, then the lower bound."""
    return one.upper is None, one.upper or ZERO, one.lower


def _bounded(act: Act, loss: Decimal, day: date, rule: PenaltyRule, flags: set[str]) -> ItemRange:
    if rule.measure == NO_FINE or (rule.only_if and rule.only_if not in flags):
        return ItemRange(act, loss, day, rule, ZERO, ZERO)
    factor = loss if rule.measure == MULTIPLE else Decimal(1)
    upper = None if rule.upper is None else round_fen(rule.upper * factor)
    return ItemRange(act, loss, day, rule, round_fen((rule.lower or ZERO) * factor), upper)


def _counted_before(one: ItemRange) -> tuple[ItemRange, list[Step]]:
    note = "同一行为的定额罚款已计一次"
    step = Step(f"{one.act.label}：罚款", note, (), ZERO, one.rule.clause, "元", UNCONFIRMED)
    return replace(one, lower=ZERO, upper=ZERO, note=note), [step]


def _item_steps(one: ItemRange, flags: set[str]) -> list[Step]:
    rule, label = one.rule, one.act.label
    status = CONFIRMED if rule.source.confirmed and one.act.source.confirmed else UNCONFIRMED
    clause = f"{rule.clause}；行为：{one.act.clause}"
    if rule.measure == NO_FINE:
        return [Step(f"{label}：罚款", "该款不设罚款", (), ZERO, clause, "元", status)]
    if rule.only_if and rule.only_if not in flags:
        words = f"不具备“{CONDITIONS[rule.only_if]}”，不处罚款"
        return [Step(f"{label}：罚款", words, (), ZERO, clause, "元", status)]
    loss: tuple[tuple[str, Value], ...] = (("损失金额", one.loss),) if rule.measure == MULTIPLE else ()
    words = "损失金额 × 倍数，四舍五入到分" if loss else "每种行为的固定幅度"
    unit = "倍数" if loss else "金额"
    steps = [
        Step(f"{label}：罚款下限", words, (*loss, (f"下限{unit}", rule.lower or ZERO)), one.lower, clause, "元", status)
    ]
    if one.upper is None or rule.upper is None:
        steps.append(Step(f"{label}：罚款上限", "规定未设上限", loss, NO_LIMIT, clause, "", status))
    else:
        inputs = (*loss, (f"上限{unit}", rule.upper))
        steps.append(Step(f"{label}：罚款上限", words, inputs, one.upper, clause, "元", status))
    return steps


def _sum_steps(ranges: Sequence[ItemRange], lower: Decimal, upper: Decimal | None) -> list[Step]:
    clause = "行政处罚法：分别裁量，合并计算"
    lowers = tuple((f"第{number}项下限", one.lower) for number, one in enumerate(ranges, 1))
    uppers = tuple(
        (f"第{number}项上限", NO_LIMIT if one.upper is None else one.upper) for number, one in enumerate(ranges, 1)
    )
    top: Value = NO_LIMIT if upper is None else upper
    return [
        Step("罚款下限合计", "各项下限之和", lowers, lower, clause, "元", UNCONFIRMED),
        Step("罚款上限合计", "各项上限之和", uppers, top, clause, "" if upper is None else "元", UNCONFIRMED),
    ]


def _further(rule: PenaltyRule, flags: set[str]) -> tuple[str, ...]:
    """Further measures; those of a rule that fines repeated acts only belong to the repetition."""
    return rule.further if rule.only_if != REPEAT or REPEAT in flags else ()


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
