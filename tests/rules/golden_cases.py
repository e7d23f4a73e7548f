"""The worked examples in ``golden/*.toml`` as dataclasses, for the rules and for everything that shows their results.

Amounts are yuan. The files are written to be read by an accountant; this loader only turns them into numbers.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.assessment import Grade

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class TierCase:
    """A tier that holds money: amount in it and the shared part."""

    label: str
    amount: Decimal
    shared: Decimal


@dataclass(frozen=True)
class ShareCase:
    """One overrun or surplus, worked by hand."""

    id: str
    scheme: str
    fund_type: str
    package: Decimal
    charged: Decimal
    reasonable_overrun: Decimal | None
    outcome: str
    label: str
    tiers: tuple[TierCase, ...]
    fund_bears: Decimal
    alliance_bears: Decimal
    alliance_keeps: Decimal
    returned_to_fund: Decimal
    fund_bears_if_70: Decimal | None
    clause: str
    working: str


@dataclass(frozen=True)
class PrepaymentCase:
    """One prepayment plan; ``months`` are the planned amounts after the months already paid."""

    id: str
    scheme: str
    package: Decimal
    paid: tuple[Decimal, ...]
    cap: Decimal
    months: tuple[Decimal, ...]
    stopped: bool
    clause: str
    working: str


@dataclass(frozen=True)
class YearEndCase:
    """One year-end settlement."""

    id: str
    scheme: str
    package: Decimal
    s_in: Decimal
    outflow: Decimal
    prepaid: Decimal
    deductions: Decimal
    score: Decimal | None
    local_grades: tuple[Grade, ...]
    retained: Decimal
    forfeited: Decimal
    fund_bears: Decimal
    alliance_bears: Decimal
    cash: Decimal
    clause: str
    working: str


def share_cases() -> list[ShareCase]:
    """Examples 1–20 of the Jiangxi scheme, the partly reasonable overrun, and E5–E7."""
    return [
        ShareCase(
            id=row["id"],
            scheme=row["scheme"],
            fund_type=row.get("fund_type", ""),
            package=Decimal(row["package"]),
            charged=Decimal(row["charged"]),
            reasonable_overrun=_optional(row, "reasonable_overrun"),
            outcome=row["outcome"],
            label=row["label"],
            tiers=tuple(
                TierCase(tier["label"], Decimal(tier["amount"]), Decimal(tier["shared"])) for tier in row["tiers"]
            ),
            fund_bears=Decimal(row["fund_bears"]),
            alliance_bears=Decimal(row["alliance_bears"]),
            alliance_keeps=Decimal(row["alliance_keeps"]),
            returned_to_fund=Decimal(row["returned_to_fund"]),
            fund_bears_if_70=_optional(row, "fund_bears_if_70"),
            clause=row["clause"],
            working=row["working"],
        )
        for name in ("jiangxi", "other_schemes")
        for row in _read(name)["share"]
    ]


def prepayment_cases() -> list[PrepaymentCase]:
    """The prepayment plans."""
    return [
        PrepaymentCase(
            id=row["id"],
            scheme=row["scheme"],
            package=Decimal(row["package"]),
            paid=tuple(map(Decimal, row["paid"])),
            cap=Decimal(row["cap"]),
            months=tuple(map(Decimal, row["months"])),
            stopped=row["stopped"],
            clause=row["clause"],
            working=row["working"],
        )
        for row in _read("prepayment")["prepayment"]
    ]


def year_end_cases() -> list[YearEndCase]:
    """The year-end settlements E1–E4."""
    return [
        YearEndCase(
            id=row["id"],
            scheme=row["scheme"],
            package=Decimal(row["package"]),
            s_in=Decimal(row["s_in"]),
            outflow=Decimal(row["outflow"]),
            prepaid=Decimal(row["prepaid"]),
            deductions=Decimal(row["deductions"]),
            score=_optional(row, "score"),
            local_grades=tuple(_grade(grade) for grade in row.get("local_grades", ())),
            retained=Decimal(row["retained"]),
            forfeited=Decimal(row["forfeited"]),
            fund_bears=Decimal(row["fund_bears"]),
            alliance_bears=Decimal(row["alliance_bears"]),
            cash=Decimal(row["cash"]),
            clause=row["clause"],
            working=row["working"],
        )
        for row in _read("year_end")["year_end"]
    ]


def _grade(row: dict[str, str]) -> Grade:
    lower, upper, factor = (Decimal(row[name]) for name in ("lower", "upper", "factor"))
    return Grade(row["label"], lower, upper, True, False, factor, "本地考核办法")


def _optional(row: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(row[name]) if name in row else None


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((GOLDEN / f"{name}.toml").read_text(encoding="utf-8"))
