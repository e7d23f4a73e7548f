"""What higher apps tell settlements.

``adjustment_holders``: who holds adjustments that were pushed here, so that only the holder's own act takes them back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from core.registries import Registry

adjustment_holders: Registry[Callable[[Collection[int]], Mapping[int, str]]] = Registry()
"""``holder(ids) -> {id: words}``: which of these adjustments it holds, and what holds each (a case's number)."""


def held_by(ids: Collection[int]) -> dict[int, str]:
    """Adjustment id → what holds it; those that nobody holds are absent."""
    return {key: words for _name, holder in adjustment_holders for key, words in holder(ids).items()}
