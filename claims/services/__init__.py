"""What may be done to claims data; every page, API view, command and job goes through here."""

from claims.services.fact_rows import FactRow
from claims.services.factsets import record_factset

__all__ = ["FactRow", "record_factset"]
