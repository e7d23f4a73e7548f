"""The table of a backtest: mean absolute errors by method, month and year, and how often the range held."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from rules.forecast.history import ZERO
from rules.forecast.replaying import METHODS, PROJECTION, Case
from rules.money import round_ratio
from rules.trace import text_of


class Line(NamedTuple):
    """Errors of a set of cases, as ratios. ``errors`` and ``improvement`` hold None where nothing can be compared.

    All methods are measured on the same cases: those where the projection and the method both said something.
    ``coverage`` is the share of cases with a range whose truth lay in it.
    """

    label: str
    cases: int
    errors: dict[str, Decimal | None]
    improvement: dict[str, Decimal | None]
    ranged: int
    coverage: Decimal | None

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "cases": self.cases,
            "errors": {name: _text(value) for name, value in self.errors.items()},
            "improvement": {name: _text(value) for name, value in self.improvement.items()},
            "ranged": self.ranged,
            "coverage": _text(self.coverage),
        }


class Score(NamedTuple):
    """The whole, by year, by month of looking ahead, and by place."""

    whole: Line
    years: list[Line]
    months: list[Line]
    places: list[Line]

    def as_json(self) -> dict[str, Any]:
        return {
            "whole": self.whole.as_json(),
            "years": [line.as_json() for line in self.years],
            "months": [line.as_json() for line in self.months],
            "places": [line.as_json() for line in self.places],
        }


def score(cases: Sequence[Case]) -> Score:
    """The table of ``cases``; empty lists and Nones for none."""
    years: dict[int, list[Case]] = {}
    months: dict[int, list[Case]] = {}
    places: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        years.setdefault(case.year, []).append(case)
        months.setdefault(case.as_of.month, []).append(case)
        places.setdefault((case.area, case.place, case.fund_type), []).append(case)
    return Score(
        _line("合计", cases),
        [_line(str(year), found) for year, found in sorted(years.items())],
        [_line(f"{month}月", found) for month, found in sorted(months.items())],
        [_line(" ".join(filter(None, place)), found) for place, found in sorted(places.items())],
    )


def _line(label: str, cases: Sequence[Case]) -> Line:
    errors: dict[str, Decimal | None] = {}
    improvement: dict[str, Decimal | None] = {}
    for method in METHODS:
        both = [
            (ours, theirs)
            for case in cases
            if (ours := case.error(PROJECTION)) is not None and (theirs := case.error(method)) is not None
        ]
        errors[method] = _mean([theirs for _, theirs in both])
        mine, other = sum((ours for ours, _ in both), ZERO), sum((theirs for _, theirs in both), ZERO)
        if method != PROJECTION:
            improvement[method] = round_ratio(1 - mine / other) if other > 0 else None
    held = [case.is_held for case in cases if case.is_held is not None]
    coverage = round_ratio(Decimal(sum(held)) / len(held)) if held else None
    return Line(label, len(cases), errors, improvement, len(held), coverage)


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return round_ratio(sum(values, ZERO) / len(values)) if values else None


def _text(value: Decimal | None) -> str | None:
    return None if value is None else text_of(value)
