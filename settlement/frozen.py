"""The frozen inputs of one settlement: every term of the year-end formula with where it came from.

cash = S_in + T + R·f − A − K·(1 − f_K) − P − M − D (domain §2.4). S_in is what the facts say less the claims refused in
this year's audits; D are recoveries and agreed deductions of other years; fines are never here. Stored as JSON strings;
``settled`` turns them, with the frozen scheme, into the same result on any later day.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from rules.money import ZERO
from rules.scheme import Scheme
from rules.settlement import YearSettlement, settle_year

MEASURES = {
    "fund_payable": "基金应付额",
    "pooled_fund_paid": "统筹基金记账额（无应付数据）",
    "mixed": "基金应付额，部分为统筹基金记账额",
}
ASSUMED_FACTOR = Decimal("1.00")


@dataclass(frozen=True)
class Item:
    """One adjustment as it entered: ``amount`` in yuan, with its source and the year it belongs to."""

    id: int
    kind: str
    origin_year: int
    amount: Decimal
    source: str
    reason: str


@dataclass(frozen=True)
class YearInputs:
    """All terms in yuan. ``assumes_*`` say that a trial took a value nobody has decided yet."""

    alliance: str
    year: int
    fund_type: str
    package: Decimal
    package_id: int
    package_version: int
    package_number: int
    package_in_alliance: Decimal
    package_out_of_county: Decimal
    initial_package: Decimal
    package_approved_on: str
    scope: dict[str, Any]
    facts_in_alliance: Decimal
    out_of_county: Decimal
    at_sisters: Decimal
    treated_for_sisters: Decimal
    in_county_outside: Decimal
    excluded_emergency: Decimal
    measure: str
    months: tuple[str, ...]
    data_to: str
    settlements: int
    open_reject_share: Decimal
    factsets: tuple[int, ...]
    facts_fingerprint: str
    refused: tuple[Item, ...]
    deductions: tuple[Item, ...]
    prepaid: Decimal
    other_payments: Decimal
    reserve: Decimal
    reasonable: Decimal | None
    reasonable_source: str
    assumes_reasonable: bool
    score: Decimal | None
    score_source: str
    assumes_factor: bool
    scheme: dict[str, Any]

    @property
    def refused_total(self) -> Decimal:
        return sum((item.amount for item in self.refused), ZERO)

    @property
    def in_alliance(self) -> Decimal:
        """S_in: the facts less the claims refused this year."""
        return self.facts_in_alliance - self.refused_total

    @property
    def outflow(self) -> Decimal:
        """X: paid for them outside the county or at a sister alliance."""
        return self.out_of_county + self.at_sisters

    @property
    def charged(self) -> Decimal:
        return self.in_alliance + self.outflow

    @property
    def deducted(self) -> Decimal:
        """D."""
        return sum((item.amount for item in self.deductions), ZERO)

    @property
    def overrun(self) -> Decimal:
        return max(self.charged - self.package, ZERO)

    def as_json(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> YearInputs:
        values = dict(data)
        for field in fields(cls):
            if field.type in ("Decimal", "Decimal | None") and values[field.name] is not None:
                values[field.name] = Decimal(values[field.name])
        for name in ("months", "factsets"):
            values[name] = tuple(values[name])
        for name in ("refused", "deductions"):
            values[name] = tuple(Item(**{**item, "amount": Decimal(item["amount"])}) for item in values[name])
        return cls(**values)

    @property
    def fingerprint(self) -> str:
        """sha-256 over all of it: the same inputs give the same statement."""
        return fingerprint_of(self.as_json())


def fingerprint_of(inputs: dict[str, Any]) -> str:
    text = json.dumps(inputs, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def settled(inputs: YearInputs, scheme: Scheme) -> YearSettlement:
    """The year settled by the one formula; raises ``rules.errors.RuleError`` for inputs the rules refuse."""
    bases = {"initial_package": inputs.initial_package}
    return settle_year(
        scheme,
        package=inputs.package,
        s_in=inputs.in_alliance,
        outflow=inputs.outflow,
        prepaid=inputs.prepaid,
        treated_for_sisters=inputs.treated_for_sisters,
        other_payments=inputs.other_payments,
        deductions=inputs.deducted,
        reserve=inputs.reserve,
        reasonable_overrun=inputs.reasonable if inputs.overrun else None,
        score=inputs.score,
        ratio_base=bases.get(scheme.ratio_base),
        assumed_factor=ASSUMED_FACTOR if inputs.assumes_factor else None,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Item):
        return {**vars(value), "amount": str(value.amount)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
