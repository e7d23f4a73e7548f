"""后台: what administrators configure, saved through services only."""

from core.admin import people, places, policy  # noqa: F401
