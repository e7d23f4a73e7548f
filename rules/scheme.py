"""A sharing scheme: one dated, cited document turned into numbers.

``Scheme.from_toml`` refuses a document with every problem it finds; a confirmed or newly entered official value makes a
new scheme (``with_parameter``), never a changed one. The shipped originals lie in ``rules/schemes``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rules import document as written
from rules.assessment import Grade
from rules.brackets import Brackets, Gate, ShareResult, Side, Tier, share
from rules.document import Parameter, ParameterValue, SchemeError
from rules.scheme_checks import dead_band_tier, problems_of, rows_of
from rules.specification import SPEC, Kind
from rules.trace import CONFIRMED

SHIPPED = Path(__file__).parent / "schemes"


@dataclass(frozen=True)
class SplitPart:
    """A recipient of retained money and its share (ratio)."""

    recipient: str
    share: Decimal
    clause: str
    status: str


@dataclass(frozen=True)
class Scheme:
    """A usable scheme. Ratios are Decimals between 0 and 1; None means the document does not set the parameter."""

    name: str
    title: str
    place: str
    legal_basis: str
    issued: date | None
    note: str
    valid_from: date
    valid_to: date | None
    fund_types: tuple[str, ...]
    separate: bool
    services: tuple[str, ...]
    excluded: tuple[str, ...]
    ratio_base: str
    mode: str
    brackets: Brackets
    requires_cause_analysis: bool
    reserve_rate: Decimal | None
    withheld_monthly_rate: Decimal | None
    prepayment_cap: Decimal | None
    prepayment_step: Decimal | None
    prepayment_base: str
    primary_share_floor: Decimal | None
    primary_share_base: str | None
    assessment_target: str
    grades: tuple[Grade, ...]
    retained_split: tuple[SplitPart, ...]
    budget_base: str | None
    reference_years: int | None
    growth_cap: str | None
    document: Mapping[str, Any] = field(repr=False, hash=False)

    @classmethod
    def from_toml(cls, text: str) -> Scheme:
        """The scheme of a TOML document; SchemeError with all problems when it cannot be used."""
        return cls.from_document(written.parse(text))

    @classmethod
    def from_document(cls, document: written.Document) -> Scheme:
        """The scheme of a parsed document; SchemeError with all problems."""
        problems = problems_of(document)
        if problems:
            raise SchemeError(problems)
        return _build(document)

    def to_toml(self) -> str:
        """The document as text; ``from_toml`` reads it back to an equal scheme."""
        return written.dump(self.document)

    @cached_property
    def sha256(self) -> str:
        """Digest of the document's text, to prove which version a statement used."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    def share(
        self,
        package: Decimal,
        charged: Decimal,
        reasonable_overrun: Decimal | None = None,
        *,
        score: Decimal | None = None,
        indicators: Mapping[str, Decimal] | None = None,
        ratio_base: Decimal | None = None,
    ) -> ShareResult:
        """Share an overrun or a surplus between fund and alliance; see ``rules.brackets.share``."""
        return share(
            self.brackets,
            package,
            charged,
            reasonable_overrun,
            score=score,
            indicators=indicators,
            ratio_base=ratio_base,
        )

    def valid_on(self, day: date) -> bool:
        """Whether the scheme is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def parameters(self) -> list[Parameter]:
        """Every parameter with key, value, unit, clause, status and legal basis, in a fixed order."""
        return written.parameters(self.document)

    def parameter(self, key: str) -> Parameter:
        """One parameter; SchemeError when the document does not set it."""
        for parameter in self.parameters():
            if parameter.key == key:
                return parameter
        raise SchemeError.one(key, "", f"方案“{self.name}”没有参数:{key}", "请在参数清单中选择")

    def unconfirmed(self) -> list[Parameter]:
        """The parameters still 待核实."""
        return [parameter for parameter in self.parameters() if not parameter.confirmed]

    def clause(self, key: str) -> str:
        """The clause of a scalar parameter, empty when the document does not set it."""
        return written.clause_of(self.document, key)

    def status(self, key: str) -> str:
        """The status of a scalar parameter."""
        return written.status_of(self.document, key)

    def with_parameter(
        self,
        key: str,
        value: ParameterValue,
        status: str = CONFIRMED,
        *,
        clause: str | None = None,
        legal_basis: str | None = None,
        wording: str | None = None,
    ) -> Scheme:
        """A new scheme with one parameter set (texts are converted to the parameter's kind) and its source renewed.

        A scalar parameter the document lacks is added; it then needs its ``clause``. SchemeError with all problems.
        """
        return self.with_parameters({key: (value, status)}, clause=clause, legal_basis=legal_basis, wording=wording)

    def with_parameters(
        self,
        changes: Mapping[str, tuple[ParameterValue, str]],
        *,
        clause: str | None = None,
        legal_basis: str | None = None,
        wording: str | None = None,
    ) -> Scheme:
        """As ``with_parameter`` for several values at once, e.g. a bound shared by two tiers."""
        document = deepcopy(dict(self.document))
        source = {"clause": clause, "basis": legal_basis, "wording": wording}
        for key, (value, status) in changes.items():
            leaf, name, status_name, kind = written.locate(document, key) or _added(document, key)
            leaf[name] = _converted(kind, value)
            leaf[status_name] = status
            leaf.update({entry: text for entry, text in source.items() if text is not None})
        return Scheme.from_document(document)


def scheme_names() -> tuple[str, ...]:
    """The names of the shipped schemes, the default first."""
    names = sorted(path.stem for path in SHIPPED.glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_SCHEME))


DEFAULT_SCHEME = "jiangxi-2022"


@cache
def load_scheme(name: str = DEFAULT_SCHEME) -> Scheme:
    """A shipped scheme by name; SchemeError naming the choices when there is none."""
    return Scheme.from_toml(shipped_text(name))


def shipped_text(name: str) -> str:
    """The TOML text of a shipped scheme as delivered."""
    if name not in scheme_names():
        known = "、".join(scheme_names())
        raise SchemeError.one("方案", name, f"没有名为“{name}”的方案", f"可选方案:{known}")
    return (SHIPPED / f"{name}.toml").read_text(encoding="utf-8")


def _added(document: written.Document, key: str) -> tuple[dict[str, Any], str, str, Kind]:
    if key not in SPEC:
        raise SchemeError.one(key, "", f"没有参数:{key}", "请在参数清单中选择")
    *path, last = key.split(".")
    node = document
    for part in path:
        node = node.setdefault(part, {})
    node[last] = {}
    return node[last], "value", "status", SPEC[key]


def _converted(kind: Kind, value: ParameterValue) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        match kind.kind:
            case "ratio" | "score" | "number":
                return Decimal(text)
            case "count":
                return int(text)
            case "date":
                return date.fromisoformat(text)
            case "flag":
                return {"true": True, "false": False, "是": True, "否": False}.get(text, text)
            case "list":
                return [item.strip() for item in text.split(",")]
    except (InvalidOperation, ValueError):
        return text
    return text


def _build(document: written.Document) -> Scheme:
    def value(key: str) -> Any:
        return written.value_of(document, key)

    gates = tuple(
        Gate(
            row["key"],
            row["metric"],
            row["title"],
            row["closes_when"],
            Decimal(row["threshold"]),
            row["target"],
            row["clause"],
            row.get("wording", ""),
            row["status"],
        )
        for row in rows_of(document, "gates")
    )
    brackets = Brackets(
        scheme=document["name"],
        title=document["title"],
        overrun=_side(document, "overrun"),
        surplus=_side(document, "surplus"),
        whole_amount=value("sharing.mode") == "whole_amount",
        gates=gates,
        compare_clause=written.clause_of(document, "sharing.measure"),
        mode_clause=written.clause_of(document, "sharing.mode"),
        reasonable_clause=written.clause_of(document, "overrun.requires_cause_analysis")
        or written.clause_of(document, "sharing.mode"),
    )
    grades = tuple(
        Grade(
            row["label"],
            Decimal(row["lower"]),
            Decimal(row["upper"]),
            row["lower_inclusive"],
            row["upper_inclusive"],
            Decimal(row["factor"]),
            row["clause"],
            row["status"],
            row.get("wording", ""),
        )
        for row in rows_of(document, "assessment.grades")
    )
    return Scheme(
        name=document["name"],
        title=document["title"],
        place=document["place"],
        legal_basis=document["legal_basis"],
        issued=document.get("issued"),
        note=document.get("note", ""),
        valid_from=value("validity.from"),
        valid_to=value("validity.to"),
        fund_types=value("scope.fund_types"),
        separate=value("scope.separate"),
        services=value("scope.services"),
        excluded=value("scope.excluded") or (),
        ratio_base=value("sharing.ratio_base"),
        mode=value("sharing.mode"),
        brackets=brackets,
        requires_cause_analysis=bool(value("overrun.requires_cause_analysis")),
        reserve_rate=value("reserve.rate"),
        withheld_monthly_rate=value("withheld.monthly_rate"),
        prepayment_cap=value("prepayment.cap"),
        prepayment_step=value("prepayment.step"),
        prepayment_base=value("prepayment.base") or "package",
        primary_share_floor=value("primary_share.floor"),
        primary_share_base=value("primary_share.base"),
        assessment_target=value("assessment.target"),
        grades=grades,
        retained_split=tuple(
            SplitPart(row["recipient"], Decimal(row["share"]), row["clause"], row["status"])
            for row in rows_of(document, "retained_split")
        ),
        budget_base=value("budget.base"),
        reference_years=value("budget.reference_years"),
        growth_cap=value("budget.growth_cap"),
        document=document,
    )


def _side(document: written.Document, name: str) -> Side | None:
    rows = rows_of(document, f"{name}.tiers")
    if not rows:
        return None
    tiers = [
        Tier(
            row["label"],
            Decimal(row["lower"]),
            Decimal(row["upper"]) if "upper" in row else None,
            Decimal(row["rate"]),
            row["lower_inclusive"],
            row.get("upper_inclusive", False),
            row["clause"],
            row.get("wording", ""),
            row["rate_status"],
            row["bounds_status"],
        )
        for row in rows
    ]
    band = dead_band_tier(document, name, tiers[0].lower_inclusive)
    return Side(
        name,
        tuple([band, *tiers] if band else tiers),
        written.value_of(document, f"{name}.cap"),
        written.clause_of(document, f"{name}.cap"),
        written.status_of(document, f"{name}.cap"),
    )
