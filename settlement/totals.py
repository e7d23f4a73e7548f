"""Control totals of the settlements, printed with a backup and compared after its restore."""

from __future__ import annotations

from django.db.models import Count, Sum

from settlement.models import SettlementVersion
from settlement.states import VersionState


def control_sums() -> dict[str, str]:
    """Per state of the versions: how many and the cash of their current computations in yuan."""
    rows = (
        SettlementVersion.objects.order_by("state")
        .values_list("state")
        .annotate(versions=Count("pk"), cash=Sum("computation__cash"))
    )
    return {VersionState(state).label: f"{versions} 份，清算现金合计 {cash or 0} 元" for state, versions, cash in rows}
