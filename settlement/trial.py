"""试算 for everybody: what a shipped scheme makes of a package and a charged amount. Stores nothing.

Page, API and command show the same result, because all three come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.errors import Problem, Refused
from rules.assessment import Assessed, factor_of
from rules.errors import RuleError
from rules.money import ZERO, round_fen
from rules.scheme import Scheme, load_scheme
from rules.sharing import ShareResult
from rules.trace import text_of


@dataclass(frozen=True)
class ShareTrial:
    """A sharing with, where a score was given, its factor on the retained surplus. Amounts in yuan."""

    scheme: Scheme
    result: ShareResult
    assessed: Assessed | None

    @property
    def factor(self) -> Decimal:
        return self.assessed.factor if self.assessed is not None else Decimal("1.00")

    @property
    def retained_paid(self) -> Decimal:
        """R·f."""
        return round_fen(self.result.alliance_keeps * self.factor)

    @property
    def forfeited(self) -> Decimal:
        return self.result.alliance_keeps - self.retained_paid

    @property
    def is_overrun(self) -> bool:
        return self.result.outcome == "overrun"

    @property
    def outcome_text(self) -> str:
        return {"overrun": "超支", "surplus": "结余", "balanced": "平"}[self.result.outcome]

    @property
    def signed_ratio(self) -> Decimal:
        return self.result.ratio if self.result.outcome != "surplus" else -self.result.ratio

    @property
    def steps(self) -> list[dict[str, Any]]:
        trace = self.result.trace.as_json()
        return trace + (self.assessed.trace.as_json() if self.assessed is not None else [])

    @property
    def unconfirmed(self) -> list[dict[str, str]]:
        """The 待核实 parameters this result used."""
        found = [self.scheme.parameter(key) for key in self.result.unconfirmed]
        return [
            {"key": one.key, "label": one.title, "value": one.text, "clause": one.clause, "effect": one.note}
            for one in found
        ]

    @property
    def bounds(self) -> list[dict[str, Any]]:
        """The tiers of both sides as signed fractions of the package, for the scale."""
        tiers = []
        for side, sign in ((self.scheme.brackets.surplus, -1), (self.scheme.brackets.overrun, 1)):
            for tier in side.tiers if side is not None else ():
                ends = (tier.lower * sign, None if tier.upper is None else tier.upper * sign)
                lower, upper = ends if sign > 0 else (ends[1], ends[0])
                tiers.append({"label": tier.label, "lower": lower, "upper": upper})
        return tiers

    def as_json(self) -> dict[str, Any]:
        """All of it as strings, for the command and the API."""
        return {
            **self.result.as_json(),
            "title": self.scheme.title,
            "legal_basis": self.scheme.legal_basis,
            "factor": text_of(self.factor),
            "retained_paid": text_of(self.retained_paid),
            "forfeited": text_of(self.forfeited),
            "trace": self.steps,
        }


def share_trial(
    scheme_name: str,
    package: Decimal,
    charged: Decimal,
    reasonable: Decimal | None = None,
    score: Decimal | None = None,
) -> ShareTrial:
    """Share an overrun or surplus by a shipped scheme (yuan); ``Refused`` with every problem of the rules."""
    try:
        scheme = load_scheme(scheme_name)
        result = scheme.share(package, charged, reasonable, score=score)
        retained = result.alliance_keeps
        assessed = factor_of(score, scheme.grades) if score is not None and retained != ZERO else None
    except RuleError as error:
        raise Refused([Problem(p.field, p.value, p.text, p.remedy) for p in error.problems]) from error
    return ShareTrial(scheme, result, assessed)
