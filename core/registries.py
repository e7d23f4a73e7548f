"""Named lists that higher apps join from ``AppConfig.ready``, so that lower apps never import them.

``month_end_steps``: callables run by the month-end job. ``step_listeners``: told how each of them ended.
``home_todos``: what a person must do on the home page.
``verifications``: checks of ``manage.py verify``. ``readiness_checks``: what ``/readyz`` asks.
``trail_texts``: Chinese wording of trail actions beyond those registered as rights. ``search_sources``: the search box.
``due_work``: asked by the clock every few minutes; looks into rows for what is due and enqueues jobs.
``backup_sources``: files a backup must hold because rows name them. ``control_sums``: totals that a restored database
must show again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """An ordered list of named entries; registering a name twice replaces it (app reload), order is (order, name)."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, T]] = {}

    def register(self, name: str, entry: T, order: int = 100) -> None:
        self._entries[name] = (order, entry)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        for name, (_order, entry) in sorted(self._entries.items(), key=lambda item: (item[1][0], item[0])):
            yield name, entry

    def get(self, name: str) -> T | None:
        held = self._entries.get(name)
        return held[1] if held else None


@dataclass(frozen=True)
class Todo:
    """One thing a person must do: shown on the home page with its money, its date and a link."""

    title: str
    url: str
    detail: str = ""
    fund_type: str = ""
    amount: Decimal | None = None
    due: date | None = None
    verb: str = "办理"


@dataclass(frozen=True)
class Finding:
    """What a verification found wrong: ``where`` names the row or file, ``text`` says what differs."""

    where: str
    text: str


@dataclass(frozen=True)
class KeptFile:
    """A file that rows of the database name; ``name`` is its path below ``DATA_DIR``, ``shown`` what people call it."""

    name: str
    sha256: str
    shown: str


@dataclass(frozen=True)
class MonthEndStep:
    """One step of the month-end job, run per alliance: ``run(alliance, month, actor) -> outcome text``; idempotent.

    ``needs`` names the steps without whose result this one means nothing: it is skipped when one of them failed.
    ``inputs(alliance, month)`` is a digest of all the step reads; a done step with the same digest is not repeated.
    A step without it is repeated on every run.
    """

    label: str
    run: Callable[[Any, Any, Any], str]
    needs: tuple[str, ...] = ()
    inputs: Callable[[Any, Any], str] | None = None


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class StepEvent:
    """What happened to one step of an alliance's month end; ``job`` is the core job's number."""

    alliance: Any
    month: Any
    name: str
    label: str
    job: int
    state: StepState
    text: str = ""
    inputs: str = ""


@dataclass(frozen=True)
class StepListener:
    """``begun(alliance, month, [(name, label)], job)`` before the first step; ``told`` at the start and end of each.

    ``held(alliance, month, name, inputs)`` is what a step said that was done before with the same inputs, or None.
    """

    begun: Callable[[Any, Any, list[tuple[str, str]], int], None]
    told: Callable[[StepEvent], None]
    held: Callable[[Any, Any, str, str], str | None]


@dataclass(frozen=True)
class SearchHit:
    label: str
    url: str
    kind: str = field(default="")


month_end_steps: Registry[MonthEndStep] = Registry()
step_listeners: Registry[StepListener] = Registry()
home_todos: Registry[Callable[[Any], list[Todo]]] = Registry()
verifications: Registry[Callable[[], list[Finding]]] = Registry()
readiness_checks: Registry[Callable[[], str]] = Registry()
trail_texts: Registry[str] = Registry()
search_sources: Registry[Callable[[Any, str], list[SearchHit]]] = Registry()
due_work: Registry[Callable[[], None]] = Registry()
backup_sources: Registry[Callable[[], Iterable[KeptFile]]] = Registry()
control_sums: Registry[Callable[[], dict[str, str]]] = Registry()
