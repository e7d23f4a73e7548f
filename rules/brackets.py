"""Tiers and the arithmetic on them: who bears an overrun, who keeps a surplus.

Marginal tiers (分段累计) or one tier for the whole amount; bounds are rounded to the fen first, then each tier's shared
amount; the other side gets the remainder, so both always add up (赣医保发〔2022〕23号 §二(三)1; the rounding is a
decision of this project). Knows nothing of documents; ``rules.scheme`` builds its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from rules.bracket_trace import steps_of
from rules.errors import RuleError
from rules.money import ZERO, non_negative, positive, round_fen, round_ratio
from rules.trace import CONFIRMED, UNCONFIRMED, Trace, percent, text_of

OVERRUN = "overrun"
SURPLUS = "surplus"
BALANCED = "balanced"
BALANCED_LABEL = "平"
DEAD_BAND_LABEL = "带内"
UNREASONABLE_LABEL = "不合理超支"
MONEY_FIELDS = (
    "package",
    "charged",
    "ratio_base",
    "difference",
    "reasonable",
    "unreasonable",
    "fund_bears",
    "alliance_bears",
    "alliance_keeps",
    "returned_to_fund",
    "shared_by_tiers",
    "cap_cut",
    "gate_cut",
)


class SharingError(RuleError):
    """Inputs that cannot be shared."""


@dataclass(frozen=True)
class Tier:
    """One tier of a side. Bounds and rate are ratios; ``upper`` None means without limit.

    The inclusive flags are the reading of the boundary; they decide the label, and the money only in whole-amount mode.
    """

    label: str
    lower: Decimal
    upper: Decimal | None
    rate: Decimal
    lower_inclusive: bool
    upper_inclusive: bool
    clause: str
    wording: str = ""
    rate_status: str = CONFIRMED
    bounds_status: str = CONFIRMED

    @cached_property
    def status(self) -> str:
        """Confirmed only when both rate and bounds are."""
        return CONFIRMED if self.rate_status == self.bounds_status == CONFIRMED else UNCONFIRMED

    @cached_property
    def rate_text(self) -> str:
        return percent(self.rate)

    @cached_property
    def upper_text(self) -> str:
        return "不限" if self.upper is None else percent(self.upper)

    @cached_property
    def lower_text(self) -> str:
        return percent(self.lower)


@dataclass(frozen=True)
class Side:
    """One side of a scheme: its tiers from 0 upwards (a dead band is the first of them) and the cap in % of package."""

    name: str
    tiers: tuple[Tier, ...]
    cap: Decimal | None = None
    cap_clause: str = ""
    cap_status: str = CONFIRMED


@dataclass(frozen=True)
class Gate:
    """A threshold on the score or on an indicator; when it closes, the fund's share or the retention becomes 0."""

    key: str
    metric: str
    title: str
    closes_when: str
    threshold: Decimal
    target: str
    clause: str
    wording: str = ""
    status: str = CONFIRMED

    def is_closed(self, value: Decimal) -> bool:
        """Whether the value closes the gate (below or above the threshold; the threshold itself leaves it open)."""
        return value < self.threshold if self.closes_when == "below" else value > self.threshold

    @property
    def text(self) -> str:
        return f"{self.title}{'低于' if self.closes_when == 'below' else '高于'}{text_of(self.threshold)}"


@dataclass(frozen=True)
class Brackets:
    """What sharing needs of a scheme."""

    scheme: str
    title: str
    overrun: Side | None
    surplus: Side | None
    whole_amount: bool
    gates: tuple[Gate, ...]
    compare_clause: str
    mode_clause: str
    reasonable_clause: str


class TierShare(NamedTuple):
    """A tier applied: bounds and amounts in yuan. ``shared`` is what the fund bears (overrun) or the alliance keeps
    (surplus), ``rest`` the other side's part."""

    label: str
    lower: Decimal
    upper: Decimal | None
    amount: Decimal
    rate: Decimal
    shared: Decimal
    rest: Decimal
    clause: str
    status: str


