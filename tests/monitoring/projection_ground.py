"""Years of facts known month by month, and packages, for tests of the projection."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import time_machine

from claims.services import record_factset
from rules.periods import Month, months_between
from tests.claims.facts import fact
from tests.portal.year import WEIGHTS

ZONE = ZoneInfo("Asia/Shanghai")
SHARES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("60", {"settlements": 400}),
    ("12", {"visit_type": "outpatient", "settlements": 3000}),
    ("28", {"institution": "", "institution_area": "990102", "care_location": "city", "settlements": 100}),
)
"""Of 100 charged: 72 inside, 28 outside."""


def delivered(
    world: Any,
    month: Month,
    scale: int | Decimal = 100,
    *,
    late: bool = False,
    again: int = 1,
    county: Any = None,
    alliance: str = "QX",
    own: str = "H99010100001",
) -> None:
    """A month of a county's residents, delivered on the 5th of the following month (``again`` months after it).

    At 100 percent a year comes to 120 million. ``late``: a tenth of the care outside is still missing.
    """
    unit = Decimal(WEIGHTS[month.month - 1]) * scale * 1000
    rows = []
    for share, grain in SHARES:
        part = Decimal(share) * (Decimal("0.9") if late and "care_location" in grain else 1)
        amount = str((unit * part / 100).quantize(Decimal("0.01")))
        rows.append(fact(amount, **{"institution": own, **grain, "alliance": alliance}))
    on = month.plus(again)
    with time_machine.travel(datetime(on.year, on.month, 5, 9, tzinfo=ZONE), tick=False):
        record_factset(None, county or world.qingxi, month, rows, "demo")


def years(world: Any, scales: dict[int, int], through: Month) -> None:
    """Whole years at their scales; the last only ``through`` a month."""
    first = Month(min(scales), 1)
    for month in months_between(first, through):
        delivered(world, month, scales[month.year])
