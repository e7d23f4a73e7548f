"""The yuan of a decided case: refused of an open year, recovered of a closed one, received, outstanding.

Claims refused in a year that is not final leave S_in of that year's settlement; everything else is recovered, and of
another year becomes a deduction D (domain §3, R-041). Fines are no part of any of this: they go to the treasury.
decided = refused + repaid + deducted + outstanding holds to the fen. All amounts in yuan.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from rules.errors import RuleError, RuleProblem
from rules.money import ZERO, non_negative, positive
from rules.trace import Step, Trace, Value

REFUSED, RECOVERY = "refused", "recovery"
KINDS = {REFUSED: "拒付", RECOVERY: "追回"}
CLAUSE = "赣医保发〔2022〕23号 §二（二）4-5：拒付不计入当年应付额，以前年度追回从清算中扣减"


class AuditMoneyError(RuleError):
    """Amounts of a case that do not fit each other."""


class AuditLine(NamedTuple):
    """Decided money of one claim or finding: year and fund type it was paid from, yuan above zero.

    ``own_s_in``: it is fund-payable money of the package's own insured inside the alliance.
    """

    year: int
    fund_type: str
    amount: Decimal
    own_s_in: bool


class Part(NamedTuple):
    """What is refused or recovered of one year and fund type; ``year`` is the origin year."""

    kind: str
    year: int
    fund_type: str
    amount: Decimal


@dataclass(frozen=True)
class Split:
    """Decided money by kind, year and fund type; the parts add up to ``total``."""

    parts: tuple[Part, ...]
    refused: Decimal
    recovery: Decimal
    total: Decimal
    trace: Trace


class Receivable(NamedTuple):
    """Money owed: ``since`` is the day it fell due, ``outstanding`` what is left of it in yuan."""

    key: str
    since: date
    outstanding: Decimal


class Allocation(NamedTuple):
    """The part of a receipt that pays one receivable."""

    key: str
    amount: Decimal


def split(
    lines: Sequence[AuditLine | tuple[int, str, Decimal, bool]],
    final_years: Collection[int | tuple[int, str]],
    own: bool = True,
) -> Split:
    """Decided ``lines`` as what is refused and what is recovered, summed by kind, year and fund type.

    ``final_years``: years whose settlement is final, for all fund types, or pairs (year, fund type). ``own``: the
    provider belongs to the alliance whose settlement is meant; False (a person, a pharmacy, another alliance): all is
    recovered. AuditMoneyError when there is no line, or lists every amount not above zero.
    """
    if not lines:
        raise AuditMoneyError.one("决定金额", "", "没有可以拒付或追回的明细", "请先认定违规明细")
    found = [AuditLine(*line) for line in lines]
    problems = _line_problems(found)
    if problems:
        raise AuditMoneyError(problems)
    sums: dict[tuple[str, int, str], Decimal] = {}
    for line in found:
        final = line.year in final_years or (line.year, line.fund_type) in final_years
        kind = REFUSED if own and line.own_s_in and not final else RECOVERY
        key = (kind, line.year, line.fund_type)
        sums[key] = sums.get(key, ZERO) + line.amount
    parts = tuple(Part(*key, sums[key]) for key in sorted(sums, key=lambda key: (list(KINDS).index(key[0]), *key[1:])))
    refused = sum((part.amount for part in parts if part.kind == REFUSED), ZERO)
    recovery = sum((part.amount for part in parts if part.kind == RECOVERY), ZERO)
    total = sum((line.amount for line in found), ZERO)
    assert refused + recovery == total
    return Split(parts, refused, recovery, total, _split_trace(parts, total))


def allocate_receipt(receivables: Sequence[Receivable], amount: Decimal) -> tuple[Allocation, ...]:
    """A receipt over receivables in order of age (then of key); none gets more than is outstanding.

    AuditMoneyError when more is received than owed, naming both amounts, or a receivable is listed twice.
    """
    received = positive(amount, "收款金额")
    problems: list[RuleProblem] = []
    seen: set[str] = set()
    for one in receivables:
        non_negative(one.outstanding, f"应收“{one.key}”的余额")
        if one.key in seen:
            problems.append(RuleProblem("应收款", one.key, f"应收“{one.key}”重复列出", "请合并为一行"))
        seen.add(one.key)
    owed = sum((one.outstanding for one in receivables), ZERO)
    if received > owed:
        text = f"收款 {received:,f} 元大于尚欠 {owed:,f} 元，多出 {received - owed:,f} 元"
        problems.append(RuleProblem("收款金额", f"{received:f}", text, "请核对收款，多收部分退回缴款人"))
    if problems:
        raise AuditMoneyError(problems)
    left = received
    paid: list[Allocation] = []
    for one in sorted(receivables, key=lambda one: (one.since, one.key)):
        part = min(one.outstanding, left)
        if part:
            paid.append(Allocation(one.key, part))
            left -= part
    return tuple(paid)


def position(decided: Decimal, refused: Decimal, repaid: Decimal, deducted: Decimal) -> Decimal:
    """What is still outstanding of a case (yuan, ≥ 0): decided − refused − repaid − deducted.

    ``refused`` left S_in, ``repaid`` came back in money, ``deducted`` was set off in a settlement. AuditMoneyError
    when they exceed what was decided, naming the amounts.
    """
    decided = non_negative(decided, "决定金额")
    done = (
        ("已拒付", non_negative(refused, "已拒付金额")),
        ("已退回", non_negative(repaid, "已退回金额")),
        ("已扣减", non_negative(deducted, "已扣减金额")),
    )
    outstanding = decided - sum((amount for _name, amount in done), ZERO)
    if outstanding < 0:
        parts = "、".join(f"{name} {amount:,f} 元" for name, amount in done)
        text = f"{parts}合计超过决定金额 {decided:,f} 元，多出 {-outstanding:,f} 元"
        raise AuditMoneyError.one("决定金额", f"{decided:f}", text, "请核对各项金额，多收的应退还")
    return outstanding


def _line_problems(lines: Sequence[AuditLine]) -> list[RuleProblem]:
    problems: list[RuleProblem] = []
    for number, line in enumerate(lines, 1):
        try:
            positive(line.amount, f"第{number}行金额")
        except RuleError as error:
            problems += error.problems
    return problems


def _split_trace(parts: Sequence[Part], total: Decimal) -> Trace:
    steps = []
    for part in parts:
        words = (
            "清算未定案且属本医共体内应付：不计入当年应付额"
            if part.kind == REFUSED
            else "清算已定案或不属本医共体内应付：按所属年度追回"
        )
        label = f"{part.year} 年{KINDS[part.kind]}（{part.fund_type}）"
        steps.append(Step(label, words, (("所属年度", part.year), ("险种", part.fund_type)), part.amount, CLAUSE))
    inputs: tuple[tuple[str, Value], ...] = tuple(
        (f"{part.year} 年{KINDS[part.kind]}（{part.fund_type}）", part.amount) for part in parts
    )
    steps.append(Step("决定金额合计", "各部分之和", inputs, total, CLAUSE))
    return Trace(steps)
