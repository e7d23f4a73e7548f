"""Synthetic claims extracts: any size, fixed seed, the same bytes each time, with faults and frauds and their key."""

from claims.generator.setup import Mix, Place, Setup, example_institutions, example_setup, read_institutions
from claims.generator.writing import Generated, generate

__all__ = ["Generated", "Mix", "Place", "Setup", "example_institutions", "example_setup", "generate", "read_institutions"]
