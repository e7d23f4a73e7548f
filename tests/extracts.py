"""Small claims extracts of the test world, made by the generator; the same seed gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from claims.generator.setup import Place, Setup
from claims.generator.writing import generate
from core.models import Institution
from rules.periods import Month


def write_extract(folder: Path, rows: int = 600, first: str = "2026-07", last: str = "2026-09", **changes: Any) -> Path:
    """An extract of Qingxi's insured as CSV; ``changes`` are those of ``Setup`` (faults, seed, …)."""
    places = tuple(
        Place(found.code, found.name, found.county.code, found.kind, found.grade)
        for found in Institution.objects.select_related("county").order_by("code")
    )
    setup = Setup("990101", Month.parse(first), Month.parse(last), rows, places, **{"frauds": 0.0, **changes})
    return generate(setup, folder, "csv").extract
