"""A signed balance as bookkeepers write it: 借 1,234.56, 贷 1,234.56 or 平."""

from __future__ import annotations

from decimal import Decimal

from django import template

from core.templatetags.fund import yuan

register = template.Library()


@register.filter
def side(amount: Decimal) -> str:
    """Decimal yuan, debit positive, with its side in front."""
    if amount == 0:
        return "平"
    return f"借 {yuan(amount)}" if amount > 0 else f"贷 {yuan(-amount)}"
