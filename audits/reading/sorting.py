"""The order of a list as its page asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def sorted_queryset(rows: Any, asked: str, columns: Mapping[str, Sequence[str]]) -> Any:
    """Ordered by the named column (``-name`` backwards); an unknown name leaves the order as it is."""
    name, backwards = asked.removeprefix("-"), asked.startswith("-")
    if name not in columns:
        return rows
    return rows.order_by(*(f"-{field}" if backwards else field for field in columns[name]), "-pk")
