"""The trace of a computation: ordered steps that a person can redo with a pocket calculator.

A step names what is computed (Chinese), the formula in words, the values put in, the result, and the clause it follows.
Amounts are kept as Decimal until they are printed; ``as_json`` holds strings only, so nothing is lost in storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

Value = Decimal | int | str
CONFIRMED = "confirmed"
UNCONFIRMED = "待核实"


class Step(NamedTuple):
    """One line of a computation. ``inputs`` are (name, value) pairs; ``unit`` is the unit of ``value``."""

    label: str
    expression: str
    inputs: tuple[tuple[str, Value], ...]
    value: Value
    clause: str
    unit: str = "元"
    status: str = CONFIRMED

    def as_json(self) -> dict[str, Any]:
        """The step as strings: inputs become a list of name/value pairs, because JSON stores may reorder keys."""
        return {
            "label": self.label,
            "expression": self.expression,
            "inputs": [{"name": name, "value": text_of(value)} for name, value in self.inputs],
            "value": text_of(self.value),
            "clause": self.clause,
            "unit": self.unit,
            "status": self.status,
        }


class Trace:
    """An ordered, unchangeable sequence of steps."""

    __slots__ = ("steps",)

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self.steps: tuple[Step, ...] = tuple(steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __add__(self, other: Trace) -> Trace:
        return Trace(self.steps + other.steps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self.as_json() == other.as_json()

    def __hash__(self) -> int:
        return hash(tuple((step.label, text_of(step.value)) for step in self.steps))

    def as_json(self) -> list[dict[str, Any]]:
        """A list of dictionaries holding strings only."""
        return [step.as_json() for step in self.steps]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Trace:
        """The trace stored by ``as_json``; values come back as the stored strings."""
        return cls(
            Step(
                str(item["label"]),
                str(item["expression"]),
                tuple((str(pair["name"]), str(pair["value"])) for pair in item["inputs"]),
                str(item["value"]),
                str(item["clause"]),
                str(item.get("unit", "元")),
                str(item.get("status", CONFIRMED)),
            )
            for item in data
        )


def text_of(value: Value) -> str:
    """A value in plain digits, never in scientific notation."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def percent(ratio: Decimal) -> str:
    """A ratio as a percentage without trailing zeros: 0.8 → 80%."""
    return f"{(ratio * 100).normalize():f}%"
