"""Histories for the projection: from a fact table in a file, from the database, or the shipped ones."""

from monitoring.projecting.database import database_histories
from monitoring.projecting.fact_table import MAX_PROBLEMS, read_fact_table

__all__ = ["MAX_PROBLEMS", "database_histories", "read_fact_table"]
