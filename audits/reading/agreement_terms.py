"""The shipped terms and indicators of agreements by version (R-086, R-100, R-103, R-119, R-144), and which a provider gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.models import Institution, InstitutionKind
from rules.dated import Source, read, source_of

FILE = Path(__file__).parent.parent / "defaults" / "agreement_terms.toml"


@dataclass(frozen=True)
class Term:
    """A clause of the agreement; ``text`` is where the negotiation begins."""

    key: str
    label: str
    text: str
    clause: str
    lead: bool
    care: bool


@dataclass(frozen=True)
class AgreedIndicator:
    """An indicator with a target inside ``lower`` … ``upper``, in ``unit``."""

    key: str
    label: str
    unit: str
    target: Decimal
    lower: Decimal
    upper: Decimal
    clause: str
    lead: bool
    care: bool


@dataclass(frozen=True)
class Terms:
    """One version, or the part of it that concerns a provider."""

    key: str
    title: str
    source: Source
    terms: tuple[Term, ...]
    indicators: tuple[AgreedIndicator, ...]


@lru_cache(maxsize=1)
def versions() -> tuple[Terms, ...]:
    """Every version, oldest first."""
    found = [_version(row) for row in read(FILE)["version"]]
    return tuple(sorted(found, key=lambda one: one.source.valid_from or date.min))


def terms_for(institution: Institution, on: date, is_lead: bool) -> Terms:
    """What the newest version in force on a day asks of a provider; ``is_lead``: the lead hospital of an alliance."""
    version = next(one for one in reversed(versions()) if one.source.holds(on))
    care = institution.kind != InstitutionKind.PHARMACY

    def concerns(one: Term | AgreedIndicator) -> bool:
        return (is_lead or not one.lead) and (care or not one.care)

    terms, indicators = filter(concerns, version.terms), filter(concerns, version.indicators)
    return Terms(version.key, version.title, version.source, tuple(terms), tuple(indicators))


def _version(row: Mapping[str, Any]) -> Terms:
    terms = tuple(
        Term(one["key"], one["label"], one["text"], one["clause"], one.get("lead", False), one.get("care", False))
        for one in row["term"]
    )
    indicators = tuple(
        AgreedIndicator(
            one["key"], one["label"], one["unit"], Decimal(one["target"]), Decimal(one["lower"]), Decimal(one["upper"]),
            one["clause"], one.get("lead", False), one.get("care", False),
        )
        for one in row["indicator"]
    )  # fmt: skip
    return Terms(row["key"], row["title"], source_of(row), terms, indicators)
