"""What higher apps give to a table's template: joined from ``AppConfig.ready``, blank until somebody does.

``prefill_sources``: by prefix, such as ``audit`` for rows that say ``prefill = "audit.checked"``; called with alliance,
period and fund type, answers a dict by what follows the prefix, in yuan or whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.models import Alliance
from core.registries import Registry
from submissions.periods import TablePeriod

PrefillSource = Callable[[Alliance, TablePeriod, str], dict[str, Decimal]]
prefill_sources: Registry[PrefillSource] = Registry()
