"""Figures that cost many queries are kept in memory until the trail moves.

Every change of business data ends with a row in the trail, so the heads of its chains are a stamp of all of it: what was
worked out under a stamp is right as long as the stamp stands. Only pages that read ask here (the middleware opens a
request for GET alone); rights, notices, jobs and sessions are never kept. ``HELD_SECONDS`` bounds what a change made past
the services could leave stale.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

from django.utils import timezone

from core.models import TrailHead

T = TypeVar("T")
Stamp = tuple[tuple[str, str], ...]

HELD_SECONDS = 60
HELD_VALUES = 500
_open: ContextVar[dict[str, Stamp] | None] = ContextVar("kept_figures", default=None)
_values: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
_lock = Lock()


@contextmanager
def reading() -> Iterator[None]:
    """One request that only reads: within it :func:`kept` may answer from memory; the stamp is read once."""
    token = _open.set({})
    try:
        yield
    finally:
        _open.reset(token)


def kept(name: str, key: Hashable, compute: Callable[[], T]) -> T:
    """``compute()``, or what it gave for the same name, key, day and stamp. The value is shared: nobody may change it."""
    request = _open.get()
    if request is None:
        return compute()
    if "stamp" not in request:
        request["stamp"] = tuple(TrailHead.objects.order_by("chain").values_list("chain", "hash"))
    full = (name, key, timezone.localdate(), request["stamp"])
    now = time.monotonic()
    with _lock:
        held = _values.get(full)
        if held is not None and held[0] > now:
            _values.move_to_end(full)
            return held[1]  # type: ignore[no-any-return]
    value = compute()
    with _lock:
        _values[full] = (now + HELD_SECONDS, value)
        while len(_values) > HELD_VALUES:
            _values.popitem(last=False)
    return value