class ShareResult(NamedTuple):
    """The sharing of one difference; amounts in yuan with two decimals, 0.00 on the side that does not apply.

    The trace is built when it is asked for.
    """

    scheme: str
    package: Decimal
    charged: Decimal
    ratio_base: Decimal
    outcome: str
    difference: Decimal
    reasonable: Decimal
    unreasonable: Decimal
    label: str
    fund_bears: Decimal
    alliance_bears: Decimal
    alliance_keeps: Decimal
    returned_to_fund: Decimal
    tiers: tuple[TierShare, ...]
    shared_by_tiers: Decimal
    cap_amount: Decimal | None
    cap_cut: Decimal
    gate_cut: Decimal
    closed_gates: tuple[str, ...]
    pending_gates: tuple[str, ...]
    brackets: Brackets

    @property
    def ratio(self) -> Decimal:
        """Overrun or surplus as a share of the ratio base, six decimals, for display."""
        return round_ratio(self.difference / self.ratio_base)

    @property
    def trace(self) -> Trace:
        """The computation step by step."""
        return Trace(steps_of(self))

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Keys of the parameters used here that nobody has confirmed yet.

        An overrun names its first tier even when none of it was found reasonable: every overrun shows that notice.
        """
        side = self.brackets.overrun if self.outcome == OVERRUN else self.brackets.surplus
        if self.outcome == BALANCED or side is None:
            return ()
        keys: list[str] = []
        nothing_shared = not any(applied.amount for applied in self.tiers)
        for index, (tier, applied) in enumerate(zip(side.tiers, self.tiers, strict=True)):
            if not applied.amount and not (nothing_shared and index == 0):
                continue
            bound_key, rate_key = _keys(side.name, tier)
            if tier.bounds_status == UNCONFIRMED:
                keys.append(bound_key)
            if tier.rate_status == UNCONFIRMED:
                keys.append(rate_key)
        if side.cap is not None and side.cap_status == UNCONFIRMED:
            keys.append(f"{side.name}.cap")
        target = "fund_share" if self.outcome == OVERRUN else "retention"
        keys += [
            f"gates.{gate.key}.threshold"
            for gate in self.brackets.gates
            if gate.target == target and gate.status == UNCONFIRMED
        ]
        return tuple(keys)

    def as_json(self) -> dict[str, Any]:
        """The result as strings, with its trace, for commands, the API and storage."""
        return {
            "scheme": self.scheme,
            "outcome": self.outcome,
            "label": self.label,
            "ratio": text_of(self.ratio),
            **{name: text_of(getattr(self, name)) for name in MONEY_FIELDS},
            "cap_amount": None if self.cap_amount is None else text_of(self.cap_amount),
            "tiers": [
                {
                    name: None if value is None else text_of(value)
                    for name, value in zip(TierShare._fields, tier, strict=True)
                }
                for tier in self.tiers
            ],
            "closed_gates": list(self.closed_gates),
            "pending_gates": list(self.pending_gates),
            "unconfirmed": list(self.unconfirmed),
            "trace": self.trace.as_json(),
        }


def share(
    brackets: Brackets,
    package: Decimal,
    charged: Decimal,
    reasonable_overrun: Decimal | None = None,
    *,
    score: Decimal | None = None,
    indicators: Mapping[str, Decimal] | None = None,
    ratio_base: Decimal | None = None,
) -> ShareResult:
    """Share the difference between the charged amount and the package (yuan).

    ``reasonable_overrun``: the accepted part of an overrun, None for all of it; the rest is wholly the alliance's.
    ``score`` and ``indicators`` are judged by the scheme's gates; a gate without its value is listed as pending.
    ``ratio_base`` (yuan) scales the tiers; None means the package. Raises SharingError or MoneyError.
    """
    package = positive(package, "打包总额")
    charged = non_negative(charged, "年度基金应付额")
    base = package if ratio_base is None else positive(ratio_base, "比例基数")
    over = charged - package
    if over > 0:
        outcome, side, difference = OVERRUN, brackets.overrun, over
        reasonable = _reasonable_part(over, reasonable_overrun)
        label = UNREASONABLE_LABEL
    else:
        outcome, side, difference = (SURPLUS, brackets.surplus, -over) if over else (BALANCED, None, ZERO)
        reasonable = _reasonable_part(ZERO, reasonable_overrun)
        label = BALANCED_LABEL
    if outcome != BALANCED and side is None:
        raise _undefined(brackets, outcome)
    divided = reasonable if outcome == OVERRUN else difference
    tiers: tuple[TierShare, ...] = ()
    total = ZERO
    cap_amount: Decimal | None = None
    closed: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    if side is not None:
        bounds = [None if tier.upper is None else round_fen(base * tier.upper) for tier in side.tiers]
        top = _top_tier(side, bounds, divided)
        tiers = _apply(side, bounds, divided, top if brackets.whole_amount else None)
        if divided:
            label = side.tiers[top].label
        for tier in tiers:
            total += tier.shared
        if side.cap is not None:
            cap_amount = round_fen(package * side.cap)
        if brackets.gates:
            closed, pending = _judge(brackets.gates, outcome, score, indicators)
    capped = total if cap_amount is None or total <= cap_amount else cap_amount
    final = ZERO if closed else capped
    surplus = outcome == SURPLUS
    return ShareResult(
        brackets.scheme,
        package,
        charged,
        base,
        outcome,
        difference,
        reasonable,
        difference - reasonable if outcome == OVERRUN else ZERO,
        label,
        ZERO if surplus else final,
        ZERO if surplus else difference - final,
        final if surplus else ZERO,
        difference - final if surplus else ZERO,
        tiers,
        total,
        cap_amount,
        total - capped,
        capped - final,
        closed,
        pending,
        brackets,
    )


def _keys(side: str, tier: Tier) -> tuple[str, str]:
    """The parameter keys of a tier's bound and rate."""
    if tier.label == DEAD_BAND_LABEL:
        return f"{side}.dead_band", f"{side}.dead_band_rate"
    return f"{side}.{tier.label}.{'lower' if tier.upper is None else 'upper'}", f"{side}.{tier.label}.rate"


