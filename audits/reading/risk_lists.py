"""What to look for at which kind of provider (R-112), read once from ``defaults/risk_lists.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.models import Institution, InstitutionKind, Ownership

FILE = Path(__file__).parent.parent / "defaults" / "risk_lists.toml"
LEVEL_2 = 2


@dataclass(frozen=True)
class Risk:
    """One thing looked for; ``clause`` is the list's."""

    key: str
    text: str
    clause: str


@dataclass(frozen=True)
class RiskList:
    """The risks of one kind of subject: level2, primary, private, pharmacy, insured, agency, listed, nursing."""

    of: str
    label: str
    clause: str
    risks: tuple[Risk, ...]


@lru_cache(maxsize=1)
def risk_lists() -> dict[str, RiskList]:
    """Every list by what it is of, in the order of the file."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["list"]
    return {
        row["of"]: RiskList(
            row["of"], row["label"], row["clause"],
            tuple(Risk(item["key"], item["text"], row["clause"]) for item in row["items"]),
        )
        for row in rows
    }  # fmt: skip


@lru_cache(maxsize=1)
def risks_by_key() -> dict[str, Risk]:
    return {risk.key: risk for one in risk_lists().values() for risk in one.risks}


def is_private(institution: Institution) -> bool:
    """Whether an on-site check of it is an enterprise check (涉企检查) that must be filed first."""
    return institution.ownership == Ownership.PRIVATE


def lists_for(institution: Institution) -> list[RiskList]:
    """The lists that concern a provider, its own kind's first; listed diseases and nursing care wherever care is given."""
    lists = risk_lists()
    if institution.kind == InstitutionKind.PHARMACY:
        return [lists["pharmacy"], lists["listed"]]
    own = []
    if is_private(institution):
        own.append(lists["private"])
    if institution.is_primary or (institution.kind == InstitutionKind.CLINIC and not own):
        own.append(lists["primary"])
    elif institution.grade >= LEVEL_2 or not own:
        own.append(lists["level2"])
    return [*own, lists["listed"], lists["nursing"]]


def own_risks(institution: Institution) -> list[str]:
    """What is looked for unless somebody chooses otherwise: the risks of its kind."""
    return [risk.key for one in lists_for(institution) if one.of not in ("listed", "nursing") for risk in one.risks]


def texts_of(keys: Iterable[str]) -> list[Risk]:
    """The risks of a target; a key no longer listed is shown as it was written."""
    known = risks_by_key()
    return [known.get(key) or Risk(key, key, "") for key in keys]
