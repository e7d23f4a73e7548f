"""The two shares the overview watches: care outside the alliance, and the primary institutions' part (A6, A14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from claims.reading import MonthDetail
from core.parameters import value as parameter
from portal.reading.outlook import FundOutlook, ratio_of
from rules import budget
from rules.errors import RuleError
from rules.money import ZERO
from rules.trace import CONFIRMED, UNCONFIRMED, Step, Trace

PLACES = (("city", "市内县外"), ("province", "省内市外"), ("outside", "省外"), ("sister_alliance", "县内其他医共体"))
BASES = {"in_alliance": "in_alliance_spending", "package": "package", "county": "county_spending"}
OUTFLOW_CLAUSE = "赣医保发〔2022〕23号 §二(二)2：打包范围含转县域外就医（决定 A6）"


@dataclass(frozen=True)
class OutflowShare:
    """Spending outside the alliance to date (yuan), its share of S, and the share of the same months last year."""

    amount: Decimal
    share: Decimal
    last_year: Decimal | None
    parts: tuple[tuple[str, Decimal, Decimal | None], ...]
    planned: Decimal | None
    used: Decimal | None
    trace: Trace

    @property
    def change(self) -> Decimal | None:
        return None if self.last_year is None else self.share - self.last_year


@dataclass(frozen=True)
class PrimaryFigure:
    """The primary institutions' share with its floor; ``last_year`` is that of the same months (in-alliance base only)."""

    share: budget.PrimaryShare
    last_year: Decimal | None
    base_text: str
    is_confirmed: bool
    trace: Trace


def outflow_share(outlook: FundOutlook) -> OutflowShare | None:
    """None without data."""
    facts = outlook.facts
    share = ratio_of(facts.outflow, facts.charged)
    if share is None:
        return None
    before = outlook.same_months(outlook.year - 1)
    last_year = ratio_of(sum((m.outflow for m in before), ZERO), sum((m.charged for m in before), ZERO))
    parts = []
    for place, label in PLACES:
        amount = sum((month.at.get(place, ZERO) for month in outlook.months), ZERO)
        if amount or place != "sister_alliance":
            parts.append((label, amount, ratio_of(amount, facts.outflow)))
    planned = outlook.package.out_of_county if outlook.package else None
    inputs = tuple((label, amount) for label, amount, _share in parts)
    steps = [
        Step("医共体外发生 X", "市内县外 + 省内市外 + 省外 + 县内其他医共体", inputs, facts.outflow, OUTFLOW_CLAUSE),
        Step(
            "县域外就医占比",
            "医共体外发生 X ÷ 累计发生 S",
            (("医共体外发生 X", facts.outflow), ("累计发生 S", facts.charged)),
            share,
            OUTFLOW_CLAUSE,
            "比例",
        ),
    ]
    if last_year is not None:
        named = (
            ("上年同期医共体外", sum((m.outflow for m in before), ZERO)),
            ("上年同期发生", sum((m.charged for m in before), ZERO)),
        )
        steps.append(Step("上年同期占比", "上年同期医共体外 ÷ 上年同期发生", named, last_year, OUTFLOW_CLAUSE, "比例"))
    return OutflowShare(
        facts.outflow, share, last_year, tuple(parts), planned, ratio_of(facts.outflow, planned), Trace(steps)
    )


def primary_figure(outlook: FundOutlook) -> PrimaryFigure | None:
    """The share by the base and floor in force at the alliance; None without data for it."""
    on = date(outlook.year, 12, 31)
    floor = parameter("budgets.primary_share_floor", outlook.alliance, on)
    base = parameter("budgets.primary_share_base", outlook.alliance, on)
    facts = outlook.facts
    whole = {"in_alliance": facts.in_alliance, "package": outlook.total, "county": facts.county_total}[base.text]
    confirmed = floor.is_confirmed and base.is_confirmed
    if not whole:
        return None
    try:
        share = budget.primary_share(
            facts.primary,
            whole,
            floor=floor.decimal,
            base_name=BASES[base.text],
            clause=floor.clause,
            status=CONFIRMED if confirmed else UNCONFIRMED,
        )
    except RuleError:
        return None
    before: list[MonthDetail] = outlook.same_months(outlook.year - 1) if base.text == "in_alliance" else []
    last_year = ratio_of(sum((m.primary for m in before), ZERO), sum((m.in_alliance for m in before), ZERO))
    return PrimaryFigure(share, last_year, budget.PRIMARY_BASES[share.base_name], confirmed, share.trace)