def _reasonable_part(overrun: Decimal, given: Decimal | None) -> Decimal:
    if given is None:
        return overrun
    part = non_negative(given, "合理超支")
    if part > overrun:
        what = f"超支额{overrun}" if overrun else "超支额(本年度没有超支)"
        raise SharingError.one("合理超支", given, f"合理超支{part}不能大于{what}", "请按原因分析认定的金额填写")
    return part


def _undefined(brackets: Brackets, outcome: str) -> SharingError:
    what = "超支分担" if outcome == OVERRUN else "结余留用"
    text = f"方案“{brackets.title}”的文件未规定{what}比例,不能计算"
    return SharingError.one(what, brackets.scheme, text, "请由管理员依据正式文件补录后再计算")


def _top_tier(side: Side, bounds: list[Decimal | None], amount: Decimal) -> int:
    """Index of the tier that holds the amount, by the reading of the boundaries."""
    for index, tier in enumerate(side.tiers):
        upper = bounds[index]
        if upper is None or amount < upper or (tier.upper_inclusive and amount == upper):
            return index
    raise AssertionError("the last tier has no upper bound")


def _apply(side: Side, bounds: list[Decimal | None], amount: Decimal, whole: int | None) -> tuple[TierShare, ...]:
    applied: list[TierShare] = []
    lower = ZERO
    for index, tier in enumerate(side.tiers):
        upper = bounds[index]
        if whole is not None:
            part = amount if index == whole else ZERO
        elif amount <= lower:
            part = ZERO
        else:
            part = (amount if upper is None or amount <= upper else upper) - lower
        shared = round_fen(part * tier.rate) if part else ZERO
        applied.append(
            TierShare(tier.label, lower, upper, part, tier.rate, shared, part - shared, tier.clause, tier.status)
        )
        if upper is not None:
            lower = upper
    return tuple(applied)


def _is_number(value: object) -> bool:
    return isinstance(value, (Decimal, int)) and not isinstance(value, bool) and Decimal(value).is_finite()


def _judge(
    gates: tuple[Gate, ...], outcome: str, score: Decimal | None, indicators: Mapping[str, Decimal] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    closed: list[str] = []
    pending: list[str] = []
    for gate in gates:
        if gate.target != ("fund_share" if outcome == OVERRUN else "retention"):
            continue
        value = score if gate.metric == "score" else (indicators or {}).get(gate.metric)
        if value is None:
            pending.append(gate.text)
        elif not _is_number(value):
            raise SharingError.one(gate.title, value, f"{gate.title}须为十进制数,现为{value}", "请填写具体数值")
        elif gate.is_closed(value):
            closed.append(gate.text)
    return tuple(closed), tuple(pending)
