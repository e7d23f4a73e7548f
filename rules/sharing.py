"""The door to sharing: ``load_scheme(name).share(package, charged, reasonable_overrun)``."""

from rules.brackets import BALANCED, OVERRUN, SURPLUS, ShareResult, SharingError, TierShare
from rules.scheme import DEFAULT_SCHEME, Scheme, load_scheme, scheme_names, shipped_text

__all__ = [
    "BALANCED",
    "DEFAULT_SCHEME",
    "OVERRUN",
    "SURPLUS",
    "Scheme",
    "ShareResult",
    "SharingError",
    "TierShare",
    "load_scheme",
    "scheme_names",
    "shipped_text",
]
