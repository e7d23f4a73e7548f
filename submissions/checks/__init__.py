"""Checks of a quarterly table: small pure functions with a stable code, run all at once (domain §5, H1–H12, S1–S9)."""

from submissions.checks.catalogue import BY_CODE, CATALOGUE, run_checks
from submissions.checks.context import HARD, NOTE, SOFT, Check, CheckContext, Limits

__all__ = ["BY_CODE", "CATALOGUE", "HARD", "NOTE", "SOFT", "Check", "CheckContext", "Limits", "run_checks"]
