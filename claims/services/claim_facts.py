"""From claims in the lake to rows of facts: the engine adds them up, here they become the rows that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from claims import lake
from claims.engine.facts import monthly_facts
from claims.engine.reference import Reference
from claims.services.fact_rows import FactRow
from core.models import County
from rules.periods import Month


def facts_of_files(files: Sequence[Path], reference: Reference, county: County, month: Month) -> list[FactRow]:
    """The facts of a county's insured in ``month`` from exactly these files; none from no file."""
    if not files:
        return []
    with lake.reader() as connection:
        return [FactRow(**fact) for fact in monthly_facts(connection, files, reference, county.code, month)]
