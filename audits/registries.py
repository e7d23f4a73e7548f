"""Named lists of the audits app that its own parts and higher apps join when the site starts.

``case_cards``: the cards of a case's page, in order. ``lead_origins``: how a lead's origin (a warning, a tip …) is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.registries import Registry


@dataclass(frozen=True)
class Card:
    """One card of a case's page: ``template`` is rendered with ``context`` (and the page's own)."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """Where a lead came from: ``label`` names it, ``url`` is its page or empty."""

    label: str
    url: str = ""


case_cards: Registry[Callable[[Any, Any, str, Any], Card | None]] = Registry()
"""``card(request, case, opened, form) -> Card | None``: None where this reader sees nothing of it.

Asked with a visible case only. ``opened`` names the act of this card whose form was refused, ``form`` is that bound form
(its problems stand at the head of the page); both are empty otherwise.
"""
lead_origins: Registry[Callable[[str], Origin | None]] = Registry()
"""By the lead's ``origin_type``: ``show(origin_key) -> Origin``; None when it is gone."""
