"""One county's years with packages of both fund types, as the portal's tests look at it on 12 October 2026."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.budgets import ground
from tests.portal.year import years_of_facts

TODAY = "2026-10-12 09:00+08:00"
RESIDENTS = {
    2024: ground.entered("77760000.00", "30240000.00"),
    2025: ground.entered("82080000.00", "31920000.00"),
}
EMPLOYEES = {
    2024: ground.entered("19440000.00", "7560000.00"),
    2025: ground.entered("20520000.00", "7980000.00"),
}


@pytest.fixture
def today() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def filled(world: Any, today: None) -> Any:
    """2024 and 2025 whole, 2026 to September: 120 and 30 million a year; packages of 118 and 30.2 million."""
    years_of_facts(world, {2024: 90, 2025: 95, 2026: 100}, funds={"RES": "1", "EMP": "0.25"})
    ground.approved(world, ground.inputs("118000000.00", years=RESIDENTS))
    ground.approved(world, ground.inputs("30200000.00", years=EMPLOYEES), fund_type="EMP")
    return world
