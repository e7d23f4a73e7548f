"""The catalogue of findings for pages outside the claims: the handbook and the search."""

from __future__ import annotations

from claims.engine.codes import CATALOGUE, Code


def finding_codes() -> tuple[Code, ...]:
    """Every finding of the import with its wording, severity and remedy, in the order of the codes."""
    return CATALOGUE
