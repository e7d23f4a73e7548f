"""Control totals of the books, printed with a backup and compared after its restore."""

from __future__ import annotations

from django.db.models import Count, Q, Sum

from ledger.models import Line


def control_sums() -> dict[str, str]:
    """Per book: vouchers, lines and the debit total in yuan."""
    rows = (
        Line.objects.order_by("entry__book__pooling_area__code", "-entry__book__fund_type")
        .values_list("entry__book__pooling_area__code", "entry__book__fund_type")
        .annotate(
            vouchers=Count("entry", distinct=True), lines=Count("pk"), debit=Sum("amount", filter=Q(amount__gt=0))
        )
    )
    return {
        f"{area} {fund_type}": f"凭证 {vouchers} 张，分录 {lines} 条，借方合计 {debit} 元"
        for area, fund_type, vouchers, lines, debit in rows
    }
