"""A year under way, for the pages of budgets."""

import pytest

from budgets import services
from tests.budgets.ground import approved, month, paid_month


@pytest.fixture
def running(world):
    """A package in force with a paid January and a proposed February."""
    version = approved(world)
    paid_month(world, "2026-01")
    services.propose(world.alliance, month("2026-02"))
    return version
