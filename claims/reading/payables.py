"""Payables by method beside what the facts hold: what does not meet is shown, never silently spread."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from claims.models import FactSet, Method, MonthlyFact, PayableTable
from claims.reading.sums import ZERO


@dataclass(frozen=True)
class PayableLine:
    """One line of a payable table beside the facts of the same institution, fund type and method (yuan)."""

    institution: str
    fund_type: str
    method: str
    cases: int
    billed: Decimal
    payable: Decimal
    held_settlements: int
    held_billed: Decimal

    @property
    def billed_difference(self) -> Decimal:
        """Table − facts; anything but nought wants an explanation."""
        return self.billed - self.held_billed

    @property
    def method_effect(self) -> Decimal:
        """Payable − billed: what the method adds or takes."""
        return self.payable - self.billed

    @property
    def method_text(self) -> str:
        return Method(self.method).label


def reconciled(table: PayableTable) -> list[PayableLine]:
    """Every line of the table with what the current facts of its month hold, in two queries."""
    held = {}
    factset = FactSet.objects.current().filter(county=table.county_id, year=table.year, month=table.month).first()
    if factset is not None:
        sums = (
            MonthlyFact.objects.filter(factset=factset)
            .exclude(method="")
            .order_by()
            .values("institution_id", "fund_type", "method")
            .annotate(count=Sum("settlements"), billed=Sum("pooled_fund_paid"))
        )
        held = {(row["institution_id"], row["fund_type"], row["method"]): row for row in sums}
    lines = []
    for line in table.lines.select_related("institution"):
        found = held.get((line.institution_id, line.fund_type, line.method))
        lines.append(
            PayableLine(
                line.institution.name,
                line.fund_type,
                line.method,
                line.cases,
                line.billed,
                line.payable,
                found["count"] if found else 0,
                found["billed"] if found else ZERO,
            )
        )
    return lines
