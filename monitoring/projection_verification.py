"""Recomputes stored medium-term estimates: the same inputs must give the same fen."""

from __future__ import annotations

from core.registries import Finding
from monitoring.models import MidtermEstimate
from monitoring.services.midterm import computed
from rules.errors import RuleError


def verify_midterms() -> list[Finding]:
    """Every version whose stored result is not what its stored base and assumptions come to."""
    found = []
    for held in MidtermEstimate.objects.with_places().order_by("pk").iterator(chunk_size=200):
        try:
            same = computed(held) == held.results
        except (RuleError, ArithmeticError, KeyError, TypeError):
            same = False
        if not same:
            found.append(Finding(str(held), "重新计算的结果与存储的测算结果不一致。"))
    return found
