"""Invented histories to judge projections by: the generator, its seeds, and the fact table they come as."""

from rules.histories.generator import city_rows, generated_rows, held_years
from rules.histories.table import COLUMNS, FactRow, as_csv

__all__ = ["COLUMNS", "FactRow", "as_csv", "city_rows", "generated_rows", "held_years"]
