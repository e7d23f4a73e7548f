"""Properties run on the same examples every time and without a clock, so that a busy machine fails nothing."""

from hypothesis import settings

settings.register_profile("rules", deadline=None, derandomize=True, max_examples=150)
settings.load_profile("rules")
