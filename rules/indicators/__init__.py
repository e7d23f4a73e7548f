"""The monthly indicators of fund safety (domain §5; seed 000 §三(四), seed 001 §二(三)3): bases, formulas, readings.

``BASES`` names the sums a place, fund type and month is known by; ``INDICATORS`` says what is worked out of them;
:func:`compute` works one out for a :class:`Window` of periods, with its trace. Blank is not zero: an indicator whose
bases are missing has no value and says which are.
"""

from rules.indicators.bases import BASE_BY_KEY, BASES, Base
from rules.indicators.catalogue import BY_KEY, INDICATORS, Better, Indicator, Kind
from rules.indicators.computing import PRIMARY_BASES, Missing, Reading, Window, add_up, compute

__all__ = [
    "BASES",
    "BASE_BY_KEY",
    "BY_KEY",
    "INDICATORS",
    "PRIMARY_BASES",
    "Base",
    "Better",
    "Indicator",
    "Kind",
    "Missing",
    "Reading",
    "Window",
    "add_up",
    "compute",
]
